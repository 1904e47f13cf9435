"""How it was measured."""

from upbench.reports.figures import Drawn
from upbench.reports.frame import Run


def section(run: Run, drawn: Drawn) -> str:
    """The protocol, and what speed depends on besides."""
    lines = ["## How it was measured", ""]
    if run.about:
        lines += [str(run.about["protocol"]), ""]
    host = run.speed_host or run.host
    if host:
        allocator = ", ".join(f"{name}={value}" for name, value in host["allocator"].items())
        lines.append(f"CPU capability {host['cpu_capability']}; allocator: {allocator or 'as the system has it'}.")
    return "\n".join(lines).rstrip()

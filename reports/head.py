"""The page's title, the data, and where it ran."""

from upbench.reports.figures import Drawn
from upbench.reports.frame import Run


def section(run: Run, drawn: Drawn) -> str:
    """Title and a line each on data, speed and host."""
    lines = ["# Upsampling: " + ("torch versions compared" if versions_only(run) else "quality and speed"), ""]
    if run.about:
        lines.append(f"- **Data**: {run.about['description']}; quality on {run.about['device']}.")
    if not run.speed.empty:
        devices = ", ".join(dict.fromkeys(run.speed["device"]))
        threads = ", ".join(str(count) for count in dict.fromkeys(run.speed["threads"]))
        lines.append(f"- **Speed**: on {devices}, {threads} CPU thread(s).")
    if run.host:
        lines.append(f"- **Host**: {describe_host(run)}")
    return "\n".join(lines)


def versions_only(run: Run) -> bool:
    """Whether the folder holds comparisons of torch versions, a series or an atlas of them, and nothing else."""
    others = (run.quality, run.cells, run.sweep)
    return bool(run.versions or run.watch or run.atlas) and not run.selfcheck and all(frame.empty for frame in others)


def describe_host(run: Run) -> str:
    """Where it ran, in one line."""
    host = run.host
    gpu = host.get("gpu")
    device = f"{gpu['name']} (CUDA {gpu['cuda']}, driver {gpu['driver']}), " if gpu else ""
    packages = host["packages"]
    return (
        f"{device}{host['cpu']}, {host['cores']} cores, {host['system']}, Python {host['python']},"
        f" torch {packages['torch']}, upbench {packages.get('upbench', '?')}, {host['utc']}."
    )

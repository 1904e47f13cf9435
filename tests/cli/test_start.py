"""What can be answered without torch is answered before it is imported."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "pandas", "scipy", "matplotlib")
PROGRAM = """
import sys
from upbench.bench.cli.main import main
try:
    main({words!r})
except SystemExit:
    pass
print("heavy:", [name for name in {heavy!r} if name in sys.modules])
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["quality", "--help"],
        ["qualty"],
        ["quality", "--methods", "bilinaer"],
        ["quality", "--degradations", "bicubik"],
        ["quality", "--device", "tpu"],
        ["speed", "--workloads", "imag"],
        ["speed", "--method-s", "nearest"],
        ["bench", "--methods", "bilinaer"],
        ["duet", "--baseline", "2.15.0"],
        ["upsample", "in.png", "out.png", "--method", "bicubik"],
        ["list"],
    ],
    ids=" ".join,
)
def test_it_answers_before_anything_heavy_is_imported(words: list[str], environment: dict[str, str]) -> None:
    program = PROGRAM.format(words=words, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout.endswith("heavy: []\n"), done.stdout[-500:] + done.stderr[-500:]


def test_the_gates_own_process_has_no_torch_its_workers_do(environment: dict[str, str]) -> None:
    program = "import sys\nfrom upbench.bench.gate import stage, versus\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout == "False\n", done.stderr[-500:]


@pytest.mark.parametrize(
    "line, offered",
    [
        ("upbench qua", ["quality"]),
        ("upbench quality --methods bicubic-an", ["bicubic-antialias"]),
        ("upbench speed --workloads big-", ["big-feature"]),
        ("upbench quality --degradations gau", ["gaussian"]),
    ],
)
def test_the_tab_key_offers_commands_and_names_without_torch(
    line: str, offered: list[str], environment: dict[str, str]
) -> None:
    program = (
        "import os, sys, io\n"
        "import argcomplete\n"
        "from upbench.bench.cli import main\n"
        "said = io.StringIO()\n"
        "real = argcomplete.autocomplete\n"
        "argcomplete.autocomplete = lambda top: real(top, exit_method=lambda code: None, output_stream=said)\n"
        "sys.stderr = open(os.devnull, 'w')\n"
        "try:\n"
        "    main.main(['--version'])\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print(said.getvalue().split('\\v'), [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    variables = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\v"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment | variables)
    assert done.stdout.rstrip().endswith(f"{[f'{name} ' for name in offered]} []"), done.stdout + done.stderr

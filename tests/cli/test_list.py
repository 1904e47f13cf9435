"""`upbench list`, the shape of every command's help, and a stranger's method in a distribution of its own."""

import csv
import json
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from upbench.bench.adapters import discover

COMMANDS = [
    *("bench", "list", "quality", "diagnose", "speed", "selfcheck", "gpu", "duet", "bisect", "report", "advise"),
    *("upsample", "panel", "train", "trial", "atlas", "deploy", "layers", "code", "verdict", "watch", "comment"),
    *("merge", "fleet"),
]


def test_version_is_the_distributions(upbench: Callable) -> None:
    said = upbench("--version")
    assert (said.code, said.out) == (0, f"upbench {version('upbench')}\n")


def test_help_names_every_command_and_every_exit_code(upbench: Callable) -> None:
    said = upbench("--help")
    assert said.code == 0
    for command in COMMANDS:
        assert re.search(rf"\n    {command}\s", said.out)
    for code in range(4):
        assert f"\n  {code}  " in said.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_commands_help_has_examples_that_parse(upbench: Callable, command: str) -> None:
    from upbench.bench.cli.main import parser

    said = upbench(command, "--help")
    assert said.code == 0
    lines = [line.strip() for line in said.out.rpartition("example:\n")[2].splitlines()]
    examples = [line for line in lines if line.startswith(f"upbench {command}")]
    assert examples
    assert {parser().parse_args(shlex.split(example)[1:]).command for example in examples} == {command}


def test_list_has_a_line_for_every_method(upbench: Callable) -> None:
    said = upbench("list")
    assert said.code == 0
    names = [line.split()[0] for line in said.out.splitlines() if not line.startswith(" ")]
    assert names == list(discover())


def test_list_as_json_says_family_summary_and_availability(upbench: Callable, adapter_file: Callable[..., str]) -> None:
    needy = adapter_file("needy", "return torch.clone", top="import a_library_of_nobody")
    rows = json.loads(upbench("list", "--json", "--methods", "bicubic", "--method", needy).out)
    assert [row["name"] for row in rows] == ["bicubic", "needy"]
    assert rows[0]["family"] == "interpolate"
    assert "Keys" in rows[0]["summary"]
    assert rows[0]["available"] is True
    assert rows[1]["available"] is False
    assert "a_library_of_nobody" in rows[1]["reason"]


@pytest.mark.parametrize("module", ["_decimal", "sys"])
def test_list_says_of_a_compiled_module_that_it_cannot_look_into_it(upbench: Callable, module: str) -> None:
    said = upbench("list", "--method", f"{module}:factory")
    assert said.code == 0
    assert f"{module} is no Python source to look into" in said.out


def test_list_says_why_a_method_is_not_available(upbench: Callable, adapter_file: Callable[..., str]) -> None:
    said = upbench("list", "--check", "--method", adapter_file("picky", "raise NotImplementedError('needs a moon')"))
    assert said.code == 0
    assert "not available: needs a moon" in said.out


STRANGER = '''
import torch


def triple(scale, device, dtype):
    """Squares, by a stranger."""
    return lambda low: low.repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)
'''
PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "strange-upsamplers"
version = "1.0"

[project.entry-points."upbench.methods"]
strange-squares = "strange_upsamplers:triple"
strange-broken = "strange_upsamplers:absent"

[tool.setuptools]
py-modules = ["strange_upsamplers"]
"""


@pytest.fixture
def stranger(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A folder with an installed wheel of a distribution that never imports upbench."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "strange_upsamplers.py").write_text(STRANGER)
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    return tmp_path / "site"


BOTH = """
from upbench.bench.cli.main import main

names = ["--methods", "nearest", "strange-squares", "strange-broken"]
main(["list", "--json", *names])
raise SystemExit(main(["quality", "--dataset", "photos", "--limit", "16", "--out", "out", *names]))
"""


def test_a_strangers_distribution_is_seen_and_measured(
    stranger: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert "upbench" not in STRANGER
    done = subprocess.run(
        [sys.executable, "-c", BOTH],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(stranger)},
    )
    listed, _ = json.JSONDecoder().raw_decode(done.stdout)
    rows = {row["name"]: row for row in listed}
    assert rows["strange-squares"]["available"] is True
    assert rows["strange-squares"]["family"] == "strange_upsamplers"
    assert rows["strange-squares"]["summary"] == "Squares, by a stranger."
    assert rows["strange-broken"]["available"] is False
    assert "absent" in rows["strange-broken"]["reason"]
    assert done.returncode == 3, done.stderr
    with (tmp_path / "out" / "quality.csv").open() as file:
        nearest, squares, broken = csv.DictReader(file)
    assert squares["status"] == "ok"
    assert {name: squares[name] for name in ("images", "psnr_db", "ssim", "pixels")} == {
        name: nearest[name] for name in ("images", "psnr_db", "ssim", "pixels")
    }
    assert broken["status"] == "failed"
    assert "absent" in broken["reason"]

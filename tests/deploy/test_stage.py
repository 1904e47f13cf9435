"""Strangers' adapters down the roads, in real workers: each gets its row."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from upbench.bench.deploy import stage
from upbench.bench.deploy.request import DeployRequest
from upbench.bench.deploy.verdicts import LOST, NOT_ASKED, OTHER, REFUSES, SAME, STATIC
from upbench.bench.errors import UsageError
from upbench.bench.stage import Row, Silent

Write = Callable[..., str]


def rows(request: DeployRequest, out: Path) -> dict[tuple[str, str], Row]:
    return {(row["method"], row["road"]): row for row in stage.run(request, out, Silent()).rows}


@pytest.fixture
def strangers(adapter_file: Write) -> tuple[str, ...]:
    bodies = {
        "numpy_inside": """
            def upsample(low):
                return torch.from_numpy(low.numpy().repeat(scale, 2).repeat(scale, 3))
            return upsample
        """,
        "branch_on_values": """
            def upsample(low):
                mode = "bicubic" if low.mean() > 0.4 else "nearest"
                return F.interpolate(low, scale_factor=scale, mode=mode)
            return upsample
        """,
        "other_when_captured": """
            def upsample(low):
                mode = "nearest" if torch.compiler.is_compiling() else "bicubic"
                return F.interpolate(low, scale_factor=scale, mode=mode)
            return upsample
        """,
        "one_size": """
            def upsample(low):
                size = [scale * int(side) for side in map(len, (low[0, 0], low[0, 0].T))]
                return F.interpolate(low, size=size, mode="bilinear")
            return upsample
        """,
        "hangs": """
            def upsample(low):
                while torch.compiler.is_compiling():
                    __import__("time").sleep(1)
                return F.interpolate(low, scale_factor=scale)
            return upsample
        """,
        "plain": "return lambda low: F.interpolate(low, scale_factor=scale)",
    }
    return tuple(adapter_file(name, body) for name, body in bodies.items())


def test_each_stranger_gets_its_row(strangers: tuple[str, ...], tmp_path: Path) -> None:
    request = DeployRequest(method=strangers, roads=("export-dynamic", "vmap"), timeout=30, jobs=2)
    found = rows(request, tmp_path / "out")
    exported = {method: row for (method, road), row in found.items() if road == "export-dynamic"}
    assert exported["plain"]["verdict"] == SAME
    assert exported["plain"]["ms"] > 0
    assert exported["plain"]["prepare_seconds"] > 0
    assert "aten" in exported["plain"]["operators"]
    assert exported["numpy_inside"]["verdict"] == REFUSES
    assert exported["numpy_inside"]["reason"]
    assert exported["branch_on_values"]["verdict"] == REFUSES
    assert exported["other_when_captured"]["verdict"] == OTHER
    assert exported["other_when_captured"]["steps"] > 1
    assert exported["one_size"]["verdict"] == STATIC
    assert "96x40" in exported["one_size"]["reason"]
    assert exported["hangs"]["verdict"] == LOST
    assert "30 s" in exported["hangs"]["reason"]
    assert found["hangs", "vmap"]["verdict"] == SAME
    assert all(row["torch"] for row in found.values())
    assert (tmp_path / "out" / "deploy.csv").is_file()
    assert not (tmp_path / "out" / "deploy.journal").exists()


def test_compiled_code_is_asked_at_the_shapes_where_it_breaks(strangers: tuple[str, ...], tmp_path: Path) -> None:
    chosen = tuple(spec for spec in strangers if spec.endswith((":plain", ":branch_on_values")))
    roads = ("compile-dynamic", "shapes-compile")
    found = rows(DeployRequest(method=chosen, methods="nearest", roads=roads, jobs=2), tmp_path)
    assert {found["plain", road]["verdict"] for road in roads} == {SAME}
    assert found["plain", "shapes-compile"]["note"] == "same at 3x3, 2x2, 7x5, 1x1, batch 0"
    assert "x2.05 by size" in found["nearest", "shapes-compile"]["note"]
    assert {found["branch_on_values", road]["verdict"] for road in roads} == {REFUSES}
    assert found["plain", "compile-dynamic"]["prepare_seconds"] > 0


def test_a_first_call_that_leaves_a_mark_is_found_by_the_warm_export(adapter_file: Write, tmp_path: Path) -> None:
    body = """
        cached = []
        def rows(side):
            for known, made in cached:
                if known == side:
                    return made
            cached.append((side, torch.arange(side * scale) // scale))
            return cached[-1][1]
        return lambda low: low[..., rows(low.shape[-2]), :].repeat_interleave(scale, -1)
    """
    request = DeployRequest(method=adapter_file("remembers", body), roads=("export-dynamic", "export-warm"))
    found = rows(request, tmp_path / "out")
    assert found["remembers", "export-dynamic"]["verdict"] == SAME
    assert found["remembers", "export-warm"]["verdict"] == STATIC


def test_a_wrong_gradient_is_told_from_none(adapter_file: Write, tmp_path: Path) -> None:
    top = """
        class Wrong(torch.autograd.Function):
            @staticmethod
            def forward(ctx, low):
                return low.repeat_interleave(2, -1).repeat_interleave(2, -2)
            @staticmethod
            def backward(ctx, high):
                return F.avg_pool2d(high, 2)
    """
    wrong = adapter_file("wrong", "return Wrong.apply", top=top)
    none = adapter_file("none", "return lambda low: F.interpolate(low.detach(), scale_factor=scale)")
    found = rows(DeployRequest(method=(wrong, none), roads=("gradcheck",)), tmp_path / "out")
    assert found["wrong", "gradcheck"]["verdict"] == OTHER
    assert "mismatch" in found["wrong", "gradcheck"]["reason"]
    assert found["none", "gradcheck"]["verdict"] == REFUSES


def test_an_interruption_does_not_wait_for_a_road_that_hangs(strangers: tuple[str, ...], tmp_path: Path) -> None:
    (hanging,) = (spec for spec in strangers if spec.endswith(":hangs"))
    asked = ["--methods", "nearest", "--method", hanging, "--roads", "export-dynamic", "--out", str(tmp_path)]
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    run = subprocess.Popen([sys.executable, "-m", "upbench.bench.cli.main", "deploy", *asked], env=environment)
    journal = tmp_path / "deploy.journal"
    while run.poll() is None and not (journal.is_file() and len(journal.read_text().splitlines()) == 2):
        time.sleep(0.2)
    run.terminate()
    try:
        assert run.wait(60) == 128 + signal.SIGTERM
    finally:
        run.kill()
    assert len(journal.read_text().splitlines()) == 2


def test_when_the_minutes_are_up_the_rest_are_rows_and_the_next_run_asks_them(tmp_path: Path) -> None:
    request = DeployRequest(methods="nearest", roads=("vmap", "gradcheck"), minutes=1e-9)
    first = rows(request, tmp_path)
    assert {row["verdict"] for row in first.values()} == {NOT_ASKED}
    assert (tmp_path / "deploy.journal").is_file()
    second = rows(request.but(minutes=None), tmp_path)
    assert {row["verdict"] for row in second.values()} == {SAME}


@pytest.mark.parametrize("wrong", [{"roads": "teleport"}, {"jobs": 0}, {"timeout": 0.0}, {"methods": "bicubik"}])
def test_what_cannot_be_meant_is_said(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        DeployRequest(**wrong)  # type: ignore[arg-type]

"""The speed suite: what `upbench speed` writes, and the suite as a plain pytest run."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from upbench.bench.cells import STEPS, Cell
from upbench.bench.cli.main import main
from upbench.bench.speed import stage
from upbench.bench.speed.request import SpeedRequest
from upbench.bench.stage import Ending, Silent

OWN = """
import os

import torch
import torch.nn.functional as F


def raises(scale, device, dtype):
    def up(low):
        raise RuntimeError("out of luck")
    return up


def dies(scale, device, dtype):
        return lambda low: os._exit(7)


def no_backward(scale, device, dtype):
    return lambda low: F.interpolate(low.detach(), scale_factor=scale)


class Native:
    def prepare(self, low):
        return low.numpy()

    def __call__(self, array):
        return array.repeat(2, axis=2).repeat(2, axis=3)

    def restore(self, array):
        return torch.from_numpy(array)


def native(scale, device, dtype):
    return Native()
"""

Document = dict[str, Any]


def speed(folder: Path, *arguments: str) -> tuple[int, Document, str]:
    """Run `upbench speed`; returns its exit code, `speed.json`, and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        code = main(["speed", "--seconds", "0.02", "--workloads", "single", "--out", str(folder), *arguments])
    return code, json.loads((folder / "speed.json").read_text()), said.getvalue()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "own.py"
    path.write_text(OWN)
    return path


@pytest.fixture(scope="module")
def measured(own: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Document, str]:
    """Every axis that a CPU has, on methods that do, decline, and fail."""
    specs = [part for name in ("raises", "no_backward", "native") for part in ("--method", f"{own}:{name}")]
    axes = ["--dtypes", "float32", "uint8", "--memory-formats", "contiguous", "channels_last", "--pass", *STEPS]
    methods = ["--methods", "nearest", "bilinear@size", "transposed-random"]
    return speed(tmp_path_factory.mktemp("measured"), *methods, *specs, *axes)


@pytest.fixture(scope="module")
def document(measured: tuple[int, Document, str]) -> Document:
    return measured[1]


def status(document: Document) -> dict[str, tuple[str, str]]:
    return {cell["cell"]: (cell["status"], cell["reason"]) for cell in document["cells"]}


def benchmark(document: Document, start: str) -> Document:
    found: Document = next(entry for entry in document["benchmarks"] if entry["extra_info"]["cell"].startswith(start))
    return found


def test_every_cell_has_a_row_and_every_row_not_measured_a_reason(document: Document) -> None:
    assert len(document["cells"]) == 7 * 2 * 2 * 2 + 2, "the yardsticks of bandwidth come last"
    for name, (state, reason) in status(document).items():
        assert state in ("ok", "skipped", "failed"), name
        assert (state == "ok") == (reason == ""), name


def test_the_measured_cells_are_pytest_benchmarks_in_the_order_asked(document: Document) -> None:
    measured = [cell["cell"] for cell in document["cells"] if cell["status"] == "ok"]
    assert [entry["extra_info"]["cell"] for entry in document["benchmarks"]] == measured


def test_a_failing_method_fails_in_every_cell_and_gives_exit_code_3(measured: tuple[int, Document, str]) -> None:
    code, document, said = measured
    assert code == 3
    found = [state for name, state in status(document).items() if name.startswith("raises/") and "/forward/" in name]
    assert found == [("failed", "it raised RuntimeError: out of luck")] * 4
    assert "failed." in said
    assert "raises: it raised RuntimeError: out of luck" in said


def test_a_declined_dtype_is_skipped_with_the_methods_reason(document: Document) -> None:
    state, reason = status(document)["transposed-random/x2/single/cpu/uint8/contiguous/eager/forward/1t"]
    assert state == "skipped"
    assert "floating point" in reason


def test_whole_numbers_and_channels_last_are_measured(document: Document) -> None:
    for axes in ("uint8/contiguous", "uint8/channels_last", "float32/channels_last"):
        assert status(document)[f"nearest/x2/single/cpu/{axes}/eager/forward/1t"] == ("ok", "")


def test_a_training_step_needs_gradients(document: Document) -> None:
    found = status(document)
    assert found["nearest/x2/single/cpu/float32/contiguous/eager/train/1t"] == ("ok", "")
    assert found["transposed-random/x2/single/cpu/float32/contiguous/eager/train/1t"] == ("ok", "")
    assert found["no_backward/x2/single/cpu/float32/contiguous/eager/train/1t"] == (
        "skipped",
        "it has no backward pass",
    )
    assert found["native/x2/single/cpu/float32/contiguous/eager/train/1t"] == ("skipped", "it has no backward pass")
    assert found["nearest/x2/single/cpu/uint8/contiguous/eager/train/1t"] == (
        "skipped",
        "there are no gradients in uint8",
    )


def test_the_yardstick_is_a_copy_beside_every_shape(document: Document) -> None:
    found = status(document)
    assert found["copy/x2/single/cpu/float32/contiguous/eager/forward/1t"] == ("ok", "")
    assert found["copy/x2/single/cpu/uint8/channels_last/eager/forward/1t"] == ("ok", "")
    state, reason = found["copy/x2/single/cpu/float32/contiguous/eager/train/1t"]
    assert (state, reason) == ("skipped", "the yardstick is a plain copy, forward and eager")


def test_memory_bandwidth_is_measured_far_beyond_the_caches(document: Document) -> None:
    found = {
        entry["extra_info"]["method"]: entry["extra_info"]["bytes"]
        for entry in document["benchmarks"]
        if entry["extra_info"]["workload"] == "beyond-cache"
    }
    assert found == {"copy": 2 * 4 * 4096**2, "write": 4 * 4096**2}


def test_the_bytes_of_a_cell_are_its_input_and_output_and_in_training_their_gradients(document: Document) -> None:
    moved = {entry["extra_info"]["cell"]: entry["extra_info"]["bytes"] for entry in document["benchmarks"]}
    values = 3 * (16 * 16 + 32 * 32)
    axes = "nearest/x2/single/cpu"
    assert moved[f"{axes}/float32/contiguous/eager/forward/1t"] == 4 * values
    assert moved[f"{axes}/uint8/contiguous/eager/forward/1t"] == values
    assert moved[f"{axes}/float32/contiguous/eager/train/1t"] == 2 * 4 * values


def test_cells_after_the_end_are_skipped_and_say_so(tmp_path: Path) -> None:
    asked = SpeedRequest(methods=("nearest",), workloads=("single",))
    assert stage.measure(asked, tmp_path, asked.cells(), Silent(), until=0.0).ending == Ending.FAILED
    document = json.loads((tmp_path / "speed.json").read_text())
    assert {tuple(cell.values())[1:] for cell in document["cells"]} == {("skipped", "the time for this run had ended")}


def test_raw_samples_are_kept_in_order(document: Document) -> None:
    for entry in document["benchmarks"]:
        data = entry["stats"]["data"]
        assert len(data) == entry["stats"]["rounds"] >= 3
        assert min(data) == pytest.approx(entry["stats"]["min"])
        assert all(seconds > 0 for seconds in data)
    assert any(entry["stats"]["data"] != sorted(entry["stats"]["data"]) for entry in document["benchmarks"])


def test_extra_info_holds_the_cell_and_the_warm_up(document: Document) -> None:
    extra = benchmark(document, "nearest/")["extra_info"]
    cell = Cell.parse(extra["cell"])
    assert (extra["method"], extra["scale"], extra["workload"], extra["threads"]) == ("nearest", 2, "single", 1)
    assert cell.dtype == extra["dtype"]
    assert extra["megapixels"] == pytest.approx(32 * 32 / 1e6)
    assert len(extra["warmup_seconds"]) >= 1


def test_conversions_of_arrays_are_reported_apart(document: Document) -> None:
    assert benchmark(document, "native/")["extra_info"]["conversion_seconds"] > 0
    assert benchmark(document, "nearest/")["extra_info"]["conversion_seconds"] == 0


def test_machine_info_says_where_it_ran(document: Document) -> None:
    where = document["machine_info"]["upbench"]
    assert where["packages"]["torch"]
    assert where["cpu"]
    assert where["torch_threads"] == 1
    assert where["allocator"]["MALLOC_TRIM_THRESHOLD_"], "the allocator is held still, and it says so"
    assert document["machine_info"]["python_version"], "pytest-benchmark's own fields are kept"


def test_pytest_benchmarks_own_compare_reads_the_file(document: Document, tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text(json.dumps(document))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest_benchmark", "compare", "speed.json", "--columns=median"]
        if sys.version_info >= (3, 11)
        else [sys.executable, "-m", "pytest_benchmark", "compare", "speed.json", "--columns=median"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "nearest/x2/single" in done.stdout


def test_a_method_that_kills_the_process_costs_its_own_cell_only(own: Path, tmp_path: Path) -> None:
    code, document, said = speed(
        tmp_path, "--methods", "nearest", "--method", f"{own}:dies", "--method", f"{own}:native"
    )
    assert code == 3
    states = {name.partition("/")[0]: state for name, state in status(document).items() if "beyond-cache" not in name}
    assert states == {
        "copy": ("ok", ""),
        "nearest": ("ok", ""),
        "dies": ("failed", "the process died (exit code 7)"),
        "native": ("ok", ""),
    }
    assert "the process died" in said
    assert not (tmp_path / "speed.journal").exists()


def test_the_suite_runs_by_itself_under_pytest(tmp_path: Path, environment: dict[str, str]) -> None:
    environment = {name: value for name, value in environment.items() if not name.startswith("UPBENCH_")}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--pyargs", "upbench.bench.speed.suite"),
            *("-k", "nearest-exact and cifar", "-p", "no:cacheprovider", "--benchmark-json=bare.json"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    document = json.loads((tmp_path / "bare.json").read_text())
    assert document["benchmarks"][0]["extra_info"]["method"] == "nearest-exact"
    assert document["machine_info"]["upbench"]["packages"]["torch"]

"""The zoo: whatever a hostile adapter does, it costs its own row, and the good ones beside it have their figures.

Short form: with all other tests. Long form, every animal, behind the walls and in the speed suite: `pytest -m zoo`.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from upbench.bench.adapters import find
from upbench.bench.cells import Cell, plan
from upbench.bench.errors import FailedError
from upbench.bench.quality.evaluate import upsampled_levels
from upbench.bench.speed.suite.request import VARIABLE, SuiteRequest
from upbench.bench.speed.timed import prepare
from upbench.bench.upsampler import build
from upbench.bench.workers import pytest_process
from upbench.bench.workers.walls import Walls

from .hostile import HEAD, ZOO, Hostile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers fork on Linux only")

LIMIT = 10.0  # seconds for an answer; loaded machines need some to import a library
MEMORY = 1 << 30
CALLS = 16
LOW = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
GOOD = ("bicubic", "lanczos3")
FORMS = [pytest.param(animal, id=animal.name, marks=() if animal.short else pytest.mark.zoo) for animal in ZOO]


@pytest.fixture(scope="module")
def walls() -> Iterator[Walls]:
    with Walls(timeout=LIMIT, memory=MEMORY) as made:
        yield made


@pytest.fixture
def spec(tmp_path: Path) -> Callable[[Hostile], str]:
    def write(animal: Hostile) -> str:
        path = tmp_path / f"{animal.name}_adapter.py"
        path.write_text(animal.source())
        return f"{path}:{animal.name}"

    return write


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def left_behind(folder: Path) -> list[int]:
    """The processes that an adapter noted and that are alive two seconds later."""
    noted = folder / "pids"
    pids = [int(pid) for pid in noted.read_text().split()] if noted.exists() else []
    end = time.monotonic() + 2
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return [pid for pid in pids if alive(pid)]


def test_the_zoo_is_large_enough() -> None:
    assert len({animal.name for animal in ZOO}) == len(ZOO) >= 30


@pytest.mark.parametrize("animal", FORMS)
def test_a_hostile_adapter_fails_for_its_reason_and_the_good_ones_have_their_figures(
    animal: Hostile, walls: Walls, spec: Callable[[Hostile], str], tmp_path: Path
) -> None:
    good = [walls.upsampler(name, 2, torch.float32, check=False) for name in GOOD]
    start = time.monotonic()
    with pytest.raises(FailedError) as caught:
        upsampler = walls.upsampler(spec(animal), 2, torch.float32)
        for _ in range(CALLS):
            upsampled_levels(upsampler, LOW, 2)
    assert re.search(animal.reason, str(caught.value)), str(caught.value)
    assert time.monotonic() - start < 4 * LIMIT
    for name, upsampler in zip(GOOD, good, strict=True):
        due = upsampled_levels(build(find(name), 2, torch.device("cpu"), torch.float32), LOW, 2)
        assert torch.equal(upsampled_levels(upsampler, LOW, 2), due)
    assert left_behind(tmp_path) == []


@pytest.mark.zoo
def test_the_quality_command_survives_them_all_side_by_side(
    spec: Callable[[Hostile], str], process: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    quick = [animal for animal in ZOO if "no answer" not in animal.reason and not animal.name.startswith("hoards")]
    arguments = ["quality", "--dataset", "photos", "--limit", "2", "--methods", *GOOD]
    undisturbed = process(*arguments, "--out", tmp_path / "alone")
    assert undisturbed.returncode == 0, undisturbed.stderr
    specs = [part for animal in quick for part in ("--method", spec(animal))]
    done = process(*arguments, *specs, "--out", tmp_path / "beside")
    assert done.returncode == 3, done.stderr
    alone, beside = (pd.read_csv(tmp_path / name / "quality.csv").set_index("method") for name in ("alone", "beside"))
    assert list(beside.index) == [*GOOD, *(animal.name for animal in quick)]
    for animal in quick:
        assert beside.loc[animal.name, "status"] == "failed", animal.name
        assert re.search(animal.reason, beside.loc[animal.name, "reason"]), (animal.name, beside.loc[animal.name])
    for name in GOOD:
        assert beside.loc[name, "psnr_db"] == alone.loc[name, "psnr_db"]
        assert beside.loc[name, "ssim"] == alone.loc[name, "ssim"]
    assert left_behind(tmp_path) == []


def speed_rows(folder: Path, specs: list[str], limit: float) -> tuple[int, dict[str, tuple[str, str]]]:
    """The suite over the good and the hostile ones; its exit code, and status and reason of each cell."""
    methods = [GOOD[0], *(spec.rpartition(":")[2] for spec in specs), GOOD[1]]
    cells = [cell.name for cell in plan(methods=methods, scales=[2], workloads=["single"])]
    journal = folder / "speed.journal"
    journal.touch()
    request = SuiteRequest(cells=cells, specs=specs, seconds=0.02, journal=str(journal), limit=limit)
    request.write(folder / "request.json")
    variables = {VARIABLE: str(folder / "request.json")}
    code = pytest_process.run("upbench.bench.speed.suite", folder / "speed.json", **variables)
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [row["cell"] for row in rows] == cells, (folder / "log").read_text()
    assert json.loads((folder / "speed.json").read_text())["machine_info"]["upbench"]
    return code, {Cell.parse(row["cell"]).method: (row["status"], row["reason"]) for row in rows}


SPEED = ("segfaults", "leaves", "exits", "interrupts", "loops", "process")


def test_the_speed_suite_survives(spec: Callable[[Hostile], str], tmp_path: Path) -> None:
    animals = [animal for animal in ZOO if animal.name in SPEED]
    check_speed(animals, spec, tmp_path)


@pytest.mark.zoo
def test_the_speed_suite_survives_them_all(spec: Callable[[Hostile], str], tmp_path: Path) -> None:
    # without those that fill this machine's memory, the one that ends pytest itself (`upbench speed` starts another),
    # and the one whose change inference mode takes back
    left_out = ("hoards", "hoards_slowly", "ends_its_parent", "sets_grad")
    check_speed([animal for animal in ZOO if animal.name not in left_out], spec, tmp_path)


def test_a_killed_speed_command_leaves_no_process_and_no_folder(spec: Callable[[Hostile], str], tmp_path: Path) -> None:
    call = "if not os.fork():\n    os.setsid()\n    note(os.getpid())\n    time.sleep(600)\ntime.sleep(600)"
    temporary, out = tmp_path / "temporary", tmp_path / "out"
    temporary.mkdir()
    command = [sys.executable, "-m", "upbench.bench.cli.main", "speed", "--workloads", "single", "--method"]
    running = subprocess.Popen(
        [*command, spec(Hostile("waits", "", call)), "--out", str(out)],
        env=os.environ | {"TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
    )
    while not (tmp_path / "pids").exists():
        assert running.poll() is None
        time.sleep(0.1)
    running.kill()
    running.wait()
    assert left_behind(tmp_path) == []
    end = time.monotonic() + LIMIT
    while list(temporary.iterdir()) and time.monotonic() < end:
        time.sleep(0.1)
    assert list(temporary.iterdir()) == []


def check_speed(animals: list[Hostile], spec: Callable[[Hostile], str], folder: Path) -> None:
    code, rows = speed_rows(folder, [spec(animal) for animal in animals], limit=2 * LIMIT)
    assert code == 1
    assert [rows[name] for name in GOOD] == [("ok", "")] * 2
    due = {animal.name: animal.reason.replace("it gave no answer in", "it was not done in") for animal in animals}
    wrong = {name: rows[name] for name in due if rows[name][0] != "failed" or not re.search(due[name], rows[name][1])}
    assert wrong == {}
    assert left_behind(folder) == []


MEMO = """
sys.seen = {}  # the module is read anew each time

def remembers_by_value(scale, device, dtype):
    def up(low):
        key = float(low.double().sum())
        if key not in sys.seen:
            sys.seen[key] = plain(low, scale)
        return sys.seen[key].clone()
    return up
"""


def test_a_memory_by_value_wins_nothing_against_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "memo.py"
    path.write_text(HEAD + MEMO)
    cell = Cell(method="remembers_by_value", scale=2, workload="single")
    with torch.inference_mode():
        timed = prepare(cell, {cell.method: find(f"{path}:remembers_by_value")})
        seen: dict[float, torch.Tensor] = sys.seen  # type: ignore[attr-defined]
        before = len(seen)
        for _ in range(1000):
            timed.call()
    assert len(seen) - before == 1000, "each call had content that no call before it had"


ARRAYS = """
class Arrays:
    def __init__(self, scale):
        self.scale, self.seen = scale, {}
    def prepare(self, low):
        return low.numpy()
    def restore(self, high):
        return torch.from_numpy(high)
    def __call__(self, native):
        REMEMBER
        time.sleep(0.002)
        high = self.seen[key] = native.repeat(self.scale, 2).repeat(self.scale, 3)
        return high.copy()

def arrays(scale, device, dtype):
    return Arrays(scale)
"""
REMEMBER = "key = native.tobytes()\n        if key in self.seen: return self.seen[key].copy()"


@pytest.mark.parametrize("remember", [REMEMBER, "key = 0"], ids=["remembers", "works"])
def test_arrays_remembered_by_value_are_found_out(remember: str, tmp_path: Path) -> None:
    path = tmp_path / "arrays.py"
    path.write_text(HEAD + ARRAYS.replace("REMEMBER", remember))
    cell = Cell(method="arrays", scale=2, workload="single")
    timed = prepare(cell, {cell.method: find(f"{path}:arrays")})
    assert timed.probe is not None
    output = timed.probe.begin()
    if remember == REMEMBER:
        with pytest.raises(FailedError, match="times slower on new arrays"):
            timed.probe.check(output, 0.001)
    else:
        timed.probe.check(output, 0.001)


@pytest.mark.zoo
def test_an_adapter_that_ends_the_suite_itself_costs_its_own_cells(
    spec: Callable[[Hostile], str], process: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    killer = next(animal for animal in ZOO if animal.name == "ends_its_parent")
    arguments = ["speed", "--workloads", "single", "--seconds", "0.02", "--methods", *GOOD, "--method", spec(killer)]
    done = process(*arguments, "--out", tmp_path / "out")
    assert done.returncode == 3, done.stderr
    cells = json.loads((tmp_path / "out" / "speed.json").read_text())["cells"]
    assert [cell["cell"] for cell in cells if cell["status"] == "failed"] == [
        cell["cell"] for cell in cells if killer.name in cell["cell"]
    ]
    assert all(cell["status"] in ("ok", "failed") for cell in cells)

"""Pairs of processes: where their threads are kept, and which interpreters they come from."""

import collections
import os
import sys
from pathlib import Path

import pytest

from upbench.bench.gate.crew import INTERPRETERS, LITTER, Crew
from upbench.bench.gate.duet import BLOCKS, Pair, visit
from upbench.bench.gate.sides.side import Question, Side
from upbench.bench.workers.launch import take_snapshot


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no process on a core")
def test_both_sides_share_a_core_and_each_further_thread_has_another(tmp_path):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one core")
    sides = [Side(label=label, python=Path(sys.executable)) for label in ("baseline", "candidate")]
    pair = Pair(sides, take_snapshot(tmp_path), 2, 60.0)
    try:
        kept = {}
        for threads in (1, 2, 1):
            cell = f"bilinear/x2/1x3x16x16/cpu/float32/contiguous/eager/forward/{threads}t"
            pair.prepare(Question(name=cell, method="bilinear"))
            assert where(pair, 0) == where(pair, 1)
            kept.setdefault(threads, where(pair, 0))
            assert where(pair, 0) == kept[threads]
    finally:
        pair.close()
    first, others = kept[1]
    assert len(first) == 1
    assert others <= first, "a thread that is left of other cells does not get a core for it"
    assert kept[2][0] == first
    assert len(kept[2][1]) == 1
    assert kept[2][1].isdisjoint(first)


def where(pair: Pair, index: int) -> tuple[set[int], set[int]]:
    """The cores of a side's first thread, and those of all its others."""
    pid = pair.workers[index].pid
    threads = {int(each.name): os.sched_getaffinity(int(each.name)) for each in Path(f"/proc/{pid}/task").glob("*")}
    first = threads.pop(pid)
    return set(first), set().union(*threads.values())


class Steady:
    """A pair whose blocks take so many seconds, by a clock that nothing else moves on."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        self.clock, self.seconds = clock, seconds
        self.is_new, self.asked = True, 0

    def prepare(self, _: Question) -> None:
        """Nothing to do."""

    def block(self, *_: object) -> dict[str, float]:
        """The clock goes on."""
        self.asked += 1
        self.clock[0] += self.seconds
        return {"seconds": self.seconds, "wall": self.seconds, "faults": 0}


QUESTION = Question(name="bilinear/x2/single/cpu/float32/contiguous/eager/forward/1t", method="bilinear")


@pytest.fixture
def steady(monkeypatch):
    """What makes such pairs."""
    clock = [0.0]
    monkeypatch.setattr("upbench.bench.gate.duet.time.monotonic", lambda: clock[0])
    return lambda seconds: Steady(clock, seconds)


@pytest.mark.parametrize("seconds", [1e-5, 1e-3, 1e-2, 1.0])
@pytest.mark.parametrize("cells", [1, 5, 200])
def test_a_visit_has_as_many_blocks_as_pay_and_each_side_leads_half_of_them(steady, seconds, cells):
    pair = steady(seconds)
    row = visit(pair, QUESTION, 1, cells)
    assert len(row["baseline"]) == len(row["candidate"]) == len(row["first"]) == 2 * sum(row["first"])
    assert BLOCKS[0] <= len(row["first"]) <= BLOCKS[1]
    assert len(visit(pair, QUESTION, 1, cells + 50)["first"]) <= len(row["first"])
    assert len(visit(steady(2 * seconds), QUESTION, 1, cells)["first"]) <= len(row["first"])


def test_a_lone_cell_is_looked_at_for_about_as_long_as_its_processes_take_to_start(steady):
    for seconds in (1e-3, 4e-3, 4e-2):
        blocks = len(visit(steady(seconds), QUESTION, 1)["first"])
        assert 0.2 < 2 * seconds * blocks < 2


@pytest.mark.parametrize("seconds", [1e-4, 2e-3, 0.5])
def test_new_processes_have_more_untimed_blocks_before_their_first_cell_but_not_before_the_others(steady, seconds):
    pair = steady(seconds)
    untimed = []
    for _ in range(3):
        before = pair.asked
        row = visit(pair, QUESTION, 1)
        untimed.append(pair.asked - before - 2 * len(row["first"]))
    assert untimed[0] >= untimed[1] == untimed[2] >= 4
    assert (untimed[0] > untimed[1]) == (seconds < 0.1)


def test_pairs_come_from_several_interpreters_in_turn_and_not_too_many_from_any(fake, tmp_path):
    sides = [Side(label=label, python=fake(label)) for label in ("baseline", "candidate")]
    with Crew(sides, tmp_path, 1, 60.0) as crew:

        def work(*, timed: bool) -> tuple[int, ...]:
            rows = crew.work([QUESTION], lambda pair, _: {"pids": [each.pid for each in pair.workers]}, timed=timed)
            return tuple(pid for _, row in rows for pid in row["pids"])

        surveyed = work(timed=False)
        turns = [work(timed=True) for _ in range(12 * LITTER)]
    served = collections.Counter(turns)
    assert served[surveyed] == LITTER, "what is not timed is not counted"
    assert len({pid for pair in turns for pid in pair}) == 2 * len(served), "both sides are renewed together"
    assert max(served.values()) == LITTER
    assert len(served) <= len(turns) // LITTER + INTERPRETERS
    for number in range(len(turns) - INTERPRETERS + 1):
        assert len(set(turns[number : number + INTERPRETERS])) == INTERPRETERS
    begun = (tmp_path / "baseline" / "begun").stat().st_size
    assert begun <= len(turns) + INTERPRETERS, "a process that waits is used"

"""Pairs of processes: where their threads are kept, and which interpreters they come from."""

import collections
import os
import sys
from pathlib import Path

import pytest

from upbench.bench.gate.crew import INTERPRETERS, LITTER, Crew
from upbench.bench.gate.duet import Pair
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


def test_pairs_come_from_several_interpreters_in_turn_and_not_too_many_from_any(fake, tmp_path):
    sides = [Side(label=label, python=fake(label)) for label in ("baseline", "candidate")]
    question = Question(name="bilinear/x2/single/cpu/float32/contiguous/eager/forward/1t", method="bilinear")
    with Crew(sides, tmp_path, 1, 60.0) as crew:

        def work(*, timed: bool) -> tuple[int, ...]:
            rows = crew.work([question], lambda pair, _: {"pids": [each.pid for each in pair.workers]}, timed=timed)
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

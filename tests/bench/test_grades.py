"""A letter says how far a number may be trusted, and the worst cause is its reason."""

import time

import pytest

from upbench.bench import pressure
from upbench.bench.grades import grade

STEADY = [1.0, 1.001, 0.999, 1.0, 1.002]
CALM = {"busy": 1.0, "stolen": 0.0, "involuntary_switches": 1.0}


@pytest.mark.parametrize(
    ("samples", "told", "throttled", "due"),
    [
        (STEADY, CALM, None, ("A", "spread 0.1%")),
        (STEADY, {}, None, ("A", "spread 0.1%")),
        ([1.0, 1.06, 0.98, 1.0, 1.03], CALM, None, ("B", "spread 3.0%")),
        ([1.0, 1.3, 0.7, 1.0, 1.2], CALM, None, ("D", "spread 20.0%")),
        (STEADY, CALM | {"busy": 0.8}, None, ("C", "waiting for a core 20%")),
        (STEADY, CALM | {"stolen": 0.05}, None, ("B", "stolen time 5%")),
        (STEADY, CALM | {"involuntary_switches": 500.0}, None, ("D", "500 involuntary switches a second")),
        (STEADY, CALM, "hot", ("C", "the GPU slowed down: hot")),
        (STEADY[:2], CALM, None, ("D", "2 samples")),
    ],
)
def test_the_worst_cause_decides(samples, told, throttled, due) -> None:
    assert grade(samples, told, throttled) == due


def test_a_process_that_sleeps_has_no_core_and_one_that_works_has_one() -> None:
    before = pressure.moment()
    time.sleep(0.2)
    slept = pressure.since(before)
    assert slept["seconds"] >= 0.2
    assert slept["busy"] < 0.5
    before = pressure.moment()
    touched = [bytearray(1 << 16) for _ in range(1000)]
    worked = pressure.since(before)
    assert len(touched) == 1000
    assert worked["page_faults"] is None or worked["page_faults"] > 0

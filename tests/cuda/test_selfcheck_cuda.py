"""The CUDA checks pass on a device whose events tell the truth, and fail on one whose events do not."""

from typing import Any

import pytest

from upbench.bench.cuda.device_clock import DeviceClock
from upbench.bench.selfcheck import cuda


def spins(device: Any) -> list[str]:
    return [check.verdict for check in cuda.spin_checks(DeviceClock(device))]


def test_true_events_pass_for_every_length_of_spin(fake: Any) -> None:
    assert spins(fake(launch_seconds=9e-6)) == ["ok"] * 5


@pytest.mark.parametrize("scale", [0.97, 1.03])
def test_events_that_run_wrong_by_three_per_cent_are_found(fake: Any, scale: float) -> None:
    assert spins(fake(event_scale=scale)) == ["OFF"] * 5


@pytest.mark.parametrize("scale, verdict", [(1.0, "ok"), (1.05, "OFF")])
def test_the_bandwidth_of_a_copy_is_checked_by_the_hosts_clock(fake: Any, scale: float, verdict: str) -> None:
    device = fake(event_scale=scale)
    check = cuda.copy_check(DeviceClock(device), lambda: device.launch(lambda: 100e-6), 100 << 20)
    assert check.expected == pytest.approx(2 * (100 << 20) / 1e9 / 100e-6, rel=1e-6)
    assert check.verdict == verdict


@pytest.mark.parametrize("ours, verdict", [(1.02, "ok"), (1.04, "OFF")])
def test_another_timer_may_differ_by_three_per_cent(ours: float, verdict: str) -> None:
    assert cuda.agreement("a cell", lambda: 1.0, lambda: ours).verdict == verdict


@pytest.mark.parametrize("last, verdict", [(1.009, "ok"), (1.011, "OFF")])
def test_a_cell_that_does_not_repeat_within_a_per_cent_is_found(last: float, verdict: str) -> None:
    steady, drifting = iter([2.0] * 5), iter([1.0, 1.0, 1.001, 1.0, last])
    checks = cuda.repetition_checks({"a": lambda: next(steady), "b": lambda: next(drifting)})
    assert [check.verdict for check in checks] == ["ok", verdict]
    assert checks[1].error == pytest.approx(last - 1)

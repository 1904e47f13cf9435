"""The instrument finds the times of a device that is made of known times."""

import statistics
from collections.abc import Callable
from typing import Any

import pytest

from upbench.bench.cuda import figures
from upbench.bench.cuda.device_clock import GAPS, GRAPH, QUEUE, DeviceClock


def measured(device: Any, buffer: Any, **options: Any) -> figures.CudaFigures:
    work = figures.Work(
        function=device.method,
        value=buffer(device),
        another=lambda value: buffer(device),
        bytes_moved=2 * device.buffer_bytes,
    )
    return figures.measure(work, DeviceClock(device), **options)


def test_the_spin_kernels_clock_is_found(fake: Any) -> None:
    assert DeviceClock(fake(hertz=1.755e9)).cycles_per_second == pytest.approx(1.755e9, rel=1e-6)


@pytest.mark.parametrize("launch_seconds", [1e-6, 6e-6, 80e-6])
def test_host_and_device_are_told_apart(fake: Any, buffer: Any, launch_seconds: float) -> None:
    device = fake(launch_seconds=launch_seconds, hot_seconds=3e-6, cold_seconds=5e-6)
    found = measured(device, buffer)
    assert statistics.median(found.enqueue_seconds) == pytest.approx(launch_seconds)
    assert found.hot.how == found.cold.how == GRAPH
    assert found.hot.seconds == pytest.approx([3e-6] * figures.ROUNDS)
    assert found.cold.seconds == pytest.approx([5e-6] * figures.ROUNDS)
    assert found.latency_seconds[-1] == pytest.approx(launch_seconds + 3e-6 + device.wait_seconds)


@pytest.mark.parametrize("replay_seconds", [1e-6, 500e-6])
def test_a_graph_that_is_slow_to_launch_is_not_slow_on_the_device(
    fake: Any, buffer: Any, replay_seconds: float
) -> None:
    found = measured(fake(replay_seconds=replay_seconds), buffer)
    assert found.hot.seconds[0] == pytest.approx(3e-6)


def test_without_a_graph_a_full_queue_hides_the_launches(fake: Any, buffer: Any) -> None:
    found = measured(fake(capturable=False, launch_seconds=20e-6, cold_seconds=30e-6), buffer)
    assert (found.hot.how, found.cold.how) == (QUEUE, QUEUE)
    assert "not permitted" in found.hot.reason
    assert found.hot.seconds[0] == pytest.approx(3e-6)
    assert found.cold.seconds[-1] == pytest.approx(30e-6)


def test_a_method_that_waits_for_the_device_is_said_to_have_gaps(fake: Any, buffer: Any) -> None:
    found = measured(fake(capturable=False, waits=True), buffer)
    assert (found.hot.how, found.cold.how) == (GAPS, GAPS)
    assert found.hot.seconds[0] > 3e-6, "launch gaps are in it, and that is why it says so"


def test_a_few_large_buffers_are_rotated_over(fake: Any, buffer: Any) -> None:
    found = measured(fake(), buffer)
    assert found.cold_by == "rotation over 13 buffers"
    assert found.cold.calls % 13 == 0, "a replay begins where the last one ended"


def test_many_small_buffers_are_flushed_instead(fake: Any, buffer: Any) -> None:
    found = measured(fake(buffer_bytes=1024), buffer)
    assert found.cold_by == "flush"
    assert found.cold.seconds[-1] == pytest.approx(5e-6)
    assert found.hot.seconds[-1] == pytest.approx(3e-6)


def test_what_never_fits_the_cache_is_as_slow_hot_as_cold(fake: Any, buffer: Any) -> None:
    found = measured(fake(l2_bytes=1 << 19), buffer)
    assert [found.hot.seconds[-1], found.cold.seconds[-1]] == pytest.approx([5e-6, 5e-6])


def test_a_long_call_is_not_repeated_hundreds_of_times(fake: Any, buffer: Any) -> None:
    found = measured(fake(hot_seconds=0.2, cold_seconds=0.2, l2_bytes=1 << 20), buffer)
    assert found.hot.calls == 1
    assert len(found.hot.seconds) == 5


def test_memory_is_the_outputs_own(fake: Any, buffer: Any) -> None:
    assert measured(fake(), buffer).peak_bytes == 1 << 20


def test_the_device_is_watched_while_it_works(fake: Any, buffer: Any) -> None:
    device = fake()
    busy: list[bool] = []

    def watch() -> bool:
        busy.append(device.idle_from > device.host)
        return busy[-1]

    found = measured(device, buffer, watch=watch)
    assert all(busy)
    assert len(found.hot.watched) == len(found.hot.seconds)
    assert len(found.cold.watched) == len(found.cold.seconds)


def test_the_kernel_is_what_is_timed(fake: Any, buffer: Any) -> None:
    slow: Callable[..., Any] = fake(hot_seconds=3.3e-6)
    assert measured(slow, buffer).hot.seconds[0] / 3e-6 == pytest.approx(1.1)

"""Who begins where, who is heard and who is given up, on a cluster that is made up."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest

from upbench.bench.fleet import loop as loops
from upbench.bench.fleet.cluster import Node
from upbench.bench.fleet.loop import Loop, Work
from upbench.bench.stage import Silent


class NodeDiedError(Exception):
    pass


class Cluster:
    """Tasks that tell what `behaves` says of a node and a work; a clock would only slow it down."""

    def __init__(self, nodes: list[Node], behaves: Any) -> None:
        self.known, self.behaves = nodes, behaves
        self.running: dict[Any, Iterator[Any]] = {}
        self.number = itertools.count()
        self.began: list[tuple[str, str]] = []

    def nodes(self) -> list[Node]:
        return self.known

    def start(self, task: dict[str, Any], place: Node, **_: Any) -> int:
        key = next(self.number)
        self.running[key] = iter(self.behaves(task["name"], place.address))
        self.began.append((task["name"], place.address))
        return key

    def told(self, seconds: float) -> Iterator[tuple[Any, Any]]:
        for key, messages in list(self.running.items()):
            message = next(messages, None)
            if message == "silence":
                time.sleep(0.01)
                continue
            if message is None or isinstance(message, Exception):
                del self.running[key]
            yield key, message

    def forget(self, key: Any) -> None:
        self.running.pop(key, None)


def node(number: int, cpus: float = 2.0) -> Node:
    return Node(id=f"n{number}", address=f"10.0.0.{number}", cpus=cpus, gpus=0.0)


def done(*_: str) -> list[dict[str, Any]]:
    return [{"sent": time.time()}, {"sent": time.time(), "code": 0}]


def made(cluster: Cluster, boots: dict[str, str] | None = None, silence: float = 5.0) -> Loop:
    loop = Loop(cluster, Silent(), {}, silence=silence, patience=5.0)  # type: ignore[arg-type]
    loop.boots = boots or {}
    return loop


def work(name: str, **fields: Any) -> Work:
    return Work(name=name, task={"name": name}, hear=lambda message, node: None, **fields)


@pytest.fixture(autouse=True)
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "lost_node", lambda error: isinstance(error, NodeDiedError))


def together(cluster: Cluster, loop: Loop, works: list[Work]) -> set[frozenset[tuple[str, str]]]:
    """Which works ran at the same time, and where."""
    seen: set[frozenset[tuple[str, str]]] = set()
    told = cluster.told

    def watching(seconds: float) -> Iterator[tuple[Any, Any]]:
        seen.add(frozenset((each.work.name, each.node.address) for each in loop.running.values()))
        return told(seconds)

    cluster.told = watching  # type: ignore[method-assign]
    loop.run(works)
    return seen


def test_two_that_want_to_be_alone_never_share_a_host_even_as_two_nodes() -> None:
    cluster = Cluster([node(1), node(2)], done)
    works = [work("a", alone=True), work("b", alone=True)]
    assert all(len(names) < 2 for names in together(cluster, made(cluster, {"n1": "same", "n2": "same"}), works))
    apart = Cluster([node(1), node(2)], done)
    works = [work("a", alone=True), work("b", alone=True)]
    assert any(len(names) == 2 for names in together(apart, made(apart, {"n1": "one", "n2": "other"}), works))


def test_nothing_of_ours_joins_one_that_is_alone() -> None:
    cluster = Cluster([node(1)], done)
    works = [work("alone", alone=True), *(work(f"shard {number}") for number in range(5))]
    for names in together(cluster, made(cluster), works):
        assert len(names) == 1 or "alone" not in {name for name, _ in names}
        assert len(names) <= 2
    assert all(each.code == 0 for each in works)


def test_a_node_that_dies_is_not_asked_again_and_another_of_its_kind_goes_on() -> None:
    cluster = Cluster([node(1), node(2)], lambda name, place: [NodeDiedError()] if place == "10.0.0.1" else done())
    seeds = iter([{}, {"speed.journal": b"so far"}])
    one = work("kind", alone=True, seed=lambda: next(seeds))
    loop = made(cluster)
    loop.run([one])
    assert (one.code, one.on, loop.lost) == (0, ["10.0.0.1", "10.0.0.2"], {"n1"})
    assert next(seeds, "taken") == "taken"


def test_the_last_node_of_a_kind_leaves_the_reason() -> None:
    cluster = Cluster([node(1), node(2)], lambda name, place: [{"sent": 0.0}, NodeDiedError()])
    one = work("kind", may=lambda place: place.id == "n1")
    made(cluster).run([one])
    assert one.code is None and one.reason == "its node 10.0.0.1 died"


def test_a_silent_node_is_given_up_and_one_that_was_never_heard_later() -> None:
    silent = itertools.chain([{"sent": 0.0}], itertools.repeat("silence"))
    cluster = Cluster([node(1), node(2)], lambda name, place: silent if place == "10.0.0.1" else done())
    one = work("kind")
    loop = made(cluster, silence=0.05)
    loop.run([one])
    assert one.code == 0 and one.on[-1] == "10.0.0.2" and loop.lost == {"n1"}


def test_a_task_that_dies_by_itself_is_tried_three_times_and_its_node_kept() -> None:
    cluster = Cluster([node(1)], lambda name, place: [MemoryError("worker was killed")])
    one = work("greedy")
    loop = made(cluster)
    loop.run([one])
    assert one.code is None and len(one.on) == 3 and not loop.lost
    assert "MemoryError: worker was killed" in one.reason

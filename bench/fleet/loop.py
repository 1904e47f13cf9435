"""Works and the nodes that do them: who begins where, who is heard, who is given up.

A work that wants to be alone gets a whole host: all of its node's processors, and nothing else of ours on any node
with the same boot id (two pods may share a host). A node that dies, or is silent for too long, is not asked again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from upbench.bench.fleet.cluster import Cluster, Node, lost_node
from upbench.bench.fleet.node import Message
from upbench.bench.fleet.packages import pinned
from upbench.bench.stage import Progress

TRIES = 3  # of a work whose worker died for a reason of its own, memory for instance


@dataclass(slots=True, kw_only=True)
class Work:
    """One task, and what is done with its messages.

    `seed` gives the files that it goes on from, whenever it begins. It ends with a `code`, or with the reason why there
    is none.
    """

    name: str
    task: Mapping[str, Any]
    hear: Callable[[Message, Node], None]
    may: Callable[[Node], bool] = lambda node: True
    alone: bool = False
    free: bool = False  # it takes no processor: a question
    seed: Callable[[], Mapping[str, bytes]] = dict
    code: int | None = None
    reason: str = ""
    on: list[str] = field(default_factory=list)  # addresses of the nodes that have had it, in turn
    tries: int = 0


@dataclass(slots=True, kw_only=True)
class Running:
    """A work on a node, and when it was heard last (our clock); `begun` once it has been heard at all."""

    work: Work
    node: Node
    heard: float
    begun: bool = False


class Loop:
    """Works on a cluster's nodes."""

    def __init__(self, cluster: Cluster, progress: Progress, luggage: Any, *, silence: float, patience: float) -> None:
        """`luggage` is what travels with every task; `boots` maps a node's id to its host's boot id, once probed."""
        self.cluster, self.progress, self.luggage = cluster, progress, luggage
        self.silence, self.patience = silence, patience
        self.packages = pinned()
        self.boots: dict[str, str] = {}
        self.lost: set[str] = set()
        self.delays: list[float] = []  # seconds from a message's sending to its hearing, both clocks taken as one
        self.moments: list[dict[str, Any]] = []
        self.running: dict[Any, Running] = {}

    def nodes(self) -> list[Node]:
        """The nodes that can be asked."""
        return [node for node in self.cluster.nodes() if node.id not in self.lost]

    def run(self, works: Sequence[Work]) -> None:
        """Do them all; each has a code or a reason afterwards."""
        waiting = list(works)
        while waiting or self.running:
            nodes = self.nodes()
            for work in list(waiting):
                allowed = [node for node in nodes if work.may(node)]
                if not allowed:
                    work.reason = work.reason or "no node is left that could do it"
                    waiting.remove(work)
                elif place := self._place(work, allowed):
                    self._begin(work, place)
                    waiting.remove(work)
            if self.running:
                waiting += self._hear() + self._give_up()

    def _place(self, work: Work, allowed: Sequence[Node]) -> Node | None:
        """Of the nodes with room for it, the one that has least to do."""
        busy = {node.id: [each.work for each in self.running.values() if each.node.id == node.id] for node in allowed}
        room = [node for node in allowed if work.free or self._has_room(work, node, busy[node.id])]
        return min(room, key=lambda node: len(busy[node.id]) / node.cpus, default=None)

    def _has_room(self, work: Work, node: Node, busy: Sequence[Work]) -> bool:
        host = [each.work for each in self.running.values() if self._boot(each.node) == self._boot(node)]
        if work.alone:
            return not host
        slots = 1 if node.gpus else int(node.cpus)
        return len(busy) < slots and not any(each.alone for each in host)

    def _boot(self, node: Node) -> str:
        return self.boots.get(node.id, node.id)

    def _begin(self, work: Work, node: Node) -> None:
        cpus = 0.0 if work.free else node.cpus if work.alone else 1.0
        gpus = 0.0 if work.free else node.gpus if work.alone else min(node.gpus, 1.0)
        task = {**work.task, "packages": self.packages}
        generator = self.cluster.start(task, node, cpus=cpus, gpus=gpus, seed=work.seed(), luggage=self.luggage)
        work.on.append(node.address)
        self.running[generator] = Running(work=work, node=node, heard=time.monotonic())

    def _hear(self) -> list[Work]:
        """Hear what is told; the works that have to be begun again."""
        again = []
        for generator, message in self.cluster.told(1.0):
            running = self.running[generator]
            running.heard, running.begun = time.monotonic(), True
            if isinstance(message, dict):
                self._take(message, running)
                continue
            del self.running[generator]
            if running.work.code is None:
                again += self._after(running, message)
        return again

    def _take(self, message: Message, running: Running) -> None:
        self.delays.append(time.time() - message["sent"])
        if "moment" in message:
            self.moments.append({"node": running.node.address, "work": running.work.name} | message["moment"])
        if "code" in message:
            running.work.code = message["code"]
        running.work.hear(message, running.node)

    def _after(self, running: Running, error: Exception | None) -> list[Work]:
        """What becomes of a work that ended without a code: another node has it, or the same one once more."""
        work = running.work
        work.tries += 1
        if error is not None and lost_node(error):
            self._lose(running, "died")
        else:
            work.reason = f"its task ended without an answer on {running.node.address} ({_words(error)})"
            self.progress.warn(f"{work.name}: {work.reason}.")
            if work.tries >= TRIES:
                return []
        return [work]

    def _give_up(self) -> list[Work]:
        """The works of nodes that have been silent for too long."""
        now, again = time.monotonic(), []
        for generator, running in list(self.running.items()):
            limit = self.silence if running.begun else self.silence + self.patience
            if now - running.heard > limit:
                del self.running[generator]
                self.cluster.forget(generator)
                self._lose(running, f"was silent for {limit:.0f} s")
                again.append(running.work)
        return again

    def _lose(self, lost: Running, how: str) -> None:
        """Ask this node no more; whatever else runs there is going to end likewise."""
        node = lost.node
        if node.id not in self.lost:
            self.progress.warn(f"node {node.address} {how}; what it had not finished goes to another node of its kind.")
        self.lost.add(node.id)
        for running in (lost, *self.running.values()):
            if running.node.id == node.id:
                running.work.reason = f"its node {node.address} {how}"


def _words(error: Exception | None) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200] if error else "no code"

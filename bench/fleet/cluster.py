"""The Ray cluster: reached at an address, left as it was found. Ray is imported here, inside the functions, and nowhere
else of ours; without it nothing changes but `upbench fleet` itself.
"""

import contextlib
import importlib.util
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upbench.bench.adapters import sentence
from upbench.bench.errors import UsageError
from upbench.bench.fleet import node
from upbench.bench.stage import Progress
from upbench.bench.workers.launch import take_snapshot

ROOMS = ("bench", "methods", "datasets", "reports")
CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node that is alive, as Ray tells of it."""

    id: str
    address: str
    cpus: float
    gpus: float


def require() -> None:
    """Raise `UsageError`, which says what to install, where there is no Ray."""
    if importlib.util.find_spec("ray") is None:
        raise UsageError("upbench fleet needs Ray: pip install 'upbench[fleet]'")


class Cluster:
    """A connection; use it as a context, so that every task of ours is ended with it."""

    def __init__(self, address: str) -> None:
        """The generators of the tasks that run are kept, to be cancelled."""
        self.address = address
        self.running: dict[Any, None] = {}

    @contextlib.contextmanager
    def connected(self, progress: Progress) -> Iterator["Cluster"]:
        """Reach the cluster and send our code there; at the end cancel what runs. Raises `UsageError`."""
        require()
        _reachable(self.address)
        with tempfile.TemporaryDirectory(prefix="upbench-fleet-") as folder:
            code = take_snapshot(Path(folder), ROOMS)
            self._connect([str(code / "upbench"), str(code / "upbench.dist-info")], progress)
            try:
                yield self
            finally:
                self._leave()

    def _connect(self, modules: list[str], progress: Progress) -> None:
        import ray

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        handler = signal.getsignal(signal.SIGTERM)
        try:
            found = ray.init(
                address=self.address,
                runtime_env={"py_modules": modules},
                log_to_driver=False,
                logging_level="ERROR",
                configure_logging=False,
            )
        except (ConnectionError, RuntimeError, ValueError, ImportError) as error:
            raise UsageError(f"There is no Ray cluster at {self.address!r}: {sentence(error)}") from error
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray takes it for itself; a run ends as it does without Ray
        dashboard = getattr(found, "dashboard_url", "")
        progress.say(f"fleet: Ray at {self.address}{f', dashboard http://{dashboard}' if dashboard else ''}.")

    def _leave(self) -> None:
        import ray

        for generator in self.running:
            with contextlib.suppress(Exception):  # it, or its node, has ended meanwhile
                ray.cancel(generator, force=True)
        ray.shutdown()

    def nodes(self) -> list[Node]:
        """The nodes that are alive and have a processor to give."""
        import ray

        found = [
            Node(
                id=each["NodeID"],
                address=each["NodeManagerAddress"],
                cpus=each["Resources"].get("CPU", 0.0),
                gpus=each["Resources"].get("GPU", 0.0),
            )
            for each in ray.nodes()
            if each["Alive"]
        ]
        return sorted((each for each in found if each.cpus >= 1), key=lambda each: (each.address, each.id))

    def keep(self, value: Any) -> Any:
        """Put something into the object store once, for many tasks."""
        import ray

        return ray.put(value)

    def start(
        self, task: Mapping[str, Any], place: Node, *, cpus: float, gpus: float, seed: Mapping[str, bytes], luggage: Any
    ) -> Any:
        """Begin a task on that node and no other; its messages come out of what is returned."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        remote: Any = ray.remote(max_retries=0, num_returns="streaming")(node.work)
        where = NodeAffinitySchedulingStrategy(place.id, soft=False)
        generator = remote.options(scheduling_strategy=where, num_cpus=cpus, num_gpus=gpus).remote(task, seed, luggage)
        self.running[generator] = None
        return generator

    def told(self, seconds: float) -> Iterator[tuple[Any, node.Message | Exception | None]]:
        """What tasks tell, as it comes; None is the end of one. Ends when nothing came for that many seconds."""
        import ray

        ready, _ = ray.wait(list(self.running), timeout=seconds)
        for generator in ready:
            try:
                yield generator, ray.get(next(generator), timeout=seconds + 30)
            except StopIteration:
                self.forget(generator)
                yield generator, None
            except Exception as error:  # of Ray's many kinds, and whatever a task raised
                self.forget(generator)
                yield generator, error

    def forget(self, generator: Any) -> None:
        """Hear no more of a task, and end it where it can be reached."""
        import ray

        self.running.pop(generator, None)
        with contextlib.suppress(Exception):
            ray.cancel(generator, force=True)


def lost_node(error: Exception) -> bool:
    """Whether an error says that a task's node is no more, or will never take it."""
    from ray import exceptions

    kinds = (exceptions.NodeDiedError, exceptions.TaskUnschedulableError, exceptions.GetTimeoutError)
    return isinstance(error, kinds)


def _reachable(address: str) -> None:
    """Say at once that nobody answers at an address: Ray itself tries for minutes."""
    place = address.removeprefix("ray://")
    host, colon, port = place.rpartition(":")
    if address == "auto":
        return
    if not colon or not port.isdigit():
        raise UsageError(f"--address {address!r}: write auto, HOST:PORT, or ray://HOST:PORT.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise UsageError(f"There is no Ray cluster at {address}: {error.strerror or error}.") from error

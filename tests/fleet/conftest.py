"""A Ray cluster of three nodes on loopback addresses, in a network of its own (`nox -s fleet` makes that)."""

import fcntl
import importlib.util
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

KINDS = {"127.0.0.1": "A", "127.0.0.2": "B", "127.0.0.3": "B"}
HEAD = "127.0.0.1:6399"


def why_not() -> str:
    """Why there can be no cluster here; empty where there can."""
    if importlib.util.find_spec("ray") is None:
        return "Ray is not installed"
    if sys.platform != "linux" or [name for _, name in socket.if_nameindex()] != ["lo"]:
        return "needs a Linux network namespace of its own: nox -s fleet"
    return ""


def raise_loopback() -> None:
    """Bring up `lo`, which a new namespace has down (netdevice(7): SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, 0x8913, asked))[1]
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of every process that has not ended."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        if state != "Z":
            found[int(path.name)] = (int(parent), line)
    return found


class Nodes:
    """The three nodes; each can be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds = 0.0
        self.environment = os.environ | {
            "RAY_worker_niceness": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_DISABLE_IMPORT_WARNING": "1",
        }

    def start(self, address: str) -> None:
        fake = {"cpu": f"CPU {KINDS[address]}", "boot_id": address}
        where = ["--head", f"--port={HEAD.partition(':')[2]}", f"--temp-dir={self.folder}", "--include-dashboard=false"]
        command = [
            *(sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start"),
            *(where if address == "127.0.0.1" else [f"--address={HEAD}"]),
            *(f"--node-ip-address={address}", "--num-cpus=2", "--object-store-memory=200000000"),
            "--disable-usage-stats",
        ]
        variables = self.environment | {"UPBENCH_FLEET_PROBE": json.dumps(fake)}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]

    def of(self, address: str) -> list[int]:
        """The raylet of a node, first, and all below it."""
        all_of_them = processes()
        found = [
            process
            for process, (_, line) in all_of_them.items()
            if "raylet/raylet " in line and f"--node_ip_address={address} " in line
        ]
        for process in found:
            found += [child for child, (parent, _) in all_of_them.items() if parent == process]
        return found

    def lines(self, address: str) -> list[str]:
        """The command lines of a node's processes."""
        known = processes()
        return [known[process][1] for process in self.of(address) if process in known]

    def kill(self, address: str) -> None:
        os.kill(self.of(address)[0], signal.SIGKILL)

    def freeze(self, address: str) -> None:
        for process in self.of(address):
            os.kill(process, signal.SIGSTOP)

    def end(self, address: str) -> None:
        for process in self.of(address):
            os.kill(process, signal.SIGKILL)

    def revive(self) -> None:
        """All three alive again, and the dead ones known to be dead."""
        for address in KINDS:
            if not self.of(address):
                self.start(address)


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    if reason := why_not():
        pytest.skip(reason)
    raise_loopback()
    cluster = Nodes(tmp_path_factory.mktemp("r"))
    before = time.monotonic()
    try:
        cluster.revive()
        cluster.seconds = time.monotonic() - before
        yield cluster
    finally:
        for process, (_, line) in processes().items():
            if str(cluster.folder) in line:
                os.kill(process, signal.SIGKILL)


def at_home() -> set[Path]:
    """What the home folder holds, two levels deep."""
    return {path for pattern in ("*", "*/*") for path in Path.home().glob(pattern) if ".cache" not in path.parts}


class Fleet:
    """`upbench fleet` in a process of its own."""

    def __init__(self, nodes: Nodes, folder: Path) -> None:
        self.nodes, self.out = nodes, folder / "out"
        self.log = folder / "log"
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: object) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "upbench.bench.cli.main", "fleet", "--address", HEAD, *map(str, arguments)]
        environment = self.nodes.environment | {"PYTHONSAFEPATH": "1"}
        with self.log.open("ab") as log:
            started = subprocess.Popen(
                [*command, "--out", str(self.out)],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=self.out.parent,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may have had it ignored
            )
        self.started.append(started)
        return started

    def run(self, *arguments: object) -> int:
        return self.start(*arguments).wait(timeout=300)

    def wait(self, until: Callable[[], Any], seconds: float = 90) -> Any:
        """What `until` gives, once it gives something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := until():
                return found
            time.sleep(0.05)
        raise AssertionError(f"it did not come:\n{self.said()[-3000:]}")

    def said(self) -> str:
        return self.log.read_text()

    def kinds(self) -> dict[str, Path]:
        """The folder of each kind, by the letter of its name."""
        return {path.name[4].upper(): path for path in self.out.glob("cpu-*")}

    def left(self) -> list[str]:
        """Command lines of ours that run still."""
        return [line for _, line in processes().values() if "upbench.bench" in line]


@pytest.fixture
def fleet(nodes: Nodes, tmp_path: Path) -> Iterator[Fleet]:
    """A fleet of three live nodes; whatever it did, nothing of it runs afterwards and the home folder is as it was."""
    nodes.revive()
    home = at_home()
    made = Fleet(nodes, tmp_path)
    yield made
    for driver in made.started:  # only of a test that failed one runs still
        driver.kill()
        driver.wait()
    made.wait(lambda: not made.left(), seconds=20)
    assert at_home() <= home

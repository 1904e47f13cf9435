"""A node's folder here, file by file and row by row, so that whoever goes on finds what one machine would have."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from upbench.bench.errors import UsageError
from upbench.bench.fleet.node import Message
from upbench.bench.store import replacing

DEEPEST = 4  # folders in folders


class Mirror:
    """A folder that follows another's messages."""

    def __init__(self, folder: Path) -> None:
        """What an earlier run left is there already."""
        self.folder = folder
        self._rows: dict[str, int] = {}

    def files(self) -> Mapping[str, bytes]:
        """All that is there: what a task goes on from."""
        paths = [path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def follow(self, message: Message) -> int:
        """Write what a message brings; how many rows are new."""
        before = self.rows
        for name, content in message.get("files", {}).items():
            with replacing(self._path(name)) as temporary:
                temporary.write_bytes(content)
            self._count(name, content, anew=True)
        for name, content in message.get("rows", {}).items():
            with self._path(name).open("ab") as file:
                file.write(content)
            self._count(name, content, anew=False)
        for name in message.get("gone", ()):
            self._path(name).unlink(missing_ok=True)
        return self.rows - before

    @property
    def rows(self) -> int:
        """Rows that journals have had."""
        return sum(self._rows.values())

    def _count(self, name: str, content: bytes, *, anew: bool) -> None:
        if name.endswith(".journal"):
            lines = content.count(b"\n")
            before = self._rows.get(name, 0)
            self._rows[name] = max(before, lines - 1) if anew else before + lines

    def _path(self, name: str) -> Path:
        """Where a file goes; raises `UsageError` for a name that leads out of the folder."""
        parts = PurePosixPath(name).parts
        if not 0 < len(parts) <= DEEPEST or any(part in ("..", "/") or part.startswith(".") for part in parts):
            raise UsageError(f"A node has sent a file named {name!r}, which no stage writes; nothing of it is kept.")
        return self.folder.joinpath(*parts)

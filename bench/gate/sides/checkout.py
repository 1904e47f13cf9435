"""Commits of a git checkout that holds an adapter, each in a worktree of its own that is removed afterwards."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from upbench.bench.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit in a folder: `ref` as it was given, its `digest`, and the checkout's `root` whose files these are."""

    ref: str
    digest: str
    folder: Path
    root: Path

    @property
    def label(self) -> str:
        """For example `main (1a2b3c4)`."""
        return f"{self.ref} ({self.digest[:7]})" if self.digest else self.ref

    @property
    def path(self) -> list[Path]:
        """Where modules beside the adapter are found."""
        return [folder for folder in (self.folder / "src", self.folder) if folder.is_dir()]

    def spec(self, spec: str) -> str:
        """`FILE.py:FACTORY` of the checkout as it is in this commit; raises `UsageError` where it has no such file."""
        source, _, attribute = spec.rpartition(":")
        file = self.folder / Path(source).resolve().relative_to(self.root)
        if not file.is_file():
            raise UsageError(f"{self.label} has no file {source}.")
        return f"{file}:{attribute}"


def root_of(spec: str) -> Path:
    """The root of the checkout that an adapter's file is in; raises `UsageError` if it is in none."""
    source = Path(spec.rpartition(":")[0]).resolve()
    return Path(_git(source.parent, "rev-parse", "--show-toplevel")).resolve()


@contextmanager
def checked_out(ref: str | None, root: Path) -> Iterator[Commit]:
    """The files of a commit, in a worktree that lives as long; without a `ref` those of the checkout as they are.

    Raises `UsageError` where git knows no such commit.
    """
    if ref is None:
        yield Commit(ref="files as they are", digest="", folder=root, root=root)
        return
    digest = _git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", missing=f"There is no commit {ref!r}.")
    with tempfile.TemporaryDirectory(prefix="upbench-") as folder:
        tree = Path(folder) / "tree"
        _git(root, "worktree", "add", "--quiet", "--detach", str(tree), digest)
        try:
            yield Commit(ref=ref, digest=digest, folder=tree.resolve(), root=root)
        finally:
            _git(root, "worktree", "remove", "--force", str(tree))


def _git(folder: Path, *words: str, missing: str = "") -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UsageError("git is needed to compare commits; install it.") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UsageError(missing or f"git cannot do that in {folder}: {last}")
    return done.stdout.strip()

"""From a request to what is compared: two sides, what they are asked, and how the command line names them."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upbench.bench.adapters import absolute
from upbench.bench.gate.request import DuetRequest
from upbench.bench.gate.sides import checkout
from upbench.bench.gate.sides.environments import Environment, environments, running
from upbench.bench.gate.sides.side import Question, Side, settings_of
from upbench.bench.workers.launch import HELD, take_snapshot

HERE = "this python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One comparison: `ends` are the environments of its two `sides`; `words` name them on the command line."""

    ends: tuple[Environment, Environment]
    sides: tuple[Side, Side]
    questions: list[Question]
    words: str
    commits: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it compares."""
        return f"{self.ends[0].label} -> {self.ends[1].label}"

    def identity(self) -> dict[str, Any]:
        """What must be the same for an interrupted comparison to be gone on with, besides the request."""
        return {
            "versions": [{"python": str(end.python), "torch": end.torch} for end in self.ends],
            "commits": self.commits,
        }


def pairings(request: DuetRequest, stack: ExitStack) -> Iterator[Pairing]:
    """Each comparison that is asked for; worktrees live as long as `stack`."""
    found = _environments(request)
    for candidate in found[1:]:
        yield _pairing(request, (found[0], candidate), stack)


def _environments(request: DuetRequest) -> list[Environment]:
    """The baseline's and each candidate's; where only one is named, or none, both sides share it."""
    texts = [request.baseline, *(request.candidate or (request.baseline,))]
    named = [text for text in texts if text is not None]
    made = dict(
        zip(
            named,
            environments(named, request.environments, python=request.python, index=request.index),
            strict=True,
        )
    )
    return [running(HERE) if text is None else made[text] for text in texts]


def _pairing(request: DuetRequest, ends: tuple[Environment, Environment], stack: ExitStack) -> Pairing:
    commits = _commits(request, stack)
    labels = _labels(request, ends, commits)
    named = tuple(_relabelled(end, label) for end, label in zip(ends, labels, strict=True))
    allocators = (request.allocator, request.candidate_allocator or request.allocator)
    sides = []
    for index, words in enumerate((request.baseline_set, request.candidate_set)):
        variables, flags = settings_of(words)
        sides.append(
            Side(
                label=f"{('baseline', 'candidate')[index]} {labels[index]}",
                python=ends[index].python,
                planted=request.planted() if index else {},
                variables=variables,
                flags=flags,
                allocator=allocators[index],
                path=commits[index].path if commits else (),
            )
        )
    return Pairing(
        ends=(named[0], named[1]),
        sides=(sides[0], sides[1]),
        questions=questions(request, commits),
        words=words_of(request, ends),
        commits=tuple(commit.digest for commit in commits),
    )


def _commits(request: DuetRequest, stack: ExitStack) -> list[checkout.Commit]:
    if not (request.baseline_ref or request.candidate_ref):
        return []
    root = checkout.root_of(request.method[0])
    return [
        stack.enter_context(checkout.checked_out(ref, root)) for ref in (request.baseline_ref, request.candidate_ref)
    ]


def questions(request: DuetRequest, commits: list[checkout.Commit] | None = None) -> list[Question]:
    """The cells to compare, with where each side's method is."""
    cells = request.cells()
    if request.versus:
        one, other = (absolute(method) for method in request.versus)
        return [Question(name=cell.name, method=one, other=other) for cell in cells]
    if not commits:
        sources = request.sources()
        return [Question(name=cell.name, method=sources[cell.method]) for cell in cells]
    asked = {spec.rpartition(":")[2]: spec for spec in request.method}
    specs = {name: [commit.spec(spec) for commit in commits] for name, spec in asked.items()}
    return [
        Question(name=cell.name, method=specs[cell.method][0], other=specs[cell.method][1], asked=asked[cell.method])
        for cell in cells
    ]


def _labels(
    request: DuetRequest, ends: tuple[Environment, Environment], commits: list[checkout.Commit]
) -> tuple[str, str]:
    """What tells the sides apart: methods, commits or environments, and what is set on one of them."""
    names = [end.label for end in ends]
    if request.versus:
        names = list(request.versus)
    elif commits:
        names = [commit.label for commit in commits]
    allocators = (request.allocator, request.candidate_allocator or request.allocator)
    for index, words in enumerate((request.baseline_set, request.candidate_set)):
        added = [*words, *([f"allocator {allocators[index]}"] if allocators[0] != allocators[1] else [])]
        names[index] = " ".join([names[index], *added])
    return names[0], names[1]


def _relabelled(end: Environment, label: str) -> Environment:
    return Environment(
        label=label,
        python=end.python,
        torch=end.torch,
        torchvision=end.torchvision,
        torchvision_reason=end.torchvision_reason,
        packages=end.packages,
    )


def words_of(request: DuetRequest, ends: tuple[Environment, Environment]) -> str:
    """The options that name the two sides, as a shell takes them."""
    given = {
        "--versus": list(request.versus),
        "--baseline": [request.baseline] if request.baseline else [],
        "--candidate": [_text(request, ends[1])] if request.candidate else [],
        "--baseline-ref": [request.baseline_ref] if request.baseline_ref else [],
        "--candidate-ref": [request.candidate_ref] if request.candidate_ref else [],
        "--baseline-set": list(request.baseline_set),
        "--candidate-set": list(request.candidate_set),
        "--allocator": [request.allocator] if request.allocator != HELD else [],
        "--candidate-allocator": [request.candidate_allocator] if request.candidate_allocator else [],
        "--python": [request.python] if request.python else [],
        "--index": [request.index] if request.index else [],
    }
    return shlex.join([word for option, words in given.items() if words for word in (option, *map(str, words))])


def _text(request: DuetRequest, end: Environment) -> str:
    """The candidate as it was given: an environment at a path has another label."""
    return next((text for text in request.candidate if end.label in (text, f"{end.torch} ({text})")), end.label)


def alone(request: DuetRequest, text: str) -> tuple[Environment, Side, Path]:
    """One environment by itself, for a baseline that is kept, and the snapshot that its worker runs."""
    (found,) = environments([text], request.environments, python=request.python, index=request.index)
    side = Side(label=found.label, python=found.python, allocator=request.allocator)
    return found, side, take_snapshot(request.environments)

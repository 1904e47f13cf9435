"""A finished gate as `versions.json` has it.

The file: `{"format": 1, "comparisons": [...]}`. A comparison holds `baseline` and `candidate` (label, torch, host,
variables, flags, allocator), `settings`, `planted`, `same` (a side against itself), `differing` (packages of other
versions), `spent` seconds, `rounds`, `edges` (for each method what became of its pixels at the edges of the space of
shapes), and `cells`, each with verdict, reason, ratio and interval, floor, pixels, memory,
what to do `next` where it is open, and every visit's raw blocks in nanoseconds.
Format history: 1 is the first.
"""

import math
import shlex
from dataclasses import asdict
from typing import Any

from upbench.bench.gate.advice import advise
from upbench.bench.gate.gate import Gate
from upbench.bench.gate.progress import Course
from upbench.bench.gate.sides.environments import Environment, differing
from upbench.bench.gate.sides.side import Question
from upbench.bench.gate.verdict import Estimate, Verdict

Record = dict[str, Any]


def record(gate: Gate, environments: tuple[Environment, Environment], sides: str = "") -> Record:
    """A finished comparison as `versions.json` has it; `environments` are baseline and candidate.

    `sides` are the options that name them on the command line, for what is to be asked again.
    """
    hosts = gate.hosts or [{}, {}]
    ends = [
        {
            "label": environment.label,
            "torch": environment.torch,
            "torchvision": environment.torchvision,
            "torchvision_reason": environment.torchvision_reason,
            "host": host,
            "variables": dict(side.variables),
            "flags": dict(side.flags),
            "allocator": side.allocator,
        }
        for environment, side, host in zip(environments, gate.sides, hosts, strict=True)
    ]
    return {
        "baseline": ends[0],
        "candidate": ends[1],
        "same": _same(gate, environments),
        "differing": differing(*environments),
        "settings": asdict(gate.settings),
        "planted": dict(gate.sides[1].planted),
        "spent": gate.spent,
        "rounds": gate.rounds,
        "edges": {name: _raw(row) for name, row in gate.edges.items()},
        "cells": [_cell(gate, question, sides or _by_label(environments)) for question in gate.questions],
    }


def _same(gate: Gate, environments: tuple[Environment, Environment]) -> bool:
    """Whether nothing differs between the sides: what is found then is noise."""
    one, other = gate.sides
    settings = [(side.variables, side.flags, side.allocator) for side in (one, other)]
    methods = all(question.method_of(0) == question.method_of(1) for question in gate.questions)
    return environments[0].python == environments[1].python and settings[0] == settings[1] and methods


def _by_label(environments: tuple[Environment, Environment]) -> str:
    return f"--baseline {shlex.quote(environments[0].label)} --candidate {shlex.quote(environments[1].label)}"


def _cell(gate: Gate, question: Question, sides: str) -> Record:
    course, survey = gate.courses[question.name], gate.surveys.get(question.name, {})
    return {
        "cell": question.name,
        "method": question.method,
        "methods": [question.method_of(index).rpartition(":")[2] for index in (0, 1)],
        "verdict": (course.verdict or Verdict.UNRESOLVED).value,
        "reason": course.reason,
        "planted": question.planted(gate.sides[-1]),
        "calls_per_block": course.calls,
        "pixels": survey.get("pixels"),
        "memory": survey.get("memory"),
        "next": advise(course, question, gate.settings.threshold, sides, gate.settings.budget),
        "visits": [_raw(visit) for visit in gate.visits[question.name]],
    } | summary(course, gate.settings.threshold)


def summary(course: Course, threshold: float) -> Record:
    """What the report shows of a cell's timing; all `None` where there are fewer than two pairs.

    `ratio` is candidate / baseline with its 95 % interval; `floor` and `detectable` are shares (0.01 is 1 %).
    """
    estimate = course.estimate()
    if estimate.pairs < 2:
        return dict.fromkeys(("ratio", "low", "high", "floor", "detectable")) | {"pairs": len(course.all_ratios)}
    low, high = estimate.interval()
    return {
        "ratio": math.exp(estimate.mean),
        "low": low,
        "high": high,
        "floor": math.expm1(Estimate.of(course.all_ratios).reach()),
        "detectable": Estimate.of(course.all_ratios).detectable(threshold),
        "pairs": len(course.all_ratios),
    }


def _raw(visit: Record) -> Record:
    return {name: value for name, value in visit.items() if name not in ("kind", "cell", "comparison", "methods")}

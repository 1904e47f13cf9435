"""A finished gate as `versions.json` has it.

The file: `{"format": 1, "comparisons": [...]}`. A comparison holds `baseline` and `candidate` (label, torch,
host), `settings`, `planted`, `same` (an environment against itself), `spent` seconds, `rounds`, and `cells`,
each with verdict, reason, ratio and interval, floor, pixels, memory, and every visit's raw blocks in
nanoseconds.
Format history: 1 is the first.
"""

import math
from dataclasses import asdict
from typing import Any

from upbench.bench.gate.environments import Environment
from upbench.bench.gate.gate import Gate
from upbench.bench.gate.progress import Course
from upbench.bench.gate.sides import Question
from upbench.bench.gate.verdict import Estimate, Verdict

Record = dict[str, Any]


def record(gate: Gate, environments: tuple[Environment, Environment]) -> Record:
    """A finished comparison as `versions.json` has it; `environments` are baseline and candidate."""
    hosts = gate.hosts or [{}, {}]
    ends = [
        {
            "label": environment.label,
            "torch": environment.torch,
            "torchvision": environment.torchvision,
            "torchvision_reason": environment.torchvision_reason,
            "host": host,
        }
        for environment, host in zip(environments, hosts, strict=True)
    ]
    return {
        "baseline": ends[0],
        "candidate": ends[1],
        "same": environments[0].python == environments[1].python,
        "settings": asdict(gate.settings),
        "planted": dict(gate.sides[1].planted),
        "spent": gate.spent,
        "rounds": gate.rounds,
        "cells": [_cell(gate, question) for question in gate.questions],
    }


def _cell(gate: Gate, question: Question) -> Record:
    course, survey = gate.courses[question.name], gate.surveys.get(question.name, {})
    return {
        "cell": question.name,
        "method": question.method,
        "verdict": (course.verdict or Verdict.UNRESOLVED).value,
        "reason": course.reason,
        "planted": question.planted(gate.sides[-1]),
        "calls_per_block": course.calls,
        "pixels": survey.get("pixels"),
        "memory": survey.get("memory"),
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
    return {name: value for name, value in visit.items() if name not in ("kind", "cell", "comparison")}

"""Pixels at the edges of the space of shapes: the cases, the calls, and what is said when two sides meet."""

import numpy as np
import pytest
import torch

from upbench.bench.adapters import find, from_spec
from upbench.bench.cells import DTYPES
from upbench.bench.errors import FailedError
from upbench.bench.gate.edges import calls as edge_calls
from upbench.bench.gate.edges import compare as edges
from upbench.bench.gate.edges.compare import Case, ask, cases
from upbench.bench.gate.edges.words import sentence
from upbench.bench.gate.sides.side import Question

QUESTION = Question(name="m/x2/image", method="m")


class Sides:
    """Two sides that answer from dictionaries; an image holds the number that its digest is."""

    def __init__(self, *sides: dict[str, str]):
        self.sides = sides

    def ask(self, index: int, request: dict) -> dict:
        if request["ask"] == "edge":
            np.save(request["file"], np.full((1, 1, 2, 2), float(self.sides[index][request["case"]]), dtype=np.float32))
            return {}
        if request["dtype"] in self.sides[index].get("broken", ""):
            raise FailedError("it hurt")
        return {"answers": {n: a for n, a in self.sides[index].items() if f" {request['dtype']} " in n}}


def meet(tmp_path, one: dict[str, str], other: dict[str, str]) -> dict:
    return ask(Sides(one, other), QUESTION, tmp_path)


def test_a_case_reads_its_name_back():
    case = Case(shape=(0, 3, 7, 8), dtype="uint8", layout="strided", factor="2.05")
    assert Case.parse(case.name) == case
    assert case.name == "0x3x7x8 uint8 strided x2.05"


def test_the_cases_hold_what_breaks_and_the_smallest_come_first():
    found = cases("float32", forms=True)
    assert len(set(found)) == len(found)
    sizes = [np.prod(case.shape) for case in found]
    assert sizes == sorted(sizes)
    assert {case.shape[0] for case in found} >= {0, 1}
    assert {case.shape[1] for case in found} == {1, 2, 3, 4, 5}
    assert {case.factor for case in found} == {"2", "1.5", "2.05", "size"}
    assert {case.layout for case in found} == {"contiguous", "channels_last", "strided"}
    assert {case.factor for case in cases("float32", forms=False)} == {"2"}


def test_a_change_is_reported_with_the_smallest_input_that_shows_it(tmp_path):
    small, large = "1x1x2x2 float32 contiguous x2", "1x1x8x8 float32 contiguous x2"
    same = "1x1x3x3 float32 contiguous x2"
    found = meet(tmp_path, {large: "0.5", small: "0.5", same: "0.1"}, {large: "0.9", small: "0.6", same: "0.1"})
    assert found["counts"] == {"CHANGED": 2, "identical": 1}
    assert found["smallest"]["CHANGED"]["case"] == small
    assert "2 CHANGED (smallest input 1x1x2x2 float32 contiguous x2: by up to 0.1)" in sentence("m", found)


def test_what_a_version_no_longer_takes_is_lost_and_what_neither_takes_is_refused(tmp_path):
    names = [f"1x1x{size}x{size} float32 contiguous x2" for size in (1, 2, 3)]
    one = dict(zip(names, ["0", "!no", "!no"], strict=True))
    other = dict(zip(names, ["!no such kernel", "!no", "0"], strict=True))
    found = meet(tmp_path, one, other)
    assert found["counts"] == {"lost": 1, "refused": 1, "gained": 1}
    assert found["smallest"]["lost"] == {"case": names[0], "reason": "no such kernel"}


def test_a_dtype_that_breaks_a_side_costs_that_dtype_only(tmp_path):
    sides = {"1x1x2x2 float32 contiguous x2": "0", "1x1x2x2 uint8 contiguous x2": "0"}
    found = meet(tmp_path, sides, sides | {"broken": "uint8"})
    assert found["cases"] == 1
    assert found["broken"] == ["uint8: it hurt"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_are_the_same_everywhere_and_laid_out_as_asked(dtype):
    images = {
        layout: edge_calls.given(Case(shape=(2, 3, 4, 5), dtype=dtype, layout=layout), "cpu")
        for layout in edges.LAYOUTS
    }
    assert all(torch.equal(image, images["contiguous"]) for image in images.values())
    assert images["channels_last"].is_contiguous(memory_format=torch.channels_last)
    assert not images["strided"].is_contiguous()
    if dtype == "uint8":
        assert images["contiguous"].flatten()[:4].tolist() == [116, 247, 223, 104]


def test_a_method_answers_every_case_or_says_why_not():
    found = edge_calls.answers(find("bicubic"), "uint8", "cpu")
    again = edge_calls.answers(find("bicubic"), "uint8", "cpu")
    assert found == again
    assert len(found) == len(cases("uint8", forms=True))
    assert not found["1x3x7x8 uint8 contiguous x2"].startswith("!")


def test_a_method_of_one_s_own_has_whole_scales_only_and_its_errors_are_answers(adapter_file):
    spec = adapter_file("odd", "def up(low):\n    raise ValueError('not today')\nreturn up")
    found = edge_calls.answers(from_spec(spec), "float32", "cpu")
    assert len(found) == len(cases("float32", forms=False))
    assert set(found.values()) == {"!ValueError: not today"}

"""The records: names that read back, workloads by name or shape, the order of a plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upbench.bench import cells
from upbench.bench.cells import Cell
from upbench.bench.errors import UsageError

WORDS = st.from_regex(r"[a-z][a-z0-9@.-]{0,12}", fullmatch=True)
CELLS = st.builds(
    Cell,
    method=WORDS,
    scale=st.integers(1, 99),
    workload=WORDS,
    device=st.sampled_from(["cpu", "cuda", "cuda:1"]),
    dtype=st.sampled_from(cells.DTYPES),
    memory_format=st.sampled_from(cells.MEMORY_FORMATS),
    mode=st.sampled_from(cells.MODES),
    step=st.sampled_from(cells.STEPS),
    threads=st.integers(1, 128),
)


@given(CELLS)
def test_a_cell_is_read_back_from_its_name(cell: Cell) -> None:
    assert Cell.parse(cell.name) == cell


@given(CELLS, CELLS)
def test_two_cells_share_a_name_only_when_they_are_equal(one: Cell, other: Cell) -> None:
    assert (one.name == other.name) == (one == other)


def test_trailing_axes_take_their_defaults() -> None:
    assert Cell.parse("bicubic/x2/image") == Cell(method="bicubic", scale=2, workload="image")


@pytest.mark.parametrize(
    "name", ["", "bicubic", "bicubic/2/image", "bicubic/x0/image", "a/x2/b/c/d/e/f/g/h/i", "a/x2/b/c/d/e/f/g/oops"]
)
def test_what_is_no_cell_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(UsageError, match="names no cell"):
        Cell.parse(name)


def test_a_cell_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Cell(method="a", scale=2, workload="image").scale = 3  # type: ignore[misc]


def test_a_workload_may_be_a_shape() -> None:
    assert cells.workload("4x3x64x48").shape == (4, 3, 64, 48)


@pytest.mark.parametrize("name", ["imag", "4x3x64", "0x3x64x64", "4x3x64x64x2", "-1x3x4x4", ""])
def test_what_is_no_workload_is_refused_with_the_choice(name: str) -> None:
    with pytest.raises(UsageError, match="cifar, image, feature, single"):
        cells.workload(name)


def test_megapixels_count_output_pixels_of_one_channel() -> None:
    assert cells.workload("2x3x100x50").megapixels(2) == pytest.approx(2 * 200 * 100 / 1e6)


def test_a_plan_holds_every_combination_once_with_methods_varying_fastest() -> None:
    planned = cells.plan(methods=["a", "b"], scales=[2, 4], workloads=["image", "single"], dtypes=["float32", "uint8"])
    assert len(planned) == len(set(planned)) == 16
    assert [cell.method for cell in planned] == ["a", "b"] * 8
    assert {cell.workload for cell in planned[:8]} == {"image"}

import numpy as np
import pytest

from upbench.bench.adapters import find
from upbench.bench.cells import Cell
from upbench.bench.gate.pixels import CHANGED, IDENTICAL, ROUNDING, compare, eight_bit, picture, psnr_db, shrink
from upbench.bench.gate.task import Task

TRUTH = picture((2, 3, 16, 16), seed=1)
IMAGE = np.clip(TRUTH + 0.02, 0, 1).astype(np.float32)


def test_the_same_bits_are_identical():
    assert compare(IMAGE, IMAGE.copy(), TRUTH, "float32").status == IDENTICAL


def test_a_last_place_is_rounding_and_counted():
    other = np.nextafter(IMAGE, np.float32(2))
    found = compare(IMAGE, other, TRUTH, "float32")
    assert found.status == ROUNDING
    assert 0 < found.ulps <= 1


def test_a_real_change_is_told_with_its_size():
    other = IMAGE.copy()
    other[0, 0, 3, 4] += 0.1
    found = compare(IMAGE, other, TRUTH, "float32")
    assert found.status == CHANGED
    assert found.largest == pytest.approx(0.1, abs=1e-6)
    assert found.steps in (25, 26)
    assert found.share == pytest.approx(1 / IMAGE.size)
    assert found.psnr_change_db == pytest.approx(psnr_db(other, TRUTH) - psnr_db(IMAGE, TRUTH))


def test_the_change_in_psnr_has_the_candidates_sign():
    assert compare(IMAGE, TRUTH, TRUTH, "float32").psnr_change_db > 0
    assert compare(TRUTH, IMAGE, TRUTH, "float32").psnr_change_db < 0


def test_one_step_of_uint8_is_rounding_and_two_are_not():
    levels = eight_bit(TRUTH).astype(np.uint8) // 2
    assert compare(levels, levels + 1, TRUTH, "uint8").status == ROUNDING
    assert compare(levels, levels + 2, TRUTH, "uint8").status == CHANGED


def test_a_changed_dtype_is_compared_by_value():
    assert compare(IMAGE, IMAGE.astype(np.float64), TRUTH, "float32").status == ROUNDING


def test_shapes_must_agree_and_nan_is_an_error():
    with pytest.raises(ValueError, match="the candidate's"):
        compare(IMAGE, IMAGE[..., :-1], TRUTH, "float32")
    broken = IMAGE.copy()
    broken[0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        compare(IMAGE, broken, TRUTH, "float32")


def test_psnr_is_its_definition():
    image, truth = np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 2, 2))
    image[0, 0, 0, 0] = 1.0
    assert psnr_db(image, truth) == pytest.approx(10 * np.log10(4))
    assert psnr_db(truth, truth) == 100


def test_a_picture_fills_the_range_and_is_the_same_each_time():
    assert np.array_equal(TRUTH, picture((2, 3, 16, 16), seed=1))
    assert TRUTH.min() >= 0
    assert TRUTH.max() <= 1
    assert TRUTH.std() > 0.1


def test_shrink_takes_box_means():
    high = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    assert shrink(high, 2).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]


def test_pixels_of_a_compiled_cell_are_those_of_the_compiled_code(monkeypatch):
    monkeypatch.setattr("torch.compile", lambda call: lambda low: call(low) + 0.5)
    low = np.zeros((1, 3, 4, 4), dtype=np.float32)
    for mode, step, value in (("eager", "forward", 0), ("compile", "forward", 0.5), ("compile", "train", 0.5)):
        cell = Cell(method="nearest", scale=2, workload="single", mode=mode, step=step)
        image = Task.build(cell, find("nearest"), check=False).output(low)
        assert image.shape == (1, 3, 8, 8)
        assert (image == value).all()

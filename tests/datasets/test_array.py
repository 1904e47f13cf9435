"""The caller's own array: every layout that is meant, and one sentence for all others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from upbench.datasets import pairs
from upbench.datasets.array import BATCH_PIXELS
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.errors import DataError

Save = Callable[["np.ndarray[Any, Any]"], str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(array: "np.ndarray[Any, Any]") -> str:
        np.save(tmp_path / "own.npy", array)
        return f"array:{tmp_path / 'own.npy'}"

    return write


def levels(*shape: int) -> "np.ndarray[Any, Any]":
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def read(name: str, limit: int | None = None) -> "np.ndarray[Any, Any]":
    return np.concatenate([batch.images.numpy() for batch in open_dataset(name, limit=limit).batches()])


def test_channels_first_last_and_grey_give_the_same_images(save: Save) -> None:
    first = levels(5, 3, 8, 12)
    np.testing.assert_array_equal(read(save(first)), first)
    np.testing.assert_array_equal(read(save(first.transpose(0, 2, 3, 1))), first)
    np.testing.assert_array_equal(read(save(first[:, 0])), first[:, :1].repeat(3, axis=1))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", ">f8"])
def test_floating_point_images_are_rounded_to_8_bits(save: Save, dtype: Any) -> None:
    first = levels(4, 3, 16, 16)
    found = read(save((first / 255).astype(dtype)))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, first)


def test_an_array_in_fortran_order_is_read(save: Save) -> None:
    first = levels(4, 3, 6, 10)
    np.testing.assert_array_equal(read(save(np.asfortranarray(first))), first)


def test_the_dataset_says_what_it_is(save: Save) -> None:
    dataset = open_dataset(save(levels(7, 10, 12, 3)))
    assert (dataset.name, dataset.split, len(dataset)) == ("array", "test", 7)
    assert dataset.description == "7 images of 12x10 from own.npy (uint8 of shape (7, 10, 12, 3), read as (N, H, W, 3))"
    assert open_dataset(save(levels(7, 10, 12, 3)), limit=2).description.endswith(", first 2 only")


def test_a_limit_takes_the_first_images(save: Save) -> None:
    np.testing.assert_array_equal(read(save(levels(9, 3, 8, 8)), limit=4), levels(9, 3, 8, 8)[:4])


def test_batches_are_bounded_in_pixels_and_hold_every_image_once(save: Save) -> None:
    name = save(levels(7, 3, 256, 256))
    batches = list(open_dataset(name).batches())
    assert all(batch.images[:, 0].numel() <= BATCH_PIXELS for batch in batches)
    assert [number for batch in batches for number in batch.ids] == [str(i) for i in range(7)]


def test_its_pairs_can_be_made(save: Save) -> None:
    (pair,) = pairs.make_pairs(open_dataset(save(levels(3, 3, 12, 20))), "area", 4)
    assert tuple(pair.low.shape) == (3, 3, 3, 5)
    with pytest.raises(DataError, match="scale 8 does not divide a 20x12 image"):
        list(pairs.make_pairs(open_dataset(save(levels(3, 3, 12, 20))), "area", 8))


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan"), float("inf")])
def test_values_outside_the_range_are_told_with_their_image(save: Save, wrong: float) -> None:
    images = np.zeros((300, 3, 32, 32), dtype=np.float32)
    images[200, 1, 2, 3] = wrong
    with pytest.raises(DataError, match=r"own\.npy has values outside \[0, 1\] in image 200; scale them"):
        open_dataset(save(images))


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, bool, np.complex64, "S3", "M8[s]"])
def test_values_that_are_no_images_are_told(save: Save, dtype: Any) -> None:
    with pytest.raises(DataError, match=r"own\.npy holds values of .*; give uint8, or floating point in \[0, 1\]"):
        open_dataset(save(np.zeros((2, 3, 8, 8), dtype=dtype)))


@pytest.mark.parametrize("shape", [(), (3,), (8, 8), (2, 4, 8, 8), (0, 3, 8, 8), (2, 3, 0, 8), (1, 2, 3, 8, 8)])
def test_shapes_that_are_no_images_are_told(save: Save, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"has the shape \(.*\); give \(N, 3, H, W\)|cannot be read as a NumPy array"):
        open_dataset(save(np.zeros(shape, dtype=np.uint8)))


def test_objects_are_not_unpickled(save: Save, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path(tmp_path / "ran").touch, ())

    with pytest.raises(DataError, match=r"own\.npy cannot be read as a NumPy array; write it with numpy\.save"):
        open_dataset(save(np.array([Bomb()], dtype=object)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kept", [0, 1, 8, 60, 127, 128, 200])
def test_a_file_that_was_cut_is_told(save: Save, tmp_path: Path, kept: int) -> None:
    name = save(levels(2, 3, 8, 8))
    path = tmp_path / "own.npy"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match="cannot be read as a NumPy array"):
        open_dataset(name)


def test_a_header_that_promises_more_than_the_file_holds_costs_no_memory(tmp_path: Path) -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 3, 999, 999), }\n"
    (tmp_path / "own.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 100)
    with pytest.raises(DataError, match="cannot be read as a NumPy array"):
        open_dataset(f"array:{tmp_path / 'own.npy'}")


def test_several_arrays_are_told_apart_from_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", a=levels(2, 3, 8, 8))
    with pytest.raises(DataError, match="holds several arrays"):
        open_dataset(f"array:{tmp_path / 'own.npz'}")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for name in ("absent.npy", "."):
        with pytest.raises(DataError, match="There is no file"):
            open_dataset(f"array:{tmp_path / name}")

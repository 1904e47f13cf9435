"""CIFAR-10 in both official layouts, damaged in every way, and never run as code."""

import io
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from upbench.datasets import cifar10
from upbench.datasets.errors import DataError


def pixels(images: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (images, 3072), dtype=np.uint8)


def write_python(tmp_path: Path, document: object, name: str = "test_batch", protocol: int = 2) -> Path:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(document, protocol=protocol))
    return tmp_path


def python_2_pickle(rows: np.ndarray) -> bytes:
    """What Python 2 wrote: protocol 2, text as byte strings (opcode U), numpy under its old module name."""

    def text(value: bytes) -> bytes:
        return (
            b"U" + struct.pack("B", len(value)) + value
            if len(value) < 256
            else b"T" + struct.pack("<i", len(value)) + value
        )

    shape = b"".join(b"M" + struct.pack("<H", side) for side in rows.shape)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\n" + b"K\x00\x85" + text(b"b") + b"\x87R"
        b"(K\x01" + b"(" + shape + b"t"
        b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89" + text(rows.tobytes()) + b"tb"
    )
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + b"](K\x03K\x01e" + b"u."


@pytest.mark.parametrize("images", [1, 3, 200])
def test_the_binary_layout_is_read_with_any_number_of_records(binary_cifar: Callable[..., Path], images: int) -> None:
    found, description = cifar10.load(binary_cifar(images), "test")
    records = np.random.default_rng(0).integers(0, 256, (images, 3073), dtype=np.uint8)
    np.testing.assert_array_equal(found.numpy(), records[:, 1:].reshape(-1, 3, 32, 32))
    assert found.dtype == torch.uint8
    assert description == f"CIFAR-10 sample ({images:,} images, not the official test split)"


def test_the_folder_of_the_batches_itself_serves_too(binary_cifar: Callable[..., Path]) -> None:
    images, _ = cifar10.load(binary_cifar(2) / "cifar-10-batches-bin", "test")
    assert len(images) == 2


def test_the_batches_of_the_train_split_are_joined_in_order(binary_cifar: Callable[..., Path]) -> None:
    for number in (2, 1, 5):
        binary_cifar(number, name=f"data_batch_{number}", seed=number)
    images, _ = cifar10.load(binary_cifar(1), "train")
    first = np.random.default_rng(1).integers(0, 256, (1, 3073), dtype=np.uint8)
    assert len(images) == 1 + 2 + 5
    np.testing.assert_array_equal(images[0].numpy().ravel(), first[0, 1:])


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_the_python_layout_is_read_with_any_pickle_protocol(tmp_path: Path, protocol: int) -> None:
    document = {b"data": pixels(4), b"labels": [1, 2, 3, 4], b"batch_label": b"testing batch 1 of 1"}
    images, _ = cifar10.load(write_python(tmp_path, document, protocol=protocol), "test")
    np.testing.assert_array_equal(images.numpy().reshape(4, -1), pixels(4))


def test_the_python_layout_is_read_as_python_2_wrote_it(tmp_path: Path) -> None:
    rows = pixels(2)
    rows[0, :4] = [0, 200, 255, 10]
    folder = write_python(tmp_path, {})
    (folder / "cifar-10-batches-py" / "test_batch").write_bytes(python_2_pickle(rows))
    images, _ = cifar10.load(folder, "test")
    np.testing.assert_array_equal(images.numpy().reshape(2, -1), rows)


def test_both_layouts_of_the_same_pixels_give_the_same_images(
    binary_cifar: Callable[..., Path], tmp_path: Path
) -> None:
    records = np.random.default_rng(0).integers(0, 256, (3, 3073), dtype=np.uint8)
    (tmp_path / "py").mkdir()
    from_python, _ = cifar10.load(write_python(tmp_path / "py", {b"data": records[:, 1:]}), "test")
    from_binary, _ = cifar10.load(binary_cifar(3), "test")
    assert torch.equal(from_python, from_binary)


@pytest.mark.parametrize("kept", [3073 * 3 - 1, 3073 + 1, 1, 3072])
def test_a_truncated_binary_file_says_so(binary_cifar: Callable[..., Path], kept: int) -> None:
    folder = binary_cifar(3)
    path = folder / "cifar-10-batches-bin" / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"test_batch\.bin is damaged or truncated.*fetch it again"):
        cifar10.load(folder, "test")


def test_an_empty_file_says_so(binary_cifar: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"test_batch\.bin is empty"):
        cifar10.load(binary_cifar(0), "test")


def test_a_label_above_nine_is_no_cifar_10(binary_cifar: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="label above 9"):
        cifar10.load(binary_cifar(2, label=10), "test")


@pytest.mark.parametrize("kept", [0, 1, 10, 500, 6000])
def test_a_damaged_pickle_says_so_in_one_sentence(tmp_path: Path, kept: int) -> None:
    folder = write_python(tmp_path, {b"data": pixels(3)})
    path = folder / "cifar-10-batches-py" / "test_batch"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match="test_batch is damaged") as caught:
        cifar10.load(folder, "test")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {b"pixels": pixels(2)},
        {b"data": pixels(2)[:, :100]},
        {b"data": pixels(2).astype(np.float32)},
        {b"data": pixels(0)},
        {b"data": "text"},
        {b"data": None},
    ],
    ids=["list", "empty", "no data", "short rows", "floats", "no rows", "text", "none"],
)
def test_a_pickle_of_something_else_says_so(tmp_path: Path, document: object) -> None:
    with pytest.raises(DataError, match="test_batch is damaged"):
        cifar10.load(write_python(tmp_path, document), "test")


class Bomb:
    def __init__(self, call: object, *arguments: object) -> None:
        self.answer = (call, arguments)

    def __reduce__(self) -> object:
        return self.answer


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("bomb", ["system", "eval", "open", "numpy"])
def test_a_malicious_pickle_is_refused_and_runs_nothing(tmp_path: Path, bomb: str, protocol: int) -> None:
    traces = tmp_path / "ran"
    calls = {
        "system": Bomb(os.system, f"touch {traces}"),
        "eval": Bomb(eval, f"open({str(traces)!r}, 'w').close()"),
        "open": Bomb(io.open, str(traces), "w"),
        "numpy": Bomb(np.save, str(traces), np.zeros(1)),
    }
    folder = write_python(tmp_path, {b"data": calls[bomb]}, protocol=protocol)
    with pytest.raises(DataError, match="which no CIFAR-10 file needs"):
        cifar10.load(folder, "test")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("ran")]


def test_a_folder_without_cifar_10_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no CIFAR-10 test split: expected cifar-10-batches-bin/test_batch\.bin"):
        cifar10.load(tmp_path, "test")


def test_a_split_that_is_not_there_is_told(binary_cifar: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="no CIFAR-10 train split"):
        cifar10.load(binary_cifar(1), "train")


def test_the_official_number_of_images_is_called_the_split() -> None:
    assert cifar10.describe([], "test", 10_000) == "CIFAR-10 test split (10,000 images)"


def test_the_known_sample_is_called_by_its_name(cifar_sample: Path) -> None:
    images, description = cifar10.load(cifar_sample, "test")
    assert images.shape == (1000, 3, 32, 32)
    assert description == "CIFAR-10 sample (1,000 images of data_batch_1)"


def test_a_download_that_fails_is_one_sentence_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision.datasets

    def no_network(**_: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", no_network)
    with pytest.raises(
        DataError, match=r"could not be downloaded \(Network is unreachable\); give its folder with --data"
    ):
        cifar10.download(tmp_path)


def test_an_instruction_for_a_place_far_away_takes_no_memory(tmp_path: Path) -> None:
    whole = pickle.dumps({b"data": pixels(3)}, protocol=2)
    assert whole[3:4] == b"q"
    (write_python(tmp_path, {}) / "cifar-10-batches-py" / "test_batch").write_bytes(
        whole[:3] + b"r" + struct.pack("<I", 2**31 - 1) + whole[5:]
    )
    images, _ = cifar10.load(tmp_path, "test")
    np.testing.assert_array_equal(images.numpy().reshape(3, -1), pixels(3))


def test_more_rows_than_the_file_holds_are_damage(tmp_path: Path) -> None:
    class Rows:
        def __reduce__(self) -> object:
            return (np.array([]).__reduce__()[0], (np.ndarray, (10**7, 3072), "u1"))

    with pytest.raises(DataError, match="test_batch is damaged"):
        cifar10.load(write_python(tmp_path, {b"data": Rows()}), "test")


@pytest.mark.parametrize("dtype", ["O", "V8", "S4", "U2", "i4,i4", "M8[s]"])
def test_values_that_are_no_numbers_are_not_unpickled(tmp_path: Path, dtype: str) -> None:
    document = {b"data": pixels(2), b"labels": np.zeros(3, dtype)}
    with pytest.raises(DataError, match="which no CIFAR-10 file does"):
        cifar10.load(write_python(tmp_path, document), "test")


def test_what_numpy_quotes_of_a_hostile_file_is_one_short_line(tmp_path: Path) -> None:
    class Rows:
        def __reduce__(self) -> object:
            return (np.dtype, ("f4,q\n!" + "z" * 5000,))

    with pytest.raises(DataError, match="test_batch is damaged") as caught:
        cifar10.load(write_python(tmp_path, {b"data": Rows()}), "test")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_official_files_that_differ_from_the_published_ones_are_told(tmp_path: Path) -> None:
    (tmp_path / "test_batch").write_bytes(b"other bytes")
    assert cifar10.describe([tmp_path / "test_batch"], "test", 10_000) == (
        "CIFAR-10 test split (10,000 images; test_batch: not the published checksum)"
    )

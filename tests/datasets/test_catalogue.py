"""Which data is taken: what was named, the variable, the cache, a download, the photos, in this order."""

from collections.abc import Callable
from pathlib import Path

import pytest

from upbench.datasets import cifar10
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.errors import DataError


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(directory: Path) -> None:
        raise DataError("CIFAR-10 could not be downloaded (no network).")

    monkeypatch.setattr(cifar10, "download", fails)


@pytest.mark.usefixtures("no_network")
def test_auto_falls_back_to_the_photos_and_says_so() -> None:
    said: list[str] = []
    dataset = open_dataset("auto", say=said.append)
    assert dataset.name == "photos"
    assert "not CIFAR-10" in dataset.description
    assert said == ["CIFAR-10 could not be downloaded (no network). Using the embedded photos instead."]


@pytest.mark.usefixtures("no_network")
def test_cifar10_never_falls_back() -> None:
    with pytest.raises(DataError, match="could not be downloaded"):
        open_dataset("cifar10")


@pytest.mark.usefixtures("no_network")
def test_auto_does_not_train_on_photos() -> None:
    with pytest.raises(DataError, match="could not be downloaded"):
        open_dataset("auto", split="train")


@pytest.mark.parametrize("name", ["auto", "cifar10"])
def test_a_named_folder_is_read(binary_cifar: Callable[..., Path], name: str) -> None:
    dataset = open_dataset(name, data=binary_cifar(5))
    assert (dataset.name, len(dataset)) == ("cifar10", 5)


@pytest.mark.parametrize("name", ["auto", "cifar10"])
def test_the_variable_names_the_folder(
    binary_cifar: Callable[..., Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPBENCH_DATA", str(binary_cifar(4)))
    assert len(open_dataset(name)) == 4


def test_the_option_goes_before_the_variable(
    binary_cifar: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPBENCH_DATA", str(tmp_path / "absent"))
    assert len(open_dataset("auto", data=binary_cifar(4))) == 4


@pytest.mark.usefixtures("no_network")
def test_auto_finds_the_cache(binary_cifar: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    cache = binary_cifar(6)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    (cache / "cifar-10-batches-bin").rename(cache / "upbench")
    assert len(open_dataset("auto")) == 6


def test_what_was_downloaded_is_read(binary_cifar: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def download(directory: Path) -> None:
        directory.mkdir(parents=True)
        (binary_cifar(7) / "cifar-10-batches-bin").rename(directory / "cifar-10-batches-bin")

    monkeypatch.setenv("XDG_CACHE_HOME", str(binary_cifar(7) / "cache"))
    monkeypatch.setattr(cifar10, "download", download)
    assert len(open_dataset("auto")) == 7


@pytest.mark.parametrize("name", ["auto", "cifar10"])
def test_a_named_folder_without_cifar_10_is_an_error_not_a_fallback(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="holds no CIFAR-10 test split"):
        open_dataset(name, data=tmp_path)
    with pytest.raises(DataError, match="There is no folder"):
        open_dataset(name, data=tmp_path / "absent")


def test_a_damaged_file_is_an_error_not_a_fallback(binary_cifar: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="label above 9"):
        open_dataset("auto", data=binary_cifar(2, label=77))


@pytest.mark.parametrize("name", ["", "cifar", "imagenet", "Folder:x"])
def test_an_unknown_dataset_is_answered_with_the_choice(name: str) -> None:
    with pytest.raises(DataError, match=r"choose auto, cifar10, photos, folder:DIR or array:FILE\.npy"):
        open_dataset(name)


def test_an_unknown_split_is_answered_with_the_choice() -> None:
    with pytest.raises(DataError, match="choose train or test"):
        open_dataset("photos", split="validation")


@pytest.mark.parametrize("name", ["photos", "folder:.", "array:a.npy"])
def test_photos_folders_and_arrays_have_a_test_split_only(name: str) -> None:
    with pytest.raises(DataError, match="test split only"):
        open_dataset(name, split="train")


def test_a_limit_takes_the_first_images_and_is_told(binary_cifar: Callable[..., Path]) -> None:
    whole, first = open_dataset("cifar10", data=binary_cifar(9)), open_dataset("cifar10", data=binary_cifar(9), limit=4)
    assert len(first) == 4
    assert first.description.endswith("first 4 only")
    assert (next(first.batches()).images == next(whole.batches()).images[:4]).all()


def test_a_limit_above_the_number_of_images_changes_nothing(binary_cifar: Callable[..., Path]) -> None:
    dataset = open_dataset("cifar10", data=binary_cifar(3), limit=100)
    assert len(dataset) == 3
    assert "first" not in dataset.description


def test_batches_hold_every_image_once_in_order(binary_cifar: Callable[..., Path]) -> None:
    batches = list(open_dataset("cifar10", data=binary_cifar(300)).batches())
    assert max(len(batch.images) for batch in batches) <= 128
    assert [number for batch in batches for number in batch.ids] == [str(i) for i in range(300)]

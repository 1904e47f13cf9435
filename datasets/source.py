"""What every dataset is: a name, a split, a sentence that says what it is, and batches of equal-sized images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """High-resolution images of one size: uint8, `(N, 3, H, W)`, RGB, with an identifier for each."""

    ids: list[str]
    images: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A source of high-resolution images. `description` says in one sentence what they are."""

    name: str
    split: str
    description: str
    size: int
    crops: bool = False
    _read: Callable[[int, int], Batch] = field(repr=False)
    _largest_batch: int = 128

    def __len__(self) -> int:
        """Number of images."""
        return self.size

    @property
    def batch(self) -> int:
        """Images of a batch: a part that begins at a multiple of it has the batches that the whole has."""
        return self._largest_batch

    def part(self, first: int, last: int) -> "Dataset":
        """The images from `first` up to `last`, without it, under their own ids."""

        def read(start: int, stop: int) -> Batch:
            return self._read(first + start, first + stop)

        return replace(self, size=min(last, self.size) - first, _read=read)

    def batches(self) -> Iterator[Batch]:
        """All images in order, a batch at a time; only that batch is decoded."""
        for start in range(0, self.size, self._largest_batch):
            yield self._read(start, min(start + self._largest_batch, self.size))


def from_tensor(
    images: Tensor, *, name: str, split: str, description: str, limit: int | None, first_id: int = 0
) -> Dataset:
    """A dataset of images that are in memory already: uint8 `(N, 3, H, W)`, cut to the first `limit`."""
    kept = images if limit is None else images[:limit]
    if limit is not None and limit < len(images):
        description = f"{description}, first {limit:,} only"

    def read(start: int, stop: int) -> Batch:
        return Batch(ids=[str(first_id + i) for i in range(start, stop)], images=kept[start:stop])

    return Dataset(name=name, split=split, description=description, size=len(kept), _read=read)

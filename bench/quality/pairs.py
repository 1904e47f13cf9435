"""A dataset's high/low pairs, as every method is given them."""

import threading
from collections.abc import Iterator

from upbench.datasets.pairs import Pair, make_pairs
from upbench.datasets.source import Dataset

IMAGES_KEPT_IN_MEMORY = 20_000


class KeptPairs:
    """A dataset's pairs; where they are few, they are made once."""

    def __init__(self, dataset: Dataset) -> None:
        """Nothing is made yet."""
        self.dataset = dataset
        self._kept: dict[tuple[str, int], list[Pair]] = {}
        self._making = threading.Lock()

    def of(self, degradation: str, scale: int) -> Iterator[Pair]:
        """The pairs of one degradation and scale."""
        if self.dataset.crops or len(self.dataset) > IMAGES_KEPT_IN_MEMORY:
            yield from make_pairs(self.dataset, degradation, scale)
            return
        key = (degradation, scale)
        with self._making:
            if key not in self._kept:
                self._kept[key] = list(make_pairs(self.dataset, degradation, scale))
        yield from self._kept[key]

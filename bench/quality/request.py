"""What `upbench quality` is asked."""

from dataclasses import dataclass
from pathlib import Path

from upbench.bench.adapters import check_methods
from upbench.bench.cells import DTYPES, check_device, check_scales
from upbench.bench.errors import UsageError
from upbench.bench.requests import Request, require_among, require_positive
from upbench.datasets.names import DATASETS, DEGRADATIONS, SPLITS


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRequest(Request):
    """PSNR and SSIM of methods over high/low-resolution pairs.

    `methods` are installed names (`None`: all, or only `method` where some are given), `method` are specs of one's own
    (`FILE.py:FACTORY`), `dataset` is auto, cifar10, photos, folder:DIR or array:FILE.npy, `data` the
    folder of CIFAR-10's batches, `limit` a number of images.
    """

    methods: tuple[str, ...] | None = None
    method: tuple[str, ...] = ()
    scales: tuple[int, ...] = (2,)
    device: str = "cpu"
    dtypes: tuple[str, ...] = ("float32",)
    dataset: str = "auto"
    split: str = "test"
    data: Path | None = None
    limit: int | None = None
    degradations: tuple[str, ...] = ("bicubic",)
    per_image: bool = False

    def check(self) -> None:
        """Raise `UsageError` for a name that does not exist or a number that cannot be meant."""
        check_methods(self.methods, self.method)
        check_scales(self.scales)
        check_device(self.device)
        require_among("dtype", self.dtypes, DTYPES)
        require_among("split", (self.split,), SPLITS)
        require_among("degradation", self.degradations, DEGRADATIONS)
        require_positive(limit=self.limit)
        kind = self.dataset.partition(":")[0]
        if kind not in DATASETS:
            raise UsageError(f"There is no dataset {self.dataset!r}; choose {', '.join(DATASETS[:3])} or folder:DIR.")

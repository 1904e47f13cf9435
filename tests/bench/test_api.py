"""The Python API: commands as functions, one's own callables and arrays, errors in one sentence."""

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from upbench.bench import api
from upbench.bench.cli.main import parser
from upbench.bench.quality.request import QualityRequest


def halves(low: torch.Tensor) -> torch.Tensor:
    """An upsampler of one's own: squares."""
    return low.repeat_interleave(2, 2).repeat_interleave(2, 3)


IMAGES = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_methods_are_a_table() -> None:
    found = api.methods().set_index("name")
    assert found.loc["bicubic", "family"] == "interpolate"
    assert bool(found.loc["bicubic", "available"])


def test_ones_own_function_and_images_are_measured_without_a_file(tmp_path: Path) -> None:
    found = api.quality(methods=["nearest", halves], dataset=IMAGES, progress=False).set_index("method")
    assert list(found["status"]) == ["ok", "ok"]
    assert found.loc["halves", "psnr_db"] == found.loc["nearest", "psnr_db"]
    assert found.loc["halves", "pixels"] == "nearest"
    assert found.loc["halves", "images"] == 6


def test_files_are_kept_where_they_are_wanted(tmp_path: Path) -> None:
    api.quality(methods="nearest", dataset="photos", limit=4, out=tmp_path, progress=False)
    assert (tmp_path / "quality.csv").is_file()


def test_times_are_rows_with_their_status() -> None:
    found = api.speed(methods=["nearest", halves], workloads="single", seconds=0.01, progress=False)
    methods = found["cell"].str.partition("/")[0]
    assert {"copy", "nearest", "halves"} <= set(methods)
    assert set(found["status"]) == {"ok"}
    assert (found.set_index(methods).loc["halves", "seconds"] > 0).all()


def test_figures_of_targets_are_a_table() -> None:
    found = api.diagnose(methods=["nearest"], progress=False)
    assert found["shift_pixels"].abs().max() < 1e-3


@pytest.mark.parametrize("method", ["nearest", halves])
def test_pictures_come_back_as_they_were_given(method: object) -> None:
    images = torch.rand(2, 3, 5, 7)
    expected = F.interpolate(images, scale_factor=2)
    assert torch.equal(api.upsample(images, method), expected)
    assert torch.equal(api.upsample(images[0], method), expected[0])
    eight_bit = (images[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    assert np.array_equal(api.upsample(eight_bit, method), eight_bit.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(api.upsample(eight_bit[..., 0], method), eight_bit[..., 0].repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(
    "ask, said",
    [
        (lambda: api.quality(methods=["bilinaer"]), "There is no method 'bilinaer'; did you mean bilinear"),
        (lambda: api.quality(scales=[0]), "scales: '0' is no whole number of at least 1"),
        (lambda: api.quality(scales=["two"]), "scales takes a whole number, not 'two'"),
        (lambda: api.quality(sclaes=[2]), "unexpected keyword argument 'sclaes'"),
        (lambda: api.speed(workloads=["imag"]), "There is no workload 'imag'"),
        (lambda: api.duet(baseline="2.15.0"), "Give --candidate and either --baseline or --against"),
        (lambda: api.upsample(torch.zeros(2, 2)), "its shape .* is none of"),
        (lambda: api.upsample(torch.zeros(3, 4, 4), "wiener", scale=3), "wiener cannot do this: "),
    ],
)
def test_what_cannot_be_done_is_an_exception_with_one_sentence(ask: Callable, said: str) -> None:
    with pytest.raises(api.UsageError, match=said) as raised:
        ask()
    assert "\n" not in str(raised.value)


def test_a_functions_options_are_its_commands_with_the_same_defaults() -> None:
    shown = inspect.signature(api.quality).parameters
    asked = vars(parser().parse_args(["quality", "--per-image", "--limit", "3"]))
    assert set(shown) - {"progress", "out"} >= set(asked) - {"command", "run", "out"}
    assert {name: each.default for name, each in shown.items() if name not in ("out", "progress")} == {
        name: getattr(QualityRequest(), name) for name in QualityRequest.__dataclass_fields__
    }


def test_the_readmes_lines_run_as_they_stand(checkout: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    readme = (checkout / "README.md").read_text()
    (lines,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "import api" in block]
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr

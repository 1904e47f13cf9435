"""Images between processes arrive bit by bit as they were."""

import threading
from pathlib import Path

import pytest
import torch

from upbench.bench.workers.sheet import SMALLEST, Sheet

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8, torch.int64, torch.bool]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_comes_back_equal(dtype: torch.dtype, tmp_path: Path) -> None:
    images = (torch.rand(2, 3, 5, 7) * 255).to(dtype)
    about = Sheet(tmp_path / "sheet").put(images)
    found = Sheet(tmp_path / "sheet").take(about)
    assert found.dtype == dtype
    assert torch.equal(found, images)


@pytest.mark.parametrize(
    "images",
    [
        torch.rand(2, 3, 5, 7).contiguous(memory_format=torch.channels_last),
        torch.rand(7, 5, 3, 2).permute(3, 2, 1, 0),
        torch.rand(2, 3, 5, 7)[:, :, ::2],
        torch.rand(2, 3, 1, 1).expand(2, 3, 5, 7),
        torch.rand(0, 3, 5, 7),
        torch.rand(()),
    ],
    ids=["channels_last", "permuted", "strided", "expanded", "empty", "scalar"],
)
def test_every_layout_comes_back_equal_and_dense_ones_in_their_order(images: torch.Tensor, tmp_path: Path) -> None:
    found = Sheet(tmp_path / "sheet").take(Sheet(tmp_path / "sheet").put(images))
    assert torch.equal(found, images)
    if images.stride() in ((105, 1, 21, 3), (1, 2, 6, 30)):
        assert found.stride() == images.stride()


def test_a_sheet_grows_and_what_was_taken_stays(tmp_path: Path) -> None:
    here, there = Sheet(tmp_path / "sheet"), Sheet(tmp_path / "sheet")
    first = there.take(here.put(torch.ones(4)))
    large = torch.rand(SMALLEST)
    assert torch.equal(there.take(here.put(large)), large)
    assert torch.equal(there.take(here.put(torch.zeros(4))), torch.zeros(4))
    assert torch.equal(first, torch.ones(4))


def test_values_that_need_gradients_or_come_from_inference_are_values(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "sheet")
    with torch.inference_mode():
        about = sheet.put(torch.ones(3))
        assert torch.equal(sheet.take(about), torch.ones(3))
    assert not sheet.take(sheet.put(torch.ones(3, requires_grad=True))).requires_grad
    seen = []
    thread = threading.Thread(target=lambda: seen.append(sheet.take(sheet.put(torch.ones(3)))))
    thread.start()
    thread.join()
    assert torch.equal(seen[0], torch.ones(3))

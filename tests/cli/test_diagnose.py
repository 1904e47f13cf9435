"""`upbench diagnose`: a row for every method, and a method that breaks half-way costs its own row only."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


def test_a_method_that_breaks_on_a_larger_image_is_a_row_with_its_reason(
    upbench: Callable, adapter_file: Callable[..., str], tmp_path: Path
) -> None:
    body = """
        def up(low):
            if low.shape[-1] > 16:
                raise RuntimeError("too large for me")
            return F.interpolate(low, scale_factor=scale)
        return up
    """
    options = ["--methods", "nearest", "--method", adapter_file("small", body), "--out", tmp_path / "out"]
    said = upbench("diagnose", *options)
    assert said.code == 3
    found = pd.read_csv(tmp_path / "out" / "diagnostics.csv").set_index("method")
    assert found.loc["nearest", "status"] == "ok"
    assert found.loc["small", "status"] == "failed"
    assert found.loc["small", "reason"] == "it raised RuntimeError: too large for me"
    assert found.loc["nearest", "shift_pixels"] == pytest.approx(0, abs=1e-3)

"""The section on deploying, from a small deploy.csv."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from upbench.reports import deploy, markdown, plot_deploy
from upbench.reports.frame import Run, read
from upbench.reports.report import Report
from upbench.reports.theme import THEMES, styled

ROWS = [
    ("bicubic", "onnx-dynamic", "same pixels", 6.0, 54.0, 0.25, ""),
    ("polyphase-bicubic", "onnx-dynamic", "same pixels", 1.5, 1.1, 0.2500001, ""),
    ("nearest", "onnx-dynamic", "same pixels", 0.5, 0.2, 0.5, ""),
    ("lanczos-antialias", "onnx-dynamic", "refuses", None, None, 0.3, "no ONNX function"),
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    columns = ["method", "road", "verdict", "ms_eager", "ms", "fingerprint", "reason"]
    table = pd.DataFrame(ROWS, columns=columns).assign(scale=2, steps=0, where="", torch="2.15.0")
    table.to_csv(tmp_path / "deploy.csv", index=False)
    return read(tmp_path)


def test_advises_the_fastest_way_to_the_same_pixels(run: Run) -> None:
    (line,) = deploy.advice(deploy.read(run.folder))
    assert "`polyphase-bicubic`" in line
    assert "49.1 times" in line


def test_the_front_needs_quality(run: Run) -> None:
    quality = pd.DataFrame(
        {"method": ["bicubic", "polyphase-bicubic", "nearest"], "psnr_db": [28.0, 28.0, 25.0]}
    ).assign(scale=2, degradation="bicubic")
    assert deploy.fronts(deploy.read(run.folder), quality.iloc[:0]) == {}
    front = deploy.fronts(deploy.read(run.folder), quality)["onnx-dynamic"]
    assert "`nearest` 0.2 ms 25.00 dB, `polyphase-bicubic` 1.1 ms" in front
    assert "`bicubic` 54" not in front


def test_the_section_has_counts_and_what_was_said(run: Run) -> None:
    text = markdown.write(deploy.section(Report(run=run)))
    assert "| `onnx-dynamic` | 3 | 1 |" in text
    assert "no ONNX function" in text
    assert "torch 2.15.0" in text


def test_draws_its_figure_in_both_themes(run: Run) -> None:
    for colours in THEMES:
        with styled(colours):
            (axis,) = plot_deploy.draw(deploy.read(run.folder), colours).axes
        assert [text.get_text() for text in axis.texts] == ["9", "0.73", "0.4", "-"]


def test_without_the_file_there_is_no_section(run: Run, tmp_path: Path) -> None:
    assert deploy.section(Report(run=replace(run, folder=tmp_path / "elsewhere"))) == []


def test_tells_where_a_first_call_changes_the_export(run: Run) -> None:
    rows = deploy.read(run.folder)
    cold = rows.assign(road="export-dynamic", verdict="same pixels")
    warm = cold.assign(road="export-warm")
    same = markdown.write(deploy.warmth(pd.concat([cold, warm])))
    assert "A first eager call changes no export's verdict: 4 methods were asked both ways." in same
    warm.loc[warm["method"] == "nearest", "verdict"] = "exported size only"
    apart = markdown.write(deploy.warmth(pd.concat([cold, warm])))
    assert "`nearest` (same pixels before, exported size only after)" in apart
    assert deploy.warmth(cold) == []


def test_a_road_without_times_is_narrow(run: Run) -> None:
    rows = deploy.read(run.folder)
    both = pd.concat([rows, rows.assign(road="vmap", ratio=float("nan"))])
    (axis,) = plot_deploy.draw(both, THEMES[0]).axes
    widths = {patch.get_x(): patch.get_width() for patch in axis.patches}
    assert sorted(set(widths.values())) == [plot_deploy.NARROW, plot_deploy.WIDE]


def test_what_is_silently_wrong_comes_first(run: Run) -> None:
    rows = deploy.read(run.folder).astype({"where": object})
    rows.loc[0, ["verdict", "reason", "steps", "where"]] = ["silently wrong elsewhere", "wrong at 1x9", 63, "inside"]
    (line,) = deploy.warnings(rows)
    assert line == "Silently wrong: `bicubic` by `onnx-dynamic`, wrong at 1x9, by 63 steps of 8 bits (inside)."


def test_shapes_that_eager_refuses_are_told_once(run: Run) -> None:
    rows = deploy.read(run.folder).assign(road="shapes-onnx", note="same at 3x3; eager refuses batch 0")
    rows.loc[0, "note"] = "same at 3x3, batch 0"
    text = markdown.write(deploy.eager(pd.concat([rows, rows.assign(road="shapes-compile")])))
    assert "batch 0 (`polyphase-bicubic`, `nearest`, `lanczos-antialias`)" in text
    assert deploy.eager(rows.drop(columns="note")) == []

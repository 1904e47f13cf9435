"""The report's section about the atlas, from its file alone."""

import json

import pytest

from upbench.bench.cli.main import main
from upbench.reports import atlas, frame, markdown, plot_atlas
from upbench.reports.report import Report

AXES = "x2/image/cpu/float32/contiguous/eager/forward/1t"


def cell(method: str, ratio: float | None, verdict: str = "SAME", status: str = "identical") -> dict:
    return {"cell": f"{method}/{AXES}", "ratio": ratio, "verdict": verdict, "pixels": {"status": status}}


def change(what: str, amount: float | None, reproducer: dict | None = None, **more) -> dict:
    about = {"before": "2.0.1", "after": "2.3.1", "method": "bicubic", "cell": f"bicubic/{AXES}", "reason": ""}
    return about | {"what": what, "amount": amount, "reproducer": reproducer} | more


@pytest.fixture
def run(tmp_path):
    script = {"script": "print('x')\n", "baseline": ["2.0.1 10.0 us"], "candidate": ["2.3.1 15.0 us"], "ratio": 1.5}
    pixels = {"script": "print('y')\n", "baseline": ["2.0.1 [0.0]"], "candidate": ["2.3.1 [1.0]"], "differs": True}
    first = [cell("bicubic", 1.52, "SLOWER"), cell("bilinear", 0.98, status="CHANGED")]
    document = {
        "releases": ["2.0.1", "2.3.1", "2.6.0"],
        "comparisons": [
            {"candidate": {"label": "2.3.1"}, "cells": first},
            {"candidate": {"label": "2.6.0"}, "cells": [cell("bicubic", 1.01), cell("bilinear", None, "FAILED")]},
        ],
        "changes": [
            change("time", 1.52, script, interval=[1.5, 1.54]),
            change("memory", 0.0),
            change("edges CHANGED", 0.4, pixels, cell="1x4x1x1 uint8 channels_last x2", cases=2),
            change("edges lost", None, cell="1x1x1x1 float16 strided x2", reason="no kernel", cases=5),
        ],
    }
    (tmp_path / "atlas.json").write_text(json.dumps({"format": 1} | document))
    return frame.read(tmp_path)


def test_the_changes_stand_in_a_table_with_their_reproducers_figures(run):
    text = markdown.write(atlas.section(Report(run=run)))
    assert "| `bicubic` | `bicubic/x2/image` | time | x1.52 (1.50 to 1.54) | x1.50 |" in text
    assert "| edges CHANGED | up to 0.4 in 2 cases | other pixels |" in text
    assert "| edges lost | no kernel |" in text


def test_each_release_has_a_row_that_counts_its_changes(run):
    text = markdown.write(atlas.section(Report(run=run)))
    assert "| 2.3.1 | 1 | 0 | `bicubic/x2/image` x1.52 |  | 1 | 1 | 1 |" in text
    assert "| 2.6.0 | 0 | 0 |  |  | 0 | 0 | 0 |" in text


def test_it_says_where_it_was_measured_what_stayed_open_and_how_many_reproducers_agree(run):
    text = markdown.write(atlas.section(Report(run=run)))
    assert (
        "Of 4 comparisons of a cell 0 stayed open. Of 1 changes of time with a reproducer it goes the same way in 1."
        in text
    )
    host = {"cpu": "A quiet one", "cores": 4, "utc": "2026-01-31T12:00:00+00:00"}
    run.atlas["comparisons"][0]["candidate"]["host"] = host
    assert "Measured on A quiet one, 4 cores, 2026-01-31. Of 4" in markdown.write(atlas.section(Report(run=run)))


def test_the_heat_map_has_every_cell_and_every_release(run):
    heat = plot_atlas.heat(run.atlas, "forward")
    assert list(heat.columns) == ["2.3.1", "2.6.0"]
    assert heat.loc["bicubic/x2/image", "2.3.1"] == 1.52
    assert heat.loc["bilinear/x2/image"].isna().tolist() == [False, True]
    assert plot_atlas.heat(run.atlas, "train").empty


def test_a_folder_with_an_atlas_alone_has_a_report(run, tmp_path):
    assert main(["report", str(tmp_path)]) == 0
    page = (tmp_path / "report.md").read_text()
    assert "## Atlas of releases" in page
    assert page.index("print('y')") < page.index("print('x')"), "pixels come before time"
    assert (tmp_path / "figures" / "atlas-forward-light.png").is_file()


def test_without_an_atlas_there_is_no_section(run):
    run.atlas.clear()
    assert atlas.section(Report(run=run)) == []

"""`upbench merge`: what fits is joined by kind of host, what does not is refused with a sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from upbench.bench.fleet.kinds import kind
from upbench.bench.store import FORMAT
from upbench.reports import frame

FIXTURE = Path(__file__).parents[1] / "fixtures" / f"format-{FORMAT}"


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A finished run of a host; some of the host's fields may be others."""

    def make(name: str, **host: Any) -> Path:
        shutil.copytree(FIXTURE, tmp_path / name)
        found = json.loads((tmp_path / name / "host.json").read_text())["host"] | host
        changed(tmp_path / name / "host.json", host=found)
        document = json.loads((tmp_path / name / "speed.json").read_text())["machine_info"]
        changed(tmp_path / name / "speed.json", machine_info=document | {"upbench": document["upbench"] | host})
        return tmp_path / name

    return make


def only(folder: Path, *methods: str) -> Path:
    """Leave these methods' rows in a folder, as one task of an array has them."""
    for name in ("quality.csv", "diagnostics.csv"):
        table = pd.read_csv(folder / name)
        table[table["method"].isin(methods)].to_csv(folder / name, index=False)
    document = json.loads((folder / "speed.json").read_text())
    kept = [cell for cell in document["cells"] if cell["cell"].partition("/")[0] in methods]
    entries = [entry for entry in document["benchmarks"] if entry["extra_info"]["method"] in methods]
    changed(folder / "speed.json", cells=kept, benchmarks=entries)
    return folder


def test_two_kinds_are_joined_side_by_side_and_every_row_keeps_its_host(
    folder: Callable[..., Path], upbench: Callable[..., Any], tmp_path: Path
) -> None:
    first, second = only(folder("first"), "area"), only(folder("second"), "bicubic", "area", "copy")
    third = folder("third", cpu="Another CPU")
    done = upbench("merge", first, second, third, "--out", tmp_path / "joined")
    assert done.code == 0, done.err
    own, other = (kind(json.loads((run / "host.json").read_text())["host"]) for run in (first, third))
    assert own != other
    assert {path.name for path in (tmp_path / "joined").iterdir()} == {own, other, "report.md", "figures"}
    run = frame.read(tmp_path / "joined" / own)
    assert dict(zip(run.quality["method"], run.quality["host"], strict=True)) == {
        "area": "first",
        "bicubic": "second",
    }
    document = json.loads((tmp_path / "joined" / own / "speed.json").read_text())
    hosts = {cell["cell"].split("/")[0]: cell["host"] for cell in document["cells"]}
    assert hosts == {"area": "first", "bicubic": "second", "copy": "second"}
    assert {entry["extra_info"]["host"] for entry in document["benchmarks"]} == {"first", "second"}
    assert set(frame.read(tmp_path / "joined" / other).quality["host"]) == {"third"}
    page = (tmp_path / "joined" / "report.md").read_text()
    assert "| host 1 | AMD EPYC" in page and "| host 2 | Another CPU" in page
    assert "which the first measured one is kept" in done.out


def test_a_measured_row_stands_before_one_that_failed(
    folder: Callable[..., Path], upbench: Callable[..., Any], tmp_path: Path
) -> None:
    broken = only(folder("broken"), "area")
    table = pd.read_csv(broken / "quality.csv")
    table.assign(status="failed", reason="a worker died", psnr_db=None).to_csv(broken / "quality.csv", index=False)
    document = json.loads((broken / "speed.json").read_text())
    cells = [cell | {"status": "failed", "reason": "the process died"} for cell in document["cells"]]
    changed(broken / "speed.json", cells=cells, benchmarks=[])
    assert upbench("merge", broken, folder("whole"), "--out", tmp_path / "joined").code == 0
    (joined,) = (path.parent for path in (tmp_path / "joined").glob("*/host.json"))
    run = frame.read(joined)
    assert set(run.quality["status"]) == {"ok"} and not run.quality["method"].duplicated().any()
    assert set(run.cells["status"]) == {"ok"} and not run.cells["cell"].duplicated().any()


def refused(upbench: Callable[..., Any], *folders: Path) -> str:
    """The sentence; nothing may have been written."""
    out = folders[0].parent / "joined"
    done = upbench("merge", *folders, "--out", out)
    assert done.code == 2
    assert not list(out.glob("*"))
    sentence: str = done.err
    assert sentence.count("\n") == 1
    return sentence


def test_a_newer_format_is_refused(folder: Callable[..., Path], upbench: Callable[..., Any]) -> None:
    newer = folder("newer")
    changed(newer / "speed.json", format=FORMAT + 1)
    assert "newer/speed.json was written by a newer upbench" in refused(upbench, folder("one"), newer)


def test_a_damaged_file_is_refused(folder: Callable[..., Path], upbench: Callable[..., Any]) -> None:
    damaged = folder("damaged")
    (damaged / "speed.json").write_bytes((damaged / "speed.json").read_bytes()[:5000])
    assert "damaged/speed.json is damaged" in refused(upbench, folder("one"), damaged)
    table = folder("table")
    (table / "layers.csv").write_bytes(b'layer,task\n\x00\xff,"')
    assert "table/layers.csv is damaged" in refused(upbench, folder("two"), table)


@pytest.mark.parametrize("what, values", [("protocol", {"protocol": "Y only"}), ("description", {"description": "x"})])
def test_another_protocol_and_other_data_are_refused_across_kinds(
    folder: Callable[..., Path], upbench: Callable[..., Any], what: str, values: dict[str, str]
) -> None:
    other = folder("other", cpu="Another CPU")
    changed(other / "quality.json", **values)
    sentence = refused(upbench, folder("one"), other)
    assert "other does not fit to" in sentence and f": {what} is '{values[what]}'" in sentence


def test_another_torch_is_refused_and_another_build_only_on_one_kind(
    folder: Callable[..., Path], upbench: Callable[..., Any], tmp_path: Path
) -> None:
    packages = json.loads((FIXTURE / "host.json").read_text())["host"]["packages"]
    older = folder("older", cpu="Another CPU", packages=packages | {"torch": "2.14.0"})
    assert "torch is '2.14.0' in the one and '2.15.0' in the other" in refused(upbench, folder("one"), older)
    build = packages | {"torch": "2.15.0+cu132"}
    assert "torch is '2.15.0+cu132'" in refused(upbench, folder("two"), folder("same-kind", packages=build))
    other = folder("other-kind", cpu="Another CPU", packages=build)
    assert upbench("merge", folder("three"), other, "--out", tmp_path / "joined").code == 0


def test_quality_that_contradicts_itself_on_one_kind_is_refused(
    folder: Callable[..., Path], upbench: Callable[..., Any], tmp_path: Path
) -> None:
    other = folder("other")
    table = pd.read_csv(other / "quality.csv")
    table.assign(psnr_db=table["psnr_db"] + 0.01).to_csv(other / "quality.csv", index=False)
    done = upbench("merge", folder("one"), other, "--out", tmp_path / "joined")
    assert done.code == 2 and "disagree about the PSNR of bicubic/2/float32/" in done.err


def test_a_folder_without_its_host_and_a_single_folder_are_refused(
    folder: Callable[..., Path], upbench: Callable[..., Any]
) -> None:
    bare = folder("bare")
    for name in ("host.json", "speed.json", "sweep.json"):
        (bare / name).unlink()
    assert "does not say on which host" in refused(upbench, folder("one"), bare)
    assert "at least two result folders" in refused(upbench, bare, bare)

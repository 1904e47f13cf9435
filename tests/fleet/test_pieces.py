"""What a fleet is made of, without Ray: parts that join, folders that follow, luggage, a node's task."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from upbench.bench.errors import UsageError
from upbench.bench.fleet import luggage, node, packages
from upbench.bench.fleet.mirror import Mirror
from upbench.bench.fleet.request import FleetRequest
from upbench.bench.gate.request import DuetRequest
from upbench.bench.quality import parts, stage
from upbench.bench.quality.request import QualityRequest
from upbench.bench.speed.request import SpeedRequest
from upbench.bench.stage import Silent


def test_parts_joined_are_one_run_bit_for_bit(tmp_path: Path) -> None:
    request = QualityRequest(
        methods=("bicubic", "scipy-1"), dataset="photos", limit=300, per_image=True, degradations=("bicubic", "area")
    )
    data = parts.describe(request, Silent())
    assert (data["size"], data["batch"]) == (300, 128)
    found = []
    for first, last in ((0, 128), (128, 256), (256, 300)):
        parts.measure(request, first, last, tmp_path / str(first), Silent())
        lines = (tmp_path / str(first) / "quality.journal").read_text().splitlines()[1:]
        found.append([json.loads(line) for line in lines])
    pixels = json.loads((tmp_path / "0" / parts.PIXELS).read_text())["rows"]
    stage.write(request, parts.joined(request, data["about"], found, pixels), data["about"], tmp_path / "joined")
    stage.run(request, tmp_path / "whole", Silent())
    for name in ("quality.csv", "quality-per-image.csv", "comparisons.csv", "quality.json"):
        assert (tmp_path / "joined" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert (tmp_path / "0" / "samples.npz").read_bytes() == (tmp_path / "whole" / "samples.npz").read_bytes()


def test_a_row_that_one_part_lacks_has_that_parts_reason() -> None:
    request = QualityRequest(methods=("nearest",), dataset="photos")
    lost = {"row": "bicubic/x2/float32/nearest", "status": "failed", "reason": "images 0 to 9 were not measured"}
    values = {"ids": ["1"], "psnr_db": [20.0], "ssim": [0.5], "psnr_y_db": [21.0]}
    fine = lost | {"status": "ok", "reason": "", "per_image": values}
    (row,) = parts.joined(request, {"dataset": "photos", "split": "test"}, [[fine], [lost]], {})
    assert (row["status"], row["reason"]) == ("failed", "images 0 to 9 were not measured")


@pytest.mark.parametrize("size, batch, workers", [(1, 128, 6), (1201, 128, 6), (10_000, 128, 6), (100, 1, 2)])
def test_parts_cover_every_image_once_and_begin_at_a_batch(size: int, batch: int, workers: int) -> None:
    ranges = parts.ranges(size, batch, workers)
    assert [image for first, last in ranges for image in range(first, last)] == list(range(size))
    assert all(first % batch == 0 for first, _ in ranges)


def test_a_folder_follows_another_row_by_row(tmp_path: Path) -> None:
    far, mirror = tmp_path / "far", Mirror(tmp_path / "here")
    far.mkdir()
    mirror.folder.mkdir()
    followed, journal = node.Followed(far), far / "speed.journal"
    journal.write_bytes(b"header\none\n")
    (far / "host.json").write_bytes(b"{}")
    (far / ".host-temporary.json").write_bytes(b"{")
    assert mirror.follow(followed.changes()) == 1
    with journal.open("ab") as file:
        file.write(b"two\nhal")
    message = followed.changes()
    assert message == {"rows": {"speed.journal": b"two\n"}}
    assert mirror.follow(message) == 1
    assert followed.changes() == {}
    with journal.open("ab") as file:
        file.write(b"f\n")
    mirror.follow(followed.changes())
    assert mirror.files() == {"speed.journal": b"header\none\ntwo\nhalf\n", "host.json": b"{}"}
    journal.unlink()
    (far / "speed.json").write_bytes(b"[]")
    mirror.follow(followed.changes())
    assert set(mirror.files()) == {"speed.json", "host.json"}
    assert mirror.rows == 3


def test_a_journal_that_is_written_anew_counts_no_row_twice(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path)
    assert mirror.follow({"files": {"a.journal": b"header\none\ntwo\n"}}) == 2
    assert mirror.follow({"files": {"a.journal": b"header\none\ntwo\n"}}) == 0
    assert mirror.follow({"rows": {"a.journal": b"three\n"}}) == 1


@pytest.mark.parametrize("name", ["../speed.json", "/etc/x", "a/../../x", ".upbench.lock", "a/b/c/d/e"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="which no stage writes"):
        Mirror(tmp_path / "here").follow({"files": {name: b""}})


def test_methods_and_small_data_travel_and_what_is_large_has_to_be_there(
    tmp_path: Path, adapter_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, binary_cifar: Callable[..., Path]
) -> None:
    request = QualityRequest(methods=("nearest",), method=(adapter_file("mine", "return None"),), data=binary_cifar())
    document, packed = luggage.pack(request.to_json(), Silent())
    assert document["method"][0].startswith("@luggage/") and document["method"][0].endswith("/mine_adapter.py:mine")
    assert {len(files) for files in packed.values()} == {1, 1 + 1}
    assert QualityRequest.from_json(request.to_json()) == request
    monkeypatch.setattr(luggage, "SMALL", 10)
    large, packed = luggage.pack(request.to_json(), Silent())
    assert (large["data"], packed) == (str(tmp_path), {})


def test_a_node_without_torch_gets_an_environment_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def made() -> tuple[list[Any], str]:
        making = packages.python([], tmp_path)
        beats = []
        while True:
            try:
                beats.append(next(making))
            except StopIteration as ended:
                return beats, ended.value

    assert made() == ([], sys.executable)
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    beats, python = made()
    assert beats and Path(python).is_file() and Path(python).parents[2] == tmp_path
    assert made() == ([], python)
    monkeypatch.setattr(packages, "_commands", lambda folder, pins: [[sys.executable, "-c", "raise SystemExit('no!')"]])
    (Path(python).parents[1] / packages.READY).unlink()
    with pytest.raises(RuntimeError, match="could be made here: no!"):
        made()


def test_what_is_pinned_is_what_is_installed() -> None:
    import torch

    assert f"torch=={torch.__version__.partition('+')[0]}" in packages.pinned()
    assert all("==" in pin and "ray" not in pin for pin in packages.pinned())


@pytest.mark.skipif(sys.platform != "linux", reason="processes die with their parent on Linux")
def test_a_task_tells_rows_files_and_how_it_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("UPBENCH_FLEET_PROBE", json.dumps({"cpu": "made up"}))
    first, *_, last = messages = list(node.work({"what": "probe", "asked": {}}, {}, {}))
    assert "niceness" in first["moment"] and last["code"] == 0
    (content,) = [message["files"]["probe.json"] for message in messages if "files" in message]
    assert json.loads(content)["cpu"] == "made up"
    wrong = list(node.work({"what": "describe", "asked": {"dataset": "folder:/nowhere"}}, {}, {}))
    assert wrong[-1]["code"] == 2
    assert [said for message in wrong for said in message.get("said", ())] == [
        {"error": "There is no folder /nowhere."}
    ]
    assert not list(tmp_path.glob("upbench-fleet-*/run-*"))


def test_a_row_that_says_signal_nine_waits_whether_the_node_lives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "HOLD_SECONDS", 0.3)
    (tmp_path / "out").mkdir()
    (tmp_path / "said").touch()

    class Ended:
        def poll(self) -> int:
            with (tmp_path / "out" / "a.journal").open("ab") as file:
                file.write(b'{"reason": "the process died (signal 9)"}\n')
            return 0

    (tmp_path / "out" / "a.journal").write_bytes(b"header\n")
    followed = node.Followed(tmp_path / "out")
    followed.changes()
    monkeypatch.setattr(node, "Followed", lambda folder: followed)
    before = time.monotonic()
    (message,) = node._followed(Ended(), tmp_path / "out", tmp_path / "said")  # type: ignore[arg-type]
    assert b"signal 9" in message["rows"]["a.journal"]
    assert time.monotonic() - before >= 0.3


def test_a_fleet_is_asked_one_thing_and_its_request_goes_to_json_and_back() -> None:
    request = FleetRequest(address="10.0.0.1:6379", speed=SpeedRequest(methods=("nearest",)))
    assert FleetRequest.from_json(json.loads(json.dumps(request.to_json()))) == request
    assert (request.what, request.asked) == ("speed", SpeedRequest(methods=("nearest",)))
    with pytest.raises(UsageError, match="runs one request"):
        FleetRequest()
    with pytest.raises(UsageError, match="compares live sides only"):
        FleetRequest(duet=DuetRequest(baseline="2.14.0", save_baseline=Path("kept.json")))


def test_environments_of_torch_versions_lie_outside_the_folder_that_is_followed() -> None:
    document, _ = luggage.pack(DuetRequest(baseline="2.14.0", candidate=("2.15.0",)).to_json(), Silent())
    assert document["environments"] == "@luggage/environments"


def test_without_ray_the_answer_says_what_to_install_and_nothing_imports_it(
    process: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(
        "import importlib.util as u, sys\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'ray' else found(name, *rest)\nsys.modules['ray'] = None\n"
    )
    done = process("fleet", "speed", "--methods", "nearest", PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 2
    assert done.stderr == "upbench: upbench fleet needs Ray: pip install 'upbench[fleet]'\n"
    assert process("fleet", "--help", PYTHONPATH=str(tmp_path / "hidden")).returncode == 0

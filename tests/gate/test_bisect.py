import math

import pytest

from upbench.bench.cli.main import main
from upbench.bench.errors import FailedError
from upbench.bench.gate.releases.bisect import Change, find_changes, minor_releases, script

RELEASES = ["2.11.0", "2.12.0", "2.13.0", "2.14.0", "2.15.0"]


class History:
    """Releases whose time and pixels change where the test says; counts the comparisons."""

    def __init__(self, slower_from=None, ratio=1.2, pixels_from=None, open_at=None):
        self.slower_from, self.ratio, self.pixels_from, self.open_at = slower_from, ratio, pixels_from, open_at
        self.asked = []

    def __call__(self, release, threshold):
        self.asked.append(release)
        slow = self.slower_from is not None and RELEASES.index(release) >= RELEASES.index(self.slower_from)
        other = self.pixels_from is not None and RELEASES.index(release) >= RELEASES.index(self.pixels_from)
        ratio = self.ratio if slow else 1.0
        beyond = abs(math.log(ratio)) > math.log1p(threshold)
        verdict = ("SLOWER" if ratio > 1 else "FASTER") if beyond else "SAME"
        return {
            "verdict": "UNRESOLVED" if release == self.open_at else verdict,
            "reason": "noise",
            "ratio": ratio,
            "pixels": {"status": "CHANGED" if other else "identical", "largest": 0.1},
        }


@pytest.mark.parametrize("release", RELEASES[1:])
@pytest.mark.parametrize("ratio", [1.2, 0.7])
def test_the_release_that_changed_the_time_is_found(release, ratio):
    before = RELEASES[RELEASES.index(release) - 1]
    history = History(slower_from=release, ratio=ratio)
    assert find_changes(RELEASES, 0.03, history) == [Change(what="time", before=before, after=release, amount=ratio)]
    assert len(history.asked) <= 3


def test_time_and_pixels_may_change_in_different_releases():
    history = History(slower_from="2.12.0", pixels_from="2.15.0")
    found = find_changes(RELEASES, 0.03, history)
    assert [(change.what, change.after) for change in found] == [("time", "2.12.0"), ("pixels", "2.15.0")]


def test_nothing_changed_is_nothing_found():
    assert find_changes(RELEASES, 0.03, History()) == []


@pytest.mark.parametrize("release", ["2.15.0", "2.13.0"])
def test_an_open_comparison_is_no_answer(release):
    with pytest.raises(FailedError, match="UNRESOLVED: noise"):
        find_changes(RELEASES, 0.03, History(slower_from="2.14.0", open_at=release))


def test_minor_releases_between():
    assert minor_releases("2.11.0", "2.15.0") == RELEASES
    assert minor_releases("2.13.1", "2.15.2") == ["2.13.1", "2.14.0", "2.15.2"]
    for good, bad in [("2.15.0", "2.11.0"), ("1.13.0", "2.1.0"), ("old", "new")]:
        with pytest.raises(FailedError, match="--releases"):
            minor_releases(good, bad)


def test_the_script_asks_for_that_cell():
    change = Change(what="time", before="2.13.0", after="2.14.0", amount=1.2)
    text = script("bicubic/x4/image/cpu/uint8/contiguous/eager/forward/1t", "bicubic", change)
    assert "--baseline 2.13.0 --candidate 2.14.0 --methods bicubic" in text
    assert "--workloads image --scales 4 --device cpu --dtypes uint8" in text


def test_over_fake_environments_it_prints_what_it_found(fake, tmp_path, monkeypatch, capsys):
    found = {"torch": "0.0", "torchvision": None, "torchvision_reason": "none", "python": "3"}
    monkeypatch.setattr("upbench.bench.gate.sides.environments.probe", lambda python: found)
    old, between, new = fake("old"), fake("between", ratio=1.3), fake("new", ratio=1.3)
    command = ["bisect", "--cell", "bicubic/x2/single", "--good", str(old), "--bad", str(new)]
    folders = ["--out", str(tmp_path / "out"), "--environments", str(tmp_path / "envs")]
    assert main([*command, "--releases", str(between), *folders]) == 1
    said = capsys.readouterr().out
    assert f"between {old} and {between}" in said
    assert "upbench duet" in said

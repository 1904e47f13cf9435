"""A watched series: the file that only grows, the changes found in it, and the night's command."""

import csv
import math
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from upbench.bench import api
from upbench.bench.errors import UsageError
from upbench.bench.gate.ci import changes, changes_by_ruptures, history
from upbench.bench.gate.ci.changes import Point, find
from upbench.bench.gate.ci.history import Night
from upbench.bench.store import read_json, write_json

records = runpy.run_path(str(Path(__file__).with_name("records.py")))
cell, comparison = records["cell"], records["comparison"]
CELL = "bicubic/x2/image/cpu/float32/contiguous/eager/forward/1t"


def night(day: int, ratio: float = 1.0, **more) -> Night:
    plain = {
        "time": f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}T03:41:00+00:00",
        "branch": CELL,
        "candidate": f"2.16.0.dev{day}",
        "anchor": "2.14.0",
        "ratio": ratio,
        "low": ratio * 0.99,
        "high": ratio * 1.01,
        "verdict": "SAME",
        "pixels": "abc",
        "host": "a, 4 cores",
    }
    return Night(**plain | more)


def test_rows_are_appended_and_nothing_that_stands_is_touched(tmp_path):
    path = tmp_path / "history.csv"
    assert history.append(path, [night(0), night(1, 1.01)], []) == 2
    before = path.read_bytes()
    known, complaints = history.read(path)
    assert (known, complaints) == ([night(0), night(1, 1.01)], [])
    assert history.append(path, [night(1, 1.01), night(2, host='b "quoted", 2 cores')], known) == 1, "only what is new"
    assert path.read_bytes().startswith(before)
    assert history.read(path)[0][2].host == 'b "quoted", 2 cores'
    assert b"\r" not in path.read_bytes()


def test_pandas_reads_it_as_it_is_and_otava_needs_a_number_in_every_row(tmp_path):
    path = tmp_path / "history.csv"
    history.append(path, [night(day, 1 + day / 100) for day in range(3)], [])
    table = pd.read_csv(path, parse_dates=["time"])
    assert list(table["ratio"]) == [1.0, 1.01, 1.02]
    assert str(table["time"].dtype).startswith("datetime64")
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert {"time", "branch", "ratio"} <= set(rows[0])
    assert all(float(row[rows[0].index("ratio")]) for row in rows[1:])


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-05T03:41:00+00:00,bicubic/x2",
        "2026-01-05T03:41:00,c,2.16.0,2.14.0,1,0.9,1.1,SAME,abc,h",
        "yesterday,c,2.16.0,2.14.0,1,0.9,1.1,SAME,abc,h",
        "2026-01-05T03:41:00+00:00,c,2.16.0,2.14.0,one,0.9,1.1,SAME,abc,h",
        "2026-01-05T03:41:00+00:00,c,2.16.0,2.14.0,nan,0.9,1.1,SAME,abc,h",
        "2026-01-05T03:41:00+00:00,c,2.16.0,2.14.0,2,0.9,1.1,SAME,abc,h",
        "2026-01-05T03:41:00+00:00,,2.16.0,2.14.0,1,0.9,1.1,SAME,abc,h",
        '2026-01-05T03:41:00+00:00,"c,2.16.0,2.14.0,1,0.9,1.1,SAME,abc,h',
        "<<<<<<< HEAD",
        "\x00\x00",
    ],
)
def test_a_damaged_row_costs_one_sentence_and_no_other_row(tmp_path, line):
    path = tmp_path / "history.csv"
    history.append(path, [night(0)], [])
    with path.open("a") as file:
        file.write(line)  # and no end of line, as an interrupted night leaves it
    history.append(path, [night(1)], [night(0)])
    known, complaints = history.read(path)
    assert known == [night(0), night(1)]
    (complaint,) = complaints
    assert complaint.startswith(f"{path}, line 3 is damaged and left out (")
    assert "\n" not in complaint


def test_another_anchor_and_another_file_are_refused(tmp_path):
    path = tmp_path / "history.csv"
    with pytest.raises(UsageError, match=r"would mix ratios to 2\.13\.0 and 2\.14\.0"):
        history.append(path, [night(1, anchor="2.13.0")], [night(0)])
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="is no history of upbench's"):
        history.read(path)
    assert history.read(tmp_path / "nowhere.csv") == ([], [])


def test_rows_of_a_comparison_are_those_that_were_measured():
    mixed = comparison(
        cell("SLOWER", 1.1), cell("FAILED", None), candidate={"label": "2.16.0 (a/path)", "torch": "2.16.0"}
    )
    (row,) = history.nights(mixed)
    assert (row.candidate, row.anchor, row.ratio, row.pixels) == ("2.16.0", "2.13.0", 1.1, "abc")


def simulated(rng, nights, *, step_at=None, step=0.03, spread=0.005, error=0.003):
    """A series over three kinds of host 1 % apart, with gaps, nights measured twice, and a burst in a hundred."""
    levels = {f"host {number}": rng.normal(0, 0.01) for number in range(3)}
    rows = []
    for day in range(nights):
        if rng.random() < 0.05:
            continue  # a gap
        host = f"host {rng.integers(3 if day > 20 else 2)}"
        value = levels[host] + rng.normal(0, spread) + (rng.normal(0, 0.05) if rng.random() < 0.01 else 0)
        value += math.log1p(step) if step_at is not None and day >= step_at else 0
        for _ in range(2 if rng.random() < 0.05 else 1):
            again = value + rng.normal(0, error)
            rows.append(
                night(
                    day,
                    math.exp(again),
                    low=math.exp(again - 1.96 * error),
                    high=math.exp(again + 1.96 * error),
                    host=host,
                )
            )
    return changes.series(rows)[CELL]


def test_a_step_of_three_per_cent_is_found_within_three_nights():
    rng = np.random.default_rng(1)
    in_time = 0
    for _ in range(40):
        day = 40 + int(rng.integers(20))
        points = simulated(rng, day + 8, step_at=day)
        after = [point for point in points if point.time >= night(day).time]
        in_time += any(
            change.after == after[0].candidate and change.told <= after[2].time for change in find(CELL, points)
        )
    assert in_time >= 36


def test_at_most_one_false_change_in_a_thousand_nights():
    """Sized for the suite; 9,452 nights at each of three noises (0.3, 0.5, 0.8 %) gave 0.1, 0.2 and 0.5 a thousand."""
    rng = np.random.default_rng(2)
    series = [simulated(rng, 100) for _ in range(30)]
    found = sum(len(find(CELL, points)) for points in series)
    assert found <= sum(len(points) for points in series) / 1000


def points(*values, hosts="a", error=0.003):
    return [
        Point(
            candidate=f"n{day}", time=f"2026-01-{1 + day:02d}", value=value, error=error, host=hosts[day % len(hosts)]
        )
        for day, value in enumerate(values)
    ]


def test_a_change_says_between_which_candidates_and_how_much():
    (change,) = find(CELL, points(*[0.0, 0.002, -0.002] * 4, 0.05, 0.048, 0.052, 0.05))
    assert (change.before, change.after, change.told) == ("n11", "n12", "2026-01-15")
    assert change.low < math.exp(0.05) < change.high
    assert change.high - change.low < 0.02
    assert find(CELL, points(*[0.0, 0.002, -0.002] * 4, 0.05, 0.048)) == [], "two nights are not three"


def test_one_loud_night_another_host_and_a_small_step_are_no_changes():
    calm = [0.0, 0.002, -0.002] * 4
    assert find(CELL, points(*calm, 0.2, 0.0, 0.001, 0.0)) == []
    assert find(CELL, points(*calm, *[0.005] * 8)) == []
    moved = points(*calm) + [
        Point(candidate=f"m{day}", time=f"2026-02-{1 + day:02d}", value=0.05, error=0.003, host="b") for day in range(9)
    ]
    assert find(CELL, moved) == []


def test_up_and_down_again_are_two_changes():
    level = [0.0, 0.002, -0.002, 0.001]
    up = [value + 0.05 for value in level]
    found = find(CELL, points(*level, *level, *up, *level))
    assert [change.after for change in found] == ["n8", "n12"]
    assert found[0].ratio > 1 > found[1].ratio


def test_ruptures_finds_the_same_step():
    pytest.importorskip("ruptures")
    series = points(*[0.0, 0.002, -0.002] * 5, *[0.05, 0.048, 0.052] * 3)
    (change,) = changes_by_ruptures.find(CELL, series)
    assert (change.before, change.after) == ("n14", "n15")
    assert changes_by_ruptures.find(CELL, series[:15]) == changes_by_ruptures.find(CELL, series[:3]) == []


def test_other_bits_are_told_within_one_kind_of_host():
    rows = [night(0), night(1, pixels="def", host="b"), night(2), night(3, pixels="xyz")]
    (found,) = changes.other_bits(changes.series(rows)[CELL])
    assert [point.candidate for point in found] == ["2.16.0.dev2", "2.16.0.dev3"]


def tonight(tmp_path: Path, day: int, ratio: float) -> Path:
    host = {"cpu": "a", "cores": 4, "utc": night(day).time}
    candidate = {"label": f"2.{20 + day}.0", "torch": "x", "host": host}
    baseline = {"label": "2.14.0", "torch": "2.14.0"}
    found = comparison(
        cell("SAME", ratio, cell=CELL, low=ratio * 0.995, high=ratio * 1.005), baseline=baseline, candidate=candidate
    )
    write_json(tmp_path / f"night-{day}" / "versions.json", {"comparisons": [found]})
    return tmp_path / f"night-{day}"


def test_the_command_appends_tells_once_and_reports(upbench, tmp_path, monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    options = ("--history", tmp_path / "history.csv", "--out", tmp_path / "out")
    codes = []
    for day, ratio in enumerate([1.0, 1.001, 0.999, 1.0, 1.05, 1.051, 1.049, 1.05]):
        done = upbench("watch", tonight(tmp_path, day, ratio), *options)
        codes.append(done.code)
        if day == 6:
            assert "slower from 2.24.0 on (before: 2.23.0)" in done.out
            assert f"upbench bisect --cell {CELL} --good 2.23.0 --bad 2.24.0" in done.out
    assert codes == [0, 0, 0, 0, 0, 0, 1, 0], "red on the night that settles it, and on no other"
    again = upbench("watch", tmp_path / "night-7", *options)
    assert "history: 0 rows added to 8" in again.out
    (change,) = read_json(tmp_path / "out" / "watch.json")["changes"]
    assert change["after"] == "2.24.0"
    assert upbench("report", tmp_path / "out").code == 0
    page = (tmp_path / "out" / "report.md").read_text()
    assert "| `bicubic/x2/image` | 2.24.0 | 2.23.0 | 1.05" in page
    assert "Ratios of time to 2.14.0 of 1 cells, night after night" in page
    assert (tmp_path / "out" / "figures" / "watch-light.png").stat().st_size > 8000


def test_a_python_program_gets_the_changes_as_a_table(tmp_path):
    options = {"history": tmp_path / "history.csv", "progress": False}
    for day, ratio in enumerate([1.0, 1.001, 0.999, 1.0, 1.05, 1.051]):
        assert api.watch(tonight(tmp_path, day, ratio), **options).empty
    (change,) = api.watch(tonight(tmp_path, 6, 1.049), **options).to_dict("records")
    assert (change["branch"], change["before"], change["after"]) == (CELL, "2.23.0", "2.24.0")
    assert 1.03 < change["low"] < change["ratio"] < change["high"] < 1.07
    with pytest.raises(UsageError, match="no_such"):
        api.watch(anchor="2.14.0", candidate="2.15.0", no_such=1, **options)


def test_in_actions_a_new_change_is_an_annotation_and_a_line_of_the_summary(upbench, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    nights = [night(day, ratio) for day, ratio in enumerate([1.0, 1.001, 0.999, 1.0, 1.05, 1.051, 1.049])]
    history.append(tmp_path / "history.csv", nights, [])
    done = upbench("watch", "--history", tmp_path / "history.csv", "--out", tmp_path / "out")
    assert done.code == 1
    assert f"::error title=upbench watch::{CELL}: +" in done.out
    assert "upbench duet --baseline 2.16.0.dev3 --candidate 2.16.0.dev4 --methods bicubic" in done.out
    assert (tmp_path / "summary").read_text().startswith("- <code>bicubic/x2")


def test_the_bisect_itself_on_request(upbench, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "upbench.bench.gate.releases.bisect_stage.run", lambda request, out, progress: asked.append(request)
    )
    options = ("--history", tmp_path / "history.csv", "--out", tmp_path / "out", "--confirm", "1", "--bisect")
    for day, ratio in enumerate([1.0, 1.001, 0.999, 1.2]):
        upbench("watch", tonight(tmp_path, day, ratio), *options)
    ((request,),) = [asked]
    assert (request.cell, request.good, request.bad) == (CELL, "2.22.0", "2.23.0")


def test_a_change_is_not_told_as_new_because_its_cell_is_measured_no_more(upbench, tmp_path):
    nights = [night(day, ratio) for day, ratio in enumerate([1.0, 1.001, 0.999, 1.0, 1.05, 1.051, 1.049])]
    history.append(tmp_path / "history.csv", [*nights, night(7, branch="other/x2/image")], [])
    done = upbench("watch", "--history", tmp_path / "history.csv", "--out", tmp_path / "out")
    assert (done.code, "slower from 2.16.0.dev4 on" in done.out) == (0, True)


def test_a_method_of_ones_own_is_not_bisected_but_said_so(upbench, tmp_path):
    ratios = {"2.10.0": 1.0, "2.11.0": 1.001, "2.12.0": 1.0, "2.13.0": 1.2}
    nights = [
        night(day, ratio, candidate=name, branch="mine/x2/image") for day, (name, ratio) in enumerate(ratios.items())
    ]
    history.append(tmp_path / "history.csv", nights, [])
    options = ("--history", tmp_path / "history.csv", "--out", tmp_path / "out", "--confirm", "1", "--bisect")
    done = upbench("watch", *options)
    assert done.code == 1
    assert "mine/x2/image cannot be bisected: " in done.err


def test_it_measures_by_itself_where_it_is_given_an_anchor(upbench, fake, tmp_path, monkeypatch):
    found = {"torch": "0.0", "torchvision": None, "torchvision_reason": "there is none", "python": "3"}
    monkeypatch.setattr("upbench.bench.gate.sides.environments.probe", lambda python: found)
    options = ("--history", tmp_path / "history.csv", "--out", tmp_path / "out", "--environments", tmp_path / "envs")
    sides = ("--anchor", fake("old"), "--candidate", fake("new"))
    done = upbench("watch", *sides, "--methods", "nearest", "--workloads", "single", *options)
    assert done.code == 0, done.err
    (row,) = history.read(tmp_path / "history.csv")[0]
    assert row.ratio == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "holds no night; give a folder that upbench duet has written"),
        (("nowhere",), "There is no file"),
        (("strange",), "holds no night as upbench writes it (KeyError('cells')); measure it again"),
        (("--confirm", "0"), "no whole number of at least 1"),
        (("--anchor", "2.14.0"), "Give --anchor and --candidate to measure a night now"),
        (("--methods", "nearest"), "Give --anchor and --candidate to measure a night now"),
    ],
)
def test_what_cannot_be_watched_is_said_in_one_sentence(upbench, tmp_path, arguments, sentence):
    write_json(tmp_path / "strange" / "versions.json", {"comparisons": [{"candidate": {}}]})
    given = [tmp_path / "strange" if each == "strange" else each for each in arguments]
    done = upbench("watch", *given, "--history", tmp_path / "history.csv", "--out", tmp_path / "out")
    assert done.code == 2
    assert sentence in done.err

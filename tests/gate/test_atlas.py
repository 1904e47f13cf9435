"""The atlas over fake workers, and its reproducers in this very environment."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from upbench.bench.adapters import find
from upbench.bench.cells import Cell
from upbench.bench.errors import UsageError
from upbench.bench.gate.releases import atlas, reproducer
from upbench.bench.gate.releases.request import AtlasRequest
from upbench.bench.gate.sides import environments
from upbench.bench.gate.sides.side import Side
from upbench.bench.gate.task import Task
from upbench.bench.stage import Ending, Silent
from upbench.bench.store import read_json

records = runpy.run_path(str(Path(__file__).with_name("records.py")))
HERE = [Side(label=label, python=Path(sys.executable)) for label in ("one", "other")]


PROBED = {"torch": "0.0", "torchvision": None, "torchvision_reason": "there is none", "python": "3"}


@pytest.fixture
def drawn(fake, tmp_path, monkeypatch):
    """An atlas over three releases that are fake workers of the given behaviours."""
    monkeypatch.setattr("upbench.bench.gate.sides.environments.probe", lambda python: PROBED)
    ran = []
    monkeypatch.setattr(
        reproducer, "executed", lambda script, *_: ran.append(script) or {"script": script, "ratio": 1.5}
    )

    def draw(*behaviours: dict) -> tuple[Ending, dict, list[str]]:
        pythons = [tmp_path / f"release-{number}" / "python" for number, _ in enumerate(behaviours)]
        for python, behaviour in zip(pythons, behaviours, strict=True):
            if not python.exists():
                fake(python.parent.name, **behaviour)
        request = AtlasRequest(
            releases=tuple(map(str, pythons)),
            methods=("bilinear", "bicubic"),
            workloads=("single",),
            passes=("forward",),
            budget=20.0,
            environments=tmp_path / "cache",
        )
        ending = atlas.run(request, tmp_path / "out", Silent()).ending
        return ending, read_json(tmp_path / "out" / "atlas.json"), ran

    return draw


@pytest.fixture
def interpreters(tmp_path):
    """This very environment twice."""
    with reproducer.Interpreters(HERE, tmp_path) as found:
        yield found


def test_each_release_is_compared_with_the_next_and_each_change_has_a_reproducer(drawn):
    ending, found, ran = drawn({}, {"ratio": 1.3}, {"ratio": 1.3})
    assert ending is Ending.OK
    assert [len(each["cells"]) for each in found["comparisons"]] == [2, 2]
    assert {(change["what"], change["method"]) for change in found["changes"]} == {
        ("time", "bilinear"),
        ("time", "bicubic"),
    }
    assert {change["before"].split("/")[-2] for change in found["changes"]} == {"release-0"}
    assert all(1.2 < change["amount"] < 1.4 for change in found["changes"])
    assert len(ran) == 2
    assert "its reproducer: x1.50" in atlas.sentence(found["changes"][0])


def test_what_a_release_no_longer_takes_at_an_edge_is_a_change(drawn):
    _, found, _ = drawn({}, {"edge": "!no kernel"})
    lost = [change for change in found["changes"] if change["what"] == "edges lost"]
    assert {change["method"] for change in lost} == {"bilinear", "bicubic"}
    assert lost[0]["cases"] == 5
    assert "no kernel" in atlas.sentence(lost[0])


@pytest.mark.parametrize(("steps", "told"), [(("forward", "train"), ["forward"]), (("train",), ["train"])])
def test_a_change_of_pixels_is_told_once_whichever_passes_are_timed(steps, told):
    names = [Cell(method="bicubic", scale=2, workload="image", step=step).name for step in steps]
    compared = records["comparison"](*[records["cell"]("SAME", cell=name, pixels=records["CHANGED"]) for name in names])
    changes = atlas.changes_of(compared, ("2.0.1", "2.1.0"))
    assert [(change["what"], Cell.parse(change["cell"]).step) for change in changes] == [("pixels", told[0])]


def test_a_release_that_does_not_come_up_costs_its_comparisons_only(drawn):
    ending, found, _ = drawn({}, {}, {"mute": True})
    assert ending is Ending.FAILED
    assert len(found["comparisons"]) == 1


def test_an_interrupted_atlas_goes_on_where_it_was(drawn, monkeypatch, tmp_path):
    monkeypatch.setattr(atlas, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        drawn({}, {"ratio": 1.3})
    begun = (tmp_path / "release-1" / "begun").stat().st_size
    monkeypatch.undo()
    monkeypatch.setattr("upbench.bench.gate.sides.environments.probe", lambda python: PROBED)
    monkeypatch.setattr(reproducer, "executed", lambda *_: pytest.fail("it was executed before"))
    _, found, _ = drawn({}, {"ratio": 1.3})
    assert len(found["changes"]) == 2
    assert (tmp_path / "release-1" / "begun").stat().st_size == begun


@pytest.fixture
def releases(fake, tmp_path, monkeypatch):
    """Releases whose environments are folders with a fake worker; `made` says which were made, in order."""
    made = []

    def make(asked, folder, uv, *, spare):
        made.append((asked.label, spare))
        python = folder / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(f'#!/bin/sh\nexec {fake(asked.label)} "$@"\n')
        python.chmod(0o755)

    monkeypatch.setattr("upbench.bench.gate.sides.environments._make", make)
    monkeypatch.setattr("upbench.bench.gate.sides.environments.probe", lambda python: PROBED)

    def run(*names: str, **more) -> set[str]:
        fields = {"methods": ("bilinear",), "workloads": ("single",), "passes": ("forward",), "budget": 20.0}
        request = AtlasRequest(releases=names, environments=tmp_path / "cache", python="3.11", **fields, **more)
        assert atlas.run(request, tmp_path / "out", Silent()).ending is Ending.OK
        return {path.parent.name for path in (tmp_path / "cache").glob("*/upbench-ready.json")}

    return run, made


def test_environments_are_removed_when_no_longer_needed_but_for_those_that_were_there(releases, tmp_path):
    run, made = releases
    environments.environments(["2.12.0"], tmp_path / "cache", python="3.11")
    left = run("2.12.0", "2.13.0", "2.14.0")
    assert {name.partition("-python")[0] for name in left} == {"torch-2.12.0"}
    assert made == [("2.12.0", False), ("2.13.0", True), ("2.14.0", True)]


def test_environments_are_kept_where_that_is_asked(releases):
    run, made = releases
    assert len(run("2.12.0", "2.13.0", keep_environments=True)) == 2
    assert made == [("2.12.0", False), ("2.13.0", False)]


def test_an_interrupted_atlas_makes_no_environment_of_what_is_done(releases, monkeypatch, tmp_path):
    run, made = releases
    measure = atlas.measure

    def interrupted(request, pairing, label, *rest):
        if label == "2.13.0 -> 2.14.0":
            raise KeyboardInterrupt
        return measure(request, pairing, label, *rest)

    monkeypatch.setattr(atlas, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("2.12.0", "2.13.0", "2.14.0")
    monkeypatch.setattr(atlas, "measure", measure)
    assert run("2.12.0", "2.13.0", "2.14.0") == set(), "also what the interrupted run had made"
    assert [label for label, _ in made] == ["2.12.0", "2.13.0", "2.14.0"]
    assert len(read_json(tmp_path / "out" / "atlas.json")["comparisons"]) == 2


def test_one_release_is_no_atlas():
    with pytest.raises(UsageError, match="at least two releases"):
        AtlasRequest(releases=("2.15.0",))


@pytest.mark.parametrize("step", ["forward", "train"])
@pytest.mark.parametrize("method", sorted(reproducer.CALLS))
def test_a_reproducer_of_time_has_at_most_15_lines_and_runs_on_torch_alone(method, step):
    script = reproducer.timing(f"{method}/x2/1x3x4x4/cpu/float32/channels_last/eager/{step}/1t", seconds=0.5)
    assert script.count("\n") <= 15
    assert "upbench" not in script
    exec(compile(script.replace("range(20)", "range(2)"), "reproducer", "exec"), {})


@pytest.mark.parametrize("method", ["nearest", "bicubic-antialias", "transposed-random"])
@pytest.mark.parametrize("step", ["forward", "train"])
def test_a_reproducer_of_memory_prints_the_bytes_that_the_gate_measures(method, step, capsys):
    name = f"{method}/x2/1x3x64x64/cpu/float32/contiguous/eager/{step}/1t"
    script = reproducer.memory(name)
    assert script.count("\n") <= 15
    exec(compile(script, "reproducer", "exec"), {})
    printed = int(capsys.readouterr().out.split()[-2])
    task = Task.build(Cell.parse(name), find(method))
    assert printed == pytest.approx(task.peak_bytes(), rel=0.01)


def test_a_reproducer_of_a_cells_pixels_is_one_of_its_own_shape():
    script = reproducer.cell_pixels("bilinear/x2/image")
    assert "n, c, h, w = (1, 3, 256, 256)" in script
    assert 'F.interpolate(x, scale_factor=2, mode="bilinear")' in script
    assert reproducer.cell_pixels("polyphase-bilinear/x2/image") is None


@pytest.mark.parametrize(
    "case", ["1x4x1x1 uint8 channels_last x2", "1x3x7x8 float64 strided size", "0x3x8x8 bfloat16 contiguous x1.5"]
)
def test_a_reproducer_of_pixels_prints_the_same_where_nothing_differs(case, interpreters):
    script = reproducer.pixels("bilinear", case)
    assert script.count("\n") <= 15
    found = reproducer.executed(script, interpreters)
    assert found["differs"] is False
    assert found["baseline"] == found["candidate"]
    assert len(found["baseline"]) == 1
    json.dumps(found)


@pytest.mark.parametrize("unit", ["us", "bytes"])
def test_times_and_bytes_that_are_printed_become_a_ratio_over_all_turns(unit, interpreters):
    found = reproducer.executed(f"print('2.15.0', 5.0, '{unit}')", interpreters, reproducer.TURNS)
    assert found["ratio"] == 1
    assert len(found["baseline"]) == len(found["candidate"]) == reproducer.TURNS


def test_bytes_that_none_were_before_differ_and_have_no_ratio(interpreters):
    found = reproducer.executed("print('2.15.0', 0, 'bytes')", interpreters)
    assert found["differs"] is False


def test_a_script_that_raises_or_dies_costs_its_own_words_only(interpreters):
    raised = reproducer.executed("raise ValueError('no such kernel')", interpreters)
    assert raised["baseline"] == ["ValueError: no such kernel"]
    died = reproducer.executed("import os; os._exit(7)", interpreters)
    assert "exit status 7" in died["baseline"][0]
    assert reproducer.executed("print()", interpreters)["baseline"] == ["it printed nothing"]
    assert reproducer.executed("print('2.15.0', 5.0, 'us')", interpreters)["ratio"] == 1


def test_what_torch_alone_cannot_say_has_no_reproducer():
    assert reproducer.timing("polyphase-bilinear/x2/image", seconds=1e-3) is None
    assert reproducer.pixels("polyphase-bilinear", "1x3x7x8 float32 contiguous x2") is None

import json
import sys
from pathlib import Path

import pytest

from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.gate import counter
from upbench.bench.gate.counted import prepared
from upbench.bench.gate.sides.side import Question, Side
from upbench.bench.workers.launch import take_snapshot, worker_environment

CELL = Question(name="bicubic/x2/1x3x8x8", method="bicubic")
PERF = """#!{python}
import sys
counted = {start} + {each} * int(sys.argv[-1]) if sys.argv[-1].isdigit() else 1000
print(f"{{counted}},,instructions:u,100,100.00,,", file=sys.stderr)
"""


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder that is all there is on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, name: str, text: str) -> Path:
    script = folder / name
    script.write_text(text)
    script.chmod(0o755)
    return script


def sides(tools: Path) -> list[Side]:
    return [Side(label=label, python=Path(sys.executable), variables={"PATH": str(tools)}) for label in "ab"]


def test_perf_is_taken_where_it_counts(tools):
    put(tools, "perf", PERF.format(python=sys.executable, start=10**9, each=12345))
    assert counter.find_tool() == "perf"
    variables = {"PATH": str(tools), "PYTHONPATH": str(tools)}
    assert counter.count("perf", Path(sys.executable), variables, CELL) == 12345


def test_where_perf_cannot_count_valgrind_is_taken(tools):
    put(tools, "perf", "#!/bin/sh\necho '<not supported>,,instructions:u,0,100.00,,' >&2\n")
    with pytest.raises(SkippedError, match="valgrind is not installed"):
        counter.find_tool()
    put(tools, "valgrind", "#!/bin/sh\n")
    assert counter.find_tool() == "callgrind"


def test_perf_output_is_read():
    assert counter.perf_instructions("123,,instructions:u,5,100.00,,") == 123
    assert counter.perf_instructions("<not supported>,,instructions:u,0,100.00,,") is None
    assert counter.perf_instructions("warning: something") is None


def test_both_sides_and_their_ratio(tmp_path, tools):
    put(tools, "perf", PERF.format(python=sys.executable, start=7, each=100))
    found = counter.compare(sides(tools), tools, CELL)
    assert found == {"tool": "perf", "baseline": 100, "candidate": 100, "ratio": 1}


def test_without_a_tool_there_is_a_reason(tools):
    found = counter.compare(sides(tools), tools, CELL)
    assert "valgrind is not installed" in found["reason"]


def test_callgrinds_count_is_read_from_the_last_line(tmp_path):
    python = put(tmp_path, "python", f"#!/bin/sh\necho noise\necho '{json.dumps({'instructions': 42.5})}'\n")
    assert counter.count("callgrind", python, {"PATH": "", "PYTHONPATH": str(tmp_path)}, CELL) == 42.5
    broken = put(tmp_path, "broken", "#!/bin/sh\necho 'it broke' >&2\nexit 1\n")
    with pytest.raises(FailedError, match="it broke"):
        counter.count("callgrind", broken, {"PATH": "", "PYTHONPATH": str(tmp_path)}, CELL)


def test_the_counted_process_runs_the_cell(tmp_path):
    assert prepared(CELL.name, CELL.method)().shape == (1, 3, 16, 16)
    snapshot = take_snapshot(tmp_path)
    done = counter._run([], Path(sys.executable), worker_environment(snapshot, 1), CELL, "calls", 3)
    assert done.returncode == 0

import os
from pathlib import Path

import pytest
import torch

from upbench.bench.errors import UsageError
from upbench.bench.gate.sides import flags
from upbench.bench.gate.sides.side import FLAGS, FLAGS_VARIABLE, SPINS, Question, Side, settings_of
from upbench.bench.workers.launch import PLAIN

SNAPSHOT = Path("/snapshot")


def environment(threads: int = 1, **given) -> dict[str, str]:
    return Side(label="one", python=Path("python"), **given).environment(SNAPSHOT, threads)


def test_memory_is_held_still_unless_a_plain_process_is_asked_for():
    assert "MALLOC_TRIM_THRESHOLD_" in environment()
    assert not {"MALLOC_TRIM_THRESHOLD_", "THP_MEM_ALLOC_ENABLE"} & set(environment(allocator=PLAIN))


def test_a_side_has_variables_of_its_own_and_an_empty_one_takes_it_away():
    found = environment(variables={"ATEN_CPU_CAPABILITY": "avx2", "MALLOC_TRIM_THRESHOLD_": ""})
    assert found["ATEN_CPU_CAPABILITY"] == "avx2"
    assert "MALLOC_TRIM_THRESHOLD_" not in found


def test_threads_do_not_spin_through_the_other_side_s_blocks_unless_that_is_asked_for(monkeypatch):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    assert "GOMP_SPINCOUNT" not in environment(1)
    assert environment(2)["GOMP_SPINCOUNT"] == SPINS
    assert environment(2, variables={"GOMP_SPINCOUNT": "5"})["GOMP_SPINCOUNT"] == "5"
    assert "GOMP_SPINCOUNT" not in environment(2, variables={"OMP_WAIT_POLICY": "active"})
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    assert environment(2)["GOMP_SPINCOUNT"] == "7"


def test_our_snapshot_comes_first_on_the_path_and_a_side_s_folders_behind_it():
    folders = environment(path=(Path("/checkout"),))["PYTHONPATH"].split(os.pathsep)
    assert folders[0] == str(SNAPSHOT)
    assert folders[-1] == "/checkout"


def test_settings_are_variables_in_capitals_or_flags_of_torch():
    assert settings_of(["ATEN_CPU_CAPABILITY=avx2", "deterministic=1"]) == (
        {"ATEN_CPU_CAPABILITY": "avx2"},
        {"deterministic": "1"},
    )
    assert environment(flags={"deterministic": "1"})[FLAGS_VARIABLE] == "deterministic=1"


@pytest.mark.parametrize("word", ["ATEN_CPU_CAPABILITY", "=1", "determinist=1", "A=b c"])
def test_anything_else_is_no_setting(word):
    with pytest.raises(UsageError, match=r"NAME=VALUE|There is no flag"):
        settings_of([word])


def test_flags_are_put_in_force(monkeypatch):
    monkeypatch.setenv(FLAGS_VARIABLE, "deterministic=on")
    try:
        flags.apply()
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("name", sorted(set(FLAGS) - {"matmul-precision"}))
def test_a_switch_takes_yes_or_no_only(monkeypatch, name):
    monkeypatch.setenv(FLAGS_VARIABLE, f"{name}=perhaps")
    with pytest.raises(UsageError, match="is a switch"):
        flags.apply()


def test_the_candidate_may_load_another_method():
    same, other = Question(name="a/x2/image", method="a"), Question(name="a->b/x2/image", method="a", other="b")
    assert [same.method_of(index) for index in (0, 1)] == ["a", "a"]
    assert [other.method_of(index) for index in (0, 1)] == ["a", "b"]
    assert other.two_methods
    assert not same.two_methods
    assert not Question(name="a/x2/image", method="old/m.py:a", other="new/m.py:a").two_methods

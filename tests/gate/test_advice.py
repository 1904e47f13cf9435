import pytest

from upbench.bench.gate.advice import advise, sentence
from upbench.bench.gate.progress import Course, conclude, settle
from upbench.bench.gate.sides.side import Question

SIDES = "--baseline 2.14.0 --candidate 2.15.0"


def advised(ratios: list[float], name: str, method: str, other: str = "", sides: str = SIDES) -> dict:
    course = Course(name=name, explored=ratios)
    conclude(course, 0.03)
    return advise(course, Question(name=name, method=method, other=other), 0.03, sides, 160.0)


def test_an_open_cell_has_a_number_of_pairs_and_the_command_that_asks_again():
    found = advised(
        [0.0, 0.02, -0.02, 0.03, -0.03], "bicubic/x4/image/cpu/float16/channels_last/eager/train/2t", "bicubic"
    )
    assert found["more"] == found["pairs"] - 5 > 0
    assert found["command"].startswith(
        "upbench duet --baseline 2.14.0 --candidate 2.15.0 --methods bicubic --workloads image --scales 4"
        " --dtypes float16 --memory-formats channels_last --pass train --threads 2 --threshold 3% --budget "
    )
    assert "more pairs would tell: upbench duet" in sentence(found)


def test_two_methods_are_asked_again_as_two_methods():
    found = advised([0.0, 0.04, -0.04], "a->b/x2/image", "a", "b", sides="--versus a b")
    assert found["command"].startswith("upbench duet --versus a b --workloads image --scales 2 --threshold")
    same = advised([0.0, 0.04, -0.04], "a->a/x2/image", "a", "a", sides="--versus a a")
    assert same["command"].startswith("upbench duet --versus a a --workloads image")


def test_pairs_of_methods_that_are_asked_together_are_asked_again_each_by_its_names():
    found = advised([0.0, 0.04, -0.04], "a->b/x2/image", "a", "b", sides="--versus")
    assert found["command"].startswith("upbench duet --versus a b --workloads image")


def test_a_method_of_one_s_own_is_asked_by_its_spec():
    assert "--method mine.py:m --workloads" in advised([0.0, 0.04, -0.04], "m/x2/image", "mine.py:m")["command"]


def test_a_file_of_a_commit_is_asked_for_as_its_user_named_it():
    course = Course(name="m/x2/image", explored=[0.0, 0.04, -0.04])
    conclude(course, 0.03)
    question = Question(name="m/x2/image", method="tree/mine.py:m", other="tree2/mine.py:m", asked="mine.py:m")
    found = advise(course, question, 0.03, "--baseline-ref main", 160.0)
    assert found["command"].startswith("upbench duet --baseline-ref main --method mine.py:m --workloads image")


def test_a_ratio_on_the_threshold_is_told_that_more_pairs_would_not_help():
    assert "give another --threshold" in sentence(advised([0.0296, 0.05, 0.01, 0.03], "m/x2/image", "m"))


def test_a_settled_cell_needs_no_advice():
    course = Course(name="m/x2/image", explored=[0.0] * 6)
    settle([course], 0.03)
    assert advise(course, Question(name="m/x2/image", method="m"), 0.03, SIDES, 160.0) is None


@pytest.mark.parametrize("ratios", [[], [0.04]])
def test_a_cell_that_the_budget_did_not_reach_is_asked_again_alone_with_twice_the_time(ratios):
    found = advised(ratios, "m/x2/big", "m")
    assert (found["pairs"], found["more"]) == (0, None)
    assert found["command"].endswith("--methods m --workloads big --scales 2 --threshold 3% --budget 320s")
    assert sentence(found).startswith("too few to know its spread; with more time, alone: upbench duet")

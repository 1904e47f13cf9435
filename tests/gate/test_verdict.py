import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from upbench.bench.gate.progress import Course, block_ratio, conclude, settle
from upbench.bench.gate.verdict import (
    LOOKS,
    MOST_PAIRS,
    Estimate,
    Verdict,
    confirmed,
    flagged,
    groups,
    inside,
    pairs_needed,
)

SPREAD = 0.012  # of one pair's log ratio, as measured on a shared machine


def decide(draw, cells: int, pairs: int, threshold: float) -> list[Verdict]:
    """The whole procedure on drawn log ratios: `draw(cell)` is one pair's."""
    courses = [Course(name=str(cell)) for cell in range(cells)]
    for _ in range(pairs):
        for cell, course in enumerate(courses):
            if course.verdict is None:
                (course.fresh if course.sign else course.explored).append(draw(cell))
        settle(courses, threshold)
    for course in courses:
        conclude(course, threshold)
    return [course.verdict for course in courses]


def test_nothing_changed_raises_no_alarm():
    generator = np.random.default_rng(1)
    found = [verdict for _ in range(40) for verdict in decide(lambda cell: generator.normal(0, SPREAD), 30, 20, 0.03)]
    assert Verdict.SLOWER not in found
    assert Verdict.FASTER not in found
    assert found.count(Verdict.SAME) > 0.98 * len(found)


def test_heavy_tails_raise_no_alarm():
    generator = np.random.default_rng(2)
    found = [
        verdict for _ in range(40) for verdict in decide(lambda cell: SPREAD * generator.standard_t(2), 30, 20, 0.03)
    ]
    assert sum(verdict in (Verdict.SLOWER, Verdict.FASTER) for verdict in found) <= 1


@pytest.mark.parametrize(("slowdown", "threshold", "share"), [(1.05, 0.03, 0.99), (1.03, 0.01, 0.95)])
def test_a_planted_slowdown_is_found(slowdown, threshold, share):
    """Two cells in thirty are slower: few enough for the false-discovery control to be at its strictest."""
    generator = np.random.default_rng(3)
    found = []
    for _ in range(60):
        true = {4: math.log(slowdown), 20: math.log(slowdown)}
        verdicts = decide(lambda cell, true=true: generator.normal(true.get(cell, 0), SPREAD), 30, 30, threshold)
        found += [verdicts[4], verdicts[20]]
    bimodal = found.count(Verdict.BIMODAL)
    assert found.count(Verdict.SLOWER) >= share * (len(found) - bimodal)


def test_at_the_threshold_itself_alarms_stay_rare():
    """A cell exactly at the threshold is the hardest case: confirmation holds the error to a few percent."""
    generator = np.random.default_rng(4)
    edge = math.log1p(0.03)
    found = [decide(lambda cell: generator.normal(edge, SPREAD), 1, 40, 0.03)[0] for _ in range(200)]
    assert found.count(Verdict.SLOWER) <= 0.05 * len(found)


def test_faster_is_the_mirror_of_slower():
    generator = np.random.default_rng(5)
    true = math.log(0.9)
    assert decide(lambda cell: generator.normal(true, SPREAD), 1, 30, 0.03) == [Verdict.FASTER]


def test_two_groups_of_processes_are_not_averaged():
    generator = np.random.default_rng(6)
    draws = lambda cell: generator.normal(0, 0.005) + 0.3 * (generator.random() < 0.5)  # noqa: E731
    found = [decide(draws, 1, 16, 0.03)[0] for _ in range(50)]
    assert found.count(Verdict.BIMODAL) >= 45
    assert Verdict.SLOWER not in found


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ((0.2, 0.5), Verdict.SLOWER),
        ((0.05, 0.15), Verdict.SLOWER),
        ((0.0, 0.15), Verdict.BIMODAL),
        ((-0.1, 0.15), Verdict.BIMODAL),
    ],
)
def test_two_groups_that_are_both_slower_are_slower(groups, said):
    near = [-0.025, -0.01, 0.0, 0.01, 0.025]  # of the group at 5 % some pairs are within the threshold, its mean is not
    course = Course(name="one", explored=[group + 0.5 * each for group in groups for each in near])
    course.verdict = Verdict.SLOWER
    conclude(course, 0.03)
    assert course.verdict is said


def test_an_open_cell_says_how_far_it_came():
    course = Course(name="one", explored=[0.0, 0.1, -0.1])
    conclude(course, 0.03)
    assert (course.verdict, course.reason) == (
        Verdict.UNRESOLVED,
        "the budget ended after 3 pairs of processes",
    )


def test_few_normal_samples_look_bimodal():
    generator = np.random.default_rng(7)
    for pairs in (8, 12, 20):
        wrong = sum(groups(generator.normal(0, SPREAD, pairs)) is not None for _ in range(1000))
        assert wrong <= 40


def test_the_interval_is_students():
    values = [0.01, 0.03, 0.02, 0.05, -0.01]
    expected = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert np.log(Estimate.of(values).interval()) == pytest.approx(expected)


def test_the_p_value_is_that_of_a_t_test_against_the_threshold():
    values = [0.04, 0.05, 0.045, 0.06, 0.05]
    expected = 2 * stats.ttest_1samp(values, math.log1p(0.03), alternative="greater").pvalue
    assert Estimate.of(values).beyond(0.03) == pytest.approx(expected)


def test_false_discovery_control_is_stricter_in_a_larger_matrix():
    suspect, plain = Estimate(mean=0.06, error=0.011, pairs=8), Estimate(mean=0.0, error=0.004, pairs=8)
    assert flagged([suspect], 0.03) == [True]
    assert flagged([suspect] + [plain] * 29, 0.03)[0] is False


def test_nothing_is_said_before_enough_pairs():
    clear = Estimate(mean=0.5, error=0.001, pairs=4)
    assert flagged([clear], 0.03) == [False]
    assert not inside(Estimate(mean=0.0, error=0.0001, pairs=4), 0.03)
    assert not confirmed([0.5] * (LOOKS[0] - 1), 1, 0.03)
    assert confirmed([0.5, 0.51] * LOOKS[0], 1, 0.03)


def test_pairs_that_agree_more_closely_than_their_own_blocks_allow_are_not_called_the_same():
    agreeing = Estimate.of([0.0086, 0.0262, 0.02, 0.0218, 0.019])  # real ones: 5 % were planted
    assert inside(agreeing, 0.03)
    assert not inside(agreeing, 0.03, [0.014, 0.012, 0.009, 0.008, 0.008])
    assert inside(agreeing, 0.03, [0.004] * 5), "blocks that tell more than the pairs change nothing"


def test_a_visits_error_is_how_far_the_middle_of_its_blocks_strays():
    generator = np.random.default_rng(0)
    blocks = np.exp(generator.normal(0, 0.1, (2000, 2, 40)))
    found = np.array([block_ratio(*visit) for visit in blocks])
    assert found[:, 0].std() == pytest.approx(np.sqrt((found[:, 1] ** 2).mean()), rel=0.1)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.floats(-0.2, 0.2), min_size=5, max_size=20),
    st.floats(0.005, 0.2),
)
def test_slower_and_faster_swap_when_the_sides_do(values, threshold):
    there, back = Estimate.of(values), Estimate.of([-value for value in values])
    assert there.beyond(threshold) == pytest.approx(back.beyond(threshold))
    assert inside(there, threshold) == inside(back, threshold)
    assert not (inside(there, threshold) and flagged([there], threshold)[0])


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=20, max_size=20, unique=True))
def test_the_estimate_is_scipy_s_trimmed_mean_and_its_standard_error(values):
    estimate = Estimate.of(values)
    assert estimate.mean == pytest.approx(stats.trim_mean(values, 0.1), abs=1e-12)
    assert estimate.error == pytest.approx(float(stats.mstats.trimmed_stde(values, limits=(0.1, 0.1))), rel=1e-6)
    assert estimate.pairs == 16


def test_two_disturbed_pairs_of_twenty_six_do_not_hide_a_slowdown():
    generator = np.random.default_rng(6)
    ratios = generator.normal(math.log(1.05), SPREAD, 26)
    ratios[[4, 17]] = -0.4
    assert confirmed(ratios.tolist(), 1, 0.03)
    assert np.mean(ratios) < math.log(1.03)


@given(st.floats(0.0005, 0.05), st.integers(5, 40))
def test_what_is_detectable_is_above_the_threshold(error, pairs):
    assert Estimate(mean=0.0, error=error, pairs=pairs).detectable(0.03) > 0.03


def test_the_end_of_the_budget_is_one_more_look():
    fresh = [0.06, 0.065, 0.062, 0.058, 0.061, 0.06, 0.063]
    assert not confirmed(fresh[:5], 1, 0.03)
    assert confirmed(fresh[:5], 1, 0.03, last=True)
    assert not confirmed(fresh[:4], 1, 0.03, last=True)
    course = Course(name="one", explored=[0.06] * 5, fresh=fresh[:5], sign=1)
    conclude(course, 0.03)
    assert course.verdict is Verdict.SLOWER


def test_fresh_pairs_that_lie_inside_overrule_the_flag():
    course = Course(
        name="one", explored=[0.06, 0.07, 0.05, 0.06, 0.07], fresh=[0.001, -0.002, 0.0, 0.002, 0.001], sign=1
    )
    settle([course], 0.03)
    assert course.verdict is Verdict.SAME


@pytest.mark.parametrize(("slower", "counted"), [(0.06, 6), (1.3, 11)])
def test_the_interval_leaves_out_the_pairs_that_flag_a_cell_unless_they_had_to(slower, counted):
    course = Course(name="one")
    for number in range(11):
        course.put((slower + 0.01 * (number % 3 - 1), 0.0), confirms=bool(course.sign))
        settle([course], 0.03)
    assert (course.verdict, len(course.explored)) == (Verdict.SLOWER, 5)
    assert course.estimate() == Estimate.of(course.all_ratios[-counted:])


def test_looking_once_more_at_the_end_raises_no_more_alarms_at_the_threshold():
    generator = np.random.default_rng(8)
    edge = math.log1p(0.03)
    found = [decide(lambda cell: generator.normal(edge, SPREAD), 1, 21, 0.03)[0] for _ in range(300)]
    assert found.count(Verdict.SLOWER) <= 0.05 * len(found)


@pytest.mark.parametrize("mean", [0.0, 0.015, 0.045])
def test_as_many_pairs_as_it_says_mostly_tell(mean):
    generator = np.random.default_rng(9)
    told = 0
    for _ in range(100):
        pairs = pairs_needed(mean + SPREAD * np.tile([-1.2, -0.5, 0, 0.5, 1.2], 3), 0.03)
        drawn = generator.normal(mean, SPREAD, pairs)
        told += inside(Estimate.of(drawn), 0.03) or confirmed(drawn.tolist(), 1, 0.03, last=True)
    assert told >= 70


def test_on_the_threshold_no_number_of_pairs_is_promised():
    values = math.log1p(0.03) + np.array([-0.02, 0.02, -0.01, 0.01, 0.0])
    assert pairs_needed(values.tolist(), 0.03) is None
    assert LOOKS[-1] <= MOST_PAIRS

"""Intervals agree with published values, keep their laws, and cover as often as they claim."""

from math import comb, isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.shared.intervals import (
    Benchmark,
    benchmark_tier,
    distinguishable,
    holm,
    log_ratio,
    newcombe,
    sign_test,
    wilson,
)

BENCHMARKS = [
    Benchmark("best-in-class", 0.40, inclusive=False),
    Benchmark("good", 0.25),
    Benchmark("average", 0.13),
    Benchmark("misaligned", 0.05),
    Benchmark("broken handoff", 0.0),
]


@st.composite
def shares(draw, most=5000):
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


# --- one rate: Newcombe 1998, Stat. Med. 17:857, table I, method 3 ---
@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_rate_is_the_published_one(k, n, low, high):
    assert [round(end, 4) for end in wilson(k, n)] == [low, high]


def test_ten_of_forty_is_anything_from_14_to_40_percent():
    assert [round(end, 2) for end in wilson(10, 40)] == [0.14, 0.40]


@pytest.mark.parametrize(("k", "n"), [(0, 0), (1, 0), (3, 2), (-1, 5), (0, -1)])
def test_a_rate_without_denominator_or_above_one_has_no_interval(k, n):
    with pytest.raises(ValueError, match="is not a share"):
        wilson(k, n)


@given(shares())
def test_the_interval_holds_the_rate_and_stays_within_0_and_1(share):
    low, high = wilson(*share)
    assert 0 <= low <= share[0] / share[1] <= high <= 1
    assert low < high


@given(shares())
def test_counting_the_others_mirrors_the_interval(share):
    k, n = share
    (low, high), (other_low, other_high) = wilson(k, n), wilson(n - k, n)
    assert isclose(low, 1 - other_high, abs_tol=1e-12)
    assert isclose(high, 1 - other_low, abs_tol=1e-12)


@given(shares())
def test_one_more_accepted_lead_raises_both_ends(share):
    k, n = share
    if k < n:
        assert wilson(k, n)[0] < wilson(k + 1, n)[0]
        assert wilson(k, n)[1] < wilson(k + 1, n)[1]


@given(shares(), st.integers(2, 50))
def test_the_same_rate_on_more_leads_is_surer(share, times):
    k, n = share
    low, high = wilson(k, n)
    more_low, more_high = wilson(k * times, n * times)
    assert more_high - more_low < high - low


def test_95_percent_intervals_hold_the_truth_95_times_in_100_on_average():
    n = 50
    ends = [wilson(k, n) for k in range(n + 1)]
    grid = [i / 1000 for i in range(1, 1000)]

    def coverage(p):
        held = (k for k, (low, high) in enumerate(ends) if low <= p <= high)
        return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in held)

    assert 0.94 <= sum(map(coverage, grid)) / len(grid) <= 0.96


@pytest.mark.parametrize("n", [40, 120, 600])
def test_simulated_rates_of_any_size_lie_in_their_interval_95_times_in_100(n):
    chance = np.random.default_rng(1927)
    truth = chance.uniform(0, 1, 60_000)
    low, high = np.array([wilson(k, n) for k in range(n + 1)]).T
    seen = chance.binomial(n, truth)
    assert 0.94 <= np.mean((low[seen] <= truth) & (truth <= high[seen])) <= 0.96


# --- change: Newcombe 1998, Stat. Med. 17:873, table II, method 10 (his difference is first minus second) ---
@pytest.mark.parametrize(
    ("k1", "n1", "k2", "n2", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_change_is_the_published_one(k1, n1, k2, n2, low, high):
    change = newcombe(k2, n2, k1, n1)
    assert isclose(change.difference, k1 / n1 - k2 / n2)
    assert [round(change.low, 4), round(change.high, 4)] == [low, high]


@pytest.mark.parametrize(("n", "m"), [(40, 40), (50, 90)])
def test_simulated_changes_of_any_size_lie_in_their_interval_95_times_in_100(n, m):
    chance = np.random.default_rng(1998)
    before, after = chance.uniform(0, 1, (2, 60_000))
    ends = np.array([[newcombe(k, n, j, m)[1:] for j in range(m + 1)] for k in range(n + 1)])
    low, high = ends[chance.binomial(n, before), chance.binomial(m, after)].T
    assert 0.94 <= np.mean((low <= after - before) & (after - before <= high)) <= 0.96


def test_a_change_is_noise_while_its_interval_holds_zero():
    assert newcombe(60, 200, 66, 200).is_noise
    assert not newcombe(48, 80, 56, 70).is_noise


@given(shares(), shares())
def test_a_change_holds_its_difference_and_turns_its_sign_when_read_backwards(before, after):
    there, back = newcombe(*before, *after), newcombe(*after, *before)
    assert -1 <= there.low <= there.difference <= there.high <= 1
    assert isclose(there.low, -back.high, abs_tol=1e-12)
    assert there.is_noise == back.is_noise


@given(shares())
def test_nothing_changed_is_always_noise(share):
    assert newcombe(*share, *share).is_noise


# --- lift ---
def test_the_interval_of_a_lift_is_the_published_one():
    """Physicians' Health Study: heart attacks under placebo and aspirin, ratio 1.82 (1.43 to 2.31); Agresti 2002."""
    lift = log_ratio(189, 11034, 104, 11037)
    assert [round(part, 2) for part in lift] == [1.82, 1.43, 2.31]
    assert not lift.is_noise


def test_a_rule_that_never_met_an_accepted_lead_still_has_an_upper_bound():
    lift = log_ratio(0, 40, 100, 400)
    assert lift.ratio == lift.low == 0
    assert 0 < lift.high < 1
    assert log_ratio(5, 40, 0, 400) is None


@given(shares(), shares())
def test_a_lift_holds_its_ratio_and_is_never_below_zero(with_rule, without):
    lift = log_ratio(*with_rule, *without)
    if lift is not None:
        assert 0 <= lift.low <= lift.ratio <= lift.high
        assert lift.low < lift.high


# --- top reason ---
@given(st.integers(0, 400), st.integers(0, 400))
def test_the_sign_test_is_the_exact_binomial_one(a, b):
    more, fewer = max(a, b), min(a, b)
    exact = min(1, 2 * sum(comb(more + fewer, k) for k in range(more, more + fewer + 1)) / 2 ** (more + fewer))
    assert isclose(sign_test(more, fewer), exact, rel_tol=1e-9)


def test_six_against_none_are_told_apart_and_five_are_not():
    assert distinguishable(6, 0, 6)  # p = 2 / 64
    assert not distinguishable(5, 0, 5)  # p = 2 / 32


def test_two_reasons_close_together_are_two_candidates():
    assert not distinguishable(31, 24, 90)
    assert distinguishable(60, 24, 120)
    assert not distinguishable(0, 0, 0)


def test_a_very_large_month_is_judged_without_overflow():
    assert distinguishable(51_000, 49_000, 100_000)
    assert not distinguishable(50_100, 49_900, 100_000)


@pytest.mark.parametrize(("top", "second", "n"), [(3, 4, 10), (6, 5, 10), (3, -1, 10)])
def test_reasons_that_cannot_be_the_two_most_frequent_are_refused(top, second, n):
    with pytest.raises(ValueError, match="not the two largest"):
        distinguishable(top, second, n)


# --- benchmark ---
@pytest.mark.parametrize(
    ("value", "name"),
    [
        *[(0.41, "best-in-class"), (0.40, "good"), (0.25, "good"), (0.2499, "average"), (0.13, "average")],
        *[(0.05, "misaligned"), (0.0499, "broken handoff"), (0.0, "broken handoff"), (1.2, "best-in-class")],
    ],
)
def test_a_rate_without_interval_has_the_tier_of_its_value(value, name):
    assert benchmark_tier(None, None, value, BENCHMARKS) == name


def test_an_interval_that_crosses_a_border_names_both_tiers():
    assert benchmark_tier(*wilson(10, 40), 0.25, BENCHMARKS) == "average to best-in-class"
    assert benchmark_tier(0.2, 0.3, 0.25, BENCHMARKS) == "average to good"
    assert benchmark_tier(0.26, 0.39, 0.3, BENCHMARKS) == "good"


def test_many_tests_at_once_are_held_to_what_holm_published():
    """Holm (1979), the step-down of his procedure: the smallest times m, the next times m - 1, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []

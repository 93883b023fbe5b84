"""What data can tell and what a definition promises: textbook numbers, and cover on simulated years."""

import numpy as np
import pytest

from leads.calibration import forecast, power


def test_the_forecast_holds_what_happens_in_simulated_years_as_often_as_it_says():
    rng, kept = np.random.default_rng(2026), []
    for _ in range(300):
        rate, seen, mean, like = rng.beta(2, 5), int(rng.integers(60, 600)), rng.uniform(20, 200), rng.uniform(5, 50)
        before = rng.negative_binomial(like, like / (like + mean), 12).tolist()
        accepted, volume = int(rng.binomial(seen, rate)), forecast.volume_of(before)
        for m in rng.negative_binomial(like, like / (like + mean), 12).tolist():
            kept.append([forecast.accepted_of(m, accepted, seen).holds(rng.binomial(m, rate)), volume.holds(m)])
    covered = np.mean(kept, axis=0)
    assert 0.945 < covered[0] < 0.985, "acceptance: whole leads, so a little more than 95 %"
    assert 0.925 < covered[1] < 0.98, "volume"


def test_the_interval_of_the_parameter_alone_would_be_too_narrow():
    certain, uncertain = forecast.accepted_of(100, 30_000, 100_000), forecast.accepted_of(100, 30, 100)
    assert (certain.low, certain.high) == (21, 39), "binomial, 100 at 30 %"
    assert uncertain.low < certain.low < certain.high < uncertain.high


def test_of_leads_never_shown_nobody_guesses():
    known, half = forecast.rate_of(200, 60, 200), forecast.rate_of(200, 60, 200, unknown=0.5)
    assert half.expected == known.expected
    assert (half.low, half.high) == (known.low / 2, known.high / 2 + 0.5)


def test_a_month_without_leads_and_one_month_alone_are_forecast_too():
    assert forecast.accepted_of(0, 3, 10) == (0, 0, 0)
    assert forecast.volume_of([0, 0, 0]).holds(0)
    assert forecast.volume_of([40]).holds(30)
    with pytest.raises(ValueError, match="No month"):
        forecast.volume_of([])


def test_a_change_needs_as_many_leads_as_the_textbook_says():
    """Fleiss (1981), table A.3 without continuity correction: 60 % to 70 %, 80 % power, 356 in each group."""
    assert power.leads_to_judge(0.6, 0.7, 356) == pytest.approx(356, abs=1)
    assert power.leads_to_judge(0.6, 0.7, 100) is None, "too few were seen before"
    assert power.leads_to_judge(0.3, 0.3, 500) is None


def test_an_effect_of_the_size_named_is_found_four_times_in_five():
    n, share, rate = 600, 0.3, 0.2
    odds = power.detectable_odds(n, round(n * rate), share)
    low, high = 0.0, rate  # the rate without the fact that gives this odds ratio
    for _ in range(60):
        without = (low + high) / 2
        with_it = (rate - (1 - share) * without) / share
        low, high = (without, high) if with_it / (1 - with_it) / (without / (1 - without)) > odds else (low, without)
    rng, found = np.random.default_rng(5), 0
    for _ in range(3000):
        has = rng.random(n) < share
        won = rng.random(n) < np.where(has, with_it, without)
        a, b, c, d = (won & has).sum(), (~won & has).sum(), (won & ~has).sum(), (~won & ~has).sum()
        found += abs(np.log(a * d / (b * c))) > 1.96 * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    assert 0.75 < found / 3000 < 0.85


def test_with_few_won_only_large_effects_show_and_with_many_rules_larger_ones_still():
    one, ten = power.detectable_odds(360, 64, 0.5), power.detectable_odds(360, 64, 0.5, tests=10)
    assert 2 < one < 2.5 < ten < 3.2
    assert power.detectable_odds(360, 64, 0.5) > power.detectable_odds(3600, 640, 0.5)
    assert power.detectable_odds(12, 3, 0.5) is None, "no effect whatever would show"
    assert power.detectable_odds(360, 0, 0.5) is None

"""Control limits against the formula worked by hand, and their false alarms by simulation."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.shared import control

months = st.lists(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=24)


def test_limits_are_three_standard_errors_around_the_average():
    chart = control.p_chart([(20, 100), (30, 100), (25, 100)])
    assert chart.average == 0.25
    assert chart.months[0][1:] == pytest.approx((0.25 - 3 * 0.0433013, 0.25 + 3 * 0.0433013), abs=1e-6)
    assert not any(month.is_signal for month in chart.months)


def test_a_month_far_off_is_a_signal():
    chart = control.p_chart([(50, 200)] * 11 + [(90, 200)])
    assert [month.is_signal for month in chart.months] == [False] * 11 + [True]


def test_a_month_out_of_nothing_has_no_limits():
    chart = control.p_chart([(0, 0), (5, 50)])
    assert (chart.months[0], chart.average) == (None, 0.1)
    assert control.p_chart([(0, 0)]) is None


def test_more_events_than_leads_are_refused():
    with pytest.raises(ValueError, match="no more events"):
        control.p_chart([(3, 2)])


def test_false_alarms_come_at_the_nominal_rate():
    """An unchanged process: 0.27 % lie beyond 3 standard errors; fewer here, as a month is part of its average."""
    chance = random.Random(20261122)
    histories = [[(chance.binomialvariate(300, 0.2), 300) for _ in range(12)] for _ in range(2000)]
    charts = [control.p_chart(history) for history in histories]
    alarms = sum(month.is_signal for chart in charts for month in chart.months)
    assert 0.0008 <= alarms / 24_000 <= 0.0027
    assert 0.02 <= sum(chart.is_overdispersed for chart in charts) / 2000 <= 0.08


def test_over_long_histories_false_alarms_come_as_often_as_three_standard_errors_say():
    """0.27 %, where a month hardly moves the average and a rate is nearly normal."""
    chance = np.random.default_rng(1931)
    histories = chance.binomial(4000, 0.3, (60, 1000)).tolist()
    charts = [control.p_chart([(k, 4000) for k in history]) for history in histories]
    alarms = sum(month.is_signal for chart in charts for month in chart.months)
    assert 0.0022 <= alarms / 60_000 <= 0.0032


def test_months_that_differ_by_more_than_chance_get_wider_limits():
    chance = random.Random(7)
    levels = [0.2 + chance.gauss(0, 0.06) for _ in range(24)]
    history = [(round(2000 * level), 2000) for level in levels]
    chart = control.p_chart(history)
    assert chart.is_overdispersed
    assert sum(month.is_signal for month in chart.months) <= 1


@given(months)
def test_limits_hold_the_average_and_stay_within_nought_and_one(history):
    chart = control.p_chart(history)
    for month in filter(None, chart.months if chart else ()):
        assert 0 <= month.low <= chart.average <= month.high <= 1


def test_sizes_of_two_samples_as_published():
    """Fleiss, table A.3 without the continuity correction: 0.25 against 0.40, 5 % and 80 %: 152 in each."""
    assert control.sample_size(0.25, 0.15) == 152
    assert control.sample_size(0.40, -0.15) == 152


def test_no_change_is_never_seen():
    with pytest.raises(ValueError, match="A change"):
        control.sample_size(0.2, 0.0)

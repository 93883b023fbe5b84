"""Kaplan-Meier against a published example, and its laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.shared.survival import kaplan_meier

cases = st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=60)
# Freireich et al. (1963), weeks of remission under 6-MP; the example of Cox and of most textbooks
HAPPENED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
OPEN = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_the_textbook_s_remission_times():
    curve = kaplan_meier([(t, True) for t in HAPPENED] + [(t, False) for t in OPEN])
    steps = {step.at: round(step.waiting, 4) for step in curve.steps}
    assert steps == {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    assert [step.at_risk for step in curve.steps] == [21, 17, 15, 12, 11, 7, 6]
    assert curve.quantile(0.5) == 23
    assert (curve.n, curve.censored) == (21, 12)
    low, high = curve.waiting_after(10)[2:4]
    assert (low, high) == pytest.approx((0.503, 0.889), abs=0.001)  # as R's survfit, conf.type = "log-log"


def test_before_the_first_event_all_are_waiting_and_later_the_last_step_holds():
    curve = kaplan_meier([(5, True), (8, False)])
    assert curve.waiting_after(4) is None
    assert curve.waiting_after(100).waiting == 0.5


def test_a_median_beyond_the_data_is_not_guessed():
    assert kaplan_meier([(5, True), (8, False), (9, False)]).quantile(0.5) is None


def test_a_negative_wait_is_refused():
    with pytest.raises(ValueError, match="less than no time"):
        kaplan_meier([(-1, True)])


@given(cases)
def test_the_curve_only_falls_and_lies_in_its_interval(some):
    waiting = 1.0
    for step in kaplan_meier(some).steps:
        assert 0 <= step.low <= step.waiting <= step.high <= 1
        assert step.waiting <= waiting
        waiting = step.waiting


@given(st.lists(st.integers(0, 60), min_size=1, max_size=60))
def test_without_open_cases_it_is_the_plain_share(times):
    curve = kaplan_meier([(time, True) for time in times])
    for step in curve.steps:
        assert step.waiting == pytest.approx(sum(time > step.at for time in times) / len(times))

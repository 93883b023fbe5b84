"""Discrimination and calibration on leads that were held out: against the long way, and against planted truth."""

import numpy as np
import pytest

from leads.calibration import validation


def pairs(scores, labels):
    """How often a won lead has more points than a lost one, pair by pair; a tie is half."""
    won, lost = scores[labels], scores[~labels]
    return ((won[:, None] > lost).mean() + (won[:, None] == lost).mean() / 2).item()


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 8, 300), rng.random(300) < 0.3
    assert validation.area(scores, labels).value == pytest.approx(pairs(scores, labels))


def test_the_intervals_hold_the_true_area_and_the_true_difference_as_often_as_they_say():
    rng, held = np.random.default_rng(2), []
    weights, truth = np.array([[1.0, 0.3], [0.2, 0.2]]), []
    labels = rng.random(400_000) < 0.3
    both = rng.normal(size=(400_000, 2)) + labels[:, None]
    truth = [validation.area(both @ row, labels).value for row in weights]
    for start in range(0, 400_000, 1000):
        own = slice(start, start + 1000)
        found = validation.compare(both[own] @ weights[0], both[own] @ weights[1], labels[own])
        held.append([found.new.low <= truth[0] <= found.new.high,
                     found.difference.low <= truth[0] - truth[1] <= found.difference.high])  # fmt: skip
    assert np.abs(np.mean(held, axis=0) - 0.95).max() < 0.033


def test_one_score_against_itself_differs_by_nothing():
    rng = np.random.default_rng(3)
    scores, labels = rng.normal(size=200), rng.random(200) < 0.5
    assert validation.compare(scores, scores, labels).difference == (0, 0, 0)


def test_without_both_outcomes_there_is_no_area():
    with pytest.raises(ValueError, match="same outcome"):
        validation.area(np.arange(5), np.ones(5))


def test_points_as_a_chance_are_calibrated():
    rng = np.random.default_rng(4)
    points = rng.integers(-20, 60, 20_000)
    labels = rng.random(20_000) < 1 / (1 + np.exp(-(-2 + 0.05 * points)))
    chance = validation.chance_of(points[:10_000], labels[:10_000])
    assert chance.slope == pytest.approx(0.05, abs=0.005)
    groups = validation.calibration(chance(points[10_000:]), labels[10_000:])
    assert sum(group.n for group in groups) == 10_000
    assert sum(group.low <= group.promised <= group.high for group in groups) >= len(groups) - 2


def test_points_that_say_nothing_promise_everybody_the_same():
    chance = validation.chance_of(np.full(40, 7), np.array([1] * 10 + [0] * 30))
    assert chance(np.array([7, 100])) == pytest.approx([0.25, 0.25], abs=0.02)


def test_later_months_are_held_out_at_least_a_third_of_the_leads():
    months = np.repeat([202601, 202602, 202603, 202604], [50, 20, 20, 10])
    assert np.unique(months[validation.later(months)]).tolist() == [202602, 202603, 202604]
    assert validation.later(np.repeat([202601, 202602], [5, 95])).sum() == 95, "never all of them"
    assert validation.later(np.full(9, 202601)) is None


def test_a_draw_can_be_repeated_and_depends_on_the_seed():
    ids = [f"lead-{i}" for i in range(300)]
    held = validation.drawn(ids, "a")
    assert held.sum() == 100
    assert (held == validation.drawn(ids, "a")).all()
    assert (held != validation.drawn(ids, "b")).any()
    backwards = validation.drawn(ids[::-1], "a")
    assert (held[::-1] == backwards).all(), "whatever order they come in"

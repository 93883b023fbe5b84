"""Weights from what became of leads: planted truth is covered, useless rules get no points, signs are kept."""

import numpy as np
import pytest

from leads.calibration import fit, points

TRUTH = np.array([1.5, 1.0, 0.7, 0.4, -0.8, 0, 0, 0, 0, 0])
SHARES = np.array([0.1, 0.3, 0.5, 0.2, 0.3, 0.15, 0.5, 0.05, 0.3, 0.2])
KEYS = [f"rule-{place}" for place in range(len(TRUTH))]


def history(rng, size, intercept=-1.5, truth=TRUTH, shares=SHARES):
    """Leads with rules that fire with these shares, and what became of them under the planted weights."""
    rows = (rng.random((size, len(truth))) < shares).astype(np.uint16) * fit.UNIT
    chance = 1 / (1 + np.exp(-(intercept + rows / fit.UNIT @ truth)))
    return rows, rng.random(size) < chance


@pytest.mark.parametrize(("size", "intercept"), [(400, -2.0), (1000, -1.5), (5000, -1.5)])
def test_the_intervals_hold_the_planted_weights_as_often_as_they_say(size, intercept):
    rng, held, times = np.random.default_rng(2026), [], 200
    for _ in range(times):
        table = fit.aggregate(*history(rng, size, intercept))
        known = fit.estimable(table)
        found = fit.unbiased(table.only(known))
        held += (np.abs(found.weights - TRUTH[known]) <= 1.96 * found.errors).tolist()
    error = (0.95 * 0.05 / len(held)) ** 0.5  # of the simulation
    assert abs(np.mean(held) - 0.95) < 4 * error + 0.005


def test_decayed_activations_are_covered_too():
    rng, held, truth = np.random.default_rng(7), [], np.array([1.2, 0.0, 0.6])
    for _ in range(150):
        rows = rng.integers(0, fit.UNIT + 1, (1500, 3)).astype(np.uint16)
        labels = rng.random(1500) < 1 / (1 + np.exp(-(-1 + rows / fit.UNIT @ truth)))
        found = fit.unbiased(fit.aggregate(rows, labels))
        held += (np.abs(found.weights - truth) <= 1.96 * found.errors).tolist()
    assert 0.92 < np.mean(held) < 0.98


def test_no_useless_rule_gets_points_but_in_one_history_of_twenty():
    rng, wrong, found = np.random.default_rng(11), 0, np.zeros(len(TRUTH))
    for _ in range(200):
        weights, _ = points.weigh(fit.aggregate(*history(rng, 2000)), KEYS, {}, most=30)
        given = np.array([weight.points for weight in weights])
        wrong += bool(given[TRUTH == 0].any())
        found += given / 200
    assert wrong / 200 <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5
    assert np.abs(found[:5] - TRUTH[:5] / 1.5 * 30).max() < 2


def test_the_penalised_fit_is_where_its_slope_is_nothing():
    rows, labels = history(np.random.default_rng(3), 800)
    table, x = fit.aggregate(rows, labels), rows / fit.UNIT
    found = fit.penalised(table, penalty=2.0)
    chance = 1 / (1 + np.exp(-(found.intercept + x @ found.weights)))
    assert np.allclose(x.T @ (labels - chance), 2.0 * found.weights, atol=1e-4)
    assert np.isclose((labels - chance).sum(), 0, atol=1e-4)


def test_a_weight_never_crosses_the_sign_that_the_business_set():
    rows, labels = history(np.random.default_rng(5), 900)
    table, signs = fit.aggregate(rows, labels), [-1, 1, 1, 1, 1, 1, -1, 1, -1, 0]
    found = fit.penalised(table, signs)
    assert (found.weights * signs >= 0).all()
    assert found.weights[0] == found.weights[4] == 0
    x = rows / fit.UNIT
    slope = x.T @ (labels - 1 / (1 + np.exp(-(found.intercept + x @ found.weights)))) - found.weights
    at_nothing = found.weights == 0
    assert np.allclose(slope[~at_nothing], 0, atol=1e-4)
    assert (slope[at_nothing] * np.array(signs)[at_nothing] <= 1e-4).all(), "no other weights do better"


def test_what_separates_won_from_lost_still_has_an_end():
    rows = np.repeat(np.array([[1000], [0]], dtype=np.uint16), [20, 80], axis=0)
    labels = np.array([1] * 20 + [0] * 60 + [1] * 20)
    found = fit.unbiased(fit.aggregate(rows, labels))
    assert 0 < found.weights[0] < 10
    assert found.weights[0] - 1.96 * found.errors[0] < 3


def test_identical_leads_are_one_row_and_change_no_answer():
    rows, labels = history(np.random.default_rng(8), 3000, truth=TRUTH[:4], shares=SHARES[:4])
    table = fit.aggregate(rows, labels)
    assert len(table.n) <= 16
    assert (table.n.sum(), table.ones.sum()) == (3000, labels.sum())
    alone = fit.Table(rows, np.ones(3000), labels.astype(float))
    assert np.allclose(fit.unbiased(table).weights, fit.unbiased(alone).weights, atol=1e-6)
    assert np.allclose(fit.penalised(table).weights, fit.penalised(alone).weights, atol=1e-6)


def test_a_rule_that_never_or_always_fires_or_repeats_another_is_named_and_gets_no_points():
    rows, labels = history(np.random.default_rng(9), 2000, truth=TRUTH[:3], shares=SHARES[:3])
    never, always = np.zeros((2000, 1), np.uint16), np.full((2000, 1), 1000, np.uint16)
    weights, _ = points.weigh(
        fit.aggregate(np.hstack([rows, never, always, rows[:, :1]]), labels), list("abcdef"), {}, most=20
    )
    assert [weight.verdict for weight in weights] == [*["shown"] * 3, "constant", "constant", "same"]
    assert [weight.points for weight in weights[3:]] == [0, 0, 0]


def test_a_rule_that_the_data_turn_round_is_named_and_gets_no_points():
    weights, _ = points.weigh(fit.aggregate(*history(np.random.default_rng(4), 4000)), KEYS, {"rule-4": 1}, most=30)
    assert (weights[4].verdict, weights[4].points) == ("against", 0)


def test_labels_that_are_all_alike_are_refused():
    rows, _ = history(np.random.default_rng(1), 50)
    for labels in (np.zeros(50), np.ones(50)):
        with pytest.raises(fit.NoAnswer):
            fit.penalised(fit.aggregate(rows, labels))


def test_the_strongest_rule_gets_the_most_points_and_a_shown_rule_at_least_one():
    weights, _ = points.weigh(fit.aggregate(*history(np.random.default_rng(6), 60_000)), KEYS, {}, most=3)
    given = [weight.points for weight in weights]
    assert (max(given), given[4]) == (3, -2)
    assert all(abs(weight.points) >= 1 for weight in weights if weight.verdict == "shown")


def test_a_threshold_moves_to_the_new_scale_with_as_many_leads():
    before = np.array([0, 10, 20, 30, 40, 50])
    after = np.array([0, 3, 1, 7, 9, 8])
    assert points.threshold_of_equal_volume(before, after, 30) == 7
    assert points.threshold_of_equal_volume(before, after, 60) == 10
    assert points.threshold_of_equal_volume(before, np.array([0, 0, 5, 5, 5, 5]), 40) == 6, "of two the higher one"

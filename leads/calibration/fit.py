"""Weights of rules from what became of leads: a penalised logistic regression with signs; numpy alone, no Django.

Two fits of one model, log odds = intercept + Σ weight × activation, with activations between 0 and 1:

- `penalised` is what points are made of: ridge (S. le Cessie and J. C. van Houwelingen, Applied Statistics 41 (1992)
  191-201) with a sign for each rule where the business says so. Each step solves the quadratic model of the
  likelihood exactly under the signs (the active set of R. Bro and S. de Jong, J. Chemometrics 11 (1997) 393-401) and
  is shortened until it helps. The intercept carries no penalty.
- `unbiased` is what intervals are made of: Jeffreys' prior (D. Firth, Biometrika 80 (1993) 27-38; finite where the
  data separate, G. Heinze and M. Schemper, Statistics in Medicine 21 (2002) 2409-2419), no signs, Wald intervals. A
  ridge estimate is pulled towards 0, so an interval around it would not hold the truth as often as it says.

Identical rows are one row with counts, and activations are whole thousandths, so that 200,000 handoffs × 40 rules are
16 MB and nothing larger is ever made of them than a block of `BLOCK` rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNIT = 1000  # an activation of 1
BLOCK = 16_384
PENALTY = 1.0  # as if the weights of rules were drawn from a normal distribution around 0 with variance 1
CLOSE, MOST_STEPS = 1e-9, 100
ALIASED = 1e-7  # of a rule's variance, what others have to leave of it


class NoAnswer(ValueError):
    """The data hold no label of one kind, so there is nothing to tell apart."""


@dataclass(frozen=True)
class Table:
    """Distinct rows of activations (m × k, uint16 thousandths), how many leads each stands for, how many of them 1."""

    rows: np.ndarray
    n: np.ndarray
    ones: np.ndarray

    @property
    def width(self) -> int:
        return self.rows.shape[1]

    def only(self, places: Sequence[int]) -> "Table":
        """The same leads with some of the rules."""
        return aggregate(np.ascontiguousarray(self.rows[:, list(places)]), self.ones, self.n)

    def blocks(self):
        """(activations with a leading 1 for the intercept, n, ones) as floats, block by block."""
        for start in range(0, len(self.n), BLOCK):
            part = self.rows[start : start + BLOCK]
            x = np.empty((len(part), self.width + 1))
            x[:, 0] = 1
            np.divide(part, UNIT, out=x[:, 1:])
            yield x, self.n[start : start + BLOCK], self.ones[start : start + BLOCK]


@dataclass(frozen=True)
class Fitted:
    """Intercept and weights (k), on the scale of log odds; covariance of both together ((k + 1) × (k + 1))."""

    intercept: float
    weights: np.ndarray
    covariance: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of the weights."""
        return np.sqrt(np.diag(self.covariance)[1:])


def aggregate(rows: np.ndarray, labels: np.ndarray, n: np.ndarray | None = None) -> Table:
    """One row for all that are equal. rows: uint16 thousandths; labels: 0 or 1 (or counts of 1 among `n`)."""
    labels = np.asarray(labels, dtype=np.float64)
    n = np.ones(len(rows)) if n is None else np.asarray(n, dtype=np.float64)
    if not rows.shape[1]:
        return Table(rows[:1], np.array([n.sum()]), np.array([labels.sum()]))
    mixed = rows.astype(np.uint64) @ np.random.default_rng(1).integers(1, 2**63, rows.shape[1], dtype=np.uint64)
    _, first, place = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(rows[first][place], rows):  # two rows with one number: never seen, so it may be slow
        _, first, place = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    place, size = place.reshape(-1), len(first)
    return Table(rows[first], np.bincount(place, n, size), np.bincount(place, labels, size))


def estimable(table: Table) -> list[int]:
    """The rules that can be told apart: each fires on some leads and not on all, and is no sum of those before it."""
    total = sum(block_n.sum() for _, block_n, _ in table.blocks())
    sums = sum((x * block_n[:, None]).T @ x for x, block_n, _ in table.blocks())
    means = sums[0, 1:] / total
    spread = sums[1:, 1:] / total - np.outer(means, means)
    kept: list[int] = []
    for rule in range(table.width):
        left = spread[rule, rule]
        if kept:
            among = spread[np.ix_(kept, kept)]
            left -= spread[rule, kept] @ np.linalg.solve(among, spread[kept, rule])
        if spread[rule, rule] > 1e-12 and left > ALIASED * spread[rule, rule]:
            kept.append(rule)
    return kept


# --- the penalised fit ------------------------------------------------------------------------------
def penalised(table: Table, signs: Sequence[int] | None = None, penalty: float = PENALTY) -> Fitted:
    """The ridge fit. signs: 1 where a weight may not be negative, -1 where it may not be positive, 0 where it is free.

    Raises NoAnswer where all labels are alike. The covariance is that of the free weights under the penalty.
    """
    signs = np.array([0, *(signs if signs is not None else [0] * table.width)])
    ridge = np.diag([0.0, *[penalty] * table.width])
    at = np.zeros(table.width + 1)
    at[0] = _log_odds(table)
    value, score, information = _look(table, at)
    value -= at @ ridge @ at / 2
    for _ in range(MOST_STEPS):
        step = _bounded(information + ridge, score - ridge @ at, at, signs) - at
        gain = (score - ridge @ at) @ step
        if gain < CLOSE:
            break
        at, value, score, information = _shortened(table, at, step, value, gain, ridge)
    return Fitted(float(at[0]), at[1:], np.linalg.inv(information + ridge))


def _shortened(table, at, step, value, gain, ridge):
    """The step, halved until the likelihood rises as it should; between two allowed points all is allowed."""
    share = 1.0
    while True:
        there = at + share * step
        found, score, information = _look(table, there)
        found -= there @ ridge @ there / 2
        if found >= value + 1e-4 * share * gain or share < 1e-9:
            return there, found, score, information
        share /= 2


def _bounded(curve, slope, at, signs):
    """Where the quadratic model at `at` is highest under the signs: gradient `slope`, curvature -`curve`."""
    wanted = slope + curve @ at
    free = (signs == 0) | (at * signs > 0)
    there = at.copy()
    for _ in range(10 * len(at)):
        there = _inside(curve, wanted, there, signs, free)
        pull = (wanted - curve @ there) * signs
        pull[free] = 0
        if pull.max() <= 1e-10 * max(1.0, np.abs(wanted).max()):
            break
        free[np.argmax(pull)] = True
    return there


def _inside(curve, wanted, there, signs, free):
    """The best point of the free weights; those that would cross 0 stop there and are free no more."""
    while True:
        best = np.zeros_like(there)
        best[free] = np.linalg.solve(curve[np.ix_(free, free)], wanted[free])
        crosses = free & (signs != 0) & (best * signs <= 0)
        if not crosses.any():
            return best
        way = there - best
        share = np.min(there[crosses] / np.where(way[crosses] == 0, np.inf, way[crosses]), initial=1.0)
        there = there - max(0.0, share) * way
        free &= ~(crosses & (there * signs <= 1e-14))
        there[~free] = 0


# --- the fit that intervals are made of -------------------------------------------------------------
def unbiased(table: Table) -> Fitted:
    """The fit with Jeffreys' prior and its covariance; rules have to be `estimable`. Raises as `penalised`."""
    at = np.zeros(table.width + 1)
    at[0] = _log_odds(table)
    value, score, inverse = _with_prior(table, at)
    for _ in range(MOST_STEPS):
        step = inverse @ score
        step *= min(1.0, 5.0 / np.abs(step).max()) if np.abs(step).max() else 1.0
        gain, share = score @ step, 1.0
        if gain < CLOSE:
            break
        while True:
            found = _with_prior(table, at + share * step)
            if found[0] >= value or share < 1e-6:
                break
            share /= 2
        at, (value, score, inverse) = at + share * step, found
    return Fitted(float(at[0]), at[1:], inverse)


def _with_prior(table, at):
    """(penalised log likelihood, modified score, inverse information) at a point."""
    value, score, information = _look(table, at)
    inverse = np.linalg.inv(information)
    for x, n, _ in table.blocks():
        p = _chance(x @ at)
        leverage = n * p * (1 - p) * np.einsum("ij,ij->i", x @ inverse, x)
        score += x.T @ (leverage * (0.5 - p))
    return value + np.linalg.slogdet(information)[1] / 2, score, inverse


def _look(table, at):
    """(log likelihood, score, information) at a point (intercept first)."""
    value, score, information = 0.0, np.zeros(len(at)), np.zeros((len(at), len(at)))
    for x, n, ones in table.blocks():
        odds = x @ at
        p = _chance(odds)
        value += ones @ odds - n @ np.logaddexp(0, odds)
        score += x.T @ (ones - n * p)
        information += (x * (n * p * (1 - p))[:, None]).T @ x
    return value, score, information


def _chance(odds):
    return 1 / (1 + np.exp(-np.clip(odds, -500, 500)))


def _log_odds(table):
    ones, n = table.ones.sum(), table.n.sum()
    if not 0 < ones < n:
        raise NoAnswer("All leads have the same outcome.")
    return np.log(ones / (n - ones))

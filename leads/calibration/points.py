"""From what became of leads to integer points: which rules the data show, and their points on a scale; no Django.

A rule is *shown* when its effect stands out from none among all rules that were tried at once: Holm's adjusted
p-value of Wald's test is at most `ALPHA`, so that a history gives points to any useless rule at all at most one time
in twenty. Only shown rules get points; these come from a penalised fit of the shown rules alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from statistics import NormalDist

import numpy as np

from leads.calibration import fit
from portal.shared.intervals import Z_95, holm

ALPHA, POWER = 0.05, 0.8
# what became of a rule: the data show it; show nothing; show the opposite of what the business says;
# it fired on no lead or on all; it fires on the very leads that rules before it tell already
SHOWN, NOT_SHOWN, AGAINST, CONSTANT, SAME = "shown", "not_shown", "against", "constant", "same"


@dataclass(frozen=True)
class Weight:
    """One rule's effect on the log odds when it fires in full, with its 95 % interval within the allowed side.

    sign: 1, -1 or 0 as in fit.penalised. fired: leads it fired on. adjusted: Holm's p-value. detectable: the odds
    ratio from which on an effect of this rule would be found four times in five. chosen: the weight that points are
    made of, 0 unless shown. Without an estimate (CONSTANT, SAME) the numbers are None.
    """

    key: str
    sign: int
    fired: int
    verdict: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    adjusted: float | None = None
    detectable: float | None = None
    chosen: float = 0.0
    points: int = 0


def weigh(
    table: fit.Table, keys: Sequence[str], signs: Mapping[str, int], *, penalty: float = fit.PENALTY, most: int = 0
) -> tuple[list[Weight], float]:
    """(a Weight for each rule in the order of `keys`, the intercept of the chosen fit). Raises fit.NoAnswer.

    most: the points of the strongest rule; 0 gives none.
    """
    fired = (table.n @ (table.rows > 0)).astype(int).tolist()
    known = fit.estimable(table)
    weights = [
        Weight(key, signs.get(key, 0), count, CONSTANT if count in (0, int(table.n.sum())) else SAME)
        for key, count in zip(keys, fired, strict=True)
    ]
    if known:
        for place, weight in zip(known, _tested(table.only(known), [weights[i] for i in known]), strict=True):
            weights[place] = weight
    shown = [place for place, weight in enumerate(weights) if weight.verdict == SHOWN]
    chosen = fit.penalised(table.only(shown), [weights[place].sign for place in shown], penalty)
    for place, weight in zip(shown, chosen.weights.tolist(), strict=True):
        weights[place] = replace(weights[place], chosen=weight)
    return _on_scale(weights, most), chosen.intercept


def _tested(table, weights):
    """The weights with estimate, interval, test and verdict."""
    found = fit.unbiased(table)
    estimates, errors = found.weights.tolist(), found.errors.tolist()
    adjusted = holm([2 * NormalDist().cdf(-abs(e / s)) for e, s in zip(estimates, errors, strict=True)])
    reach = NormalDist().inv_cdf(1 - ALPHA / 2 / len(weights)) + NormalDist().inv_cdf(POWER)
    for weight, estimate, error, p in zip(weights, estimates, errors, adjusted, strict=True):
        low, high = _allowed(estimate - Z_95 * error, estimate + Z_95 * error, weight.sign)
        verdict = NOT_SHOWN if p > ALPHA else AGAINST if estimate * weight.sign < 0 else SHOWN
        yield replace(
            weight, verdict=verdict, estimate=estimate, low=low, high=high, adjusted=p,
            detectable=exp(min(reach * error, 50)),
        )  # fmt: skip


def _allowed(low, high, sign):
    """The part of an interval that the business allows; all of it where no part is."""
    if sign > 0 and high > 0:
        return max(low, 0.0), high
    if sign < 0 and low < 0:
        return low, min(high, 0.0)
    return low, high


def _on_scale(weights, most):
    """The strongest rule gets `most` points, the others their share of it, rounded; a shown rule at least one."""
    strongest = max((abs(weight.chosen) for weight in weights), default=0)
    if not strongest or not most:
        return weights
    return [replace(each, points=_whole(each.chosen / strongest * most)) for each in weights]


def _whole(points):
    """Rounded half away from zero; what is not nothing stays at least one."""
    if abs(points) < 1e-6:
        return 0
    return max(1, int(abs(points) + 0.5)) * (1 if points > 0 else -1)


def threshold_of_equal_volume(before: np.ndarray, after: np.ndarray, threshold: int) -> int:
    """Where a tier begins on the new scale so that it takes as many leads as `threshold` takes on the old one.

    before, after: points of the same leads. Of two thresholds equally far from that number the higher one.
    """
    wanted = int((before >= threshold).sum())
    values, counts = np.unique(after, return_counts=True)
    taken = counts[::-1].cumsum()[::-1]
    values, taken = np.append(values, values[-1:] + 1), np.append(taken, 0)
    nearest = np.flatnonzero(np.abs(taken - wanted) == np.abs(taken - wanted).min())
    return int(values[nearest[-1]])

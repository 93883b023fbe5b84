"""How well points tell won from lost on leads they were not made from: discrimination and calibration; no Django.

Sources: E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988) 837-845 (area under the ROC curve, its
variance, and two scores on the same leads), in the form of X. Sun and W. Xu, IEEE Signal Processing Letters 21 (2014)
1389-1393 (midranks); J. Platt, Advances in Large Margin Classifiers (1999) 61-74 (points as a chance).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np

from leads.calibration import fit
from portal.shared.intervals import Z_95, wilson

GROUPS = 10
HELD_OUT = 1 / 3


class Area(NamedTuple):
    """Area under the ROC curve: how often a won lead has more points than a lost one; 95 % interval. 0.5 is chance."""

    value: float
    low: float
    high: float


class Group(NamedTuple):
    """Leads with like points: the chance that the points promise, and what was won of them, with Wilson's interval."""

    n: int
    promised: float
    seen: float
    low: float
    high: float


@dataclass(frozen=True)
class Judged:
    """Two scores on the same leads. `difference`: new minus old area, with its interval (paired)."""

    new: Area
    old: Area
    difference: Area


def compare(new: np.ndarray, old: np.ndarray, labels: np.ndarray) -> Judged:
    """DeLong's areas of two scores of the same leads and their difference. ValueError where all labels are alike."""
    areas, covariance = _delong(np.stack([new, old]), np.asarray(labels, dtype=bool))
    spread = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return Judged(
        _area(areas[0], covariance[0, 0]), _area(areas[1], covariance[1, 1]), _area(areas[0] - areas[1], spread, -1)
    )


def area(scores: np.ndarray, labels: np.ndarray) -> Area:
    """DeLong's area of one score. ValueError where all labels are alike."""
    areas, covariance = _delong(np.asarray(scores)[None], np.asarray(labels, dtype=bool))
    return _area(areas[0], covariance[0, 0])


def _area(value, variance, lowest=0):
    half = Z_95 * sqrt(max(variance, 0.0))
    return Area(float(value), max(lowest, float(value) - half), min(1.0, float(value) + half))


def _delong(scores, labels):
    won, lost = scores[:, labels], scores[:, ~labels]
    m, n = won.shape[1], lost.shape[1]
    if not m or not n:
        raise ValueError("All leads have the same outcome.")
    ranks = np.array([_midranks(row) for row in scores])
    of_won, of_lost = ranks[:, labels], ranks[:, ~labels]
    areas = (of_won.sum(axis=1) / m - (m + 1) / 2) / n
    above = (of_won - np.array([_midranks(row) for row in won])) / n
    below = 1 - (of_lost - np.array([_midranks(row) for row in lost])) / m
    return areas, _covariance(above) / m + _covariance(below) / n


def _covariance(rows):
    return np.atleast_2d(np.cov(rows)) if rows.shape[1] > 1 else np.zeros((len(rows), len(rows)))


def _midranks(row):
    _, place, counts = np.unique(row, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


# --- points as a chance -----------------------------------------------------------------------------
@dataclass(frozen=True)
class Chance:
    """Points as a chance of being won: log odds = intercept + slope × points."""

    intercept: float
    slope: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-np.clip(self.intercept + self.slope * np.asarray(points, float), -500, 500)))


def chance_of(points: np.ndarray, labels: np.ndarray) -> Chance:
    """The Chance that these leads teach. Raises fit.NoAnswer where all labels are alike."""
    low, high = int(points.min()), int(points.max())
    if low == high:
        flat = fit.penalised(fit.aggregate(np.zeros((len(points), 0), dtype=np.uint16), labels))
        return Chance(flat.intercept, 0.0)
    share = np.rint((points - low) * (fit.UNIT / (high - low))).astype(np.uint16)
    found = fit.unbiased(fit.aggregate(share[:, None], labels))
    slope = float(found.weights[0]) / (high - low)
    return Chance(found.intercept - slope * low, slope)


def calibration(promised: np.ndarray, labels: np.ndarray, groups: int = GROUPS) -> list[Group]:
    """Leads by rising chance in up to `groups` groups of like size; leads with one chance stay together."""
    _, place, counts = np.unique(promised, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    group = np.minimum((middle / len(promised) * groups).astype(int), groups - 1)[place]
    found = []
    for each in np.unique(group):
        own = group == each
        n, k = int(own.sum()), int(np.asarray(labels)[own].sum())
        found.append(Group(n, float(promised[own].mean()), k / n, *wilson(k, n)))
    return found


# --- which leads are held out -----------------------------------------------------------------------
def later(months: np.ndarray, share: float = HELD_OUT) -> np.ndarray | None:
    """Which leads belong to the latest months that hold at least `share` of them; None where there is one month."""
    known, counts = np.unique(months, return_counts=True)
    if len(known) < 2:
        return None
    from_here = counts[::-1].cumsum()[::-1]
    start = known[max(1, int(np.flatnonzero(from_here >= share * len(months))[-1]))]
    return months >= start


def drawn(ids: Sequence, seed: str, share: float = HELD_OUT) -> np.ndarray:
    """Which leads are held out by chance: those first by the SHA-256 of "seed:id", so that anybody can draw again."""
    marks = [hashlib.sha256(f"{seed}:{each}".encode()).digest() for each in ids]
    held = np.zeros(len(marks), dtype=bool)
    held[sorted(range(len(marks)), key=marks.__getitem__)[: round(share * len(marks))]] = True
    return held

"""What a definition promises and whether it came: prediction intervals of acceptance and volume; pure, no Django.

The acceptance of m leads to come, after k of n: beta-binomial with Jeffreys' prior, so that the interval holds both
what chance does to m leads and what n leads leave unknown of the rate (A. Gelman et al., Bayesian Data Analysis, 3rd
ed. 2013, section 2.4; L. D. Brown, T. T. Cai, A. DasGupta, Statistical Science 16 (2001) 101-133 for the prior). The
volume of a month, after months with counts: negative binomial with the mean of these and a variance that holds their
spread about it (Pearson's, never below Poisson's) and what the months seen leave unknown of the mean.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from portal.shared.intervals import Z_95

LEVEL = 0.95


class Range(NamedTuple):
    """What is expected, and between what it will be nineteen times in twenty."""

    expected: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def accepted_of(m: int, k: int, n: int, *, level: float = LEVEL) -> Range:
    """How many of m leads will be accepted, after k of n were. ValueError unless 0 <= k <= n and m >= 0."""
    if not 0 <= k <= n or m < 0:
        raise ValueError(f"{k} of {n}, {m} to come: not a share.")
    a, b = k + 0.5, n - k + 0.5
    low, high = _middle(_beta_binomial(m, a, b), level)
    return Range(m * a / (a + b), low, high)


def rate_of(m: int, k: int, n: int, *, unknown: float = 0.0, level: float = LEVEL) -> Range:
    """The rate among m leads to come, as shares of 1. unknown: the share of them of whose kind no outcome is known.

    Of these nobody guesses: the low end has all of them rejected, the high end all accepted (C. F. Manski, American
    Economic Review 80 (1990) 319-323), and what is expected is that of the known alone.
    """
    found = accepted_of(m, k, n, level=level)
    rate, low, high = (value / m if m else 0.0 for value in found)
    return Range(rate, low * (1 - unknown), high * (1 - unknown) + unknown)


def volume_of(counts: Sequence[int], *, level: float = LEVEL) -> Range:
    """How many leads a month to come will have, after full months with these counts. ValueError without any."""
    if not counts:
        raise ValueError("No month was seen.")
    mean, months = sum(counts) / len(counts), len(counts)
    spread = sum((count - mean) ** 2 for count in counts) / max(months - 1, 1)
    each = max(mean, spread * _unsure(months - 1), 0.5)  # a month without any lead says little
    return Range(mean, *_middle(_negative_binomial(max(mean, 0.5 / months), each * (1 + 1 / months)), level))


def _unsure(freedom):
    """What a variance known from so few months has to be multiplied with: Student's t for the normal, squared.

    M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions (1964), 26.7.5, two terms.
    """
    if freedom < 1:
        return 1.0
    more = (Z_95**2 + 1) / (4 * freedom) + (5 * Z_95**4 + 16 * Z_95**2 + 3) / (96 * freedom**2)
    return (1 + more) ** 2


def _beta_binomial(m, a, b):
    k = np.arange(m)
    steps = np.log((m - k) * (a + k)) - np.log((k + 1) * (b + m - k - 1))
    return _shares(np.concatenate([[0.0], np.cumsum(steps)]))


def _negative_binomial(mean, variance):
    size, p = mean**2 / (variance - mean), mean / variance
    k = np.arange(int(mean + 12 * variance**0.5) + 10)
    steps = np.log(k[:-1] + size) - np.log(k[:-1] + 1) + np.log1p(-p)
    return _shares(np.concatenate([[0.0], np.cumsum(steps)]))


def _shares(logs):
    found = np.exp(logs - logs.max())
    return found / found.sum()


def _middle(shares, level):
    """The ends of the middle `level` of a distribution over 0, 1, 2, …"""
    below = np.cumsum(shares)
    edge = (1 - level) / 2
    low = int(np.searchsorted(below, edge, side="right"))
    return low, min(len(shares) - 1, int(np.searchsorted(below, 1 - edge - 1e-12)))

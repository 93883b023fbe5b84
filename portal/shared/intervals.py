"""How sure a rate is: intervals and tests for counts, standard library only, pure, no Django.

Sources: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212 (score interval); R. G. Newcombe, Statistics in Medicine
17 (1998) 857-872 (one rate) and 873-890 (difference, method 10: hybrid score without continuity correction);
D. Katz et al., Biometrics 34 (1978) 469-474 (ratio of two rates, log interval); J. B. S. Haldane, Ann. Hum. Genet. 20
(1956) 309-311 (a half added to each cell of the table, where an empty cell leaves Katz without an answer); S. Holm,
Scand. J. Statistics 6 (1979) 65-70 (many tests at once).
"""

from collections.abc import Sequence
from math import exp, lgamma, log, sqrt
from typing import NamedTuple

Z_95 = 1.959963984540054  # the 97.5 % point of the standard normal distribution: two-sided 95 %


class Change(NamedTuple):
    """Difference of two rates (second minus first, -1 to 1) with its interval."""

    difference: float
    low: float
    high: float

    @property
    def is_noise(self) -> bool:
        """Whether the interval holds 0: the data do not show that anything changed."""
        return self.low <= 0 <= self.high


class Lift(NamedTuple):
    """Ratio of two rates with its interval; 1 means no difference."""

    ratio: float
    low: float
    high: float

    @property
    def is_noise(self) -> bool:
        """Whether the interval holds 1."""
        return self.low <= 1 <= self.high


class Benchmark(NamedTuple):
    """A band of rates: it begins at ``floor`` (a share, 0.25 for 25 %), which belongs to it unless told otherwise."""

    name: str
    floor: float
    inclusive: bool = True

    def begins_by(self, value: float) -> bool:
        """Whether the value has reached this band."""
        return value >= self.floor if self.inclusive else value > self.floor


def wilson(k: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Score interval ``(low, high)`` of the rate k/n, within 0 to 1. ValueError unless 0 <= k <= n and n > 0."""
    _check(k, n)
    square, p = z * z, k / n
    centre = (p + square / (2 * n)) / (1 + square / n)
    half = z * sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n)
    # at the ends the formula gives exactly 0 or 1, the machine nearly
    return (0.0 if k == 0 else min(p, centre - half)), (1.0 if k == n else max(p, centre + half))


def newcombe(k1: int, n1: int, k2: int, n2: int, z: float = Z_95) -> Change:
    """Change from k1/n1 to k2/n2 (method 10). ValueError as ``wilson``."""
    (low1, high1), (low2, high2) = wilson(k1, n1, z), wilson(k2, n2, z)
    p1, p2 = k1 / n1, k2 / n2
    difference = p2 - p1
    low = difference - sqrt((p2 - low2) ** 2 + (high1 - p1) ** 2)
    high = difference + sqrt((high2 - p2) ** 2 + (p1 - low1) ** 2)
    return Change(difference, max(-1.0, low), min(1.0, high))


def log_ratio(k_with: int, n_with: int, k_without: int, n_without: int, z: float = Z_95) -> Lift | None:
    """Lift: rate with ÷ rate without, interval on the log scale; ``None`` where the rate without is zero.

    Katz; where a count is at its end (none, or all) the interval is taken with a half added to each cell (Haldane).
    """
    _check(k_with, n_with)
    _check(k_without, n_without)
    if k_without == 0:
        return None
    ratio = (k_with / n_with) / (k_without / n_without)
    half_a_lead = 0.5 if k_with in (0, n_with) or k_without == n_without else 0.0
    a, n, b, m = k_with + half_a_lead, n_with + 2 * half_a_lead, k_without + half_a_lead, n_without + 2 * half_a_lead
    middle, half = log((a / n) / (b / m)), z * sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    return Lift(ratio, 0.0 if k_with == 0 else min(ratio, exp(middle - half)), max(ratio, exp(middle + half)))


def distinguishable(k_top: int, k_second: int, n: int, alpha: float = 0.05) -> bool:
    """Whether the two most frequent reasons of the same n rejections can be told apart.

    Were both equally likely, k_top of the k_top + k_second that have either would be binomial with 1/2 (multinomial
    counts given their sum): the exact two-sided sign test. It takes the pair as given; that the two were picked for
    being the most frequent among several makes it, if anything, too ready to tell them apart.
    """
    if not 0 <= k_second <= k_top or k_top + k_second > n:
        raise ValueError(f"{k_top} and {k_second} are not the two largest of {n}.")
    return sign_test(k_top, k_second) <= alpha


def sign_test(more: int, fewer: int) -> float:
    """Exact two-sided p-value of a split of ``more`` against ``fewer``, were both sides equally likely."""
    if more <= fewer:
        return 1.0
    m = more + fewer
    term = exp(lgamma(m + 1) - lgamma(more + 1) - lgamma(fewer + 1) - m * log(2))
    tail = 0.0
    for k in range(more, m + 1):
        tail += term
        term *= (m - k) / (k + 1)
        if term < tail * 1e-17:
            break
    return min(1.0, 2 * tail)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given: below 0.05, at most one in twenty such families errs at all."""
    adjusted, highest, m = [1.0] * len(p_values), 0.0, len(p_values)
    for rank, place in enumerate(sorted(range(m), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (m - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def benchmark_tier(low: float | None, high: float | None, value: float, tiers: Sequence[Benchmark]) -> str:
    """The name of the band of a rate: ``"average"``, or ``"average to good"`` where the interval crosses a border.

    Without an interval (``None``) the value alone decides. What lies under every floor is in the lowest band.
    """
    ends = [_band(value if end is None else end, tiers) for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _band(value: float, tiers: Sequence[Benchmark]) -> str:
    rising = sorted(tiers, key=lambda tier: tier.floor)
    return next((tier.name for tier in reversed(rising) if tier.begins_by(value)), rising[0].name)


def _check(k: int, n: int) -> None:
    if n <= 0 or not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a share.")

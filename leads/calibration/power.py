"""What data can tell: the smallest effect they would show, and how many leads a change needs; pure, no Django.

Sources: F. Y. Hsieh, D. A. Bloch, M. D. Larsen, Statistics in Medicine 17 (1998) 1623-1634, equation 2 (logistic
regression on a yes-or-no fact); J. L. Fleiss, Statistical Methods for Rates and Proportions (2nd ed. 1981), section
3.2, without continuity correction, for unequal groups (two rates).
"""

from math import ceil, inf, sqrt
from statistics import NormalDist

ALPHA, POWER = 0.05, 0.8


def detectable_odds(n: int, ones: int, share: float, *, tests: int = 1, alpha=ALPHA, power=POWER) -> float | None:
    """The smallest odds ratio above 1 that a fact which `share` of n leads have shows with this power; None: none.

    ones: how many of the n were won. tests: how many facts are tried at once (alpha is divided by them).
    """
    if not 0 < ones < n or not 0 < share < 1:
        return None
    rate = ones / n
    most = min((1 - 1e-9), rate / share)  # with the fact nobody can be won more often than all, or than all that were

    def needed(high):
        return _leads_needed((rate - share * high) / (1 - share), high, share, alpha / tests, power)

    if needed(most) > n:
        return None
    low = rate
    for _ in range(60):
        middle = (low + most) / 2
        low, most = (middle, most) if needed(middle) > n else (low, middle)
    without = (rate - share * most) / (1 - share)
    return most / (1 - most) / (without / (1 - without)) if without > 0 else inf


def _leads_needed(without, with_it, share, alpha, power):
    if with_it <= without:
        return inf
    rate = (1 - share) * without + share * with_it
    first = NormalDist().inv_cdf(1 - alpha / 2) * sqrt(rate * (1 - rate) / share)
    spread = without * (1 - without) + with_it * (1 - with_it) * (1 - share) / share
    second = NormalDist().inv_cdf(power) * sqrt(max(0.0, spread))
    return (first + second) ** 2 / ((without - with_it) ** 2 * (1 - share))


def leads_to_judge(before: float, after: float, n_before: int, *, alpha=ALPHA, power=POWER) -> int | None:
    """How many decided leads a change from the rate `before` (seen on n_before) to `after` needs to be shown.

    None where no number would do: the rates are equal, or too few were seen before.
    """
    if before == after or n_before <= 0:
        return None
    if _shows(before, after, n_before, 10**9, alpha) < power:
        return None
    low, high = 1, 10**9
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _shows(before, after, n_before, middle, alpha) >= power else (middle + 1, high)
    return ceil(low)


def _shows(before, after, n, m, alpha):
    """The power of the two-sided test of two rates on n and m leads."""
    both = (before * n + after * m) / (n + m)
    none, some = sqrt(both * (1 - both) * (1 / n + 1 / m)), sqrt(before * (1 - before) / n + after * (1 - after) / m)
    if not some:
        return 1.0
    return NormalDist().cdf((abs(after - before) - NormalDist().inv_cdf(1 - alpha / 2) * none) / some)

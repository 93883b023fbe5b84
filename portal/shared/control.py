"""Is a month's rate noise? Control limits of a p-chart, wider where months differ more than chance; pure, no Django.

Sources: W. A. Shewhart, Economic Control of Quality (1931) (three standard errors); D. B. Laney, Quality Engineering
14 (2002) 531-537 (p' chart: the spread between months from the moving range); J. D. Cryer, T. P. Ryan, J. Quality
Technology 22 (1990) 187-192 (how sure that spread is); J. L. Fleiss, Statistical Methods for Rates and Proportions
(size of two samples).
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, sqrt
from statistics import NormalDist, fmean
from typing import NamedTuple

SIGMAS = 3.0
MOVING_RANGE = 1.128  # expected range of two values of a standard normal distribution
SURE = 1.645  # one-sided 5 %: how far above 1 the spread must lie before the limits widen
FEWEST_MONTHS = 6  # for saying that months differ more than chance


class Limits(NamedTuple):
    """One month's limits, within 0 to 1, and whether its rate lies outside."""

    rate: float
    low: float
    high: float

    @property
    def is_signal(self) -> bool:
        return not self.low <= self.rate <= self.high


class Chart(NamedTuple):
    """The average rate over all months, the spread between months (1 is chance alone), and each month's limits."""

    average: float
    spread: float
    months: tuple[Limits | None, ...]

    @property
    def is_overdispersed(self) -> bool:
        return self.spread > 1.0


def p_chart(months: Sequence[tuple[int, int]]) -> Chart | None:
    """Limits of each (events, out of); a month out of nothing has none, and no month at all has no chart.

    Three standard errors around the common average. Where the months differ more than chance would have it (one-sided
    5 %, six months or more) they are widened by Laney's factor; nothing narrows them.
    ValueError unless 0 <= events <= out of.
    """
    if any(not 0 <= k <= n for k, n in months):
        raise ValueError("A month counts no more events than leads.")
    filled = [(k, n) for k, n in months if n]
    if not filled:
        return None
    average = sum(k for k, _ in filled) / sum(n for _, n in filled)
    spread = _spread(filled, average)
    return Chart(average, spread, tuple(_limits(k, n, average, spread) if n else None for k, n in months))


def sample_size(rate: float, change: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many leads before, and as many after, until a change of a rate is seen with `power`, two-sided at `alpha`.

    rate, change: shares (0.2, -0.05). ValueError when the change is nought or leads out of 0 to 1.
    """
    after = rate + change
    if not change or not 0 <= rate <= 1 or not 0 <= after <= 1:
        raise ValueError("A change leads from one share to another.")
    normal, middle = NormalDist(), (rate + after) / 2
    seen = normal.inv_cdf(1 - alpha / 2) * sqrt(2 * middle * (1 - middle))
    missed = normal.inv_cdf(power) * sqrt(rate * (1 - rate) + after * (1 - after))
    return ceil(((seen + missed) / change) ** 2)


def _spread(filled, average):
    if len(filled) < FEWEST_MONTHS or average in (0.0, 1.0):
        return 1.0
    scores = [(k / n - average) / sqrt(average * (1 - average) / n) for k, n in filled]
    months = len(scores)
    spread = fmean(abs(later - earlier) for earlier, later in pairwise(scores)) / MOVING_RANGE
    error = sqrt(0.8264 * months - 1.082) / (months - 1)
    return spread if spread > 1 + SURE * error else 1.0


def _limits(k, n, average, spread):
    half = SIGMAS * spread * sqrt(average * (1 - average) / n)
    return Limits(k / n, max(0.0, average - half), min(1.0, average + half))

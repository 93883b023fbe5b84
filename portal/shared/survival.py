"""How long until it happens, when for some it has not happened yet: Kaplan-Meier; pure, no Django.

Sources: E. L. Kaplan, P. Meier, J. Am. Stat. Assoc. 53 (1958) 457-481; M. Greenwood (1926) for the variance, on the
log-log scale of J. D. Kalbfleisch, R. L. Prentice (1980), which keeps the interval within 0 to 1.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from math import exp, log, sqrt
from typing import NamedTuple

from portal.shared.intervals import Z_95


class Step(NamedTuple):
    """From `at` on, the share `waiting` has not yet had it (with its interval); `at_risk` were watched until then."""

    at: float
    waiting: float
    low: float
    high: float
    at_risk: int
    happened: int


class Curve(NamedTuple):
    """The steps in order of time, of `n` cases of which `censored` are still open."""

    steps: tuple[Step, ...]
    n: int
    censored: int

    def waiting_after(self, at: float) -> Step | None:
        """The step in force at a time; None while all are waiting."""
        place = bisect_right([step.at for step in self.steps], at)
        return self.steps[place - 1] if place else None

    def quantile(self, share: float) -> float | None:
        """The first time by which `share` (0.5 is the median) have had it; None when the data do not reach so far."""
        return next((step.at for step in self.steps if step.waiting <= 1 - share + 1e-12), None)


def kaplan_meier(cases: Iterable[tuple[float, bool]], z: float = Z_95) -> Curve:
    """Of (time, whether it happened then; else still open, watched until then). ValueError for a negative time."""
    cases = list(cases)
    if any(time < 0 for time, _ in cases):
        raise ValueError("Nobody waits for less than no time.")
    happened = Counter(time for time, done in cases if done)
    left = Counter(time for time, _ in cases)
    at_risk, waiting, greenwood, steps = len(cases), 1.0, 0.0, []
    for time in sorted(left):
        if events := happened[time]:
            waiting *= 1 - events / at_risk
            greenwood += events / (at_risk * (at_risk - events)) if events < at_risk else float("inf")
            steps.append(Step(time, waiting, *_interval(waiting, greenwood, z), at_risk, events))
        at_risk -= left[time]
    return Curve(tuple(steps), len(cases), len(cases) - sum(happened.values()))


def _interval(waiting, greenwood, z):
    if waiting <= 0.0:
        return 0.0, 0.0
    half = z * sqrt(greenwood) / abs(log(waiting))
    return waiting ** exp(half), waiting ** exp(-half)

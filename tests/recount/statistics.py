"""Intervals, tests and charts worked out anew: fractions are exact, roots and logarithms have fifty digits."""

from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import wraps
from itertools import pairwise
from math import ceil, comb
from statistics import NormalDist

Z = Decimal("1.95996398454005423552459443052055152795556")  # the 97.5 % point of the normal distribution


def precisely(work):
    """With fifty digits."""

    @wraps(work)
    def done(*args, **kwargs):
        with localcontext() as context:
            context.prec = 50
            return work(*args, **kwargs)

    return done


def exact(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


@precisely
def wilson(k, n, z=Z):
    """The shares p at which k of n lies z standard errors off: the roots of (k/n - p)² = z² p (1 - p) / n."""
    share, square = Decimal(k) / n, z * z / n
    a, b, c = 1 + square, -(2 * share + square), share * share
    root = (b * b - 4 * a * c).sqrt()
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@precisely
def newcombe(k1, n1, k2, n2, z=Z):
    """(difference, low, high) of the second share minus the first: each end from the two Wilson intervals."""
    (l1, u1), (l2, u2) = wilson(k1, n1, z), wilson(k2, n2, z)
    p1, p2 = Decimal(k1) / n1, Decimal(k2) / n2
    down = ((p2 - l2) ** 2 + (u1 - p1) ** 2).sqrt()
    up = ((u2 - p2) ** 2 + (p1 - l1) ** 2).sqrt()
    return p2 - p1, max(Decimal(-1), p2 - p1 - down), min(Decimal(1), p2 - p1 + up)


def noise(low, high, nothing=0):
    return low <= nothing <= high


def told_apart(first, second):
    """Whether two counts differ beyond a fair coin: two-sided, exact, 5 %."""
    n = first + second
    tail = sum(comb(n, k) for k in range(max(first, second), n + 1)) if first != second else 2**n
    return min(Fraction(1), Fraction(2 * tail, 2**n)) <= Fraction(5, 100)


def corrected(tests):
    """The point of the normal distribution for an interval at 5 % divided by the number of tests."""
    return Decimal(NormalDist().inv_cdf(1 - 0.025 / tests))


@precisely
def lift(a, n, b, m, z):
    """(ratio, low, high) of a/n over b/m on the log scale; a half in each cell where one is at its end."""
    if b == 0:
        return None
    ratio = exact(Fraction(a * m, n * b))
    half = Fraction(1, 2) if a in (0, n) or b == m else Fraction(0)
    a_, n_, b_, m_ = (Fraction(each) for each in (a + half, n + 2 * half, b + half, m + 2 * half))
    error = exact(1 / a_ - 1 / n_ + 1 / b_ - 1 / m_).sqrt()
    middle = exact(a_ * m_ / (n_ * b_)).ln()
    low, high = (middle - z * error).exp(), (middle + z * error).exp()
    return ratio, Decimal(0) if a == 0 else min(ratio, low), max(ratio, high)


@precisely
def kappa(pairs):
    """(kappa, low, high, agreed, n) of pairs of codes; None where chance alone agrees on everything."""
    n, agreed = len(pairs), sum(a == b for a, b in pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = Fraction(sum(first[code] * second[code] for code in first), n * n) if n else Fraction(1)
    if chance == 1:
        return None
    seen = Fraction(agreed, n)
    value = (seen - chance) / (1 - chance)
    table, codes = Counter(pairs), set(first) | set(second)
    on = sum(
        Fraction(table[c, c], n) * (1 - chance - Fraction(first[c] + second[c], n) * (1 - seen)) ** 2 for c in codes
    )
    off = sum(
        Fraction(table[a, b], n) * Fraction(second[a] + first[b], n) ** 2 for a in codes for b in codes if a != b
    )
    variance = (on + (1 - seen) ** 2 * off - (seen * chance - 2 * chance + seen) ** 2) / (n * (1 - chance) ** 4)
    half = Z * exact(max(variance, Fraction(0))).sqrt()
    return exact(value), max(Decimal(-1), exact(value) - half), min(Decimal(1), exact(value) + half), agreed, n


@precisely
def p_chart(months):
    """(average, factor, [(low, high) or None]) of [(k, n)]: three standard errors, widened by Laney's factor."""
    filled = [(k, n) for k, n in months if n]
    if not filled:
        return None
    average = exact(Fraction(sum(k for k, _ in filled), sum(n for _, n in filled)))
    errors = [(average * (1 - average) / n).sqrt() if n else None for _, n in months]
    factor = Decimal(1)
    if len(filled) >= 6 and 0 < average < 1:
        scores = [(Decimal(k) / n - average) / error for (k, n), error in zip(months, errors, strict=True) if n]
        ranges = [abs(b - a) for a, b in pairwise(scores)]
        spread = sum(ranges) / len(ranges) / Decimal("1.128")
        unsure = (Decimal("0.8264") * len(filled) - Decimal("1.082")).sqrt() / (len(filled) - 1)
        factor = spread if spread > 1 + Decimal("1.645") * unsure else factor
    ends = [
        None if error is None else (
            max(Decimal(0), average - 3 * factor * error), min(Decimal(1), average + 3 * factor * error)
        )
        for error in errors
    ]  # fmt: skip
    return average, factor, ends


@precisely
def sample_size(rate, change):
    """Leads before, and as many after, until a change of a rate is seen in four of five cases, two-sided at 5 %."""
    after, seen = rate + change, Decimal(NormalDist().inv_cdf(0.8))
    middle = (rate + after) / 2
    both = (rate * (1 - rate) + after * (1 - after)).sqrt()
    return ceil(((Z * (2 * middle * (1 - middle)).sqrt() + seen * both) / change) ** 2)


@precisely
def still_waiting(cases):
    """Kaplan and Meier: {time: (share waiting from then on, low, high)} of (time, whether it happened)."""
    steps, share, errors = {}, Fraction(1), Fraction(0)
    for time in sorted({time for time, happened in cases if happened}):
        at_risk = sum(each >= time for each, _ in cases)
        events = sum(each == time and happened for each, happened in cases)
        share *= Fraction(at_risk - events, at_risk)
        if events < at_risk:
            errors += Fraction(events, at_risk * (at_risk - events))
        steps[time] = (exact(share), *_ends(share, errors))
    return steps


def _ends(share, errors):
    """Greenwood's interval on the log-log scale."""
    if share == 0:
        return Decimal(0), Decimal(0)
    half = Z * exact(errors).sqrt() / abs(exact(share).ln())
    return exact(share) ** half.exp(), exact(share) ** (-half).exp()


def first_time(steps, share=Decimal("0.5")):
    """The first time by which the share is done; None where the data do not reach so far."""
    return next((time for time, (waiting, *_) in steps.items() if waiting <= 1 - share), None)

"""Do two people code alike? Cohen's kappa with its interval; standard library only, pure, no Django.

Sources: J. Cohen, Educ. Psychol. Meas. 20 (1960) 37-46 (kappa); J. L. Fleiss, J. Cohen, B. S. Everitt, Psychol. Bull.
72 (1969) 323-327 (its large-sample variance); J. R. Landis, G. G. Koch, Biometrics 33 (1977) 159-174 (the words).
"""

from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from math import sqrt
from typing import NamedTuple

from portal.shared.intervals import Z_95

WORDS = ((0.0, "slight"), (0.2, "fair"), (0.4, "moderate"), (0.6, "substantial"), (0.8, "almost perfect"))


class Kappa(NamedTuple):
    """Agreement beyond chance (1 is perfect, 0 is chance) with its interval; `agreed` of `n` were coded alike."""

    value: float
    low: float
    high: float
    agreed: int
    n: int

    @property
    def words(self) -> str:
        """Landis and Koch's word for the value."""
        return next((word for floor, word in reversed(WORDS) if self.value > floor), "none")


def table(pairs: Iterable[tuple[Hashable, Hashable]], codes: Sequence[Hashable]) -> list[list[int]]:
    """How often the first coder said the row's code and the second one the column's; KeyError for another code."""
    at = {code: place for place, code in enumerate(codes)}
    counts = [[0] * len(codes) for _ in codes]
    for first, second in pairs:
        counts[at[first]][at[second]] += 1
    return counts


def cohen(counts: Sequence[Sequence[int]], z: float = Z_95) -> Kappa | None:
    """Kappa of a square table of counts.

    None where it has no meaning: nothing was coded, or chance alone would agree on everything (one code used by both).
    ValueError for a table that is not square or has negative counts.
    """
    size = len(counts)
    if any(len(row) != size or min(row, default=0) < 0 for row in counts):
        raise ValueError("The table of two coders is square and counts from nought.")
    n = sum(map(sum, counts))
    rows, columns = [sum(row) for row in counts], [sum(column) for column in zip(*counts, strict=True)]
    chance = Fraction(sum(r * c for r, c in zip(rows, columns, strict=True)), n * n) if n else Fraction(1)
    if chance == 1:
        return None
    agreed = sum(counts[i][i] for i in range(size))
    value = (Fraction(agreed, n) - chance) / (1 - chance)
    half = z * sqrt(_variance(counts, n, rows, columns, Fraction(agreed, n), chance))
    return Kappa(float(value), max(-1.0, float(value) - half), min(1.0, float(value) + half), agreed, n)


def _variance(counts, n, rows, columns, observed, chance):
    """Fleiss, Cohen and Everitt's variance, not under the hypothesis of no agreement.

    In fractions: it is a small difference of large terms, of which floating point keeps half the digits.
    """
    on = sum(
        Fraction(counts[i][i], n) * ((1 - chance) - Fraction(rows[i] + columns[i], n) * (1 - observed)) ** 2
        for i in range(len(counts))
    )
    off = sum(
        Fraction(counts[i][j], n) * Fraction(columns[i] + rows[j], n) ** 2
        for i in range(len(counts))
        for j in range(len(counts))
        if i != j and counts[i][j]
    )
    squared = on + (1 - observed) ** 2 * off - (observed * chance - 2 * chance + observed) ** 2
    return squared / (n * (1 - chance) ** 4)

"""How a round is drawn: so many of each stratum as its share of all, by the order that a seed gives; pure, no Django.

Source: the method of the largest remainder (A. Hamilton, 1792), as in M. Balinski, H. P. Young, Fair Representation
(2001), 10-11.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

type Stratum = tuple[str, str]


def allocate(sizes: Mapping[Stratum, int], n: int) -> dict[Stratum, int]:
    """How many of `n` each stratum gives, in proportion to its size, never more than it has.

    Each gets the whole part of its share; what is left goes to the largest remainders, among equal ones to the larger
    stratum, then by name. `n` over the sum of sizes takes all. ValueError for a negative n.
    """
    if n < 0:
        raise ValueError("Nobody draws fewer than none.")
    total = sum(sizes.values())
    n = min(n, total)
    if not total:
        return {}
    found = {stratum: n * size // total for stratum, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda s: (-(n * sizes[s] % total), -sizes[s], s))
    for stratum in by_remainder[: n - sum(found.values())]:
        found[stratum] += 1
    return found


def draw(strata: Mapping[Stratum, Sequence[int]], n: int, seed: str) -> list[int]:
    """The keys drawn from {stratum: keys}: of each stratum the first ones in the seed's order."""
    counts = allocate({stratum: len(keys) for stratum, keys in strata.items()}, n)
    return [key for stratum, k in counts.items() for key in in_order(strata[stratum], seed)[:k]]


def in_order(keys: Sequence[int], seed: str) -> list[int]:
    """The keys as this seed orders them: by the SHA-256 of "seed:key", as the audit's samples are drawn."""
    return sorted(keys, key=lambda key: (sha256(f"{seed}:{key}".encode()).digest(), key))

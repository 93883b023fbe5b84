"""What a proposal promises of the months to come, from the months that it was made of; no Django.

Only full months count, the latest `MONTHS` of them. The acceptance is that of the leads that the definition would
have handed over and that sales decided on; where it would also have handed over leads that sales never saw, nobody
guesses theirs, and the interval is as wide as that leaves it (leads.calibration.forecast.rate_of).
"""

from collections.abc import Mapping

from leads.backtest.tally import at_threshold
from leads.calibration.forecast import Range, rate_of, volume_of

MONTHS = 12


def promise(monthly: Mapping[int, Mapping[int, list[int]]], months: list[int], entry: int) -> dict | None:
    """Plain JSON: months, counts, k, n, unseen, mqls and rate of a month as [expected, low, high]. None without one.

    monthly: curves of the leads of each month (tally.curve). months: those that are full. entry: where MQLs begin.
    """
    months = months[-MONTHS:]
    found = [at_threshold(monthly.get(month, {}), entry) for month in months]
    leads, accepted, decided, unseen = (sum(column) for column in zip(*found, strict=True)) if found else (0,) * 4
    if not leads or not decided:
        return None
    counts = [row[0] for row in found]
    volume = volume_of(counts)
    rate = rate_of(max(1, round(volume.expected)), accepted, decided, unknown=unseen / leads)
    return {
        "first": months[0], "last": months[-1], "counts": counts, "k": accepted, "n": decided, "leads": leads,
        "unseen": unseen, "mqls": list(volume), "rate": list(rate),
    }  # fmt: skip


def expected_of(promised: Mapping, decided: int) -> Range:
    """The acceptance that was promised of a month in which `decided` leads were decided."""
    return rate_of(decided, promised["k"], promised["n"], unknown=promised["unseen"] / promised["leads"])

"""The monthly audit as one value: the same for page, command and export."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from leads import figures
from sla.models import SLAVersion


@dataclass(frozen=True)
class Audit:
    """One month's audit: its figures, the month before, and the month cut along `by` (or None)."""

    now: figures.MonthFigures
    before: figures.MonthFigures
    basis: str
    by: str | None
    breakdown: tuple[figures.Row, ...]
    as_of: dt.datetime
    zone: ZoneInfo

    @property
    def rate(self):
        return self.now.rate

    @property
    def tier(self):
        return figures.tier(self.now.rate)

    @property
    def unfinished(self):
        """True while the month is not over: its rate still rises, so it is not compared."""
        return self.now.month.ends(self.zone) > self.as_of

    @cached_property
    def change(self):
        if self.unfinished:
            return figures.Change(self.before.month)
        return figures.change(self.before, self.now)

    @cached_property
    def top_reasons(self):
        return figures.top_reasons(self.now)

    def as_json(self):
        """Plain values, as `manage.py audit --json` prints them; rates are shares of 1, null without a denominator."""
        counts, change = self.now.counts, self.change
        return {
            "month": str(self.now.month),
            "time_zone": self.zone.key,
            "basis": self.basis,
            "as_of": self.as_of.astimezone(self.zone).isoformat(),
            **_counts(counts),
            "withdrawn": counts.withdrawn,
            "rate": _rate(self.rate),
            "tier": self.tier,
            "change": {
                "since": str(change.since),
                "value": change.value,
                "low": change.low,
                "high": change.high,
                "verdict": change.verdict,
            },
            "reasons": [_reason(reason) for reason in self.now.reasons],
            "top_reason": _top(self.top_reasons),
            "breakdown": [
                {"key": row.label if self.by == "owner" else row.key, **_counts(row.counts), "rate": _rate(row.rate)}
                for row in self.breakdown
            ],
        }


def audits(first, last, *, basis, as_of, zone, by=None):
    """The Audits of the months from `first` to `last`, both included. One query, and one a month with `by`."""
    found = figures.series(last, first.until(last) + 2, basis=basis, as_of=as_of, zone=zone)
    return [
        Audit(now, before, basis, by, _breakdown(now.month, by, basis, as_of, zone), as_of, zone)
        for before, now in pairwise(found)
    ]


def versions_of(month, *, zone):
    """The SLAVersions that were in force in the month, the earliest first, each with `begins_at`. Two queries."""
    begins = month.begins(zone)
    first = SLAVersion.objects.select_related("definition").in_force(at=begins)
    later = (
        SLAVersion.objects.select_related("definition")
        .signed()
        .filter(begins_at__gt=begins, begins_at__lt=month.ends(zone))
    )
    return [*([first] if first else []), *later.order_by("begins_at", "number")]


def _breakdown(month, by, basis, as_of, zone):
    return figures.slices(month, by, basis=basis, as_of=as_of, zone=zone).rows if by else ()


def _counts(counts):
    return {name: getattr(counts, name) for name in ("mqls", "sqls", "rejected", "undecided")}


def _rate(rate):
    return rate and {"value": rate.value, "low": rate.low, "high": rate.high}


def _reason(reason):
    return {name: getattr(reason, name) for name in ("category", "code", "label", "n", "share", "low", "high")}


def _top(candidates):
    """The first candidate, with the list of those that cannot be told apart (one or two); None without rejections."""
    return {**_reason(candidates[0]), "candidates": [_reason(r) for r in candidates]} if candidates else None

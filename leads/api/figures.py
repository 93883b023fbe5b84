"""Doors to the figures: a month's audit, and the months beside each other; computed by leads.figures alone."""

import datetime as dt
from typing import Literal

from django.utils import timezone
from ninja import Path, Query
from pydantic import Field

from leads import figures
from leads.api.router import router
from leads.audit.told import told
from leads.figures import Month
from portal.accounts.permissions import May, require
from portal.keys.auth import Bearer
from portal.keys.problem import NotFound
from portal.keys.scopes import FIGURES_READ
from portal.keys.shapes import MonthKey, Said, Strict, digits

SHARED = {"tags": ["Figures"], "auth": Bearer(FIGURES_READ)}
Basis = Literal[figures.BASES]


class AuditAsked(Strict):
    basis: Basis = figures.PERIOD
    by: Literal[tuple(figures.DIMENSIONS)] | None = Field(None, description="broken down along this")
    live: bool = Field(False, description="of a closed month too what is counted now, not what was signed")


class FiguresAsked(Strict):
    basis: Basis = figures.PERIOD
    last: MonthKey | None = Field(None, description="the last month; this one, where it is left out")
    months: digits(1, 60) = 12


class Rate(Said):
    """Shares of 1 with the ends of the 95 % interval; without ends where SQLs exceed MQLs."""

    value: float
    low: float | None
    high: float | None


class Counts(Said):
    mqls: int
    sqls: int
    rejected: int
    undecided: int


class Change(Said):
    since: str
    value: float | None
    low: float | None
    high: float | None
    verdict: str | None


class Reason(Said):
    category: str
    code: str
    label: str
    n: int
    share: float
    low: float
    high: float


class TopReason(Reason):
    candidates: list[Reason]


class Row(Counts):
    key: str
    rate: Rate | None


class Closed(Said):
    number: int
    fingerprint: str = Field(description="SHA-256 of what both sides sign")
    signed_at: dt.datetime | None = Field(description="when the second side signed; null until then")


class Audit(Counts):
    month: str
    time_zone: str
    basis: str
    as_of: dt.datetime
    withdrawn: int
    rate: Rate | None
    tier: str | None
    change: Change
    reasons: list[Reason]
    top_reason: TopReason | None
    breakdown: list[Row]
    closed: Closed | None = Field(description="of the record that the figures are read out of; null: counted")


class MonthRow(Counts):
    month: str
    withdrawn: int
    rate: Rate | None
    reasons: dict[str, int] = Field(description="rejections by category")


class Figures(Said):
    basis: str
    time_zone: str
    as_of: dt.datetime
    months: list[MonthRow]


@router.get("/audits/{month}", response=Audit, url_name="api_audit", summary="A month's audit", **SHARED)
def get_audit(request, month: Path[MonthKey], query: Query[AuditAsked]):
    """As `manage.py audit --json` prints it: a closed month as it was signed. docs/figures.md says what each means."""
    require(request.user, May.READ_AUDIT)
    now, zone = timezone.now(), timezone.get_default_timezone()
    wanted = _past(month, now, zone)
    (found,) = told(wanted, wanted, basis=query.basis, by=query.by, as_of=now, zone=zone, live=query.live)
    return found.as_json()


@router.get("/figures", response=Figures, url_name="api_figures", summary="Figures by month", **SHARED)
def get_figures(request, query: Query[FiguresAsked]):
    """The earliest month first; rates with their intervals, as the audit's trend shows them."""
    require(request.user, May.READ_AUDIT)
    now, zone = timezone.now(), timezone.get_default_timezone()
    last = _past(query.last, now, zone) if query.last else Month.of(now, zone)
    found = figures.series(last, query.months, basis=query.basis, as_of=now, zone=zone)
    rows = [MonthRow(month=str(one.month), **_counts(one), rate=one.rate, reasons=one.categories) for one in found]
    return Figures(basis=query.basis, time_zone=zone.key, as_of=now.astimezone(zone), months=rows)


def _counts(one):
    return vars(one.counts)


def _past(key, now, zone):
    """The month, unless it is still to come."""
    month = Month.parse(key)
    if month > Month.of(now, zone):
        raise NotFound("This month is still to come.")
    return month

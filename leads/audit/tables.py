"""Every table of the audit, named once: as a file (CSV, XLSX) and on paper it has the columns and rows of the page."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from leads.audit.asked import Asked
from portal.accounts.permissions import May


class Kind(Enum):
    """What a column holds: text, a whole number, a Share, a Share that is a change, a timedelta, a date, numbers."""

    TEXT, COUNT, SHARE, CHANGE, WAIT, DAY, PERCENT, NUMBER = range(8)


INTERVALS = (Kind.SHARE, Kind.CHANGE)


class Column(NamedTuple):
    """`only_file`: not on paper, as it is for programs."""

    name: str
    kind: Kind = Kind.TEXT
    only_file: bool = False


class Share(NamedTuple):
    """A share of 1 with its 95 % interval (None where there is none) out of `n`."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Table:
    """`columns` are Columns, `rows` tuples of as many values; None where there is none."""

    title: str
    columns: tuple[Column, ...]
    rows: Iterable[tuple]


class Entry(NamedTuple):
    """How a table is made, who may read it, and whether some days will do instead of a month."""

    make: Callable[[Asked], Table]
    may: May
    of_days: bool


TABLES: dict[str, Entry] = {}


def table(name, *, may=May.READ_AUDIT, of_days=False):
    """Register `Asked → Table` under the name that its file has."""

    def register(make):
        TABLES[name] = Entry(make, may, of_days)
        return make

    return register


def count(name):
    return Column(name, Kind.COUNT)


def share(name):
    return Column(name, Kind.SHARE)


def rate(found):
    """The Share of a figures.Rate, or None."""
    return found and Share(found.value, found.low, found.high, found.n)


def as_sheet(found):
    """(head, rows) of a Table for portal.shared.sheets: a share is three columns, a wait is in minutes."""
    head = [name for column in found.columns for name in _names(column)]
    return head, (_values(row, found.columns) for row in found.rows)


def _names(column):
    if column.kind in INTERVALS:
        return column.name, "95% from", "95% to"
    return (f"{column.name}, minutes" if column.kind is Kind.WAIT else column.name,)


def _values(row, columns):
    return [each for value, column in zip(row, columns, strict=True) for each in _cells(value, column.kind)]


def _cells(value, kind):
    if kind in INTERVALS:
        return value[:3] if value else (None, None, None)
    if kind is Kind.WAIT and value is not None:
        return (round(value / dt.timedelta(minutes=1), 2),)
    return (value,)

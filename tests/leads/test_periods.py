"""Months and spans of days: how they follow each other, are written in addresses, and are said."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leads import periods
from leads.periods import Month, Span

HOUR = dt.timedelta(hours=1)
days = some.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1))
zones = some.sampled_from(["Europe/Berlin", "Pacific/Kiritimati", "America/Santiago", "Pacific/Apia"]).map(ZoneInfo)


@given(days, some.integers(2, 92), zones)
def test_spans_of_one_length_follow_each_other_without_gap_or_overlap(first, length, zone):
    span = Span(first, length)
    assert span.plus(1).begins(zone) == span.ends(zone)
    assert span.plus(1).plus(-1) == span == Span.until(span.last, length) == periods.parse(str(span))
    assert span.ends(zone) > span.begins(zone)


@given(days, zones)
def test_months_follow_each_other_without_gap_or_overlap(day, zone):
    month = Month(day.replace(day=1))
    assert month.plus(1).begins(zone) == month.ends(zone)
    assert month.plus(1).plus(-1) == month == periods.parse(str(month))


def test_a_week_in_which_clocks_change_is_an_hour_shorter_or_longer():
    berlin = ZoneInfo("Europe/Berlin")
    spring, autumn = Span.week_of(dt.date(2026, 3, 29)), Span.week_of(dt.date(2026, 10, 25))
    assert spring.ends(berlin) - spring.begins(berlin) == 167 * HOUR
    assert autumn.ends(berlin) - autumn.begins(berlin) == 169 * HOUR


@pytest.mark.parametrize(
    ("key", "name", "title"),
    [
        ("2026-10-05--2026-10-18", "5 to 18 October", "5 to 18 October 2026"),
        ("2026-09-28--2026-10-11", "28 September to 11 October", "28 September to 11 October 2026"),
        ("2026-12-28--2027-01-03", "28 December 2026 to 3 January 2027", "28 December 2026 to 3 January 2027"),
        ("2026-10", "October", "October 2026"),
        ("2025-11..2026-10", "November 2025 to October 2026", "November 2025 to October 2026"),
    ],
)
def test_it_is_said_as_short_as_can_be(key, name, title):
    found = periods.parse(key)
    assert (found.name, found.title, str(found)) == (name, title, key)


@pytest.mark.parametrize(
    "key",
    ["", "2026-13", "2026-10-05--", "2026-10-18--2026-10-05", "2026-10-05--2026-10-05", "2026-W41-1--2026-10-18",
     "2026-01-01--2026-12-31", "0001-01-01--0001-01-07", "2026-10-05--2026-10-18--1", "2026-10..2026-09", "2026-10.."],
)  # fmt: skip
def test_what_names_no_months_and_no_days_is_refused(key):
    with pytest.raises(ValueError):
        periods.parse(key)

"""Reading a calendar as a form or a file wrote it: the document becomes numbers, or a sentence says what is wrong."""

import re
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECOND = 1_000_000  # everything is counted in microseconds
DAY = 86_400 * SECOND

_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?", re.ASCII)


class CalendarError(ValueError):
    """The working hours cannot be used; the message says what is wrong in words for the person who wrote them."""


def read_calendar(document):
    """(zone, week, exceptions): ZoneInfo, seven tuples of (opening, closing), {date's ordinal: tuple of the same}.

    Openings and closings are in µs of the day, ordered and disjoint; a closing past 24 hours lies on the day after.
    Raises ``CalendarError``.
    """
    if not isinstance(document, dict):
        raise CalendarError("A calendar names its zone and its week.")
    week = _mapping(document, "week")
    if unknown := sorted(set(week) - set(WEEKDAYS)):
        raise CalendarError(f"{unknown[0]!r} is not a weekday; use {', '.join(WEEKDAYS)}.")
    days = tuple(_spans(week.get(day, []), day) for day in WEEKDAYS)
    if not any(days):
        raise CalendarError("The calendar has no working time: give at least one weekday its hours.")
    exceptions = {_ordinal(day): _spans(ranges, day) for day, ranges in _mapping(document, "exceptions").items()}
    return _zone(document.get("zone")), days, exceptions


def _mapping(document, name):
    found = document.get(name) or {}
    if not isinstance(found, dict):
        raise CalendarError(f"The calendar's {name} is a list of days with their hours.")
    return found


def _zone(name):
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise CalendarError(f"{name!r} is not a known time zone, such as Europe/Berlin.") from error


def _ordinal(text):
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError as error:
        raise CalendarError(f"{text!r} is not a date; write it as 2026-12-25.") from error


def _spans(ranges, day):
    """One day's ranges as ordered, disjoint (opening, closing) in µs of the day."""
    if not isinstance(ranges, list):
        raise CalendarError(f"The hours of {day} are a list of ranges from and to.")
    spans = sorted(_span(pair, day) for pair in ranges)
    for (_, closing), (opening, _) in pairwise(spans):
        if opening < closing:
            raise CalendarError(f"Two ranges of {day} overlap at {_clock_face(opening)}.")
    return tuple(spans)


def _span(pair, day):
    if not isinstance(pair, list) or len(pair) != 2:
        raise CalendarError(f"A range of {day} needs a beginning and an end.")
    opening, closing = _time_of_day(pair[0], day), _time_of_day(pair[1], day)
    if opening == DAY:
        raise CalendarError(f"A range of {day} begins at 24:00; that is 00:00 of the day after.")
    if opening == closing:
        raise CalendarError(f"A range of {day} begins and ends at {pair[0]}; a whole day is 00:00 to 24:00.")
    return opening, closing if closing > opening else closing + DAY


def _time_of_day(text, day):
    """Microseconds of the day of HH:MM, HH:MM:SS or finer, up to 24:00."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise CalendarError(f"{text!r} on {day} is not a time of day; write it as 09:00.")
    hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3))
    fraction = int((match.group(4) or "").ljust(6, "0"))
    amount = ((hour * 60 + minute) * 60 + second) * SECOND + fraction
    if minute > 59 or second > 59 or amount > DAY:
        raise CalendarError(f"{text!r} on {day} is not a time of day; the last one is 24:00.")
    return amount


def _clock_face(us):
    minutes = us // (60 * SECOND)
    return f"{minutes // 60:02}:{minutes % 60:02}"

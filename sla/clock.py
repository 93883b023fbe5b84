"""Business time: working hours of one zone, and the arithmetic of deadlines in them. Pure, no Django, no system clock.

A calendar is cut into pages of sixteen weeks. A page holds its segments (opening, closing) as instants in
microseconds, and the working time before each, so that every question is a search in a sorted list plus a walk over
whole pages; pages are made when first asked for and kept. Hours are written in local wall time; both ends of a segment
become instants, and all adding and subtracting happens between instants. The choices are argued in docs/clock.md.
"""

import json
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from operator import ge, sub

from sla.hours import DAY, SECOND, CalendarError, read_calendar

_DAYS_A_PAGE = 112  # sixteen weeks: cheap to make for one deadline, few to walk for ten years
_MOST_PAGES = 256  # 78 years; an import with dates out of this world must not eat the memory
_LAST_PAGE = (date.max.toordinal() - 3) // _DAYS_A_PAGE - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 local wall time on purpose
_EPOCH_ORDINAL = _NAIVE_EPOCH.toordinal()
_TICK = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _TICK
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _TICK
_OUTSIDE = "Business time is reckoned from the year 1 to the year 9999."


class NaiveTimeError(ValueError):
    """A time without a zone was asked about: nobody can know which instant is meant."""


class WorkingHours:
    """When a team works: a week of hours in one zone, with dated exceptions that replace the hours of their day.

    Takes aware datetimes of any zone, answers in UTC, rounds nothing. Naive datetimes raise ``NaiveTimeError``,
    answers outside the years 1 to 9999 ``OverflowError``. Immutable to its users and safe to share between threads.
    """

    __slots__ = (
        "_exceptions",
        "_gains",
        "_pages",
        "_spills",
        "_totals",
        "_usual_closes",
        "_usual_opens",
        "_week",
        "zone",
    )

    def __init__(self, zone, week, exceptions):
        """Parts as ``sla.hours.read_calendar`` gives them; callers use ``from_json``."""
        self.zone = zone
        self._week = week
        self._exceptions = exceptions
        self._gains = self._gains_of_weeks()
        self._spills = any(close > DAY for day in (*week, *exceptions.values()) for _, close in day)
        self._usual_opens = [day * DAY + opening for day in range(7) for opening, _ in week[day]]
        self._usual_closes = [day * DAY + closing for day in range(7) for _, closing in week[day]]
        self._pages, self._totals = {}, {}

    @classmethod
    def from_json(cls, document):
        """From ``{"zone": …, "week": {"mon": [["09:00", "17:00"]], …}, "exceptions": {"2026-12-25": []}}``.

        Weekdays that are missing are free, ``exceptions`` may be missing. A range that ends before its beginning runs
        over midnight and belongs to the day it begins; ``24:00`` is the end of the day. ``CalendarError`` where a part
        is unreadable, ranges of one day overlap, or the week has no working time. Equal documents give one object.
        """
        try:
            return _made(json.dumps(document, sort_keys=True))
        except TypeError as error:
            raise CalendarError(f"The calendar is not a JSON document: {error}.") from error

    def add(self, start, duration):
        """The instant at which ``duration`` of working time has passed since ``start``.

        What ends exactly at closing is due at closing. Nothing to add: ``start`` if open, else the next opening.
        Negative: back in time, and what ends exactly at opening is the opening.
        """
        amount = duration // _TICK
        if amount == 0:
            return self.next_open(start)
        number, page, at = self._locate(start)
        if not _FIRST <= at + amount <= _LAST:  # working time takes at least as long as time
            raise OverflowError(_OUTSIDE)
        if amount > 0:
            return _instant(self._forward(number, page.worked(at) + amount)[0])
        return _instant(self._backward(number, page.worked(at) + amount))

    def add_many(self, starts, duration):
        """``[add(start, duration) for start in starts]``, for an import: the list in the order of ``starts``.

        Between two edges of the calendar every deadline lies equally far from its start, so that the sorted starts are
        served by one addition each.
        """
        if duration <= timedelta(0):
            return [self.add(start, duration) for start in starts]
        instants = [_checked(start).astimezone(UTC) for start in starts]
        dues, until, distance, fixed = [None] * len(instants), None, None, None
        for place in sorted(range(len(instants)), key=instants.__getitem__):
            start = instants[place]
            if until is None or start >= until:
                distance, fixed, until = self._stretch(start, duration)
            dues[place] = fixed if distance is None else start + distance
        return dues

    def between(self, start, end):
        """The working time from ``start`` to ``end``; negative where the end comes first."""
        first, first_page, begins = self._locate(start)
        last, last_page, ends = self._locate(end)
        worked = last_page.worked(ends) - first_page.worked(begins)
        if last > first:
            worked += sum(map(self._total, range(first, last)))
        elif last < first:
            worked -= sum(map(self._total, range(last, first)))
        return timedelta(microseconds=worked)

    def is_open(self, at):
        """Whether ``at`` is working time. The opening instant is, the closing instant is not."""
        _, page, at = self._locate(at)
        i = bisect_right(page.opens, at) - 1
        return i >= 0 and at < page.closes[i]

    def next_open(self, at):
        """``at`` itself if open, else the next opening."""
        number, page, at = self._locate(at)
        i = bisect_right(page.closes, at)
        while i == len(page.closes):
            number, i = number + 1, 0
            page = self._page(number)
        return _instant(max(at, page.opens[i]))

    def next_close(self, at):
        """The end of the window that is open at ``at``, else of the next one; ``None`` where it never closes again."""
        opening = self.next_open(at)
        number, page, at = self._locate(opening)
        close = page.closes[bisect_right(page.closes, at)]
        while close == page.end:
            if self._never_closes_after(number):
                return None
            number += 1
            page = self._page(number)
            if not page.opens or page.opens[0] > close:
                break
            close = page.closes[0]
        return _instant(close)

    def prev_open(self, at):
        """``at`` itself if it ends a moment of working time, else the closing before it.

        Looking back, a window holds its closing and not its opening: 17:00 gives 17:00, 09:00 the evening before.
        """
        number, page, at = self._locate(at)
        i = bisect_left(page.opens, at) - 1
        while i < 0:
            number -= 1
            page = self._page(number)
            i = len(page.opens) - 1
        return _instant(min(at, page.closes[i]))

    def windows(self, start, end):
        """The working time from ``start`` to ``end``: a list of (opening, closing), cut at both; none is empty."""
        first, _, begins = self._locate(start)
        last, _, ends = self._locate(end)
        found = []
        for number in range(first, last + 1):
            page = self._page(number)
            for opening, closing in zip(page.opens, page.closes, strict=True):
                opening, closing = max(opening, begins), min(closing, ends)
                if opening >= closing:
                    continue
                if found and found[-1][1] == opening:
                    found[-1][1] = closing
                else:
                    found.append([opening, closing])
        return [(_instant(opening), _instant(closing)) for opening, closing in found]

    def _locate(self, at):
        """(page number, page, microseconds since 1970) of an aware datetime."""
        local = _checked(at).astimezone(self.zone)
        number = (local.toordinal() - 1) // _DAYS_A_PAGE
        since = local - _EPOCH
        us = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
        page = self._page(number)
        if (
            us >= page.end
        ):  # clocks set back over the midnight that ends the page; no zone has done so on such a Monday
            number += 1
            page = self._page(number)
        return number, page, us

    def _forward(self, number, worked):
        """The first instant with ``worked`` > 0 µs done since the beginning of the page, and its segment's closing."""
        while worked > (total := self._total(number)):
            worked -= total
            number += 1
        page = self._page(number)
        i = bisect_left(page.before, worked) - 1
        return page.opens[i] + worked - page.before[i], page.closes[i]

    def _backward(self, number, worked):
        """The last instant with no more than ``worked`` µs done since the page began; less than none: pages before."""
        while worked < 0:
            number -= 1
            worked += self._total(number)
        page = self._page(number)
        i = bisect_right(page.before, worked) - 1
        return page.opens[i] + worked - page.before[i]

    def _stretch(self, start, duration):
        """How deadlines go from ``start`` on: (distance or None, fixed deadline or None, where this stops to hold)."""
        opening = self.next_open(start)
        number, page, at = self._locate(opening)
        due, due_closes = self._forward(number, page.worked(at) + duration // _TICK)
        if opening > start:
            return None, _instant(due), opening
        closes = page.closes[bisect_right(page.closes, at)]
        holds = min(closes, at + due_closes - due + 1)
        return timedelta(microseconds=due - at), None, _instant(holds)

    def _never_closes_after(self, number):
        """Whether the page is open around the clock by the week alone, and no exception follows."""
        page, night_before = self._page(number), _first_day(number) - 1
        return page.total == page.end - page.start and all(day < night_before for day in self._exceptions)

    def _gains_of_weeks(self):
        """{week: µs that its exceptions work more than usual}, for the weeks that have any."""
        gains = {}
        for day, spans in self._exceptions.items():
            gain = _length(spans) - _length(self._week[(day - 1) % 7])
            gains[_week_of(day)] = gains.get(_week_of(day), 0) + gain
        return gains

    def _total(self, number):
        """Working µs of a page; most pages are only ever counted, so that their segments are never made."""
        total = self._totals.get(number)
        if total is None:
            total = self._page(number).total if self._spills else self._sum_of_weeks(number)
            self._totals[number] = total
        return total

    def _sum_of_weeks(self, number):
        """Working µs of a page whose days end at midnight: usual weeks, exceptions, weeks in which clocks change."""
        _check_page(number)
        usual = sum(self._usual_closes) - sum(self._usual_opens)
        total = 0
        for monday in _mondays(number):
            if _steady_offset(self.zone, monday, 7) is not None:
                total += usual + self._gains.get(_week_of(monday), 0)
                continue
            opens, closes = [], []
            self._append_week(opens, closes, monday)
            total += sum(closes) - sum(opens)
        return total

    def _page(self, number):
        page = self._pages.get(number)
        if page is None:
            page = self._make_page(number)
            if len(self._pages) >= _MOST_PAGES:
                self._pages = {}
            self._pages[number] = page
        return page

    def _make_page(self, number):
        _check_page(number)
        first = _first_day(number)
        opens, closes = [], []
        if self._spills:  # the night before the page runs into it
            self._append_day(opens, closes, first - 1)
        for monday in _mondays(number):
            self._append_week(opens, closes, monday)
        if any(map(ge, closes, opens[1:])):
            opens, closes = _joined(opens, closes)
        return _Page(
            _first_instant(self.zone, _midnight(first)),
            _first_instant(self.zone, _midnight(first + _DAYS_A_PAGE)),
            opens,
            closes,
        )

    def _append_week(self, opens, closes, monday):
        """Append the segments that begin in the week from ordinal ``monday``, in order."""
        offset = _steady_offset(self.zone, monday, 7)
        if offset is None or _week_of(monday) in self._gains:
            for ordinal in range(monday, monday + 7):
                self._append_day(opens, closes, ordinal)
            return
        begins = _midnight(monday) - offset
        opens += [begins + opening for opening in self._usual_opens]
        closes += [begins + closing for closing in self._usual_closes]

    def _append_day(self, opens, closes, ordinal):
        """Append the segments that begin on one day, in order."""
        offset, midnight = _steady_offset(self.zone, ordinal, 1), _midnight(ordinal)
        for opening, closing in self._exceptions.get(ordinal, self._week[(ordinal - 1) % 7]):
            if offset is not None:
                opens.append(midnight - offset + opening)
                closes.append(midnight - offset + closing)
                continue
            begins, ends = (_first_instant(self.zone, midnight + edge) for edge in (opening, closing))
            if begins < ends:  # hours that the clocks jump over do not exist
                opens.append(begins)
                closes.append(ends)


class _Page:
    """Sixteen weeks: segments between the instants ``start`` and ``end``, joined and ordered, in µs since 1970.

    ``before[i]`` is the working time of the page before segment i; ``total`` that of the whole page.
    """

    __slots__ = ("before", "closes", "end", "opens", "start", "total")

    def __init__(self, start, end, opens, closes):
        while closes and closes[0] <= start:
            del opens[0], closes[0]
        while opens and opens[-1] >= end:
            del opens[-1], closes[-1]
        if opens:
            opens[0] = max(opens[0], start)
            closes[-1] = min(closes[-1], end)
        *self.before, self.total = accumulate(map(sub, closes, opens), initial=0)
        self.start, self.end, self.opens, self.closes = start, end, opens, closes

    def worked(self, at):
        """Working µs of the page before the instant ``at``."""
        i = bisect_right(self.opens, at) - 1
        if i < 0:
            return 0
        return self.before[i] + min(at, self.closes[i]) - self.opens[i]


def _joined(opens, closes):
    """Segments ordered by opening that overlap or touch, as the fewest that cover the same time."""
    joined_opens, joined_closes = [], []
    for opening, closing in zip(opens, closes, strict=True):
        if joined_closes and opening <= joined_closes[-1]:
            joined_closes[-1] = max(joined_closes[-1], closing)
        else:
            joined_opens.append(opening)
            joined_closes.append(closing)
    return joined_opens, joined_closes


# pages and weeks


def _check_page(number):
    if not 1 <= number <= _LAST_PAGE:
        raise OverflowError(_OUTSIDE)


def _first_day(number):
    """Ordinal of the Monday on which a page begins."""
    return 1 + number * _DAYS_A_PAGE


def _mondays(number):
    return range(_first_day(number), _first_day(number + 1), 7)


def _week_of(ordinal):
    """Number of the week, Monday to Sunday; the day with ordinal 1 was a Monday."""
    return (ordinal - 1) // 7


def _length(spans):
    return sum(closing - opening for opening, closing in spans)


# instants and wall time


def _checked(at):
    if at.utcoffset() is None:
        raise NaiveTimeError(f"Business time needs a time with its zone; {at.isoformat()} has none.")
    return at


def _instant(us):
    return _EPOCH + timedelta(microseconds=us)


def _midnight(ordinal):
    """Local midnight at the beginning of a day, in µs of wall time since 1970."""
    return (ordinal - _EPOCH_ORDINAL) * DAY


def _offset(zone, local):
    """UTC offset in µs of a naive wall time; ``fold`` chooses the side of a change as PEP 495 says."""
    return zone.utcoffset(local) // _TICK


@lru_cache(maxsize=16_384)
def _steady_offset(zone, first, days):
    """UTC offset in µs of the days from ordinal ``first`` and of the night after; ``None`` where it changes.

    Asked every four days at most: the shortest time after which a zone of the tz database goes back is just under
    seven days (Recife 2000, Gaza 2040), so that no change is overlooked.
    """
    begins = datetime.fromordinal(first)
    offset = zone.utcoffset(begins)
    for later in (1, 2) if days == 1 else (4, 8):
        if zone.utcoffset(begins + timedelta(days=later)) != offset:
            return None
    return offset // _TICK


def _first_instant(zone, wall):
    """The first instant at which the wall clock shows ``wall`` (µs since 1970) or later, in µs.

    So a wall time that comes twice is its first occurrence, and one that is skipped is the instant of the change.
    Never decreasing in ``wall``: segments that do not overlap on the wall do not overlap in time.
    """
    local = _NAIVE_EPOCH + timedelta(microseconds=wall)
    earlier, later = _offset(zone, local), _offset(zone, local.replace(fold=1))
    if earlier >= later:
        return wall - earlier
    shows_less, shows_it = wall - later - 1, wall - earlier  # skipped: the change lies in between
    while shows_it - shows_less > 1:
        middle = (shows_less + shows_it) // 2
        shown = _instant(middle).astimezone(zone).replace(tzinfo=None)
        if shown >= local:
            shows_it = middle
        else:
            shows_less = middle
    return shows_it


@lru_cache(maxsize=256)
def _made(text):
    return WorkingHours(*read_calendar(json.loads(text)))

"""The laws of business time, over random calendars, zones and the days on which clocks change."""

import os
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.clock import WorkingHours
from sla.hours import WEEKDAYS

MINUTE, NOTHING = timedelta(minutes=1), timedelta(0)
# both hemispheres, half and quarter hours, a half-hour change, changes at midnight, and none
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "UTC",
)
# days around which some of these zones change their clocks, and one on which none does
DAYS = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 4, 24), date(2026, 9, 6)]
DAYS += [date(2026, 9, 27), date(2026, 10, 4), date(2026, 10, 25), date(2026, 10, 29), date(2026, 11, 1)]
DAYS += [date(2026, 6, 17)]
laws = settings(max_examples=100, deadline=None)


def face(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def ranges(draw, most=3):
    """Up to three disjoint ranges of a day, some of them to midnight or over it."""
    edges = draw(st.lists(st.integers(0, 1440 // 15), unique=True, max_size=2 * most).map(sorted))
    edges = [15 * edge for edge in edges[: len(edges) // 2 * 2]]
    found = [[face(a), face(b)] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    if edges and edges[0] > 0 and edges[-1] < 1440 and draw(st.booleans()):
        found.append([face(max(edges[-1], 1)), face(edges[0])])  # the night after the last range
    return found


def weeks():
    return st.fixed_dictionaries({day: ranges() for day in WEEKDAYS}).filter(lambda week: any(week.values()))


def near_a_change():
    return st.tuples(st.sampled_from(DAYS), st.integers(-9, 9)).map(lambda pick: pick[0] + timedelta(days=pick[1]))


@st.composite
def documents(draw):
    exceptions = draw(st.dictionaries(near_a_change().map(date.isoformat), ranges(), max_size=5))
    return {"zone": draw(st.sampled_from(ZONES)), "week": draw(weeks()), "exceptions": exceptions}


calendars = documents().map(WorkingHours.from_json)
durations = st.timedeltas(NOTHING, timedelta(hours=60))
some_durations = st.timedeltas(timedelta(microseconds=1), timedelta(hours=60))


@st.composite
def instants(draw):
    """Instants of days around a change: on the minute, where edges are, or off it; in UTC or a zone of their own."""
    midnight = datetime.combine(draw(near_a_change()), datetime.min.time(), tzinfo=UTC)
    minutes = draw(st.integers(0, 96)) * 15 * MINUTE
    odd = draw(st.sampled_from([NOTHING, NOTHING, timedelta(microseconds=1), timedelta(seconds=17.25)]))
    return (midnight + minutes + odd).astimezone(ZoneInfo(draw(st.sampled_from(ZONES))))


@laws
@given(calendars, instants(), durations)
def test_the_time_until_a_deadline_is_what_was_granted(clock, start, granted):
    assert clock.between(start, clock.add(start, granted)) == granted


@laws
@given(calendars, instants(), durations, some_durations)
def test_a_deadline_can_be_granted_in_two_parts(clock, start, first, second):
    assert clock.add(clock.add(start, first), second) == clock.add(start, first + second)


@laws
@given(calendars, instants(), instants(), instants())
def test_elapsed_time_adds_up_over_any_instant_between(clock, a, b, c):
    assert clock.between(a, b) + clock.between(b, c) == clock.between(a, c)
    assert clock.between(a, b) == -clock.between(b, a)


@laws
@given(calendars, instants(), instants(), durations)
def test_who_arrives_later_is_never_due_earlier(clock, one, other, granted):
    earlier, later = sorted((one.astimezone(UTC), other.astimezone(UTC)))
    assert clock.add(earlier, granted) <= clock.add(later, granted)


@laws
@given(calendars, instants(), durations, durations)
def test_who_is_granted_more_is_never_due_earlier(clock, start, one, other):
    assert clock.add(start, min(one, other)) <= clock.add(start, max(one, other))


@laws
@given(calendars, instants(), some_durations)
def test_going_back_undoes_going_forward_up_to_closed_hours(clock, start, granted):
    assert clock.add(clock.add(start, granted), -granted) == clock.next_open(start)
    assert clock.add(clock.add(start, -granted), granted) == clock.prev_open(start)
    assert clock.between(clock.add(start, -granted), start) == granted


@laws
@given(calendars, instants())
def test_openings_and_closings_stand_where_time_begins_and_stops_to_count(clock, moment):
    opening, closing, before = clock.next_open(moment), clock.next_close(moment), clock.prev_open(moment)
    assert clock.is_open(opening)
    assert clock.is_open(moment) == (opening == moment)
    assert clock.between(moment, opening) == clock.between(before, moment) == NOTHING
    if closing is not None:
        assert clock.between(opening, closing) == closing - opening > NOTHING
        assert not clock.is_open(closing)


@laws
@given(calendars, instants(), instants())
def test_windows_sum_to_the_time_between_and_never_touch(clock, one, other):
    start, end = sorted((one.astimezone(UTC), other.astimezone(UTC)))
    windows = clock.windows(start, end)
    assert sum((closing - opening for opening, closing in windows), NOTHING) == clock.between(start, end)
    edges = [edge for window in windows for edge in window]
    assert edges == sorted(set(edges))
    assert not edges or start <= edges[0] < edges[-1] <= end


@laws
@given(calendars, st.lists(instants(), max_size=30), st.timedeltas(timedelta(hours=-20), timedelta(hours=60)))
def test_many_deadlines_at_once_are_those_of_one_at_a_time(clock, starts, granted):
    assert clock.add_many(starts, granted) == [clock.add(start, granted) for start in starts]


@settings(max_examples=60, deadline=None)
@given(documents(), near_a_change())
def test_every_quarter_hour_is_open_exactly_when_the_written_hours_say_so(document, day):
    """Against a reading of the same document minute by minute, which shares nothing with the product."""
    clock = WorkingHours.from_json(document)
    begins = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    spans = list(slow_spans(document, day))
    quarters = [begins + 15 * MINUTE * i for i in range(96)]
    open_by_hand = [any(opening <= moment < closing for opening, closing in spans) for moment in quarters]
    assert [clock.is_open(moment) for moment in quarters] == open_by_hand
    assert clock.between(begins, begins + timedelta(days=1)) == 15 * MINUTE * sum(open_by_hand)


def slow_spans(document, day):
    """(opening, closing) of the days around one, each edge found by looking at the wall clock minute after minute."""
    zone = ZoneInfo(document["zone"])
    begins = datetime.combine(day - timedelta(days=3), datetime.min.time(), tzinfo=UTC)
    wall = [(begins + 15 * MINUTE * i).astimezone(zone).replace(tzinfo=None) for i in range(7 * 96)]

    def first_shown(local):
        return begins + 15 * MINUTE * next(i for i, shown in enumerate(wall) if shown >= local)

    for shift in (-2, -1, 0, 1):
        date_ = day + timedelta(days=shift)
        midnight = datetime.combine(date_, datetime.min.time())
        usual = document["week"][WEEKDAYS[date_.weekday()]]
        for opening, closing in document["exceptions"].get(date_.isoformat(), usual):
            opens, closes = (timedelta(hours=int(t[:2]), minutes=int(t[3:])) for t in (opening, closing))
            closes += timedelta(days=closes <= opens)
            yield first_shown(midnight + opens), first_shown(midnight + closes)


@contextmanager
def machine_in(zone):
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


@pytest.mark.parametrize("machine", ["Pacific/Kiritimati", "America/St_Johns", "Europe/Berlin"])
@settings(max_examples=40, deadline=None)
@given(document=documents(), start=instants(), granted=durations)
def test_the_zone_of_the_machine_and_of_the_question_change_nothing(machine, document, start, granted):
    with machine_in("UTC"):
        clock = WorkingHours.from_json(document)
        here = (clock.add(start, granted), clock.prev_open(start), clock.between(start, start + granted))
    with machine_in(machine):
        fresh = WorkingHours.from_json({**document, "name": "read again, nothing kept"})
        moved = start.astimezone(UTC)
        there = (fresh.add(moved, granted), fresh.prev_open(moved), fresh.between(moved, start + granted))
    assert here == there


@settings(max_examples=60, deadline=None)
@given(calendars, instants(), st.integers(0, 4000))
def test_the_laws_hold_over_years(clock, start, days):
    end = start.astimezone(UTC) + timedelta(days=days)
    worked = clock.between(start, end)
    assert clock.between(start, clock.add(start, worked)) == worked
    if worked:
        assert clock.add(start, worked) == clock.prev_open(end)
        assert clock.add(end, -worked) == clock.next_open(start)

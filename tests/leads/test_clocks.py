"""Clocks as they are read: pure times, no database."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from leads import clocks
from sla.clock import WorkingHours

ZONE = ZoneInfo("Europe/Berlin")
START = dt.datetime(2026, 10, 15, 8, 0, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
WEEK = dt.timedelta(days=7)


def contact(now, *, due=START + HOUR, touched=None, decided=None):
    given = {"start": START, "due": due, "touched": touched, "decided": decided, "now": now}
    return clocks.first_contact(**given, zone=ZONE, within="Hot: within 1 hour.")


@pytest.mark.parametrize(
    ("after", "state"),
    [
        (dt.timedelta(0), "ok"),
        (WEEK * 3 / 4 - MINUTE, "ok"),
        (WEEK * 3 / 4, "warn"),
        (WEEK, "warn"),
        (WEEK + MINUTE, "late"),
    ],
)
def test_a_clock_turns_amber_in_its_last_quarter_and_red_after_the_due_time(after, state):
    assert clocks.state(START, START + WEEK, START + after) == state


def test_the_last_hour_is_amber_however_long_the_clock_is():
    due = START + 2 * HOUR
    assert clocks.state(START, due, due - HOUR) == "warn"
    assert clocks.state(START, due, due - HOUR - MINUTE) == "ok"


def test_a_contact_exactly_at_the_due_time_keeps_the_clock_and_one_after_it_does_not():
    assert contact(START + 3 * HOUR, touched=START + HOUR).state == "kept"
    late = contact(START + 3 * HOUR, touched=START + HOUR + 6 * MINUTE)
    assert (late.state, late.words) == ("late", "Missed by 6 min")


def test_a_late_answer_does_not_erase_the_breach():
    assert contact(START + WEEK, touched=START + 5 * HOUR).state == "late"


def test_a_decision_without_any_contact_ends_the_contact_clock_without_keeping_it():
    clock = contact(START + HOUR, decided=START + 9 * MINUTE)
    assert (clock.state, clock.colour, clock.words) == ("done", "idle", "Ended by the decision")


def test_the_track_says_how_much_is_used_and_where_five_minutes_were():
    clock = contact(START + 51 * MINUTE)
    assert (clock.used, clock.words, clock.state) == (85.0, "9 min left", "warn")
    assert clock.ticks == ((0, "10:00"), (8.33, "5 min"), (100, "11:00"))


def test_a_clock_without_length_does_not_divide_by_nothing():
    assert clocks.left_share(START, START, START) == 0
    assert contact(START, due=START).state == "warn"


# --- in business time -------------------------------------------------------------------------------
WEEKDAYS = {day: [["08:00", "12:00"], ["13:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE = WorkingHours.from_json({"zone": "Europe/Berlin", "week": WEEKDAYS})


def berlin(*moment):
    return dt.datetime(*moment, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (berlin(2026, 10, 15, 10, 40), "40 min left"),  # nothing closed in between: the kind of time is not said
        (berlin(2026, 10, 15, 13, 10), "2 h 10 min of working time"),
        (berlin(2026, 10, 23, 17, 30), "60 h 30 min of working time"),
        (berlin(2026, 10, 15, 9, 0), "1 h over"),
        (berlin(2026, 10, 14, 17, 0), "3 h of working time over"),
    ],
)
def test_what_is_left_is_told_in_working_time(due, words):
    assert clocks.left(due, berlin(2026, 10, 15, 10), OFFICE) == words


def test_out_of_hours_nothing_is_left_of_a_clock_that_is_due_at_closing():
    due = berlin(2026, 10, 16, 18)
    assert clocks.left(due, due + 9 * HOUR, OFFICE) == "9 h over"
    assert clocks.left_share(berlin(2026, 10, 16, 17), berlin(2026, 10, 19, 9), due + 9 * HOUR, OFFICE) == 50


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (berlin(2026, 10, 15, 17), "6 h"),  # seven hours less lunch
        (berlin(2026, 10, 15, 11), "1 h left"),
        (berlin(2026, 10, 16, 9), "Fri 09:00"),
        (berlin(2026, 10, 14, 17), "3 h over"),
    ],
)
def test_a_chip_counts_todays_rest_and_what_is_over_in_working_time(due, words):
    assert clocks.due_chip(due, berlin(2026, 10, 15, 10), ZONE, OFFICE) == words


def running(now, **more):
    given = {"start": berlin(2026, 10, 16, 17), "due": berlin(2026, 10, 19, 10), "touched": None, "decided": None}
    return clocks.first_contact(**given | more, now=now, zone=ZONE, within="Hot: within 3 hours.", hours=OFFICE)


def test_a_running_clock_says_when_it_is_due_here_and_elsewhere():
    clock = running(berlin(2026, 10, 18, 12), elsewhere=(("for the lead in Japan", ZoneInfo("Asia/Tokyo")),))
    assert clock.words == "2 h of working time"
    assert clock.note == "Due tomorrow 10:00 (17:00 for the lead in Japan). Hot: within 3 hours. No contact yet."
    far = running(berlin(2026, 10, 18, 12), elsewhere=(("for the lead in New Zealand", ZoneInfo("Pacific/Auckland")),))
    assert "(21:00 for the lead in New Zealand)" in far.note
    assert "of working time used" in clock.label


def test_closed_hours_are_hatched_on_the_track():
    (weekend,) = running(berlin(2026, 10, 18, 12)).pauses
    assert weekend == (pytest.approx(100 / 65, abs=0.01), pytest.approx(100 * 63 / 65, abs=0.01))


def test_kept_and_missed_are_told_in_working_time_too():
    now = berlin(2026, 10, 20, 12)
    assert running(now, touched=berlin(2026, 10, 16, 18)).words == "Kept, 2 h of working time early"
    assert running(now, touched=berlin(2026, 10, 19, 14)).words == "Missed by 3 h of working time"
    assert running(now, touched=berlin(2026, 10, 19, 11)).words == "Missed by 1 h"


def test_a_stored_warning_time_goes_before_the_last_quarter():
    due = START + 8 * HOUR
    assert clocks.state(START, due, START + 7 * HOUR, warn_at=due - 30 * MINUTE) == "ok"
    assert clocks.state(START, due, START + 7 * HOUR + 30 * MINUTE, warn_at=due - 30 * MINUTE) == "warn"

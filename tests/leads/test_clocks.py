"""Clocks as they are read: pure times, no database."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from leads import clocks

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

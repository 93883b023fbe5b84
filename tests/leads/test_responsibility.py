"""Who held it how long: routing and each owner, in elapsed and in working time, and the parts are the whole."""

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from leads.responsibility import ROUTING, Given, shares, spells
from sla.clock import WorkingHours

START = dt.datetime(2026, 10, 23, 6, 0, tzinfo=dt.UTC)  # a Friday before the clocks go back
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
WEEK = {day: [["09:00", "12:30"], ["13:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sun")}
OFFICE = WorkingHours.from_json({"zone": "Europe/Berlin", "week": WEEK, "exceptions": {"2026-10-26": []}})


def held(end, *given, hours=None):
    return shares(spells(START, START + end, [Given(START + at, *rest) for at, *rest in given], hours))


def test_until_somebody_holds_it_the_time_is_routings():
    assert held(3 * HOUR, (HOUR, "Rena")) == {ROUTING: (HOUR, HOUR), "Rena": (2 * HOUR, 2 * HOUR)}


def test_the_queue_is_routings_and_its_owner_holds_nothing():
    found = held(9 * HOUR, (0 * HOUR, "Quentin", True), (2 * HOUR, "Rena"), (5 * HOUR, "Quentin", True))
    assert found == {ROUTING: (6 * HOUR, 6 * HOUR), "Rena": (3 * HOUR, 3 * HOUR)}


def test_who_gets_it_back_has_both_times():
    found = held(6 * HOUR, (0 * HOUR, "Rena"), (HOUR, "Otto"), (4 * HOUR, "Rena"))
    assert found == {"Rena": (3 * HOUR, 3 * HOUR), "Otto": (3 * HOUR, 3 * HOUR)}


def test_working_time_is_told_beside_elapsed_time():
    found = held(2 * HOUR, (0 * HOUR, "Rena"), (90 * MINUTE, "Otto"), hours=OFFICE)  # 8:00 to 10:00 in Berlin
    assert found == {"Rena": (90 * MINUTE, 30 * MINUTE), "Otto": (30 * MINUTE, 30 * MINUTE)}


def test_what_was_assigned_after_the_end_counts_nothing():
    assert held(HOUR, (0 * HOUR, "Rena"), (HOUR, "Otto")) == {"Rena": (HOUR, HOUR)}


HANDS = st.lists(
    st.tuples(st.timedeltas(-HOUR, 200 * HOUR), st.sampled_from(["Rena", "Otto", "Suna"]), st.booleans()), max_size=12
)


@given(HANDS, st.timedeltas(0 * HOUR, 220 * HOUR), st.sampled_from([None, OFFICE]))
def test_the_parts_are_the_whole_to_the_microsecond(hands, length, hours):
    end = START + length
    found = spells(START, end, [Given(START + at, *rest) for at, *rest in sorted(hands)], hours)
    parts = shares(found).values()
    assert sum((elapsed for elapsed, _ in parts), dt.timedelta(0)) == length
    assert sum((worked for _, worked in parts), dt.timedelta(0)) == (hours.between(START, end) if hours else length)
    edges = [START, *(spell.end for spell in found)]
    assert [spell.start for spell in found] == edges[:-1]
    assert edges[-1] == end
    assert all(a.holder != b.holder for a, b in pairwise(found))

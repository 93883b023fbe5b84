"""Business time by example: what other projects assert, days on which clocks change, calendars nobody can use."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sla.clock import CalendarError, NaiveTimeError, WorkingHours
from tests.conftest import SHARED_DATA

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
DAYS = (*WORKDAYS, "sat", "sun")
VECTORS = SHARED_DATA / "clock" / "vectors.json"
CHOICES = Path(__file__).resolve().parents[2] / "docs" / "clock.md"
HOUR = timedelta(hours=1)


def hours(*ranges, zone="UTC", days=WORKDAYS, **exceptions):
    """Hours with the same ranges ("09:00-17:00") on each of the days; exceptions as _2026_12_25=[…]."""
    dated = {day[1:].replace("_", "-"): [span(text) for text in ranges] for day, ranges in exceptions.items()}
    week = {day: [span(text) for text in ranges] for day in days}
    return WorkingHours.from_json({"zone": zone, "week": week, "exceptions": dated})


def span(text):
    return text.split("-")


def at(text, zone="UTC"):
    """An instant; without an offset the wall time of the zone."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


OFFICE = hours("09:00-17:00")
LUNCH = hours("09:00-12:30", "13:30-17:00")
ROUND_THE_CLOCK = hours("00:00-24:00", days=DAYS)
BERLIN_NIGHTS = hours("22:00-06:00", zone="Europe/Berlin", days=("sat",))


# what others assert


def vectors(ambiguous):
    """The cases as test parameters; one empty parameter where the file is absent, so that the test can say so."""
    if not VECTORS.exists():
        return [pytest.param(None, id="absent")]
    cases = json.loads(VECTORS.read_text())["vectors"]
    return [pytest.param(case, id=case["id"]) for case in cases if (case["ambiguous"] is not None) == ambiguous]


def answer(case):
    """What the product says, as the file writes it: seconds, a bool, or an instant. A pause adds its working time."""
    closed = {day: [] for day in case["holidays"]}
    document = {"zone": case["timezone"] or "UTC", "week": case["schedule"]}
    clock = WorkingHours.from_json({**document, "exceptions": {**closed, **case["day_overrides"]}})
    assert not case["breaks"]
    start = at(case["start"])
    if case["op"] == "between":
        return clock.between(start, at(case["end"])).total_seconds()
    if case["op"] == "add":
        paused = sum((clock.between(at(a), at(b)) for a, b in case["pauses"]), timedelta(0))
        return clock.add(start, timedelta(**{case["amount"]["unit"]: case["amount"]["value"]}) + paused)
    return getattr(clock, case["op"])(start)


def expected(case):
    return at(case["expected"]) if isinstance(case["expected"], str) else case["expected"]


def recorded_choices():
    """{vector id: our answer as docs/clock.md records it}."""
    rows = re.findall(r"^\| ([a-z]+-\d+) \|.*\| ([^|]+) \|$", CHOICES.read_text(), re.MULTILINE)
    return dict(rows)


def written(value):
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else f"{value:.0f} s"


@pytest.mark.parametrize("case", vectors(ambiguous=False))
def test_other_projects_expect_the_same_answer(shared_data, case):
    assert answer(case) == expected(case)


@pytest.mark.parametrize("case", vectors(ambiguous=True))
def test_where_sources_differ_the_answer_is_the_choice_on_record(shared_data, case):
    assert written(answer(case)) == recorded_choices()[case["id"]]


def test_all_254_plain_cases_are_tested_and_every_ambiguous_one_has_its_choice_on_record(shared_data):
    assert len(vectors(ambiguous=False)) == 254
    assert {param.id for param in vectors(ambiguous=True)} == set(recorded_choices())


# deadlines


@pytest.mark.parametrize("arrival", ["07:00", "11:00", "16:00", "23:00"])
def test_whenever_a_lead_arrives_on_saturday_four_hours_end_on_monday_at_one(arrival):
    saturday = at(f"2026-11-07T{arrival}", "Europe/Berlin")
    due = hours("09:00-18:00", zone="Europe/Berlin").add(saturday, 4 * HOUR)
    assert due == at("2026-11-09T13:00", "Europe/Berlin")


def test_a_clock_that_ends_at_closing_is_due_at_closing_although_closing_is_closed():
    due = OFFICE.add(at("2026-11-06T15:00"), 2 * HOUR)
    assert due == at("2026-11-06T17:00")
    assert not OFFICE.is_open(due)


def test_a_microsecond_more_is_due_a_microsecond_after_the_next_opening():
    due = OFFICE.add(at("2026-11-06T15:00"), 2 * HOUR + timedelta(microseconds=1))
    assert due == at("2026-11-09T09:00:00.000001")
    assert OFFICE.between(at("2026-11-06T15:00"), due) == timedelta(hours=2, microseconds=1)


def test_nothing_to_do_out_of_hours_is_due_at_the_next_opening():
    assert OFFICE.add(at("2026-11-06T17:00"), timedelta(0)) == at("2026-11-09T09:00")
    assert OFFICE.add(at("2026-11-06T16:59:59.999999"), timedelta(0)) == at("2026-11-06T16:59:59.999999")


def test_going_back_ends_at_an_opening_and_not_at_the_closing_before():
    assert OFFICE.add(at("2026-11-09T10:00"), -HOUR) == at("2026-11-09T09:00")
    assert OFFICE.add(at("2026-11-09T10:00"), -2 * HOUR) == at("2026-11-06T16:00")


def test_an_end_before_the_start_is_negative_time():
    assert OFFICE.between(at("2026-11-09T10:00"), at("2026-11-06T16:00")) == -2 * HOUR


def test_answers_are_in_utc_whatever_zone_the_question_has():
    due = OFFICE.add(datetime(2026, 11, 6, 23, 0, tzinfo=timezone(timedelta(hours=14))), HOUR)
    assert (due, due.tzinfo) == (at("2026-11-06T10:00"), UTC)


def test_a_half_day_and_a_holiday_replace_the_hours_of_their_dates():
    christmas = hours("09:00-17:00", _2026_12_24=["09:00-12:00"], _2026_12_25=[])
    assert christmas.add(at("2026-12-24T11:00"), 2 * HOUR) == at("2026-12-28T10:00")


def test_a_dated_exception_opens_a_day_off():
    assert hours("09:00-17:00", _2026_11_07=["10:00-11:00"]).next_open(at("2026-11-06T18:00")) == at(
        "2026-11-07T10:00"
    )


# midnight


def test_a_day_to_midnight_loses_no_minute():
    until_midnight = hours("00:00-24:00", days=("mon", "tue"))
    assert until_midnight.between(at("2026-11-09T00:00"), at("2026-11-11T00:00")) == 48 * HOUR
    assert until_midnight.next_close(at("2026-11-09T05:00")) == at("2026-11-11T00:00")


def test_a_night_shift_runs_over_midnight_and_over_the_end_of_the_week():
    nights = hours("22:00-06:00", days=("sun",))
    assert nights.windows(at("2026-11-01T00:00"), at("2026-11-03T00:00")) == [
        (at("2026-11-01T22:00"), at("2026-11-02T06:00"))
    ]
    assert nights.is_open(at("2026-11-09T05:59"))


def test_a_night_belongs_to_the_day_it_begins_so_a_holiday_leaves_the_night_before_alone():
    nights = hours("22:00-06:00", days=DAYS, _2026_12_25=[])
    assert nights.is_open(at("2026-12-25T05:00"))
    assert not nights.is_open(at("2026-12-25T23:00"))
    assert not nights.is_open(at("2026-12-26T05:00"))


def test_a_night_that_runs_into_the_hours_of_the_next_day_counts_once():
    assert hours("20:00-10:00", "18:00-19:00", days=DAYS, _2026_11_10=["08:00-12:00"]).between(
        at("2026-11-10T00:00"), at("2026-11-11T00:00")
    ) == timedelta(hours=12)


def test_round_the_clock_is_elapsed_time_and_never_closes():
    assert ROUND_THE_CLOCK.add(at("2026-11-07T03:04"), 1000 * HOUR) == at("2026-11-07T03:04") + 1000 * HOUR
    assert ROUND_THE_CLOCK.next_close(at("2026-11-07T03:04")) is None


def test_two_shifts_that_meet_twice_a_day_never_close_either():
    assert hours("08:00-20:00", "20:00-08:00", days=DAYS).next_close(at("2026-11-07T03:04")) is None


def test_round_the_clock_closes_for_a_holiday_years_ahead():
    clock = hours("00:00-24:00", days=DAYS, _2031_12_25=[])
    assert clock.next_close(at("2026-11-07T03:04")) == at("2031-12-25T00:00")
    assert clock.next_close(at("2031-12-25T03:04")) is None


# the days on which clocks change


@pytest.mark.parametrize(
    ("zone", "day", "real_hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Sydney", "2026-10-04", 23),
        ("Australia/Sydney", "2026-04-05", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("America/Santiago", "2026-09-06", 23),  # midnight itself is skipped
        ("America/Sao_Paulo", "2018-02-17", 25),  # and comes twice: Saturday 23:00 to 24:00
        ("Pacific/Apia", "2011-12-30", 0),  # never happened
    ],
)
def test_a_whole_day_lasts_as_long_as_it_really_does(zone, day, real_hours):
    week = {"wed": [["00:00", "24:00"]]}  # none of these days is near a Wednesday
    clock = WorkingHours.from_json({"zone": zone, "week": week, "exceptions": {day: [["00:00", "24:00"]]}})
    assert clock.between(at(day) - 13 * HOUR, at(day) + 50 * HOUR) == real_hours * HOUR


def test_working_time_over_a_change_is_elapsed_time():
    spring, autumn = at("2026-03-28T20:00", "Europe/Berlin"), at("2026-10-24T20:00", "Europe/Berlin")
    assert BERLIN_NIGHTS.between(spring, spring + 24 * HOUR) == 7 * HOUR
    assert BERLIN_NIGHTS.between(autumn, autumn + 24 * HOUR) == 9 * HOUR


def test_an_eight_hour_target_takes_eight_real_hours_in_spring():
    start = at("2026-03-28T23:00", "Europe/Berlin")
    due = hours("00:00-24:00", zone="Europe/Berlin", days=DAYS).add(start, 8 * HOUR)
    assert due - start.astimezone(UTC) == 8 * HOUR
    assert due.astimezone(ZoneInfo("Europe/Berlin")).hour == 8


def test_an_opening_that_the_clock_skips_is_the_first_instant_that_exists():
    clock = hours("02:30-10:00", zone="Europe/Berlin", days=("sun",))
    assert clock.next_open(at("2026-03-28T12:00")) == at("2026-03-29T03:00+02:00")


def test_hours_that_the_clock_skips_whole_do_not_exist_that_day():
    clock = hours("02:15-02:45", zone="Europe/Berlin", days=("sun",))
    assert clock.windows(at("2026-03-29T00:00"), at("2026-03-30T00:00")) == []
    assert clock.next_open(at("2026-03-28T12:00")) == at("2026-04-05T02:15+02:00")


def test_hours_on_both_sides_of_the_skipped_one_become_one_window():
    clock = hours("00:00-02:00", "03:00-05:00", zone="Europe/Berlin", days=("sun",))
    assert clock.next_close(at("2026-03-29T00:30+01:00")) == at("2026-03-29T05:00+02:00")


def test_a_time_that_comes_twice_is_its_first_occurrence():
    clock = hours("02:30-10:00", zone="Europe/Berlin", days=("sun",))
    assert clock.next_open(at("2026-10-24T12:00")) == at("2026-10-25T02:30+02:00")
    early = hours("00:00-02:30", zone="Europe/Berlin", days=("sun",))
    assert early.next_close(at("2026-10-24T12:00")) == at("2026-10-25T02:30+02:00")


def test_a_week_that_changes_its_clock_and_changes_it_back_is_told_apart_from_a_plain_one():
    clock = hours("09:00-17:00", zone="America/Recife", days=DAYS)  # summer time from 8 to 15 October 2000 only
    openings = [opening.hour for opening, _ in clock.windows(at("2000-10-06T00:00"), at("2000-10-18T00:00"))]
    assert openings == [12, 12, 11, 11, 11, 11, 11, 11, 11, 12, 12, 12]


# refusals


@pytest.mark.parametrize("ask", ["is_open", "next_open", "next_close", "prev_open"])
def test_a_time_without_a_zone_is_refused(ask):
    with pytest.raises(NaiveTimeError, match="needs a time with its zone; 2026-11-06T10:00:00 has none"):
        getattr(OFFICE, ask)(datetime(2026, 11, 6, 10))


def test_a_time_without_a_zone_is_refused_on_either_side():
    naive, aware = datetime(2026, 11, 6, 10), at("2026-11-06T10:00")
    for call in (
        lambda: OFFICE.add(naive, HOUR),
        lambda: OFFICE.add_many([aware, naive], HOUR),
        lambda: OFFICE.between(aware, naive),
        lambda: OFFICE.between(naive, aware),
        lambda: OFFICE.windows(aware, naive),
    ):
        with pytest.raises(NaiveTimeError):
            call()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"zone": "UTC", "week": {}}, "no working time"),
        ({"zone": "UTC"}, "no working time"),
        ({"zone": "UTC", "week": {"mon": [], "tue": []}}, "no working time"),
        ({"zone": "UTC", "week": {}, "exceptions": {"2026-11-07": [["09:00", "10:00"]]}}, "no working time"),
        ({"zone": "Mars/Olympus", "week": {"mon": [["09:00", "10:00"]]}}, "'Mars/Olympus' is not a known time zone"),
        ({"week": {"mon": [["09:00", "10:00"]]}}, "None is not a known time zone"),
        ({"zone": "../etc", "week": {"mon": [["09:00", "10:00"]]}}, "not a known time zone"),
        ({"zone": "UTC", "week": {"monday": [["09:00", "10:00"]]}}, "'monday' is not a weekday"),
        ({"zone": "UTC", "week": {"mon": [["9", "10:00"]]}}, "'9' on mon is not a time of day"),
        ({"zone": "UTC", "week": {"mon": [["09:00", "24:01"]]}}, "the last one is 24:00"),
        ({"zone": "UTC", "week": {"mon": [["09:60", "10:00"]]}}, "'09:60' on mon is not a time of day"),
        ({"zone": "UTC", "week": {"mon": [["24:00", "10:00"]]}}, "begins at 24:00"),
        ({"zone": "UTC", "week": {"mon": [["09:00", "09:00"]]}}, "begins and ends at 09:00"),
        ({"zone": "UTC", "week": {"mon": [["09:00"]]}}, "needs a beginning and an end"),
        ({"zone": "UTC", "week": {"mon": "09:00"}}, "a list of ranges"),
        ({"zone": "UTC", "week": {"mon": [["09:00", "12:00"], ["11:30", "14:00"]]}}, "overlap at 11:30"),
        ({"zone": "UTC", "week": ["mon"]}, "week is a list of days with their hours"),
        ({"zone": "UTC", "week": {"mon": [["09:00", "10:00"]]}, "exceptions": {"25.12.2026": []}}, "is not a date"),
        ([], "names its zone and its week"),
        ({"zone": object()}, "not a JSON document"),
    ],
)
def test_a_calendar_that_nobody_can_use_is_refused_in_words(document, said):
    with pytest.raises(CalendarError, match=re.escape(said)):
        WorkingHours.from_json(document)


def test_a_deadline_beyond_the_year_9999_is_refused_at_once():
    with pytest.raises(OverflowError, match="year 9999"):
        OFFICE.add(at("2026-11-06T10:00"), timedelta(days=999_999_999))
    with pytest.raises(OverflowError, match="year 9999"):
        OFFICE.add(at("9999-06-01T10:00"), timedelta(days=90))


# many at once


def test_a_million_deadlines_are_those_of_one_at_a_time():
    clock = hours("09:00-12:30", "13:30-17:00", zone="Europe/Berlin", _2026_04_03=[])
    starts = [at("2026-03-20T00:00") + timedelta(minutes=37 * (i * 7919 % 1000)) for i in range(1000)]
    assert clock.add_many(starts, 5 * HOUR) == [clock.add(start, 5 * HOUR) for start in starts]


def test_of_two_leads_a_microsecond_apart_one_is_due_at_closing_and_one_the_next_day():
    starts = [at("2026-11-06T15:00"), at("2026-11-06T15:00:00.000001")]
    assert OFFICE.add_many(starts, 2 * HOUR) == [at("2026-11-06T17:00"), at("2026-11-09T09:00:00.000001")]


def test_the_same_document_gives_the_same_hours_object():
    document = {"zone": "UTC", "week": {"mon": [["09:00", "10:00"]]}}
    assert WorkingHours.from_json(document) is WorkingHours.from_json(json.loads(json.dumps(document)))

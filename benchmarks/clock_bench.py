"""The business clock: one deadline, one elapsed time, ten years, and as many at once as an import has rows."""

import random
from datetime import UTC, date, datetime, timedelta
from time import process_time
from timeit import repeat

from sla import clock
from sla.clock import WorkingHours

WEEK = {day: [["09:00", "12:30"], ["13:30", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
PLAIN = {"zone": "Europe/Berlin", "week": WEEK}
# 100 dated exceptions over ten years, half of them half days
DAYS = [date(2016, 1, 7) + timedelta(days=36 * i) for i in range(100)]
DATED = {day.isoformat(): [] if i % 2 else [["09:00", "12:00"]] for i, day in enumerate(DAYS)}
EXCEPTIONAL = {**PLAIN, "exceptions": DATED}
START, SOON = datetime(2026, 1, 5, 10, tzinfo=UTC), timedelta(hours=12)
TEN_YEARS_AGO = datetime(2016, 1, 5, tzinfo=UTC)


def run(rows):
    """Rows of the table: (what, product, floor, ratio, target). Times are the process's own, the best of five."""
    hours, years = WorkingHours.from_json(PLAIN), WorkingHours.from_json(EXCEPTIONAL)
    decade = years.between(TEN_YEARS_AGO, START)
    floor, elapsed = cost(lambda: START + SOON), cost(lambda: START - TEN_YEARS_AGO)
    return [
        line("clock: add, plain week", cost(lambda: hours.add(START, SOON)), floor, "≤ 50 µs"),
        line("clock: between, plain week", cost(lambda: hours.between(START, START + SOON * 18)), elapsed, "≤ 50 µs"),
        line(
            "clock: from_json of a calendar seen before", cost(lambda: WorkingHours.from_json(PLAIN)), floor, "≤ 50 µs"
        ),
        line(
            "clock: between, ten years, 100 exceptions",
            cost(lambda: years.between(TEN_YEARS_AGO, START)),
            elapsed,
            "≤ 2 ms",
        ),
        line("clock: add, ten years, 100 exceptions", cost(lambda: years.add(TEN_YEARS_AGO, decade)), floor, "≤ 2 ms"),
        line("clock: the same, calendar read for the first time", cost(first_time, number=1), elapsed, "≤ 2 ms"),
        line("clock: the same, zone seen for the first time", cost(first_zone, number=1), elapsed, "–"),
        many(hours, rows),
    ]


def first_time():
    clock._made.cache_clear()
    WorkingHours.from_json(EXCEPTIONAL).between(TEN_YEARS_AGO, START)


def first_zone():
    clock._steady_offset.cache_clear()
    first_time()


def many(hours, rows):
    """Deadlines of a whole import in random order, beside adding bare durations to the same starts."""
    chance = random.Random(1)  # noqa: S311 a spread of arrivals, no secret
    starts = [START + timedelta(seconds=chance.randrange(365 * 86_400)) for _ in range(rows)]
    product = cost(lambda: hours.add_many(starts, SOON), number=1, times=3)
    floor = cost(lambda: [start + SOON for start in starts], number=1, times=3)
    return (
        f"clock: {rows:,} deadlines at once",
        f"{rows / product:,.0f} rows/s",
        f"{rows / floor:,.0f} rows/s",
        f"{product / floor:.1f} ×",
        "–",
    )


def cost(work, number=2000, times=5):
    """Seconds of processor time of one call."""
    return min(repeat(work, number=number, repeat=times, timer=process_time)) / number


def line(what, product, floor, target):
    return what, in_words(product), in_words(floor), f"{product / floor:.0f} ×", target


def in_words(seconds):
    return f"{seconds * 1e6:.2f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"

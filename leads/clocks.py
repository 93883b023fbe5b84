"""The two clocks of a handoff as they stand at an instant: pure, derived at read, from the stored due times.

A clock is `done` when the decision came before it was needed, `kept` when it was stopped in time, `late` when the
time ran out (stopped or not), `warn` in the last hour or the last quarter of its time, else `ok`.
"""

import datetime as dt
from dataclasses import dataclass

from portal.shared import time

HOUR, FIVE_MINUTES = dt.timedelta(hours=1), dt.timedelta(minutes=5)
ICONS = {
    "ok": "circle-check",
    "warn": "clock",
    "late": "triangle-alert",
    "kept": "circle-check",
    "done": "circle-check",
}
COLOURS = {"kept": "ok", "done": "idle"}


@dataclass(frozen=True)
class Clock:
    """One clock to draw: `used` is the share of its time in percent, `ticks` are (percent, words)."""

    name: str
    state: str
    words: str
    used: float
    ticks: tuple
    label: str
    note: str

    @property
    def icon(self):
        return ICONS[self.state]

    @property
    def colour(self):
        """The state of the stylesheet: a kept clock is green, one that no longer matters is grey."""
        return COLOURS.get(self.state, self.state)


def state(start, due, now, stopped=None):
    """ok, warn, late or kept, of a clock from `start` to `due` that was stopped at `stopped` or still runs."""
    if stopped is not None:
        return "kept" if stopped <= due else "late"
    if now > due:
        return "late"
    return "warn" if due - now <= max(HOUR, (due - start) / 4) else "ok"


def left_share(start, due, now):
    """What is left of the time in percent, 0 to 100."""
    whole = due - start
    return 100.0 * max(0.0, min(1.0, (due - now) / whole)) if whole > dt.timedelta(0) else 0.0


def first_contact(*, start, due, touched, decided, now, zone, within):
    """The clock that the earliest contact attempt stops; a decision without any attempt ends it."""
    stopped = touched or decided
    mark = FIVE_MINUTES / (due - start) * 100 if due > start else 100
    ticks = ((round(mark, 2), "5 min"),) if 4 <= mark <= 40 else ()
    tail = "No attempt logged yet." if not stopped else "No attempt was logged." if not touched else ""
    return _clock(
        "First contact", start, due, stopped, now, zone, ticks, f"{within} {tail}".strip(), untouched=not touched
    )


def decision(*, start, due, decided, now, zone, within):
    """The clock that acceptance or rejection stops."""
    return _clock("Decision", start, due, decided, now, zone, (), within)


def _clock(name, start, due, stopped, now, zone, marks, note, *, untouched=False):
    kind = state(start, due, now, stopped)
    if stopped and untouched and name == "First contact":
        kind = "done" if stopped <= due else "late"
    at = stopped or now
    used = 100 - left_share(start, due, at)
    ticks = ((0, _tick(start, due, zone)), *marks, (100, _tick(due, start, zone)))
    label = f"{name}: {time.duration(at - start)} of {time.duration(due - start)} used"
    return Clock(name, kind, _words(kind, due, stopped, now), round(used, 2), ticks, label, note)


def _words(kind, due, stopped, now):
    if stopped is None:
        return time.left(due, now)
    if kind == "done":
        return "Ended by the decision"
    if kind == "kept":
        return f"Kept, {time.duration(due - stopped)} early" if stopped < due else "Kept"
    return f"Missed by {time.duration(stopped - due)}"


def _tick(when, other, zone):
    """The time alone where both ends lie on one day, with the weekday within a week, else the date."""
    if when.astimezone(zone).date() == other.astimezone(zone).date():
        return time.clock_time(when, zone)
    if abs(when - other) < dt.timedelta(days=6):
        return time.weekday_time(when, zone)
    return f"{time.day(when, other, zone)} {time.clock_time(when, zone)}"

"""The two clocks of a handoff as they stand at an instant: pure, derived at read, from the stored due times.

A clock is `done` when the decision came before it was needed, `kept` when it was stopped in time, `late` when the
time ran out (stopped or not), `warn` when little of its time is left, else `ok`. Where `hours` (a WorkingHours) are
given, what is left and what is over is told in working time; states never depend on them, for due and warning times
are stored.
"""

import datetime as dt
from dataclasses import dataclass

from portal.shared import time

HOUR, FIVE_MINUTES = dt.timedelta(hours=1), dt.timedelta(minutes=5)
NOTHING = dt.timedelta(0)
MOST_PAUSES = 40  # drawn on a track; more would be a grey smear
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
    """One clock to draw: `used` is the share of its time in percent, `ticks` are (percent, words), `pauses` closed
    hours as (percent, percent)."""

    name: str
    state: str
    words: str
    used: float
    ticks: tuple
    label: str
    note: str
    pauses: tuple = ()

    @property
    def icon(self):
        return ICONS[self.state]

    @property
    def colour(self):
        """The state of the stylesheet: a kept clock is green, one that no longer matters is grey."""
        return COLOURS.get(self.state, self.state)


def state(start, due, now, stopped=None, *, warn_at=None):
    """ok, warn, late or kept, of a clock from `start` to `due` that was stopped at `stopped` or still runs.

    warn_at: from here little is left; where it was not stored, in the last quarter and in the last hour.
    """
    if stopped is not None:
        return "kept" if stopped <= due else "late"
    if now > due:
        return "late"
    return "warn" if now >= (warn_at or due - max(HOUR, (due - start) / 4)) else "ok"


def left_share(start, due, now, hours=None):
    """What is left of the time in percent, 0 to 100; of the working time where `hours` are given."""
    whole = passed(start, due, hours)
    return 100.0 * max(0.0, min(1.0, passed(now, due, hours) / whole)) if whole > NOTHING else 0.0


def passed(start, end, hours=None):
    """The time from one instant to another, in working time where `hours` are given; negative backwards."""
    return hours.between(start, end) if hours else end - start


def length(delta, *, working=False):
    """A length in words. Working time is told in hours and minutes, for a day of it is no day: "26 h 10 min"."""
    if not working:
        return time.duration(delta)
    hours, minutes = divmod(-(-abs(delta) // time.MINUTE), 60)
    return f"{minutes} min" if not hours else f"{hours} h {minutes} min" if minutes else f"{hours} h"


def left(due, now, hours=None):
    """ "9 min left", "2 h 10 min of working time", "6 min over", "3 h of working time over".

    The kind of time is named only where closed hours lie between.
    """
    worked = passed(now, due, hours)
    if worked in (due - now, NOTHING):  # nothing closed in between, or nothing but closed hours
        return time.left(due, now)
    return f"{length(worked, working=True)} of working time{' over' if due < now else ''}"


def due_chip(due, now, zone, hours=None):
    """A countdown chip's text, as portal.shared.time.due_chip; what is left today and what is over in working time."""
    words = time.due_chip(due, now, zone)
    worked = passed(now, due, hours)
    if worked in (due - now, NOTHING):
        return words
    if due < now:
        return f"{length(worked, working=True)} over"
    return length(worked, working=True) if words == time.duration(due - now) else words


def first_contact(
    *, start, due, touched, decided, now, zone, within, warn_at=None, hours=None, elsewhere=()
):  # fmt: skip
    """The clock that the earliest contact stops; a decision without any contact ends it.

    elsewhere: (words, zone) of people in other zones, for whom the due time is told too.
    """
    stopped = touched or decided
    mark = FIVE_MINUTES / (due - start) * 100 if due > start else 100
    ticks = ((round(mark, 2), "5 min"),) if 4 <= mark <= 40 else ()
    tail = "No contact yet." if not stopped else "No contact was made." if not touched else ""
    note = f"{_due_words(due, now, zone, hours, elsewhere, stopped)}{within} {tail}".strip()
    kind = state(start, due, now, stopped, warn_at=warn_at)
    if not touched and kind == "kept":
        kind = "done"
    return _clock("First contact", kind, start, due, stopped, now, zone, hours, ticks, note)


def decision(*, start, due, decided, now, zone, within, warn_at=None, hours=None, elsewhere=()):
    """The clock that acceptance or rejection stops."""
    kind = state(start, due, now, decided, warn_at=warn_at)
    note = f"{_due_words(due, now, zone, hours, elsewhere, decided)}{within}"
    return _clock("Decision", kind, start, due, decided, now, zone, hours, (), note)


def _due_words(due, now, zone, hours, elsewhere, stopped):
    """ "Due tomorrow 10:40 (09:40 for the lead). " of a running clock that closed hours or another zone touch."""
    if stopped or not (hours or elsewhere):
        return ""
    moment = time.moment(due, now, zone)
    moment = moment[0].lower() + moment[1:] if moment.startswith(("Today", "Tomorrow", "Yesterday")) else moment
    others = ", ".join(f"{_there(due, zone, other)} {words}" for words, other in elsewhere)
    return f"{'Was due' if due < now else 'Due'} {moment}{f' ({others})' if others else ''}. "


def _there(moment, here, there):
    """The time over there, with its weekday where that is another day."""
    same = moment.astimezone(here).date() == moment.astimezone(there).date()
    return time.clock_time(moment, there) if same else time.weekday_time(moment, there)


def _clock(name, kind, start, due, stopped, now, zone, hours, marks, note):
    at = stopped or now
    used = 100 - left_share(start, due, at)  # a place on the track, whose closed hours are hatched
    ticks = ((0, _tick(start, due, zone)), *marks, (100, _tick(due, start, zone)))
    working = bool(hours) and passed(start, due, hours) != due - start
    said = (length(passed(*ends, hours), working=working) for ends in ((start, at), (start, due)))
    label = f"{name}: {' of '.join(said)}{' of working time' if working else ''} used"
    words = _words(kind, due, stopped, now, hours)
    return Clock(name, kind, words, round(used, 2), ticks, label, note, pauses(start, due, hours))


def _words(kind, due, stopped, now, hours):
    if stopped is None:
        return left(due, now, hours)
    if kind == "done":
        return "Ended by the decision"
    off = passed(stopped, due, hours)
    working = bool(hours) and off not in (due - stopped, NOTHING)
    said = length(off if working else due - stopped, working=working) + (" of working time" if working else "")
    if kind == "kept":
        return f"Kept, {said} early" if stopped < due else "Kept"
    return f"Missed by {said}"


def pauses(start, due, hours):
    """Closed hours between start and due as (percent, percent) of the elapsed time between them; () for very many."""
    if not hours or due <= start:
        return ()
    edges = [start, *(edge for window in hours.windows(start, due) for edge in window), due]
    closed = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    share = 100 / (due - start).total_seconds()
    found = tuple(
        (round((a - start).total_seconds() * share, 2), round((b - start).total_seconds() * share, 2))
        for a, b in closed
    )
    return found if len(found) <= MOST_PAUSES else ()


def _tick(when, other, zone):
    """The time alone where both ends lie on one day, with the weekday within a week, else the date."""
    if when.astimezone(zone).date() == other.astimezone(zone).date():
        return time.clock_time(when, zone)
    if abs(when - other) < dt.timedelta(days=6):
        return time.weekday_time(when, zone)
    return f"{time.day(when, other, zone)} {time.clock_time(when, zone)}"

"""What a running clock asks for, and when: pure. Made once for a handoff from the law it was made under.

A plan is a list of [moment, clock, step]: microseconds since 1970 in UTC, "contact" or "decision", the step's id or 0
for the due time itself. It is kept as JSON, so that a sweep over a thousand handoffs reckons no business time.
"""

import datetime as dt
from typing import NamedTuple

EPOCH, MICROSECOND = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(microseconds=1)
RAN_OUT = 0  # in the place of a step
CONTACT = "contact"
WARN_OWNER, TELL_MANAGER, TO_QUEUE = "warn_owner", "tell_manager", "to_queue"


class Step(NamedTuple):
    """A step of the agreement: `share` percent of the clock's time for warnings, else `after` the due time."""

    id: int
    clock: str
    kind: str
    share: int | None
    after: dt.timedelta | None


class Found(NamedTuple):
    """What the plan asks for by an instant, as its entries, and what is left of it."""

    now: list
    later: list


def instant(at):
    """Microseconds since 1970 of an aware datetime."""
    return (at - EPOCH) // MICROSECOND


def moment(us):
    """The datetime (UTC) of `instant`."""
    return EPOCH + dt.timedelta(microseconds=us)


def plan(*, start, dues, steps, hours=None):
    """The plan of a handoff whose clocks run from `start` to `dues` ({clock: datetime}), the earliest first.

    hours: WorkingHours in which the clocks count; None: around the clock. A clock has run out the moment after its due
    time, for what happens on the second is in time.
    """
    found = [[instant(due) + 1, clock, RAN_OUT] for clock, due in dues.items()]
    for step in steps:
        if step.clock in dues:
            found.append([_moment_of(step, start, dues[step.clock], hours), step.clock, step.id])
    return sorted(found)


def _moment_of(step, start, due, hours):
    if step.kind == WARN_OWNER:
        whole = hours.between(start, due) if hours else due - start
        warned = whole * step.share / 100
        return instant(hours.add(start, warned) if hours and warned else start + warned)
    if not step.after:
        return instant(due) + 1
    return instant(hours.add(due, step.after) if hours else due + step.after) + 1


def found(entries, *, until, stops, is_open):
    """The Found of a plan by the instant `until`. stops: {clock: when it stopped (aware), or None while it runs}.

    A clock asks for what came before it stopped, even when nobody looked until later; and for nothing after that.
    """
    stopped = {clock: stop and instant(stop) for clock, stop in stops.items()}
    now, later = [], []
    for entry in entries:
        stop = stopped[entry[1]]
        if stop is not None and stop < entry[0]:
            continue
        if entry[0] <= until:
            now.append(entry)
        elif is_open:
            later.append(entry)
    return Found(now, later)

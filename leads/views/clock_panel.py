"""What pages show of a handoff's clocks: the two clocks, who held it how long, and the speed to the first contact."""

import datetime as dt
from math import log

from django.utils import timezone

from leads import clocks
from leads.responsibility import ROUTING, Given, shares, spells
from portal.shared import charts, places, time
from sla.services.whose_hours import working_hours
from sla.words import span

MARKS = ((dt.timedelta(minutes=5), "5 min"), (dt.timedelta(hours=24), "24 h"))
FINEST, LONGEST = dt.timedelta(minutes=1), dt.timedelta(days=7)  # ends of the speed scale, which is logarithmic


def hours_of(row):
    """The WorkingHours in which the handoff's clocks count, or None: around the clock."""
    return working_hours([row.calendar_id]).get(row.calendar_id)


def two_clocks(row, now, *, tier):
    """First contact and decision as Clocks; none for history that nobody took up. tier: its name."""
    if not row.clocks_run:
        return []
    hours, zone, start = hours_of(row), timezone.get_default_timezone(), row.qualified_at
    shared = {"start": start, "now": now, "zone": zone, "decided": row.decided_at, "hours": hours}

    def terms(due, warn_at):
        within = f"{tier or 'Taken up'}: within {_promised(clocks.passed(start, due, hours), hours)}."
        return shared | {
            "due": due,
            "warn_at": warn_at,
            "within": within,
            "elsewhere": _elsewhere(row, due, hours, zone),
        }

    found = []
    if row.contact_due_at:
        found.append(
            clocks.first_contact(touched=row.first_touch_at, **terms(row.contact_due_at, row.contact_warn_at))
        )
    found.append(clocks.decision(**terms(row.decision_due_at, row.decision_warn_at)))
    return found


def _promised(length, hours):
    """What was promised, as people say it; where a clock began later than the lead, to the minute."""
    if length % time.MINUTE:
        return clocks.length(length, working=hours is not None)
    return span(length, business=hours is not None)


def _elsewhere(row, due, hours, zone):
    """(words, zone) of the owner's hours and of the lead's country, where their clocks show another time."""
    others = [(f"in {hours.zone.key}", hours.zone)] if hours else []
    country = row.lead.country
    if country and (there := places.zone_of_country(country, due)):
        others.append((f"for the lead in {country}", there))
    return tuple((words, other) for words, other in others if _offset(due, other) != _offset(due, zone))


def _offset(moment, zone):
    return moment.astimezone(zone).utcoffset()


def held(row, assignments, now):
    """Who held it how long: rows for the table, with the totals, or None before anybody could.

    assignments: with their owners, in order of their time.
    """
    if row.is_historical and not row.clocks_run:
        return None
    hours, end = hours_of(row), row.decided_at or row.withdrawn_at or now
    given = [Given(a.assigned_at, a.owner.name, a.to_queue) for a in assignments]
    found = spells(row.qualified_at, end, given, hours)
    total, worked = end - row.qualified_at, clocks.passed(row.qualified_at, end, hours)
    return {
        "rows": [_held(holder, elapsed, worked, total, hours) for holder, (elapsed, worked) in shares(found).items()],
        "spells": [
            {
                "name": _name(spell.holder),
                "start": spell.start,
                "length": time.duration(spell.elapsed),
                "share": f"{100 * (spell.elapsed / total):.2f}%",
            }
            for spell in found
        ],
        "total": time.duration(total),
        "worked": clocks.length(worked, working=True) if hours else None,
        "running": row.is_open,
    }


def _held(holder, elapsed, worked, total, hours):
    return {
        "name": _name(holder),
        "routing": holder is ROUTING,
        "elapsed": time.duration(elapsed),
        "worked": clocks.length(worked, working=True) if hours else None,
        "share": round(100 * (elapsed / total)) if total else 0,
    }


def _name(holder):
    return "Routing and queue" if holder is ROUTING else holder


def speed(row, now):
    """Speed to lead in elapsed time: words, the state of the marks, and the track with 5 minutes and 24 hours."""
    reached = row.first_touch_at
    took = (reached or row.decided_at or row.withdrawn_at or now) - row.qualified_at
    said = time.duration(took)
    if reached:
        words = f"First contact after {said}"
    else:
        words = f"No contact for {said}" if row.is_open else f"Decided after {said} without a contact"
    (five, _), (day, _) = MARKS
    mark = "within 5 minutes" if took <= five else "within 24 hours" if took <= day else "after more than 24 hours"
    ticks = tuple((round(_place(length), 2), name) for length, name in MARKS)
    label = f"{words}, {mark}"
    return {
        "words": words,
        "mark": mark,
        "state": "ok" if took <= five else "warn" if took <= day else "late",
        "track": charts.track(_place(took), ticks, label=label),
    }


def _place(length):
    """Where a length lies between a minute and a week, in percent of a logarithmic scale."""
    share = log(max(length, FINEST) / FINEST) / log(LONGEST / FINEST)
    return min(100.0, 100 * share)

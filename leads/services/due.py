"""When a handoff's clocks run out: the one place that knows, for verbs, imports and the demo."""

import datetime as dt
from collections import defaultdict
from typing import NamedTuple

from leads.clocks import HOUR
from sla.models import Commitment, SLAVersion
from sla.services.whose_hours import WhoseHours, working_hours

KINDS = (Commitment.Kind.FIRST_CONTACT, Commitment.Kind.DECISION)


class Due(NamedTuple):
    """Fields of a handoff: whose hours count (None: around the clock), when each clock warns and when it is due."""

    calendar_id: int | None
    contact_due_at: dt.datetime
    contact_warn_at: dt.datetime
    decision_due_at: dt.datetime
    decision_warn_at: dt.datetime

    def as_fields(self):
        return self._asdict()


class Case(NamedTuple):
    """What a due time depends on: the tier's id (None: the most patient one), who holds it, since when."""

    tier_id: int | None
    owner: object
    at: dt.datetime


class Terms:
    """The promised times of one SLA version, and the hours in which they count."""

    def __init__(self, version):
        self.version = version
        self._within = defaultdict(dict)
        for promise in version.commitments.filter(kind__in=KINDS):
            self._within[promise.tier_id][promise.kind] = promise.within

    def due(self, *, tier_id, owner, at):
        """The Due of one handoff that begins at `at` (aware)."""
        return self.due_many([Case(tier_id, owner, at)])[0]

    def due_many(self, cases):
        """The Dues of many Cases, in their order: set-wise, by tier and calendar."""
        alike = defaultdict(list)
        for place, (case, calendar) in enumerate(zip(cases, self._calendars(cases), strict=True)):
            alike[case.tier_id, calendar].append(place)
        hours, found = working_hours(calendar for _, calendar in alike), [None] * len(cases)
        for (tier, calendar), places in alike.items():
            columns = self._columns(tier, hours.get(calendar), [cases[place].at for place in places])
            for place, times in zip(places, zip(*columns, strict=True), strict=True):
                found[place] = Due(calendar, *times)
        return found

    def _columns(self, tier, hours, starts):
        """Four lists over the starts: contact due and warned, decision due and warned."""
        for kind in KINDS:
            within = self._time(tier, kind)
            for amount in (within, within - max(HOUR, within / 4)):
                yield _add_many(hours, starts, max(amount, dt.timedelta(0)))

    def _time(self, tier, kind):
        if tier is not None:
            return self._within[tier][kind]
        return max(times[kind] for times in self._within.values())

    def _calendars(self, cases):
        """The id of the calendar that counts for each case."""
        basis = self.version.clock_basis
        if basis == SLAVersion.ClockBasis.ELAPSED:
            return [None] * len(cases)
        agreed = self.version.calendar_id
        if basis == SLAVersion.ClockBasis.CALENDAR:
            return [agreed] * len(cases)
        whose = WhoseHours({case.owner for case in cases if case.owner})
        return [whose.calendar_id(case.owner, at=case.at) or agreed if case.owner else agreed for case in cases]


def _add_many(hours, starts, amount):
    return hours.add_many(starts, amount) if hours else [start + amount for start in starts]

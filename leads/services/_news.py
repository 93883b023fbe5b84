"""Steps of capture: what people who are written down did is recorded, and each of them is judged once."""

from collections import Counter
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Exists, OuterRef

from leads.models import Event, Handoff, Lead
from leads.services._places import note_suspected
from leads.services._told import TakenIn
from leads.services.qualify import NO_VERSION, SUSPECTED, Judged, follow, judge
from portal.shared import recordset
from sla import scoring

LATER = "later"
RECORDED = ("lead", "kind", "occurred_at", "recorded_at", "origin", "origin_id", "properties", "suspected_by")
_COLUMNS = recordset.columns(Event, RECORDED)
RECORD = f"""
INSERT INTO leads_event ({_COLUMNS}) SELECT {_COLUMNS}
FROM json_to_recordset(%s) AS r(n integer, {recordset.typed(connection, Event, RECORDED)}) ORDER BY n
ON CONFLICT DO NOTHING RETURNING origin, origin_id
"""


def learn_news(told, law, at, evaluate):
    """The TakenIn of each (locked lead, is it new, its events): events are recorded, each lead is judged once."""
    pairs = [(lead.pk, event) for lead, _, events in told for event in events]
    fresh = iter(record_events(pairs, at) if pairs else ())
    rows, people = [], {}
    for lead, created, events in told:
        new = [event for event in events if next(fresh)]
        rows.append((lead, created, len(new)))
        person = people.setdefault(lead.pk, _Person(lead))
        person.add(created, events, new)
    judged, opened = _judge(people.values(), law, at, evaluate)
    return [_said(*row, judged, opened) for row in rows]


@dataclass
class _Person:
    """What one request tells of a lead: is it new, how many events, and those that were not known before."""

    lead: Lead
    created: bool = False
    told: list = field(default_factory=list)
    fresh: list = field(default_factory=list)
    plain: bool = False  # told of without an event

    def add(self, created, events, new):
        self.created, self.plain = self.created or created, self.plain or not events
        self.told += events
        self.fresh += new

    @property
    def suspected(self):
        return self.created and self.told and all(event.suspected_by for event in self.told)

    @property
    def is_news(self):
        return self.created or self.plain or any(not event.suspected_by for event in self.fresh)


def _judge(people, law, at, evaluate):
    """({lead's id: Judged}, {lead's id: Handoff opened now}); what is only suspected or nothing new is not judged."""
    suspected = [one for one in people if one.suspected]
    note_suspected([one.lead for one in suspected], at)
    news = [one for one in people if one.is_news and not one.suspected]
    opened = {}
    if law and evaluate:
        new = {one.lead.pk: _seen(one, at) for one in news if one.created}
        found = judge([one.lead for one in news], law, at, new=new)
        opened = follow(found, law, by=None, at=at)
    else:
        found = [Judged(one.lead, NO_VERSION if evaluate else LATER) for one in news]
        make_due([one.lead.pk for one in news], at)
    found += [Judged(one.lead, SUSPECTED) for one in suspected]
    return {one.lead.pk: one for one in found}, opened


def _seen(person, at):
    return [
        scoring.Event(event.kind, event.occurred_at, event.properties, bool(event.suspected_by))
        for event in person.fresh
        if event.occurred_at <= at
    ]


def _said(lead, created, new_events, judged, opened):
    one = judged.get(lead.pk) or Judged(lead, LATER)
    held = one.previous if one.previous and one.previous.is_open else None
    return TakenIn(lead, created, one.outcome, opened.get(lead.pk) or held, new_events, one.evaluation)


def record_events(told, at):
    """Append the events of pairs (lead's id, Happened) unless their (origin, origin_id) is known; which were new."""
    rows = [
        vars(event) | {"n": n, "lead_id": lead_id, "recorded_at": at} for n, (lead_id, event) in enumerate(told)
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(RECORD, [recordset.as_json(rows)])
        new = Counter(cursor.fetchall())
    found = []
    for _, event in told:
        name = (event.origin, event.origin_id)
        found.append(event.origin_id is None or new[name] > 0)
        new[name] -= 1
    return found


def make_due(lead_ids, at):
    """To be evaluated again, unless they are already, or an open handoff shows the event to its owner anyway."""
    held = Handoff.objects.undecided().filter(lead=OuterRef("pk"))
    Lead.objects.filter(~Exists(held), pk__in=lead_ids, evaluate_from=None).update(evaluate_from=at)

"""Capture: a person becomes a lead, or an existing lead learns something; its events; and what follows at once.

One core takes in one capture or a thousand: a few statements whatever their number.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef

from leads.models import Event, Handoff, Lead
from leads.services._law import asks_for_law, law_in_force, law_told
from leads.services._people import known_people, learn, mailbox, names_of, write_people
from leads.services._places import note_suspected
from leads.services.qualify import NO_VERSION, SUSPECTED, Judged, follow, judge
from leads.services.refusals import PersonForgotten
from portal.shared import recordset
from portal.shared.refusal import Refusal
from sla import scoring

__all__ = [
    "Captured", "Happened", "NotALead", "TakenIn", "TwoLeads", "capture_lead", "find_lead", "mailbox", "record_event",
    "take_in", "take_in_events", "take_in_events_of", "take_in_lead", "take_in_leads",
]  # fmt: skip


class NotALead(Refusal):
    code = "not_a_lead"
    sentence = "A lead needs an e-mail address or an outside id. Nothing was saved."


class TwoLeads(Refusal):
    code = "two_leads"
    sentence = "The outside id and the e-mail address belong to two different leads. Nothing was saved."


@dataclass(frozen=True)
class Happened:
    """An event as a door hears of it; suspected_by names the bot rule that marked it."""

    kind: str
    occurred_at: dt.datetime
    origin: str = ""
    origin_id: str | None = None
    properties: dict = field(default_factory=dict)
    suspected_by: str = ""


@dataclass(frozen=True)
class Captured:
    """What is told of one person: facts {field of leads.models.lead.FACTS: value, "attributes": {…}}, and events."""

    facts: dict
    events: Sequence[Happened] = ()
    known: Lead | None = None  # the locked lead that it is, where the caller knows


@dataclass(frozen=True)
class TakenIn:
    """What became of a capture: the lead, whether it is new, the outcome, its open handoff or None.

    outcome: of leads.services.qualify (handed_over, nurture, cooling_off, open, disqualified, suspected, no_version),
    or "later" where the worker is to evaluate. new_events: how many were not known before. evaluation: None where
    none was made.
    """

    lead: Lead
    created: bool
    outcome: str
    handoff: Handoff | None = None
    new_events: int = 0
    evaluation: object = None


LATER = "later"
RECORDED = ("lead", "kind", "occurred_at", "recorded_at", "origin", "origin_id", "properties", "suspected_by")
_COLUMNS = recordset.columns(Event, RECORDED)
RECORD = f"""
INSERT INTO leads_event ({_COLUMNS}) SELECT {_COLUMNS}
FROM json_to_recordset(%s) AS r(n integer, {recordset.typed(connection, Event, RECORDED)}) ORDER BY n
ON CONFLICT DO NOTHING RETURNING origin, origin_id
"""


@transaction.atomic(durable=True)
def take_in_lead(*, facts, events=(), at, evaluate=True):
    """Capture → evaluate → hand off, all in one transaction: the one verb of forms, API and connectors.

    facts, events: as Captured has them; each event is known once by (origin, origin_id). evaluate: False leaves the
    evaluation to the worker, who comes within seconds. A lead with an open handoff keeps it and its clocks.
    Returns TakenIn. Refuses: NotALead, TwoLeads.
    """
    return take_in(facts=facts, events=events, at=at, evaluate=evaluate)


@transaction.atomic(durable=True)
def take_in_leads(*, captures, at, evaluate=True):
    """As take_in_lead for many Captured, in order. Returns for each its TakenIn, or the Refusal: no row stops another.

    A person who is told of twice learns both and is judged once.
    """
    try:
        with transaction.atomic():
            return _take_in(captures, at, evaluate)
    except IntegrityError:  # such as an address that one lead gives up and another takes, in one statement
        return [_alone(each, at, evaluate) for each in captures]


@transaction.atomic(durable=True)
def take_in_events(*, lead_id, events, at, evaluate=True):
    """What a known lead did: recorded, evaluated and, where it lifts the lead to a tier, handed over at once.

    Returns TakenIn. Raises Lead.DoesNotExist. Refuses: PersonForgotten.
    """
    lead = Lead.objects.select_for_update().get(pk=lead_id)
    if lead.erased_at:
        raise PersonForgotten
    return _learn([(lead, False, events)], law_in_force(at) if evaluate else None, at, evaluate)[0]


@transaction.atomic(durable=True)
def take_in_events_of(*, told, at, evaluate=True):
    """As take_in_events for many pairs (lead's id, Happened), in order. Returns of each its TakenIn or Refusal."""
    ids = {lead_id for lead_id, _ in told}
    leads = {lead.pk: lead for lead in Lead.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    rows = [(leads[lead_id], False, [event]) for lead_id, event in told if leads[lead_id].erased_at is None]
    learnt = iter(_learn(rows, law_in_force(at) if evaluate else None, at, evaluate) if rows else ())
    return [PersonForgotten() if leads[lead_id].erased_at else next(learnt) for lead_id, _ in told]


@transaction.atomic(durable=True)
def capture_lead(*, facts, at):
    """Create the lead, or update the one with the same outside id or mailbox; empty facts overwrite nothing.

    facts: as Captured has them. Returns the Lead. Refuses: NotALead, TwoLeads.
    """
    return _raised(_capture([Captured(facts)], at)[0][0])[0]


@transaction.atomic(durable=True)
def record_event(*, lead_id, kind, occurred_at, at, origin="", origin_id=None, properties=None, suspected_by=""):
    """Append an event; the same (origin, origin_id) again changes nothing. Returns True when it was new.

    A lead in nurture is then due to be evaluated again (leads.services.evaluate); a suspected event makes none due.
    """
    if Lead.objects.filter(pk=lead_id, erased_at__isnull=False).exists():
        raise PersonForgotten
    event = Happened(kind, occurred_at, origin, origin_id, properties or {}, suspected_by)
    [new] = _record([(lead_id, event)], at)
    if new and not suspected_by:
        _make_due([lead_id], at)
    return new


def take_in(*, facts, events, at, evaluate=True, known=None):
    """A step: take_in_lead within the caller's transaction, for verbs that write a row of their own beside it.

    known: the locked Lead that it is, where the caller knows; its facts need not say who it is.
    """
    return _raised(_take_in([Captured(facts, events, known)], at, evaluate)[0])


def find_lead(external_id, email):
    """A step: the lead with this outside id or mailbox, locked, or None; captures of one person wait for each other.

    Refuses: TwoLeads.
    """
    names = names_of({"external_id": external_id, "email": email})
    return _raised(_who(names, *known_people([names])[:2]))


def _raised(found):
    if isinstance(found, Refusal):
        raise found
    return found


def _alone(capture, at, evaluate):
    try:
        with transaction.atomic():
            return _take_in([capture], at, evaluate)[0]
    except IntegrityError:
        return TwoLeads()


def _take_in(captures, at, evaluate):
    """The TakenIn or the Refusal of each."""
    people, law = _capture(captures, at)
    told = [
        (*person, each.events)
        for person, each in zip(people, captures, strict=True)
        if not isinstance(person, Refusal)
    ]
    learnt = iter(_learn(told, law, at, evaluate))
    return [person if isinstance(person, Refusal) else next(learnt) for person in people]


def _capture(captures, at):
    """[(the locked lead with these facts, is it new), or the Refusal, of each in order], and the Law in force.

    All are written down.
    """
    names, found = [names_of(each.facts) for each in captures], []
    *known, law = known_people(names, besides=asks_for_law(at))
    for each, named in zip(captures, names, strict=True):
        found.append(_one(each, named, *known, at))
    leads = {id(one[0]): one[0] for one in found if not isinstance(one, Refusal)}
    write_people(leads.values(), at)
    return found, law_told(law)


def _who(names, by_id, by_box):
    """The known Lead of these names, None, or the Refusal."""
    first, second = by_id.get(names[0]), by_box.get(names[1])
    return TwoLeads() if first and second and first is not second else first or second


def _one(capture, names, by_id, by_box, at):
    """As `_capture`, of one; from here on the next ones find the lead by what is now known of it."""
    known = capture.known or (_who(names, by_id, by_box) if any(names) else NotALead())
    if isinstance(known, Refusal):
        return known
    lead = known or Lead(created_at=at)
    for named, name in zip((by_id, by_box), names_of(vars(lead)), strict=True):
        named.pop(name, None)
    learn(lead, capture.facts, at)
    external_id, box = names_of(vars(lead))
    by_id |= {external_id: lead} if external_id else {}
    by_box |= {box: lead} if box else {}
    return lead, known is None


def _learn(told, law, at, evaluate):
    """The TakenIn of each (locked lead, is it new, its events): events are recorded, each lead is judged once."""
    pairs = [(lead.pk, event) for lead, _, events in told for event in events]
    fresh = iter(_record(pairs, at) if pairs else ())
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
        _make_due([one.lead.pk for one in news], at)
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


def _record(told, at):
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


def _make_due(lead_ids, at):
    """To be evaluated again, unless they are already, or an open handoff shows the event to its owner anyway."""
    held = Handoff.objects.undecided().filter(lead=OuterRef("pk"))
    Lead.objects.filter(~Exists(held), pk__in=lead_ids, evaluate_from=None).update(evaluate_from=at)

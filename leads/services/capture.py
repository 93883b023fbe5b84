"""Capture: a person becomes a lead, or an existing lead learns something; its events; and what follows at once."""

import datetime as dt
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from leads.models import Event, Handoff, Lead
from leads.services._places import note_suspected
from leads.services.qualify import (
    HANDED_OVER,
    NO_VERSION,
    SUSPECTED,
    hand_over,
    note_outcome,
    verdict,
    when_to_look_again,
)
from portal.outbox.services import tell
from portal.shared.refusal import Refusal
from sla.models import SLAVersion


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


@transaction.atomic(durable=True)
def take_in_lead(*, facts, events=(), at, evaluate=True):
    """Capture → evaluate → hand off, all in one transaction: the one verb of forms, API and connectors.

    facts: as capture_lead. events: Happened, each known once by (origin, origin_id). evaluate: False leaves the
    evaluation to the worker, who comes within seconds. A lead with an open handoff keeps it and its clocks.
    Returns TakenIn. Refuses: NotALead, TwoLeads.
    """
    return take_in(facts=facts, events=events, at=at, evaluate=evaluate)


@transaction.atomic(durable=True)
def capture_lead(*, facts, at):
    """Create the lead, or update the one with the same outside id or mailbox; empty facts overwrite nothing.

    facts: {field of leads.models.lead.FACTS: value, "attributes": {…}}. Returns the Lead.
    Refuses: NotALead, TwoLeads.
    """
    return _capture(facts, at)[0]


@transaction.atomic(durable=True)
def record_event(*, lead_id, kind, occurred_at, at, origin="", origin_id=None, properties=None, suspected_by=""):
    """Append an event; the same (origin, origin_id) again changes nothing. Returns True when it was new.

    A lead in nurture is then due to be evaluated again (leads.services.evaluate); a suspected event makes none due.
    """
    event = Happened(kind, occurred_at, origin, origin_id, properties or {}, suspected_by)
    new = _record(lead_id, event, at)
    if new and not suspected_by:
        _make_due(lead_id, at)
    return new


@transaction.atomic(durable=True)
def take_in_events(*, lead_id, events, at, evaluate=True):
    """What a known lead did: recorded, evaluated and, where it lifts the lead to a tier, handed over at once.

    Returns TakenIn. Raises Lead.DoesNotExist.
    """
    return _learn(Lead.objects.select_for_update().get(pk=lead_id), False, events, at, evaluate)


def take_in(*, facts, events, at, evaluate=True, known=None):
    """A step: take_in_lead within the caller's transaction, for verbs that write a row of their own beside it.

    known: the locked Lead that it is, where the caller knows; its facts need not say who it is.
    """
    return _learn(*_capture(facts, at, known), events, at, evaluate)


def _learn(lead, created, events, at, evaluate):
    """The events of a locked lead, and what follows from them."""
    fresh = [event for event in events if _record(lead.pk, event, at)]
    if created and events and all(event.suspected_by for event in events):
        note_suspected(lead, at)
        return TakenIn(lead, created, SUSPECTED, new_events=len(fresh))
    news = created or any(not event.suspected_by for event in fresh) or not events
    if not (evaluate and news):
        if news:
            _make_due(lead.pk, at)
        return TakenIn(lead, created, LATER, new_events=len(fresh))
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    if version is None:
        _make_due(lead.pk, at)
        return TakenIn(lead, created, NO_VERSION, new_events=len(fresh))
    outcome, previous, evaluation = verdict(lead, version, at)
    handoff = previous if previous and previous.is_open else None
    if outcome == HANDED_OVER:
        handoff = hand_over(lead, version, evaluation, previous, by=None, at=at)
    note_outcome(lead, outcome, version, evaluation)
    due = when_to_look_again(lead, outcome, previous, version, at)
    if due != (lead.evaluate_from, lead.recycle_on):
        lead.evaluate_from, lead.recycle_on = due
        lead.save(update_fields=["evaluate_from", "recycle_on"])
    return TakenIn(lead, created, outcome, handoff, len(fresh), evaluation)


def _capture(facts, at, known=None):
    """(the locked lead with these facts, is it new)"""
    facts = {key: value for key, value in facts.items() if value not in (None, "")}
    attributes = facts.pop("attributes", {})
    email, external_id = facts.get("email"), facts.get("external_id")
    if not (known or email or external_id):
        raise NotALead
    known = known or find_lead(external_id, email)
    lead = known or Lead(created_at=at)
    for name, value in facts.items():
        setattr(lead, name, value)
    lead.attributes = {**lead.attributes, **attributes}
    lead.updated_at = at
    lead.save()
    if not known:
        tell("lead.captured", key=lead.pk, at=at, payload={"lead": lead.pk})
    return lead, not known


def _record(lead_id, event, at):
    """Append an event unless its (origin, origin_id) is known; returns whether it was new."""
    row = Event(
        lead_id=lead_id, kind=event.kind, occurred_at=event.occurred_at, recorded_at=at, origin=event.origin,
        origin_id=event.origin_id, properties=event.properties, suspected_by=event.suspected_by,
    )  # fmt: skip
    if event.origin_id and Event.objects.filter(origin=event.origin, origin_id=event.origin_id).exists():
        return False
    Event.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _make_due(lead_id, at):
    """To be evaluated again, unless it is already, or an open handoff shows the event to its owner anyway."""
    held = Handoff.objects.undecided().filter(lead=OuterRef("pk"))
    Lead.objects.filter(~Exists(held), pk=lead_id, evaluate_from=None).update(evaluate_from=at)


def find_lead(external_id, email):
    """A step: the lead with this outside id or mailbox, locked, or None; captures of one person wait for each other.

    Refuses: TwoLeads.
    """
    address = mailbox(email) if email else None
    with connection.cursor() as cursor:
        for key in sorted(filter(None, (external_id, address))):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    leads = Lead.objects.select_for_update()
    by_id = leads.filter(external_id=external_id).first() if external_id else None
    by_mail = leads.filter(email_key=address).first() if address else None
    if by_id and by_mail and by_id != by_mail:
        raise TwoLeads
    return by_id or by_mail


def mailbox(email):
    """The address without case, blanks and +tag: two spellings of one mailbox are one person."""
    local, _, domain = email.strip().lower().partition("@")
    return f"{local.split('+')[0]}@{domain}"

"""Capture: a person becomes a lead, or an existing lead learns something; and its events."""

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from leads.models import Event, Handoff, Lead
from portal.shared.refusal import Refusal


class NotALead(Refusal):
    code = "not_a_lead"
    sentence = "A lead needs an e-mail address or an outside id. Nothing was saved."


class TwoLeads(Refusal):
    code = "two_leads"
    sentence = "The outside id and the e-mail address belong to two different leads. Nothing was saved."


@transaction.atomic(durable=True)
def capture_lead(*, facts, at):
    """Create the lead, or update the one with the same outside id or mailbox; empty facts overwrite nothing.

    facts: {field of leads.models.lead.FACTS: value, "attributes": {…}}. Returns the Lead.
    Refuses: NotALead, TwoLeads.
    """
    facts = {key: value for key, value in facts.items() if value not in (None, "")}
    attributes = facts.pop("attributes", {})
    email, external_id = facts.get("email"), facts.get("external_id")
    if not (email or external_id):
        raise NotALead
    lead = _known(external_id, _mailbox(email) if email else None) or Lead(created_at=at)
    for field, value in facts.items():
        setattr(lead, field, value)
    lead.attributes = {**lead.attributes, **attributes}
    lead.updated_at = at
    lead.save()
    return lead


@transaction.atomic(durable=True)
def record_event(*, lead_id, kind, occurred_at, at, origin="", origin_id=None, properties=None, suspected_by=""):
    """Append an event; the same (origin, origin_id) again changes nothing. Returns True when it was new.

    A lead in nurture is then due to be evaluated again (leads.services.evaluate); a suspected event makes none due.
    """
    event = Event(
        lead_id=lead_id, kind=kind, occurred_at=occurred_at, recorded_at=at, origin=origin, origin_id=origin_id,
        properties=properties or {}, suspected_by=suspected_by,
    )  # fmt: skip
    before = Event.objects.filter(origin=origin, origin_id=origin_id).exists() if origin_id else False
    if not before:
        Event.objects.bulk_create([event], ignore_conflicts=True)
        if not suspected_by:
            _make_due(lead_id, at)
    return not before


def _make_due(lead_id, at):
    """To be evaluated again, unless it is already, or an open handoff shows the event to its owner anyway."""
    held = Handoff.objects.undecided().filter(lead=OuterRef("pk"))
    Lead.objects.filter(~Exists(held), pk=lead_id, evaluate_from=None).update(evaluate_from=at)


def _known(external_id, mailbox):
    """The lead with this outside id or mailbox, locked; two captures of one person wait for each other."""
    with connection.cursor() as cursor:
        for key in sorted(filter(None, (external_id, mailbox))):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    leads = Lead.objects.select_for_update()
    by_id = leads.filter(external_id=external_id).first() if external_id else None
    by_mail = leads.filter(email_key=mailbox).first() if mailbox else None
    if by_id and by_mail and by_id != by_mail:
        raise TwoLeads
    return by_id or by_mail


def _mailbox(email):
    local, _, domain = email.strip().lower().partition("@")
    return f"{local.split('+')[0]}@{domain}"

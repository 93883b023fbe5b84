"""What the leads themselves hold of a person: facts, events, and what people wrote on their handoffs."""

from django.db import connection
from django.db.models import Q

from leads.models import (
    Assignment,
    Deal,
    Decision,
    Dispute,
    Event,
    FactChange,
    Handoff,
    RecycleChange,
    Ruling,
    Touch,
)
from leads.models.erasure import ERASED
from leads.models.handoff import WITHOUT_WHAT_IT_SAW
from leads.services.privacy.holders import holds, nothing

FORGET_SCORES = f"UPDATE leads_handoff h SET breakdown = {WITHOUT_WHAT_IT_SAW.format('h')} WHERE h.lead_id = %s" + (
    " AND h.breakdown IS NOT NULL"
)
PLACE = """
INSERT INTO leads_place (lead_id, place, since) VALUES (%s, 'erased', %s)
ON CONFLICT (lead_id) DO UPDATE SET place = 'erased', since = EXCLUDED.since, disqualified_by = '',
    definition_id = NULL, fit = NULL, behaviour = NULL, total = NULL, missing = NULL, evaluated_at = NULL
"""


def texts_of(person, *, at):
    """Notes and reasons that people wrote: all of them, for nobody can tell which name the person."""
    lead = person.lead
    if lead is None:
        return 0
    mine, of_handoff = Q(lead=lead), Q(handoff__lead=lead)
    return sum(
        (
            Touch.objects.filter(of_handoff).exclude(note="").update(note=""),
            Decision.objects.filter(of_handoff).exclude(note="").update(note=""),
            Dispute.objects.filter(decision__handoff__lead=lead).exclude(note=ERASED).update(note=ERASED),
            Ruling.objects.filter(dispute__decision__handoff__lead=lead).exclude(note="").update(note=""),
            Assignment.objects.filter(of_handoff).exclude(why=ERASED).update(why=ERASED),
            RecycleChange.objects.filter(mine).exclude(why="").update(why=""),
            Deal.objects.filter(mine).exclude(note="").update(note=""),
        )
    )


def events_of(person, *, at):
    """That something happened, and when, is counted; what it said of the person is not."""
    plain = Q(properties={}, origin_id=None)
    return Event.objects.filter(lead=person.lead).exclude(plain).update(properties={}, origin_id=None)


def changes_of(person, *, at):
    """What the facts were; and one change more, so that whoever asks what was known then hears that nobody knows."""
    if person.lead is None:
        return 0
    FactChange.objects.create(lead=person.lead, changed_at=at, was=None)
    return FactChange.objects.filter(lead=person.lead, was__isnull=False).update(was=None)


def handoffs_of(person, *, at):
    """What the rules saw; the points that they gave stay."""
    if person.lead is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(FORGET_SCORES, [person.lead.pk])
        scored = cursor.rowcount
        cursor.execute(PLACE, [person.lead.pk, at])
    withdrawn = Handoff.objects.filter(lead=person.lead).exclude(withdrawn_why="").exclude(withdrawn_at=at)
    return scored + withdrawn.exclude(withdrawn_why=ERASED).update(withdrawn_why=ERASED)


# --- given out ----------------------------------------------------------------------------------------
def facts_given(person):
    lead = person.lead
    if lead is None:
        return {}
    known = {name: value for name, value in lead.facts().items() if value not in (None, "", {})}
    return known | {"id": lead.pk, "captured_at": lead.created_at, "changed_at": lead.updated_at}


def changes_given(person):
    return list(FactChange.objects.filter(lead=person.lead, was__isnull=False).values("changed_at", "was"))


def events_given(person):
    columns = ("kind", "occurred_at", "recorded_at", "origin", "origin_id", "properties", "suspected_by")
    return list(Event.objects.filter(lead=person.lead).order_by("occurred_at", "id").values(*columns))


def handoffs_given(person):
    """The cases: how the person was scored, contacted and decided on; colleagues are not named."""
    return [_handoff(each) for each in Handoff.objects.filter(lead=person.lead).order_by("qualified_at")]


def _handoff(handoff):
    decided = ("outcome", "reason__code", "reason__label", "decided_at", "recycle_on", "note")
    return {
        "id": handoff.pk,
        "qualified_at": handoff.qualified_at,
        "status": handoff.status,
        "score": handoff.breakdown,
        "source": handoff.source,
        "campaign": handoff.campaign,
        "channel": handoff.channel,
        "contacts": list(handoff.touches.values("kind", "outcome", "occurred_at", "note")),
        "decisions": list(handoff.decisions.values(*decided)),
        "disputes": list(
            Dispute.objects.filter(decision__handoff=handoff).values("disputed_at", "note", "ruling__note")
        ),
        "assignments": list(handoff.assignments.values("assigned_at", "why")),
        "withdrawn": handoff.withdrawn_at and {"at": handoff.withdrawn_at, "why": handoff.withdrawn_why},
    }


def deals_given(person):
    columns = ("external_id", "outcome", "opened_at", "closed_at", "amount", "currency", "product", "note")
    return list(Deal.objects.standing().filter(lead=person.lead).values(*columns))


def nothing_given(person):
    return []


holds("Facts", erase=nothing, give=facts_given)
holds("Earlier facts", erase=changes_of, give=changes_given)
holds("Events", erase=events_of, give=events_given)
holds("Handoffs", erase=handoffs_of, give=handoffs_given)
holds("Notes", erase=texts_of, give=nothing_given)
holds("Deals", erase=nothing, give=deals_given)

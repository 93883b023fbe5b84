"""Doors for what happens outside: leads and events that programs send."""

from django.utils import timezone

from leads.api.router import router
from leads.api.shapes import HandoffSaid, LeadEventIn, LeadIn, Score, TakenInSaid, TooLongAgo
from leads.models import Lead
from leads.routing import NobodyToRoute
from leads.services.bulk import NoSuchLead
from leads.services.capture import NotALead, TwoLeads, mailbox, take_in_events, take_in_lead
from leads.services.refusals import NotInTheFuture, PersonForgotten
from leads.services.track import marked
from leads.visitors import visitor_token
from portal.accounts.permissions import May, require
from portal.keys.auth import Bearer
from portal.keys.once import once
from portal.keys.problem import answered_with
from portal.keys.scopes import EVENTS_WRITE, LEADS_WRITE

TAGS = ["Capture"]
answered_with(422, NotALead, NoSuchLead, NotInTheFuture, TooLongAgo)
answered_with(409, TwoLeads, NobodyToRoute, PersonForgotten)


@router.post(
    "/leads", response={200: TakenInSaid, 201: TakenInSaid}, auth=Bearer(LEADS_WRITE), url_name="api_leads",
    summary="Send a lead", tags=TAGS,
)  # fmt: skip
def post_lead(request, lead: LeadIn):
    """Makes the lead, or updates the one with the same mailbox or `external_id`, records its events, evaluates it
    under the agreement in force and hands it over at once where it reaches a tier.

    201 when the lead is new, else 200.
    """
    require(request.user, May.IMPORT_LEADS)
    now = timezone.now()

    def work(do):
        events = marked([(None, event.happened(now), event.signals()) for event in lead.events])
        taken = do(take_in_lead, facts=lead.facts(), events=events, at=now)
        return (201 if taken.created else 200), said(taken)

    return once(request, work)


@router.post(
    "/events", response=TakenInSaid, auth=Bearer(EVENTS_WRITE), url_name="api_events", summary="Send an event",
    tags=TAGS,
)  # fmt: skip
def post_event(request, event: LeadEventIn):
    """Of a lead that is known here; whoever is not is sent as a lead with events."""
    require(request.user, May.IMPORT_LEADS)
    now = timezone.now()

    def work(do):
        lead_id = named(event.lead)
        events = marked([(lead_id, event.happened(now), event.signals())])
        taken = do(take_in_events, lead_id=lead_id, events=events, at=now)
        return 200, said(taken)

    return once(request, work)


def names_one(who):
    """(the name, the value) by which a lead is meant. Refuses NoSuchLead."""
    asked = who.model_dump(exclude_none=True)
    if len(asked) != 1:
        raise NoSuchLead("Name the lead in one way: id, email or external_id.", field="lead")
    return next(iter(asked.items()))


def named(who, leads=None):
    """The id of the one lead that is meant, among all or these (a queryset). Refuses NoSuchLead."""
    name, value = names_one(who)
    look = {"email_key": mailbox(value)} if name == "email" else {name: value}
    found = (Lead.objects.all() if leads is None else leads).filter(**look).values_list("pk", flat=True).first()
    if found is None:
        raise NoSuchLead(field="lead")
    return found


def said(taken):
    """What became of a capture, as JSON values."""
    score = taken.evaluation and Score.model_validate(taken.evaluation)
    handoff = taken.handoff and HandoffSaid.of(taken.handoff)
    answer = TakenInSaid(
        lead=taken.lead.pk, created=taken.created, outcome=taken.outcome, new_events=taken.new_events,
        handoff=handoff, score=score, visitor=visitor_token(taken.lead.pk),
    )  # fmt: skip
    return answer.model_dump(mode="json")

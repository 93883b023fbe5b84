"""Qualification: a lead is evaluated under the definition in force; at a tier's threshold it becomes a handoff."""

from django.db import transaction
from django.db.models import Case, When
from django.utils.timezone import get_default_timezone, localdate

from leads.models import Assignment, Handoff, Lead
from leads.routing import Route
from leads.services._places import note_nurture
from leads.services.due import Terms
from leads.services.refusals import HasOpenHandoff, NoVersionInForce
from leads.services.route import route_lead
from portal.outbox.services import tell
from sla import scoring
from sla.models import ReasonCode, SLAVersion

NEVER_AGAIN = ReasonCode.NextStep.DISQUALIFY
HANDED_OVER, NURTURE, COOLING, OPEN, DISQUALIFIED = "handed_over", "nurture", "cooling_off", "open", "disqualified"
NO_VERSION, SUSPECTED = "no_version", "suspected"


@transaction.atomic(durable=True)
def open_handoff(*, lead_id, by, at, owner=None):
    """Evaluate the lead at `at`; open a routed handoff when it reaches a tier. Returns it, or None for nurture.

    None also inside the agreement's cool-off after an earlier cycle. by: who caused it (None: the portal).
    Refuses: NoVersionInForce, HasOpenHandoff.
    """
    lead = Lead.objects.select_for_update().get(pk=lead_id)
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    if version is None:
        raise NoVersionInForce
    previous = _latest(lead.handoffs)
    if previous and previous.is_open:
        raise HasOpenHandoff
    evaluation = evaluation_of(lead, version, at)
    if previous and at < cool_off_ends(previous, version):
        return None
    if evaluation.tier is None:
        note_nurture(lead, version, evaluation)
        return None
    return hand_over(lead, version, evaluation, previous, by=by, at=at, owner=owner)


def evaluation_of(lead, version, at):
    """The scoring.Evaluation of a lead at `at` under a version's definition."""
    events = [
        scoring.Event(event.kind, event.occurred_at, event.properties, bool(event.suspected_by))
        for event in lead.events.filter(occurred_at__lte=at)
    ]
    return scoring.evaluate(version.definition.as_definition(), lead.facts(), events, at, zone=get_default_timezone())


def cool_off_ends(previous, version):
    """From when on a lead may be handed over again after its cycle `previous`."""
    return (previous.decided_at or previous.qualified_at) + version.cool_off


def hand_over(lead, version, evaluation, previous, *, by, at, owner=None):
    """A step: open the handoff of a locked lead that reached a tier, routed and with its clocks running."""
    tier = version.definition.tiers.get(key=evaluation.tier)
    named = Route(owner, f"Named by {by.name}" if by else "Named in the import") if owner else None
    place = named or route_lead(lead, tier, at=at)
    handoff = Handoff.objects.create(
        lead=lead,
        previous=previous,
        definition=version.definition,
        sla_version=version,
        tier=tier,
        fit=evaluation.fit,
        behaviour=evaluation.behaviour,
        total=evaluation.total,
        breakdown=evaluation.as_json(),
        source=lead.source,
        campaign=lead.campaign,
        channel=lead.channel,
        industry=lead.industry,
        employees=lead.employees,
        qualified_at=at,
        recorded_at=at,
        **place.on_handoff(at),
        **Terms(version).due(tier_id=tier.pk, owner=place.owner, at=at).as_fields(),
    )
    Assignment.objects.create(handoff=handoff, assigned_at=at, recorded_at=at, assigned_by=by, **place.on_assignment())
    tell("handoff.opened", key=handoff.pk, at=at, to=place.owner, payload={"handoff": handoff.pk, "lead": lead.pk})
    return handoff


def verdict(lead, version, at):
    """A step: what `version` says of a locked lead: (outcome, the latest handoff or None, the evaluation or None)."""
    previous = _latest(lead.handoffs.select_related("reason"))
    if previous and previous.is_open:
        return OPEN, previous, None
    if previous and previous.reason and previous.reason.next_step == NEVER_AGAIN:
        return DISQUALIFIED, previous, None
    if previous and at < cool_off_ends(previous, version):
        return COOLING, previous, None
    evaluation = evaluation_of(lead, version, at)
    return HANDED_OVER if evaluation.tier else NURTURE, previous, evaluation


def note_outcome(lead, outcome, version, evaluation):
    """A step: keep beside a lead just judged what it lacks, where it stays in nurture."""
    if outcome == NURTURE:
        note_nurture(lead, version, evaluation)


def _latest(handoffs):
    """The handoff that says where a lead is: the open one (an older cycle may have been reopened), else the latest."""
    return handoffs.order_by(Case(When(status="open", then=0), default=1), "-qualified_at").first()


def when_to_look_again(lead, outcome, previous, version, at):
    """(evaluate_from, recycle_on) of a lead just judged: when its cool-off ends, and a day that is still ahead."""
    ahead = lead.recycle_on and lead.recycle_on > localdate(at, get_default_timezone())
    waits = ahead and outcome in (NURTURE, COOLING)
    return cool_off_ends(previous, version) if outcome == COOLING else None, lead.recycle_on if waits else None

"""Qualification: a lead is evaluated under the definition in force; at a tier's threshold it becomes a handoff."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Case, When
from django.utils.timezone import get_default_timezone, localdate

from leads.exploring import takes
from leads.models import Event, Handoff, Lead
from leads.services._hand_over import Qualified, hand_over
from leads.services._law import Law, law_in_force, law_of
from leads.services._places import note_nurture
from leads.services.refusals import HasOpenHandoff, NoVersionInForce
from portal.shared import recordset
from sla import scoring
from sla.models import ReasonCode

NEVER_AGAIN = ReasonCode.NextStep.DISQUALIFY
HANDED_OVER, NURTURE, COOLING, OPEN, DISQUALIFIED = "handed_over", "nurture", "cooling_off", "open", "disqualified"
NO_VERSION, SUSPECTED = "no_version", "suspected"
BEFORE = ("owner", "tier", "reason", "definition", "sla_version")
DUE = """
UPDATE leads_lead l SET evaluate_from = r.evaluate_from, recycle_on = r.recycle_on
FROM json_to_recordset(%s) AS r(id bigint, evaluate_from timestamptz, recycle_on date) WHERE l.id = r.id
"""


@dataclass(frozen=True)
class Judged:
    """What the law says of one lead: `previous` is its open handoff, else its latest; evaluation: None where none."""

    lead: Lead
    outcome: str
    previous: Handoff | None = None
    evaluation: scoring.Evaluation | None = None


@transaction.atomic(durable=True)
def open_handoff(*, lead_id, by, at, owner=None):
    """Evaluate the lead at `at`; open a routed handoff when it reaches a tier. Returns it, or None for nurture.

    None also inside the agreement's cool-off after an earlier cycle. by: who caused it (None: the portal).
    Refuses: NoVersionInForce, HasOpenHandoff.
    """
    lead = Lead.objects.select_for_update().get(pk=lead_id)
    law = law_in_force(at)
    if law is None:
        raise NoVersionInForce
    previous = latest_handoffs([lead.pk]).get(lead.pk)
    if previous and previous.is_open:
        raise HasOpenHandoff
    if previous and at < cool_off_ends(previous, law.version):
        return None
    evaluation = law.scorer.evaluate(lead.facts(), events_of([lead.pk], at).get(lead.pk, ()), at)
    if evaluation.tier is None and not explores(lead, law, evaluation, previous):
        note_nurture([(lead, evaluation)], law)
        return None
    return hand_over([Qualified(lead, evaluation, previous)], law, by=by, at=at, owner=owner)[lead.pk]


def tier_of(facts, events, at):
    """The key of the tier of somebody whom nobody knew, None below them all. facts: as capture has them; events:
    scoring.Events. Nothing is written."""
    law = law_in_force(at)
    return law and law.scorer.evaluate(Lead(**facts).facts(), events, at).tier


def evaluation_of(lead, version, at):
    """The scoring.Evaluation of a lead at `at` under a version's definition."""
    return law_of(version).scorer.evaluate(lead.facts(), events_of([lead.pk], at).get(lead.pk, ()), at)


def cool_off_ends(previous, version):
    """From when on a lead may be handed over again after its cycle `previous`."""
    return (previous.decided_at or previous.qualified_at) + version.cool_off


def latest_handoffs(lead_ids):
    """{lead's id: what says where it is}: its open handoff (an older cycle may be open again), else the latest."""
    first = Case(When(status="open", then=0), default=1)
    rows = Handoff.objects.filter(lead__in=lead_ids).order_by("lead", first, "-qualified_at").distinct("lead")
    return {row.lead_id: row for row in rows.select_related(*BEFORE).defer("breakdown")}


def events_of(lead_ids, at) -> Mapping[int, Sequence[scoring.Event]]:
    """{lead's id: what it did by `at`}"""
    found = {}
    rows = Event.objects.filter(lead__in=lead_ids, occurred_at__lte=at)
    for lead, kind, when, properties, suspected in rows.values_list(
        "lead", "kind", "occurred_at", "properties", "suspected_by"
    ):
        found.setdefault(lead, []).append(scoring.Event(kind, when, properties, bool(suspected)))
    return found


def judge(leads: Sequence[Lead], law: Law, at, *, new: Mapping | None = None) -> list[Judged]:
    """A step: what the law says of locked leads. new: {id: events} of leads that nobody knew before. Two queries."""
    new = new or {}
    known = [lead.pk for lead in leads if lead.pk not in new]
    before = latest_handoffs(known) if known else {}
    asked = [pk for pk in known if _stands(before.get(pk), law, at) is None]
    events = (events_of(asked, at) if asked else {}) | new
    return [_judged(lead, before.get(lead.pk), events.get(lead.pk, ()), law, at) for lead in leads]


def _judged(lead, previous, events, law, at):
    if outcome := _stands(previous, law, at):
        return Judged(lead, outcome, previous)
    evaluation = law.scorer.evaluate(lead.facts(), events, at)
    goes = evaluation.tier or explores(lead, law, evaluation, previous)
    return Judged(lead, HANDED_OVER if goes else NURTURE, previous, evaluation)


def explores(lead, law, evaluation, previous):
    """Whether a lead below the threshold goes to sales by exploration: once a version, drawn by chance."""
    if previous and previous.exploration and previous.sla_version_id == law.version.pk:
        return False
    return takes(law.version, law.scorer.definition, lead.pk, evaluation)


def _stands(previous, law, at):
    """The outcome where the handoff before says enough, else None: the lead is evaluated."""
    if previous is None:
        return None
    if previous.is_open:
        return OPEN
    if previous.reason and previous.reason.next_step == NEVER_AGAIN:
        return DISQUALIFIED
    return COOLING if at < cool_off_ends(previous, law.version) else None


def follow(judged: Iterable[Judged], law, *, by, at):
    """A step: what follows from judging locked leads: handoffs, places, and when each is looked at again.

    Returns {lead's id: its Handoff opened now}. Refuses NobodyToRoute.
    """
    judged = list(judged)
    reached = [Qualified(one.lead, one.evaluation, one.previous) for one in judged if one.outcome == HANDED_OVER]
    note_nurture([(one.lead, one.evaluation) for one in judged if one.outcome == NURTURE], law)
    _look_again(judged, law, at)
    return hand_over(reached, law, by=by, at=at) if reached else {}


def _look_again(judged, law, at):
    """When a cool-off ends, and a day that is still ahead; written where it changes."""
    moved = []
    for one in judged:
        due = _when(one, law, at)
        if due != (one.lead.evaluate_from, one.lead.recycle_on):
            one.lead.evaluate_from, one.lead.recycle_on = due
            moved.append({"id": one.lead.pk, "evaluate_from": due[0], "recycle_on": due[1]})
    if moved:
        with connection.cursor() as cursor:
            cursor.execute(DUE, [recordset.as_json(moved)])


def _when(one, law, at):
    ahead = one.lead.recycle_on and one.lead.recycle_on > localdate(at, get_default_timezone())
    waits = ahead and one.outcome in (NURTURE, COOLING)
    ends = cool_off_ends(one.previous, law.version) if one.outcome == COOLING else None
    return ends, one.lead.recycle_on if waits else None

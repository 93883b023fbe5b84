"""Evaluation again: leads in nurture whose recycle date came, or that did something new."""

from collections import Counter

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from leads.models import Lead
from leads.services.qualify import cool_off_ends, evaluation_of, hand_over
from sla.models import ReasonCode, SLAVersion

BATCH = 50
NEVER_AGAIN = ReasonCode.NextStep.DISQUALIFY
HANDED_OVER, NURTURE, COOLING, OPEN, DISQUALIFIED = "handed_over", "nurture", "cooling_off", "open", "disqualified"


def evaluate_due(*, at):
    """Evaluate every lead that is due at `at`, in batches. Returns a Counter of outcomes.

    Run twice, late or in parallel, it hands each lead over once: a batch takes leads that nobody else holds.
    """
    told = Counter()
    while batch := evaluate_batch(at=at):
        told += batch
    return told


@transaction.atomic(durable=True)
def evaluate_batch(*, at):
    """One batch of due leads. Returns a Counter of outcomes, empty when nothing is due or no agreement is in force."""
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    if version is None:
        return Counter()
    leads = due(at=at).select_for_update(skip_locked=True)[:BATCH]
    return Counter(_evaluate(lead, version, at) for lead in leads)


def due(*, at):
    """Leads whose recycle date or evaluation has come, oldest first."""
    today = timezone.localdate(at, timezone.get_default_timezone())
    return Lead.objects.filter(Q(recycle_on__lte=today) | Q(evaluate_from__lte=at)).order_by("id")


def outlook(*, at):
    """What evaluate_due would do, without writing: a Counter of outcomes."""
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    if version is None:
        return Counter()
    return Counter(_verdict(lead, version, at)[0] for lead in due(at=at).iterator(chunk_size=500))


def _evaluate(lead, version, at):
    """Judge one locked lead and write what follows; it is not due any more, or only when its cool-off ends."""
    outcome, previous, evaluation = _verdict(lead, version, at)
    lead.recycle_on = None
    lead.evaluate_from = cool_off_ends(previous, version) if outcome == COOLING else None
    lead.save(update_fields=["recycle_on", "evaluate_from"])
    if outcome == HANDED_OVER:
        hand_over(lead, version, evaluation, previous, by=None, at=at)
    return outcome


def _verdict(lead, version, at):
    """(outcome, the latest handoff or None, the evaluation or None)."""
    previous = lead.handoffs.select_related("reason").order_by("-qualified_at").first()
    if previous and previous.is_open:
        return OPEN, previous, None
    if previous and previous.reason and previous.reason.next_step == NEVER_AGAIN:
        return DISQUALIFIED, previous, None
    if previous and at < cool_off_ends(previous, version):
        return COOLING, previous, None
    evaluation = evaluation_of(lead, version, at)
    return HANDED_OVER if evaluation.tier else NURTURE, previous, evaluation

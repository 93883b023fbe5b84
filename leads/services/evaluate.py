"""Evaluation again: leads in nurture whose recycle date came, or that did something new."""

from collections import Counter

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from leads.models import Lead
from leads.services.qualify import HANDED_OVER, hand_over, note_outcome, verdict, when_to_look_again
from sla.models import SLAVersion

BATCH = 50


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
    return Counter(evaluate_locked(lead, version, by=None, at=at) for lead in leads)


def due(*, at):
    """Leads whose recycle date or evaluation has come, oldest first."""
    today = timezone.localdate(at, timezone.get_default_timezone())
    return Lead.objects.filter(Q(recycle_on__lte=today) | Q(evaluate_from__lte=at)).order_by("id")


def outlook(*, at):
    """What evaluate_due would do, without writing: a Counter of outcomes."""
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    if version is None:
        return Counter()
    return Counter(verdict(lead, version, at)[0] for lead in due(at=at).iterator(chunk_size=500))


def evaluate_locked(lead, version, *, by, at):
    """A step: judge a locked lead and write what follows, and when it is due again. Returns the outcome."""
    outcome, previous, evaluation = verdict(lead, version, at)
    lead.evaluate_from, lead.recycle_on = when_to_look_again(lead, outcome, previous, version, at)
    lead.save(update_fields=["recycle_on", "evaluate_from"])
    note_outcome(lead, outcome, version, evaluation)
    if outcome == HANDED_OVER:
        hand_over(lead, version, evaluation, previous, by=by, at=at)
    return outcome

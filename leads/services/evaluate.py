"""Evaluation again: leads in nurture whose recycle date came, or that did something new."""

from collections import Counter
from itertools import batched

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from leads.models import Lead
from leads.services._law import law_in_force
from leads.services.qualify import follow, judge

BATCH = 200


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
    law = law_in_force(at)
    leads = list(due(at=at).select_for_update(skip_locked=True)[:BATCH]) if law else []
    return Counter(evaluate_locked(leads, law, by=None, at=at)) if leads else Counter()


def due(*, at):
    """Leads whose recycle date or evaluation has come, oldest first."""
    today = timezone.localdate(at, timezone.get_default_timezone())
    return Lead.objects.filter(Q(recycle_on__lte=today) | Q(evaluate_from__lte=at)).order_by("id")


def outlook(*, at):
    """What evaluate_due would do, without writing: a Counter of outcomes."""
    law = law_in_force(at)
    batches = batched(due(at=at).iterator(chunk_size=BATCH), BATCH) if law else ()
    return Counter(one.outcome for batch in batches for one in judge(batch, law, at))


def evaluate_locked(leads, law, *, by, at):
    """A step: judge locked leads and write what follows, and when each is due again. Returns their outcomes."""
    judged = judge(leads, law, at)
    follow(judged, law, by=by, at=at)
    return [one.outcome for one in judged]

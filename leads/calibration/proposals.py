"""Verbs of a calibration's proposal: a draft definition with what it promises, through the definition's own life."""

from django.db import transaction
from django.shortcuts import get_object_or_404

from leads.calibration.draft import changes
from leads.calibration.history import beginning_at, months_of, reaching
from leads.calibration.models import Calibration, Proposal
from leads.calibration.promises import promise
from portal.accounts.permissions import May, require
from portal.shared.refusal import Refusal
from sla.scoring import Definition
from sla.services.definition import begin_draft


class NothingToPropose(Refusal):
    code = "nothing_to_propose"
    sentence = "The data show no rule that matters, so there is nothing to propose."


class OutOfReach(Refusal):
    code = "target_out_of_reach"
    sentence = "No threshold reaches the joint target on enough leads. Nothing was drafted."
    field = "thresholds"


@transaction.atomic(durable=True)
def propose(*, calibration_id, target, hours, by, at):
    """Draft the definition that a calibration found, beginning from the one it was compared with. Returns the draft.

    target: the acceptance (share of 1) that the lowest tier's threshold shall reach; None: as many leads as before.
    hours: what it takes to work one lead, an assumption.
    Refuses: NotPermitted, NothingToPropose, OutOfReach, Unusable.
    """
    require(by, May.CALIBRATE)
    job = get_object_or_404(Calibration.objects.select_related("against"), pk=calibration_id)
    if not (job.is_done and "definition" in job.result):
        raise NothingToPropose
    against, wanted = job.against.as_definition(), with_target(job.result, target)
    draft = begin_draft(
        start_from=job.against, changes=changes(against, wanted), by=by, at=at,
        summary=f"From calibration {job.pk}: points that what became of the leads taught",
    )  # fmt: skip
    promised = promise(curves(job.result["monthly"]), full_months(job), min(tier.total for tier in wanted.tiers))
    Proposal.objects.create(
        calibration=job, definition=draft, hours_per_lead=hours, promise=promised or {}, created_at=at, created_by=by
    )
    return draft


def with_target(result, target):
    """The scoring.Definition that a result proposes; with a target its lowest tier begins where that is reached."""
    wanted = Definition.from_json(result["definition"])
    if target is None:
        return wanted
    lowest = min(wanted.tiers, key=lambda tier: tier.total)
    begins = reaching({int(at): row for at, row in result["sweeps"][lowest.key].items()}, target)
    if begins is None:
        raise OutOfReach
    return beginning_at(wanted, begins)


def curves(document):
    """Curves by month, as JSON has them, with whole numbers for keys again."""
    return {int(month): {int(at): row for at, row in curve.items()} for month, curve in document.items()}


def full_months(job):
    """The months of which all was judged: neither the first one, which began with the first lead, nor a cut one."""
    first, last = job.result["past"]
    return months_of(first, last)[1:-1]

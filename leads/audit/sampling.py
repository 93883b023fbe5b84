"""Blind re-coding: draw rejections of a month by chance, have a second person code each of them once.

The draw can be repeated by anybody: the rejections that stand are put in order by the SHA-256 of "seed:handoff", and
the first ones are taken. What was drawn before is not drawn again, so samples of a month add up to a larger one.
"""

from django.db import transaction
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.shortcuts import get_object_or_404

from leads import figures
from leads.audit.closed import require_open
from leads.audit.models import Coding, Sample, SampleItem
from leads.models import Handoff
from leads.periods import Month
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.locks import wait_for_others
from portal.shared.refusal import NotPermitted, Refusal

SIZE = 50
FIRST_CODER = Coalesce("decision__decided_by", "decision__handoff__owner")  # imported decisions name nobody


class MonthNotOver(Refusal):
    code = "month_not_over"
    sentence = "The month is not over: a sample of it would leave out what is still to be rejected."


class NothingToSample(Refusal):
    code = "nothing_to_sample"
    sentence = "There is no rejection in this month that was not drawn already."


class SampleNotFinished(Refusal):
    code = "sample_not_finished"
    sentence = "The sample drawn before is not coded to its end. Nothing was drawn."


class AlreadyCoded(Refusal):
    code = "already_coded"
    sentence = "Somebody coded this lead already. Nothing was changed."


class NoSuchReason(Refusal):
    code = "reason_unknown"
    sentence = "Choose one of the reasons that this lead's agreement offers. Nothing was saved."
    field = "reason"


@transaction.atomic(durable=True)
def draw_sample(*, month, seed, by, at, zone, size=SIZE):
    """Draw up to `size` rejections decided in a figures.Month that is over. Returns the Sample.

    Refuses: NotPermitted, MonthNotOver, MonthClosed, SampleNotFinished, NothingToSample.
    """
    require(by, May.DRAW_SAMPLES)
    if month.ends(zone) > at:
        raise MonthNotOver
    require_open(month)
    wait_for_others(f"audit.sample.{month}")
    if SampleItem.objects.filter(sample__month=month.first, coding=None).exists():
        raise SampleNotFinished
    drawable = _drawable(month, at, zone)
    decisions = list(in_order(drawable, seed).values_list("standing_decision_id", flat=True)[:size])
    if not decisions:
        raise NothingToSample
    sample = Sample.objects.create(
        month=month.first, number=Sample.objects.filter(month=month.first).count() + 1, seed=seed,
        size=len(decisions), population=drawable.count(), drawn_at=at, drawn_by=by,
    )  # fmt: skip
    SampleItem.objects.bulk_create(
        SampleItem(sample=sample, position=place, decision_id=pk) for place, pk in enumerate(decisions, 1)
    )
    tell("audit.sample_drawn", key=sample.pk, at=at, payload={"sample": sample.pk, "month": str(month)})
    return sample


@transaction.atomic(durable=True)
def code_item(*, item_id, code, by, at):
    """The second person's reason for a sampled rejection; it is given once. Returns the Coding.

    Refuses: NotPermitted (whoever rejected the lead, or may not see it), MonthClosed, AlreadyCoded, NoSuchReason.
    """
    require(by, May.RECODE_REASONS)
    wait_for_others(f"audit.item.{item_id}")
    item = get_object_or_404(SampleItem.objects.select_related("sample", "decision__handoff__sla_version"), pk=item_id)
    if not _second_to(by).filter(pk=item_id).exists():
        raise NotPermitted("A second person codes it: not who rejected the lead, and only who may see it.")
    require_open(Month(item.sample.month))
    if Coding.objects.filter(item=item).exists():
        raise AlreadyCoded
    reason = item.decision.handoff.sla_version.reasons.offered().filter(code=code).first()
    if reason is None:
        raise NoSuchReason
    coding = Coding.objects.create(item=item, reason=reason, coded_by=by, coded_at=at)
    tell("audit.recoded", key=coding.pk, at=at, payload={"item": item.pk})
    return coding


def waiting_for(user, month):
    """The items of a month that nobody has coded and this person may, in the order they were drawn."""
    return _second_to(user).filter(sample__month=month.first, coding=None).order_by("sample__number", "position")


def _second_to(user):
    """Items whose lead the person may see and did not reject."""
    seen = SampleItem.objects.filter(decision__handoff__in=Handoff.objects.visible_to(user))
    return seen.annotate(first_coder=FIRST_CODER).exclude(first_coder=user.pk)


def _drawable(month, at, zone):
    filters = {"decided_month": month, "status": "rejected"}
    return figures.rows(filters, as_of=at, zone=zone).filter(standing_decision__sampled=None)


def in_order(handoffs, seed):
    """The handoffs as this seed draws them."""
    told = Concat(Value(f"{seed}:"), Cast(F("pk"), TextField()))
    return handoffs.order_by(Func(told, template="sha256(convert_to(%(expressions)s, 'UTF8'))"), "pk")

"""Disputes: marketing objects on the lead's page, a manager rules on the list."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads.forms import DisputeForm, RulingForm
from leads.models import Dispute, Handoff
from leads.services.dispute import AlreadyRuled, NothingToRule, can_be_disputed, dispute_rejection, rule_on_dispute
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, go, invalid, overtaken, wants_part
from portal.shared.refusal import NotPermitted, Refusal

PAGE = "leads/disputes.html"
WITH = (
    "decision__handoff__lead", "decision__handoff__owner", "decision__reason", "decision__decided_by", "disputed_by",
    "ruling__ruled_by",
)  # fmt: skip
WAITING_SHOWN, RULED_SHOWN = 200, 50


@require_GET
def disputes(request):
    """What waits for a ruling, by its due time, and what was ruled last; of the handoffs that this person sees."""
    require(request.user, May.READ_AUDIT)
    seen = Dispute.objects.visible_to(request.user).select_related(*WITH)
    rulable = set(Dispute.objects.rulable_by(request.user).waiting().values_list("pk", flat=True))
    waiting = list(seen.waiting().order_by("due_at", "pk")[:WAITING_SHOWN])
    context = {
        "now": timezone.now(),
        "waiting": [_row(dispute, dispute.pk in rulable) for dispute in waiting],
        "ruled": [
            _row(d, False) for d in seen.filter(ruling__isnull=False).order_by("-ruling__ruled_at")[:RULED_SHOWN]
        ],
        "shown": WAITING_SHOWN,
    }
    return answer(request, PAGE, context)


@require_POST
def dispute_rule(request, pk):
    """Uphold or overturn; the row as it is afterwards."""
    require(request.user, May.RULE_ON_DISPUTES)
    get_object_or_404(Dispute.objects.visible_to(request.user), pk=pk)
    form, now = RulingForm(request.POST), timezone.now()
    if not form.is_valid():
        return _again(request, invalid, pk, now, "Choose whether the rejection is upheld or overturned.")
    try:
        rule_on_dispute(dispute_id=pk, by=request.user, at=now, **form.cleaned_data)
    except (AlreadyRuled, NothingToRule) as refusal:
        return _again(request, overtaken, pk, now, refusal.sentence)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _again(request, invalid, pk, now, refusal.sentence)
    if not wants_part(request):
        return go(request, "disputes")
    return answer(request, PAGE, {"row": _row(_dispute(pk), False), "now": now}, part="row")


def _again(request, how, pk, now, wrong):
    dispute = _dispute(pk)
    rulable = Dispute.objects.rulable_by(request.user).waiting().filter(pk=pk).exists()
    row = _row(dispute, rulable) | {"wrong": wrong}
    context = {"row": row, "now": now, "waiting": [row], "ruled": [], "shown": WAITING_SHOWN}
    return how(request, PAGE, context, part="row")


def _dispute(pk):
    return Dispute.objects.select_related(*WITH).get(pk=pk)


def _row(dispute, rulable):
    return {"dispute": dispute, "ruling": getattr(dispute, "ruling", None), "rulable": rulable}


@require_POST
def handoff_dispute(request, pk):
    """Object to the rejection that stands; the panel of the lead's page as it is afterwards."""
    require(request.user, May.DISPUTE_REJECTIONS)
    row = get_object_or_404(Handoff.objects.visible_to(request.user), pk=pk)
    form, now = DisputeForm(request.POST), timezone.now()
    wrong = "" if form.is_valid() else " ".join(form.errors["note"])
    try:
        if not wrong:
            dispute_rejection(handoff_id=row.pk, by=request.user, at=now, **form.cleaned_data)
    except Refusal as refusal:
        wrong = refusal.sentence
    if not wants_part(request) and not wrong:
        return go(request, "handoff", pk)
    context = {
        "handoff": row,
        "now": now,
        **panel(request.user, row, now),
        "wrong": wrong,
        "given": form.data.get("note"),
    }
    how = invalid if wrong else answer
    return how(request, "leads/dispute_panel.html", context, part="dispute")


def panel(user, row, now):
    """Context of the lead page's panel: the disputes so far, and whether this person may open one now."""
    found = Dispute.objects.filter(decision__handoff=row.pk).select_related(*WITH)
    return {
        "disputes": [_row(dispute, False) for dispute in found],
        "may_dispute": may(user, May.DISPUTE_REJECTIONS) and can_be_disputed(row, now),
        "dispute_until": row.standing_decision and row.standing_decision.decided_at + row.sla_version.dispute_within,
    }

"""Record a deal on a lead's page, or correct one: a form of its own, and the panel that shows what stands."""

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from leads.forms import DealForm
from leads.models import Deal, Handoff
from leads.models.deal import LOSS_REASONS, are_outcomes_kept
from leads.services.deal import DealOvertaken, record_deal
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, go, invalid, overtaken
from portal.shared.refusal import NotPermitted, Refusal

PAGE = "leads/deal_form.html"


@require_http_methods(["GET", "HEAD", "POST"])
def deal_record(request, pk):
    """A deal of a handoff that this person sees."""
    require(request.user, May.RECORD_DEALS)
    handoff = get_object_or_404(Handoff.objects.visible_to(request.user).select_related("lead"), pk=pk)
    return _form(request, handoff.lead, handoff, None)


@require_http_methods(["GET", "HEAD", "POST"])
def deal_correct(request, pk):
    """A further row for a deal; it opens with what stands."""
    require(request.user, May.RECORD_DEALS)
    seen = Deal.objects.visible_to(request.user).select_related("lead", "handoff", "superseded_by")
    deal = get_object_or_404(seen, pk=pk)
    return _form(request, deal.lead, deal.handoff, deal)


def panel(user, row):
    """Context of the lead page's panel: the deals of the handoff with what was said before, and who may add."""
    rows = list(row.deals.select_related("recorded_by", "supersedes").order_by("pk"))
    kept = bool(rows) and are_outcomes_kept(user, row)
    rows = [] if kept else rows
    earlier = {deal.supersedes_id: deal for deal in rows if deal.supersedes_id}
    return {
        "deals": [deal for deal in rows if deal.pk not in earlier],
        "deals_before": [deal for deal in rows if deal.pk in earlier],
        "may_record_deal": not kept and may(user, May.RECORD_DEALS),
        "deals_kept": kept,
    }


def _form(request, lead, handoff, deal):
    now = timezone.now()
    form = DealForm(request.POST or None, deal=deal)
    context = {
        "form": form, "lead": lead, "handoff": handoff, "deal": deal, "now": now,
        "loss_reasons": LOSS_REASONS, "currency": settings.ORGANISATION_CURRENCY,
    }  # fmt: skip
    if request.method != "POST":
        return answer(request, PAGE, context)
    if not form.is_valid():
        return invalid(request, PAGE, context)
    which = {"corrects": deal.pk} if deal else {"handoff_id": handoff.pk, "external_id": form.cleaned_data["deal_id"]}
    try:
        record_deal(by=request.user, at=now, **which, **form.facts())
    except NotPermitted:
        raise
    except DealOvertaken as refusal:
        form.add_error(None, refusal.sentence)
        return overtaken(request, PAGE, context)
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
        return invalid(request, PAGE, context)
    return go(request, "handoff", handoff.pk) if handoff else go(request, "deals")

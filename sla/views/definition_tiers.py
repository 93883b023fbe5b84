"""Doors of a draft's tiers: add, change, move, remove."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.accounts.permissions import May, require
from portal.shared.htmx import invalid, overtaken, wants_part
from portal.shared.refusal import NotPermitted, Refusal
from sla.forms.definition import TierForm
from sla.models import MQLDefinition
from sla.services import tiers as verbs
from sla.services.draft_refusals import DraftChanged, Unusable
from sla.views import _editor


@require_POST
def definition_tier_add(request, number):
    return _moved(request, number, lambda who: verbs.add_tier(number=number, **who))


@require_POST
def definition_tier(request, number, pk):
    """Keep a tier's name and thresholds."""
    require(request.user, May.EDIT_DEFINITION)
    form = TierForm(request.POST)
    try:
        if not form.is_valid():
            raise Unusable(next(error for found in form.errors.values() for error in found))
        tier = verbs.change_tier(
            number=number, tier_id=pk, seen=request.POST.get("seen"), by=request.user, at=timezone.now(),
            **form.cleaned_data,
        )  # fmt: skip
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _refused(request, number, pk, refusal)
    draft = tier.definition
    context = {"tier": _editor.tier_shown(tier, draft), "matrix": _editor.matrix_shown(draft.as_definition())}
    return _editor.changed(request, number, context | {"definition": draft}, part="tier_said", also=("matrix",))


@require_POST
def definition_tier_move(request, number, pk):
    up = request.POST.get("direction") != "down"
    return _moved(request, number, lambda who: verbs.move_tier(number=number, tier_id=pk, up=up, **who))


@require_POST
def definition_tier_delete(request, number, pk):
    seen = request.POST.get("seen")
    return _moved(request, number, lambda who: verbs.delete_tier(number=number, tier_id=pk, seen=seen, **who))


def _refused(request, number, pk, refusal):
    """The tier's row as it now is (409), or what has to be corrected beside it (422); a page for a plain form."""
    if not wants_part(request) or (isinstance(refusal, _editor.TOO_LATE) and not isinstance(refusal, DraftChanged)):
        return _editor.refused(request, number, refusal)
    draft = get_object_or_404(MQLDefinition, number=number)
    context = {"tier": _editor.tier_shown(get_object_or_404(draft.tiers, pk=pk), draft, refusal.sentence)}
    context["definition"] = draft
    if isinstance(refusal, DraftChanged):
        return overtaken(request, _editor.PAGE, context, part="tier", HX_Retarget=f"#tier-{pk}", HX_Reswap="outerHTML")
    return invalid(request, _editor.PAGE, context, part="tier_said")


def _moved(request, number, act):
    """Do something that moves rows about; the answer is all tiers."""
    try:
        act({"by": request.user, "at": timezone.now()})
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _editor.refused(request, number, refusal)
    draft = MQLDefinition.objects.get(number=number)
    context = {"definition": draft, "tiers": _editor.tiers_shown(draft)}
    context["matrix"] = _editor.matrix_shown(draft.as_definition())
    return _editor.changed(request, number, context, part="tiers", also=("matrix",))

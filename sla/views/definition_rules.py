"""Doors of a draft's rules: add, open, change, move, copy, remove."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid, overtaken, wants_part
from portal.shared.refusal import NotPermitted, Refusal
from sla.forms.definition import NEW_FACT, PointsForm, RuleForm
from sla.models import MQLDefinition, ScoringRule
from sla.services import definition as verbs
from sla.services.draft_refusals import DraftChanged
from sla.views import _editor

NEW_RULE = {
    ScoringRule.Axis.FIT: {"label": "New rule", "condition": NEW_FACT, "points": 5},
    ScoringRule.Axis.BEHAVIOUR: {
        "label": "New rule", "condition": {"event": "page_viewed"}, "points": 5, "window_days": 30,
    },
    ScoringRule.Axis.DISQUALIFIER: {
        "label": "New disqualifier", "condition": {"field": "email", "op": "absent"}, "points": 0,
    },
}  # fmt: skip


@require_POST
def definition_rule_add(request, number):
    """Add a rule to an axis and open it."""
    axis = request.POST.get("axis")
    axis = axis if axis in NEW_RULE else ScoringRule.Axis.FIT
    return _moved(
        request, number, lambda who: verbs.add_rule(number=number, axis=axis, **NEW_RULE[axis], **who), opens=True
    )


@require_http_methods(["GET", "HEAD", "POST"])
def definition_rule(request, number, pk):
    """Open a rule (`?close` shuts it again), or keep what its form has."""
    require(request.user, May.EDIT_DEFINITION)
    if request.method == "POST":
        return _change(request, number, pk)
    draft = get_object_or_404(MQLDefinition.objects.drafts(), number=number)
    rule = get_object_or_404(draft.rules, pk=pk)
    if not wants_part(request):
        return answer(request, _editor.PAGE, _editor.page(number, open_rule=pk))
    shown = _editor.rule_shown(rule, draft, opened="close" not in request.GET)
    return answer(request, _editor.PAGE, {"rule": shown, "definition": draft}, part="rule", HX_Trigger="draft-shown")


@require_POST
def definition_rule_points(request, number, pk):
    """Change a rule's points alone."""
    require(request.user, May.EDIT_DEFINITION)
    form = PointsForm(request.POST)
    if not form.is_valid():
        draft, rule = _rule(number, pk)
        shown = _editor.rule_shown(rule, draft, refusal=form.errors["points"][0])
        return invalid(request, _editor.PAGE, _plain(request, number, shown), part="rule_said")
    return _kept(request, number, pk, {"points": form.cleaned_data["points"]})


@require_POST
def definition_rule_move(request, number, pk):
    up = request.POST.get("direction") != "down"
    return _moved(request, number, lambda who: verbs.move_rule(number=number, rule_id=pk, up=up, **who))


@require_POST
def definition_rule_copy(request, number, pk):
    return _moved(request, number, lambda who: verbs.copy_rule(number=number, rule_id=pk, **who), opens=True)


@require_POST
def definition_rule_delete(request, number, pk):
    axis = ScoringRule.objects.filter(pk=pk).values_list("axis", flat=True).first()
    seen = request.POST.get("seen")
    return _moved(
        request, number, lambda who: verbs.delete_rule(number=number, rule_id=pk, seen=seen, **who), axis=axis
    )


def _change(request, number, pk):
    form = RuleForm(request.POST)
    if form.is_valid():
        return _kept(request, number, pk, form.rule(), form)
    draft, rule = _rule(number, pk)
    shown = _editor.rule_shown(rule, draft, opened=True, form=form)
    context = _plain(request, number, shown, form)
    return invalid(request, _editor.PAGE, context, part="rule_said", also=_redrawn(request, shown))


def _kept(request, number, pk, fields, form=None):
    """Change the rule; the answer is its sentence, its fields where other ones are to be drawn, or what went wrong."""
    try:
        rule = verbs.change_rule(
            number=number, rule_id=pk, seen=request.POST.get("seen"), by=request.user, at=timezone.now(), **fields
        )
    except NotPermitted:
        raise
    except DraftChanged as refusal:
        return _overtaken(request, number, pk, refusal, opened=form is not None)
    except Refusal as refusal:
        if isinstance(refusal, _editor.TOO_LATE):
            return _editor.refused(request, number, refusal)
        draft, rule = _rule(number, pk)
        shown = _editor.rule_shown(rule, draft, opened=form is not None, form=form, refusal=refusal.sentence)
        return invalid(
            request,
            _editor.PAGE,
            _plain(request, number, shown, form),
            part="rule_said",
            also=_redrawn(request, shown),
        )
    draft = rule.definition
    shown = _editor.rule_shown(rule, draft, opened=form is not None)
    context = {"rule": shown, "definition": draft, "matrix": _editor.matrix_shown(draft.as_definition())}
    also = ("matrix", "rule_name", *_redrawn(request, shown))
    return _editor.changed(request, number, context, part="rule_said", also=also, rule=form is not None and pk)


def _overtaken(request, number, pk, refusal, *, opened):
    """409: the row as it now is, in its place."""
    if not wants_part(request):
        return _editor.refused(request, number, refusal, open_rule=pk if opened else None)
    draft, rule = _rule(number, pk)
    shown = _editor.rule_shown(rule, draft, opened=opened, refusal=refusal.sentence)
    context = {"rule": shown, "definition": draft}
    return overtaken(request, _editor.PAGE, context, part="rule", HX_Retarget=f"#rule-{pk}", HX_Reswap="outerHTML")


def _moved(request, number, act, *, axis=None, opens=False):
    """Do something that moves rows about; the answer is the axis's rows."""
    try:
        rule = act({"by": request.user, "at": timezone.now()})
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _editor.refused(request, number, refusal)
    draft = MQLDefinition.objects.get(number=number)
    opened = rule.pk if opens else None
    shown = [_editor.rule_shown(each, draft, opened=each.pk == opened) for each in draft.rules.all()]
    shown = [each | {"fresh": each["opened"]} for each in shown]
    context = {
        "section": _editor.section(axis or rule.axis, draft, shown), "definition": draft,
        "matrix": _editor.matrix_shown(draft.as_definition()),
    }  # fmt: skip
    return _editor.changed(request, number, context, part="section", also=("matrix",), rule=opened)


def _redrawn(request, shown):
    """The fields again where the change asks for other ones than the page has."""
    return () if "shape" not in shown or request.POST.get("shape") == shown["shape"] else ("rule_parts",)


def _plain(request, number, shown, form=None):
    """The context of a refusal: the row for htmx, the whole page else."""
    if wants_part(request):
        return {"rule": shown, "definition": {"number": number}}
    page = _editor.page(number, open_rule=shown["pk"] if form is not None else None, refusal=shown["refusal"])
    for section in page["axes"]:
        section["rules"] = [shown if each["pk"] == shown["pk"] else each for each in section["rules"]]
    return page


def _rule(number, pk):
    draft = get_object_or_404(MQLDefinition, number=number)
    return draft, get_object_or_404(draft.rules, pk=pk)

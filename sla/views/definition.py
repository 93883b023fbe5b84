"""The definition to read, each version at its own address."""

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.accounts.permissions import May, may, require
from sla import words
from sla.models import MQLDefinition, ScoringRule, SLAVersion
from sla.views import _editor

AXES = (
    (ScoringRule.Axis.FIT, "Fit: who they are"),
    (ScoringRule.Axis.BEHAVIOUR, "Behaviour: what they did"),
)


@require_GET
def definition(request):
    """The definition of the version in force."""
    require(request.user, May.READ_AGREEMENT)
    version = SLAVersion.objects.select_related("definition").in_force(at=timezone.now())
    return _definition(request, version and version.definition)


@require_GET
def definition_version(request, number):
    require(request.user, May.READ_AGREEMENT)
    return _definition(request, get_object_or_404(MQLDefinition, number=number))


def _definition(request, definition):
    context = {
        "definition": definition,
        "now": timezone.now(),
        "may_edit": may(request.user, May.EDIT_DEFINITION),
        "may_backtest": may(request.user, May.BACKTEST_DEFINITION),
    }
    if definition:
        rules = list(definition.rules.all())
        context |= {
            "matrix": _editor.matrix_shown(definition.as_definition()),
            "required": [words.field(name) for name in definition.required_facts],
            "tiers": [{"name": t.name, "key": t.key, "words": words.tier(t)} for t in definition.tiers.all()],
            "axes": [(title, [_said(rule) for rule in rules if rule.axis == axis]) for axis, title in AXES],
            "disqualifiers": [_said(rule) for rule in rules if rule.axis == ScoringRule.Axis.DISQUALIFIER],
            "used_by": list(definition.versions.order_by("number")),
        }
    context["definitions"] = MQLDefinition.objects.prefetch_related("versions").order_by("-number")
    return render(request, "sla/definition.html", context)


def _said(rule):
    return {"label": rule.label, "points": words.points(rule.points), "sentence": words.rule(rule)}

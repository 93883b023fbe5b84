"""Doors of the definition's drafts: begin, edit, describe, require facts, throw away."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, go
from portal.shared.refusal import NotPermitted, Refusal
from sla.forms.definition import RequiredFactsForm, StartForm, SummaryForm
from sla.models import MQLDefinition
from sla.services import definition as verbs
from sla.services.draft_refusals import Unusable
from sla.views import _editor


@require_POST
def definition_draft(request):
    """Begin a draft from a version, or from nothing, and open it."""
    form = StartForm(request.POST)
    require(request.user, May.EDIT_DEFINITION)
    number = form.cleaned_data["start_from"] if form.is_valid() else None
    start_from = get_object_or_404(MQLDefinition, number=number) if number else None
    draft = verbs.draft_definition(start_from=start_from, by=request.user, at=timezone.now())
    return go(request, "definition_edit", draft.number)


@require_GET
def definition_edit(request, number):
    """The editor of a draft; `?rule=` opens one rule."""
    require(request.user, May.EDIT_DEFINITION)
    opened = request.GET.get("rule", "")
    context = _editor.page(number, open_rule=int(opened) if opened.isdecimal() and len(opened) < 19 else None)
    if context["frozen"]:
        return go(request, "definition_version", number)
    return answer(request, _editor.PAGE, context)


@require_POST
def definition_delete(request, number):
    try:
        verbs.delete_draft(number=number, by=request.user, at=timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _editor.refused(request, number, refusal)
    return go(request, "definition")


@require_POST
def definition_summary(request, number):
    require(request.user, May.EDIT_DEFINITION)
    form = SummaryForm(request.POST)
    try:
        if not form.is_valid():
            raise Unusable("The summary is longer than 200 characters. It was not saved.")
        draft = verbs.describe_draft(
            number=number, summary=form.cleaned_data["summary"], seen=request.POST.get("seen"), by=request.user,
            at=timezone.now(),
        )  # fmt: skip
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _editor.refused(request, number, refusal)
    context = {"definition": draft, "seen_summary": verbs.seen_of_summary(draft), "now": timezone.now()}
    return _editor.changed(request, number, context, part="summary_said", also=("head",))


@require_POST
def definition_required(request, number):
    require(request.user, May.EDIT_DEFINITION)
    draft = get_object_or_404(MQLDefinition, number=number)
    form = RequiredFactsForm(request.POST, draft.required_facts)
    try:
        if not form.is_valid():
            raise Unusable("These facts cannot be required. Nothing was saved.")
        draft = verbs.require_facts(
            number=number, facts=form.cleaned_data["names"], seen=request.POST.get("seen"), by=request.user,
            at=timezone.now(),
        )  # fmt: skip
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _editor.refused(request, number, refusal)
    context = {"definition": draft, "facts": _editor.facts_shown(draft)}
    return _editor.changed(request, number, context, part="facts")

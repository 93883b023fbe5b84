"""Doors of the audit's parts: each is a section that loads by itself, and a page of its own without JavaScript."""

from django import forms
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads import figures
from leads.audit.closed import MonthClosed
from leads.audit.fix import title_of
from leads.audit.left_out import in_words
from leads.audit.views import asked_for
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, go, invalid, overtaken
from sla.services.definition import draft_definition
from sla.services.draft_refusals import Unusable

FIX = "audit/fix.html"


class ChangeForm(forms.Form):
    """A change of the rate, in percentage points, that somebody hopes to see."""

    points = forms.DecimalField(min_value=-99, max_value=99, max_digits=4, decimal_places=1)


@require_GET
def audit_trend(request, month):
    """The rate by month with its limits, and how long a change takes to be seen (`points`)."""
    context = _context(request, month)
    part, points = context["asked"].trend, request.GET.get("points", "")
    form = ChangeForm(request.GET if points else None)
    valid = form.is_valid()
    needed = part.trend.needed(float(form.cleaned_data["points"]) / 100) if valid else None
    context |= {"part": part, "points": points, "form": form, "needed": needed, "answered": valid}
    reply = invalid if points and not valid else answer
    return reply(request, "audit/trend.html", context, part="trend")


@require_GET
def audit_speed(request, month):
    """How long the month's MQLs waited, what became of them, and whether routing or the owner kept them waiting."""
    context = _context(request, month, of_days=True)
    return answer(request, "audit/speed.html", context | {"part": context["asked"].speed}, part="speed")


@require_GET
def audit_left_out(request, month):
    """What the month's figures leave out or count elsewhere: how many leads, and why."""
    context = _context(request, month)
    asked = context["asked"]
    context |= {"rows": in_words(asked.left_out, asked.period, asked.basis), "in_bulk": asked.in_bulk}
    return answer(request, "audit/left_out.html", context, part="left_out")


@require_GET
def audit_fix(request, month):
    """The top reason, what its leads have in common, and one change of the definition with its expected effect."""
    return answer(request, FIX, _fix(request, month), part="fix")


@require_POST
def audit_fix_draft(request, month):
    """Make the proposed change a draft of the definition, and open it."""
    context = _fix(request, month)
    require(request.user, May.EDIT_DEFINITION)
    if context["closing"]:
        context["wrong"] = MonthClosed.sentence
        return overtaken(request, FIX, context, part="fix")
    wanted = request.POST.get("reason"), request.POST.get("seen")
    found = [
        each for each in context["candidates"] if each.proposal and (each.reason.code, each.proposal.words) == wanted
    ]
    if not found:
        context["wrong"] = "The figures have moved meanwhile, and with them the proposal. Nothing was drafted."
        return overtaken(request, FIX, context, part="fix")
    proposal = found[0].proposal
    try:
        draft = draft_definition(
            start_from=proposal.definition, changes=proposal.changes, by=request.user, at=context["now"],
            summary=f"{proposal.words} ({_called(context['month'])})"[:200],
        )  # fmt: skip
    except Unusable as refusal:
        return invalid(request, FIX, context | {"wrong": refusal.sentence}, part="fix")
    return go(request, "definition_edit", draft.number)


@require_GET
def audit_disputes(request, month):
    """What was disputed in the month, what became of it, and the rate with and without what is still open."""
    context = _context(request, month, of_days=True)
    return answer(request, "audit/disputes.html", context | {"part": context["asked"].disputes}, part="disputes")


def _fix(request, month):
    context = _context(request, month, of_days=True)
    found, closed = context["asked"].candidates, context["closing"]
    drafts = not closed and may(request.user, May.EDIT_DEFINITION)
    return context | {"candidates": found, "title": title_of(found), "may_draft": drafts}


def _called(period):
    return f"audit of {period}" if isinstance(period, figures.Month) else f"review of {period.title}"


def _context(request, month, *, of_days=False):
    """What all parts share; `of_days`: some days will do, too."""
    require(request.user, May.READ_AUDIT)
    asked = asked_for(request, month, of_days=of_days)
    return {
        "asked": asked,
        "month": asked.period,
        "basis": asked.basis,
        "now": timezone.now(),
        "closing": asked.closing,
        "few_below": figures.FEW,
    }

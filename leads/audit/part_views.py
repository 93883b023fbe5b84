"""Doors of the audit's parts: each is a section that loads by itself, and a page of its own without JavaScript."""

from django import forms
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads import figures, figures_disputes, figures_left_out, figures_speed, figures_trend
from leads.audit.disputes import DisputesPart
from leads.audit.fix import candidates, title_of
from leads.audit.left_out import in_words
from leads.audit.speed import SpeedPart
from leads.audit.tables import MONTHS_SHOWN
from leads.audit.trend import TrendPart
from leads.audit.views import one_of, parse_month, parse_period
from leads.figures import Month
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
    series = figures.series(
        context["month"], MONTHS_SHOWN, basis=context["basis"], as_of=context["now"], zone=context["zone"]
    )
    part = TrendPart(
        figures_trend.trend(series, as_of=context["now"], zone=context["zone"]),
        context["basis"], context["now"], context["zone"],
    )  # fmt: skip
    asked = request.GET.get("points", "")
    form = ChangeForm(request.GET if asked else None)
    valid = form.is_valid()
    needed = part.trend.needed(float(form.cleaned_data["points"]) / 100) if valid else None
    context |= {"part": part, "points": asked, "form": form, "needed": needed, "asked": valid}
    reply = invalid if asked and not valid else answer
    return reply(request, "audit/trend.html", context, part="trend")


@require_GET
def audit_speed(request, month):
    """How long the month's MQLs waited, what became of them, and whether routing or the owner kept them waiting."""
    context = _context(request, month, of_days=True)
    found = figures_speed.speed(context["month"], as_of=context["now"], zone=context["zone"])
    context["part"] = SpeedPart(context["month"], found)
    return answer(request, "audit/speed.html", context, part="speed")


@require_GET
def audit_left_out(request, month):
    """What the month's figures leave out or count elsewhere: how many leads, and why."""
    context = _context(request, month)
    asked = {"basis": context["basis"], "as_of": context["now"], "zone": context["zone"]}
    found = figures_left_out.left_out(context["month"], **asked)
    context["rows"] = in_words(found, context["month"], context["basis"])
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
            summary=f"{proposal.words} (audit of {context['month']})"[:200],
        )  # fmt: skip
    except Unusable as refusal:
        return invalid(request, FIX, context | {"wrong": refusal.sentence}, part="fix")
    return go(request, "definition_edit", draft.number)


@require_GET
def audit_disputes(request, month):
    """What was disputed in the month, what became of it, and the rate with and without what is still open."""
    context = _context(request, month, of_days=True)
    asked = {"basis": context["basis"], "as_of": context["now"], "zone": context["zone"]}
    (last,) = figures.series(context["month"], 1, **asked)
    found = figures_disputes.disputes(context["month"], **asked)
    context["part"] = DisputesPart(context["month"], context["basis"], last.counts, found)
    return answer(request, "audit/disputes.html", context, part="disputes")


def _fix(request, month):
    context = _context(request, month)
    asked = {"basis": context["basis"], "as_of": context["now"], "zone": context["zone"]}
    (last,) = figures.series(context["month"], 1, **asked)
    found = candidates(last, **asked)
    more = {"candidates": found, "title": title_of(found), "may_draft": may(request.user, May.EDIT_DEFINITION)}
    return context | more


def _context(request, month, *, of_days=False):
    """What all parts share; `of_days`: some days will do, too."""
    require(request.user, May.READ_AUDIT)
    zone, now = timezone.get_default_timezone(), timezone.now()
    month = parse_period(month, now, zone) if of_days else parse_month(month, Month.of(now, zone))
    given = request.POST if request.method == "POST" else request.GET
    basis = one_of(given.get("basis") or figures.PERIOD, figures.BASES)
    return {"month": month, "basis": basis, "now": now, "zone": zone, "few_below": figures.FEW}

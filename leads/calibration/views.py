"""Doors of calibration: what was learnt so far, ask the past, watch, read, and draft what it found."""

import datetime as dt

from django.db.models import Min
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.calibration import jobs, present, present_promise, present_proposal, proposals, tasks
from leads.calibration.follow import followed
from leads.calibration.forms import CalibrationForm, ProposalForm
from leads.calibration.load import roughly
from leads.calibration.models import Calibration, Proposal
from leads.calibration.power import detectable_odds
from leads.models import Handoff
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, finished, go, invalid, wants_part
from portal.shared.refusal import NotPermitted, Refusal
from sla.models import MQLDefinition, SLAVersion

PAGE = "calibration/calibration.html"
NEW = "calibration/calibration_new.html"
LONG = dt.timedelta(days=50 * 365)  # all of the past


@require_GET
def calibrations(request):
    """What was asked of the past so far, and the drafts that came of it."""
    require(request.user, May.READ_CALIBRATION)
    rows = Calibration.objects.select_related("created_by", "against").defer("rules", "result")
    drafts = Proposal.objects.select_related("definition", "calibration", "created_by").defer("calibration__result")
    context = {
        "jobs": list(rows[:50]), "proposals": list(drafts[:50]), "now": timezone.now(),
        "may_start": may(request.user, May.CALIBRATE),
    }  # fmt: skip
    return answer(request, "calibration/calibrations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def calibration_new(request):
    """Ask the past: whose rules, learnt from what, with which signs. `?definition=` shows the rules of another."""
    require(request.user, May.CALIBRATE)
    at = timezone.now()
    definition = _whose(request, at)
    if definition is None:
        return answer(request, NEW, {"form": None})
    begins = Handoff.objects.aggregate(first=Min("qualified_at"))["first"] or at
    begins = timezone.localdate(begins, timezone.get_default_timezone())
    form = CalibrationForm(request.POST or None, definition=definition, at=at, begins=begins)
    if request.method == "POST" and form.is_valid():
        try:
            job = jobs.start(**form.arguments(), by=request.user, at=at, send=tasks.send)
        except NotPermitted:
            raise
        except Refusal as refusal:
            form.add_error(None, refusal.sentence)
        else:
            return go(request, "calibration", job.pk)
    others = MQLDefinition.objects.order_by("-number")
    context = {"form": form, "definition": definition, "definitions": others, "counts": _counts(form, at)}
    return (invalid if form.is_bound else answer)(request, NEW, context)


@require_GET
def calibration(request, pk):
    """How far it is; once it is done what came out, and what it would do."""
    require(request.user, May.READ_CALIBRATION)
    return answer(request, PAGE, _context(request, _job(pk)), part="result")


@require_GET
def calibration_progress(request, pk):
    """The part that says how far it is; the last answer holds the result and ends the asking."""
    require(request.user, May.READ_CALIBRATION)
    job = _job(pk)
    if not wants_part(request):
        return go(request, "calibration", pk)
    return (answer if job.is_under_way else finished)(request, PAGE, _context(request, job), part="result")


@require_POST
def calibration_cancel(request, pk):
    require(request.user, May.CALIBRATE)
    jobs.cancel(job_id=_job(pk).pk, by=request.user, at=timezone.now())
    return go(request, "calibration", pk)


@require_POST
def calibration_propose(request, pk):
    """Make a draft definition of it, and open the editor."""
    require(request.user, May.CALIBRATE)
    job, target = _job(pk), _target()
    form = ProposalForm(request.POST, reachable=target is not None)
    if form.is_valid():
        asked = form.cleaned_data["thresholds"] == ProposalForm.TARGET
        try:
            draft = proposals.propose(
                calibration_id=job.pk, target=target if asked else None, hours=form.cleaned_data["hours"],
                by=request.user, at=timezone.now(),
            )  # fmt: skip
        except NotPermitted:
            raise
        except Refusal as refusal:
            form.add_error(getattr(refusal, "field", None), refusal.sentence)
        else:
            return go(request, "definition_edit", draft.number)
    return invalid(request, PAGE, _context(request, job, form), part="result")


@require_GET
def calibration_promise(request, number):
    """What a proposed definition promised, and what came of it month by month."""
    require(request.user, May.READ_CALIBRATION)
    rows = Proposal.objects.select_related("definition", "created_by").filter(definition__number=number)
    proposal, at = get_object_or_404(rows), timezone.now()
    found = followed(proposal, at=at)
    context = {"proposal": proposal, "found": found, "now": at} | present_promise.said(proposal, found)
    return answer(request, "calibration/calibration_promise.html", context)


def _job(pk):
    return get_object_or_404(Calibration.objects.select_related("against", "created_by"), pk=pk)


def _whose(request, at):
    """The definition that was asked for, else the one in force."""
    asked = request.POST.get("definition") or request.GET.get("definition", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 9:
        return get_object_or_404(MQLDefinition, number=int(asked))
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    return version and version.definition


def _counts(form, at):
    """What there is to learn from, and what it could tell: for each question."""
    rows = []
    for question, label in Calibration.Question.choices:
        yes, no, later = roughly(question, since=at - LONG, at=at)
        least = detectable_odds(yes + no, yes, 0.5, tests=max(1, len(form.rules)))
        rows.append({"label": label, "yes": yes, "no": no, "later": later, "least": present.ratio(least),
                     "words": present.ONES[question]})  # fmt: skip
    return rows


def _target():
    """The acceptance that the joint target asks for, a share of 1; None where none was agreed."""
    version = SLAVersion.objects.in_force(at=timezone.now())
    return version.target_rate / 1000 if version and version.target_rate else None


def _context(request, job, form=None):
    context = {"job": job, "now": timezone.now(), "may_start": may(request.user, May.CALIBRATE)}
    if not job.is_done:
        return context
    context |= present.result(job) | {"proposals": list(job.proposals.select_related("definition"))}
    if "definition" in job.result:
        target = _target()
        sweeps = present_proposal.sweeps(job, target)
        context |= present_proposal.proposed(job, request.user) | {"sweeps": sweeps, "target": target}
        context["form"] = form or ProposalForm(reachable=target is not None and sweeps[-1]["reaches"] is not None)
        context["hours"] = _hours(request)
        context["saved"] = float(context["hours"]) * context["fewer"]
        if at_target := present_proposal.at_target(job, target, request.user):
            context["at_target"] = at_target | {"saved": float(context["hours"]) * at_target["fewer"]}
    return context


def _hours(request):
    """Hours to work one lead, as somebody assumes them in the address; one where nobody does."""
    form = ProposalForm({"hours": request.GET.get("hours", "1"), "thresholds": ProposalForm.AS_MANY})
    return form.cleaned_data["hours"] if form.is_valid() else 1

"""Doors of the backtest: what a definition would have done, by page or by worker."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads.backtest import jobs, present, tasks
from leads.backtest.load import TooMany
from leads.backtest.models import BacktestJob
from leads.backtest.tally import Tally
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, finished, go, invalid, wants_part
from portal.shared.text import thousands
from sla.models import MQLDefinition, SLAVersion

PAGE = "backtest/backtest.html"


@require_GET
def definition_backtest(request, number):
    """The definition beside another (`?against=`, else the one in force): at once, or the worker's job."""
    draft, against = _pair(request, number)
    at = timezone.now()
    if against is None:
        return answer(request, PAGE, {"definition": draft}, part="result")
    beside = _context(request, draft, against)
    definitions = draft.as_definition(), against.as_definition()
    job = jobs.latest(*definitions, at=at)
    if job is not None and job.status != BacktestJob.Status.FAILED:
        return _shown(request, job, draft, against)
    try:
        found = jobs.replay(*definitions, at=at, most=jobs.AT_ONCE)
    except TooMany:
        context = beside | {"failed": job is not None, "limit": thousands(jobs.AT_ONCE)}
        return answer(request, PAGE, context, part="result")
    return answer(request, PAGE, beside | present.result(found, draft, against), part="result")


@require_POST
def definition_backtest_start(request, number):
    """Leave the backtest for the worker."""
    draft, against = _pair(request, number)
    try:
        job = jobs.start(definition=draft, against=against, by=request.user, at=timezone.now(), send=tasks.send)
    except jobs.NoWorker as refusal:
        return invalid(request, PAGE, _context(request, draft, against) | {"refusal": refusal.sentence}, part="result")
    return _shown(request, job, draft, against) if wants_part(request) else _back(request, job)


@require_GET
def definition_backtest_progress(request, number, pk):
    """How far a job is; the last answer holds the result and ends the asking."""
    require(request.user, May.BACKTEST_DEFINITION)
    job = _job(number, pk)
    if job.is_under_way:
        return _shown(request, job, job.definition, job.against)
    if not wants_part(request):
        return _back(request, job)
    return finished(request, PAGE, _of_job(request, job), part="result")


@require_POST
def definition_backtest_cancel(request, number, pk):
    require(request.user, May.BACKTEST_DEFINITION)
    jobs.cancel(job_id=_job(number, pk).pk, by=request.user, at=timezone.now())
    return _back(request, _job(number, pk))


def _pair(request, number):
    """The definition, and the one it is compared with; None where there is no other."""
    require(request.user, May.BACKTEST_DEFINITION)
    draft = get_object_or_404(MQLDefinition.objects.select_related("started_from"), number=number)
    asked = (request.POST or request.GET).get("against") or request.GET.get("against", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 9:
        return draft, get_object_or_404(MQLDefinition, number=int(asked))
    return draft, other_than(draft)


def other_than(draft):
    """What a definition is compared with unless something else was asked for."""
    in_force = SLAVersion.objects.select_related("definition").in_force(at=timezone.now())
    if in_force and in_force.definition_id != draft.pk:
        return in_force.definition
    return draft.started_from or (in_force and in_force.definition)


def _context(request, draft, against):
    """`in_rows`: the page that asks is the editor (`rows`), whose rules and tiers have places for their figures."""
    others = MQLDefinition.objects.order_by("-number")
    in_rows = wants_part(request) and ("rows" in request.GET or "rows" in request.POST)
    return {"definition": draft, "against": against, "others": others, "in_rows": in_rows}


def _of_job(request, job):
    context = _context(request, job.definition, job.against) | {"job": job}
    if job.status == BacktestJob.Status.DONE:
        context |= present.result(Tally.from_json(job.result), job.definition, job.against)
    return context


def _shown(request, job, draft, against):
    job.definition, job.against = draft, against
    return answer(request, PAGE, _of_job(request, job), part="result")


def _back(request, job):
    url = go(request, "definition_backtest", job.definition.number)
    if "Location" in url:
        url["Location"] += f"?against={job.against.number}"
    return url


def _job(number, pk):
    rows = BacktestJob.objects.select_related("definition", "against")
    return get_object_or_404(rows, pk=pk, definition__number=number)

"""The backtest: at once where that is quick, else by the worker in steps, with progress and a way to stop."""

import datetime as dt
import hashlib

from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone
from kombu.exceptions import OperationalError

from leads.backtest.columns import score
from leads.backtest.load import LAST_ID, load
from leads.backtest.models import BacktestJob
from leads.backtest.tally import Tally, tally
from leads.models import Lead
from portal.accounts.permissions import May, require
from portal.shared.refusal import Refusal
from sla.fingerprint import canonical_json

AT_ONCE = 150_000  # leads that a page may judge itself: under two seconds (benchmarks/backtest_bench.py)
STEP = 50_000  # ids that the worker judges between two looks at its job
STANDS_FOR = dt.timedelta(hours=1)  # how long a worker's result is shown for the same two definitions
Status = BacktestJob.Status


class NoWorker(Refusal):
    code = "no_worker"
    sentence = "The worker cannot be reached, so the backtest did not start. Try again in a minute."


def replay(draft, against, *, at, most=LAST_ID, after=0, until=LAST_ID):
    """The Tally of the draft beside `against` (two scoring.Definition) over 90 days of leads. May raise TooMany."""
    loaded = load((draft, against), at=at, most=most, after=after, until=until)
    return tally(score(draft, loaded.panel), score(against, loaded.panel), loaded.outcomes, loaded.handoffs)


def content_of(draft, against):
    """What two definitions say, as one fingerprint."""
    return hashlib.sha256(canonical_json([draft.as_json(), against.as_json()])).hexdigest()


def latest(draft, against, *, at):
    """The worker's newest job for what the two definitions say now, or None."""
    jobs = BacktestJob.objects.filter(content=content_of(draft, against), created_at__gt=at - STANDS_FOR)
    return jobs.exclude(status=Status.CANCELLED).first()


def start(*, definition, against, by, at, send):
    """Leave the backtest for the worker; one that is under way already is taken instead. Returns the BacktestJob."""
    require(by, May.BACKTEST_DEFINITION)
    draft, other = definition.as_definition(), against.as_definition()
    with transaction.atomic(durable=True):
        type(definition).objects.select_for_update(no_key=True).get(pk=definition.pk)
        job = latest(draft, other, at=at)
        if job and job.status != Status.FAILED:
            return job
        job = BacktestJob.objects.create(
            definition=definition, against=against, content=content_of(draft, other), created_at=at, created_by=by
        )
    try:
        send(job.pk)
    except (OperationalError, OSError):
        job.delete()
        raise NoWorker from None
    return job


def cancel(*, job_id, by, at):
    """Stop a job: a waiting one at once, a running one at its next step."""
    require(by, May.BACKTEST_DEFINITION)
    waiting = BacktestJob.objects.filter(pk=job_id, status=Status.QUEUED)
    if not waiting.update(status=Status.CANCELLED, finished_at=at):
        BacktestJob.objects.filter(pk=job_id, status=Status.RUNNING).update(cancel_asked_at=at)


def run(*, job_id, at, again=False, step=STEP):
    """Work a job off in steps; the worker calls this. again: it came back because its worker was lost."""
    takes = [Status.QUEUED, Status.RUNNING] if again else [Status.QUEUED]
    ids = Lead.objects.aggregate(first=Min("pk"), last=Max("pk"))
    first, last = (ids["first"] or 1) - 1, ids["last"] or 0
    taken = BacktestJob.objects.filter(pk=job_id, status__in=takes)
    if not taken.update(status=Status.RUNNING, done=0, total=max(last - first, 0), leads=0):
        return
    job = BacktestJob.objects.select_related("definition", "against").get(pk=job_id)
    draft, against, counted = job.definition.as_definition(), job.against.as_definition(), Tally()
    try:
        if content_of(draft, against) != job.content:  # changed while it waited: a result would name the wrong terms
            return _finish(job, Status.CANCELLED)
        for after in range(first, last, step):
            counted += replay(draft, against, at=at, after=after, until=min(after + step, last))
            if _told(job, min(after + step, last) - first, counted.leads):
                return _finish(job, Status.CANCELLED)
    except Exception:
        _finish(job, Status.FAILED)
        raise
    _finish(job, Status.DONE, result=counted.as_json())


def _told(job, done, leads):
    """Write how far it is; true when somebody asked to stop."""
    mine = BacktestJob.objects.filter(pk=job.pk)
    mine.update(done=done, leads=leads)
    return mine.filter(cancel_asked_at__isnull=False).exists()


def _finish(job, status, **fields):
    BacktestJob.objects.filter(pk=job.pk).update(status=status, finished_at=timezone.now(), **fields)

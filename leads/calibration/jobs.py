"""Verbs of a calibration: start it, stop it, and work it off by the worker."""

from dataclasses import asdict

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from leads.calibration.activations import in_full
from leads.calibration.models import Calibration
from leads.calibration.work import STEP, Stopped, worked_off
from portal.accounts.permissions import May, require
from portal.shared.refusal import Refusal
from sla.models import SLAVersion

COARSE, FINE = 10, 20  # a definition whose strongest rule gives fewer points than COARSE gets FINE
Status = Calibration.Status


class NoWorker(Refusal):
    code = "no_worker"
    sentence = "The worker cannot be reached, so nothing was started. Try again in a minute."


class NothingInForce(Refusal):
    code = "no_version"
    sentence = "No agreement is in force, so there is no definition to compare with. Sign one first."


class UnderWay(Refusal):
    code = "calibration_under_way"
    sentence = "Another calibration is under way. Wait for it, or cancel it."


class NothingToWeigh(Refusal):
    code = "nothing_to_weigh"
    sentence = "This definition has no rule that gives points, so there is nothing to weigh."


def start(
    *, question, since, until, definition, by, at, send, signs=None, declared=(), with_files=False, most=None, seed=""
):
    """Leave a calibration of the rules of `definition` (an MQLDefinition) for the worker. Returns the Calibration.

    since, until: aware; handoffs qualified in [since, until). signs, declared: as Calibration keeps them; signs not
    given are those of the points. most: points of the strongest rule. Refuses: NotPermitted, NothingInForce, UnderWay,
    NothingToWeigh, NoWorker.
    """
    require(by, May.CALIBRATE)
    rules = [rule for rule in definition.as_definition().rules if rule.axis != "disqualifier"]
    if not rules:
        raise NothingToWeigh
    with transaction.atomic(durable=True):
        version = SLAVersion.objects.select_related("definition").in_force(at=at)
        if version is None:
            raise NothingInForce
        type(version).objects.select_for_update(no_key=True).get(pk=version.pk)
        if Calibration.objects.filter(status__in=[Status.QUEUED, Status.RUNNING]).exists():
            raise UnderWay
        job = Calibration.objects.create(
            question=question, since=since, until=until, against=version.definition, number=definition.number,
            rules=[asdict(rule) for rule in definition.as_definition().rules],
            signs={rule.key: sign_of(rule) for rule in rules} | (signs or {}), declared=sorted(declared),
            with_files=with_files, most_points=most or scale_of(rules), seed=seed or f"{at:%Y-%m-%d}",
            created_at=at, created_by=by,
        )  # fmt: skip
    try:
        send(job.pk)
    except (OperationalError, OSError):
        job.delete()
        raise NoWorker from None
    return job


def sign_of(rule):
    """The sign that a weight shall keep unless the business says otherwise: that of its points."""
    return (rule.points > 0) - (rule.points < 0)


def scale_of(rules):
    """The points of the strongest rule, unless the business says otherwise: as many as now."""
    strongest = max(abs(in_full(rule)) for rule in rules)
    return strongest if strongest >= COARSE else FINE


def cancel(*, job_id, by, at):
    """Stop a calibration: a waiting one at once, a running one at its next step."""
    require(by, May.CALIBRATE)
    waiting = Calibration.objects.filter(pk=job_id, status=Status.QUEUED)
    if not waiting.update(status=Status.CANCELLED, finished_at=at):
        Calibration.objects.filter(pk=job_id, status=Status.RUNNING).update(cancel_asked_at=at)


def run(*, job_id, again=False, step=STEP):
    """Work a calibration off; the worker calls this. again: it came back because its worker was lost."""
    takes = [Status.QUEUED, Status.RUNNING] if again else [Status.QUEUED]
    if not Calibration.objects.filter(pk=job_id, status__in=takes).update(status=Status.RUNNING, done=0, leads=0):
        return
    job = Calibration.objects.select_related("against").get(pk=job_id)
    try:
        _finish(job, Status.DONE, result=worked_off(job, step))
    except Stopped:
        _finish(job, Status.CANCELLED)
    except Exception:
        _finish(job, Status.FAILED)
        raise


def _finish(job, status, **fields):
    Calibration.objects.filter(pk=job.pk).update(status=status, finished_at=timezone.now(), **fields)

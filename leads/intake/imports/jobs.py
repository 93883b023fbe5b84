"""Verbs of the page's import: upload, map, start, cancel, and the run itself by the worker."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from leads.intake.imports import fields, profile, values
from leads.intake.imports.engine import import_leads
from leads.intake.imports.mapping import read_mapping
from leads.intake.imports.problems import Cancelled, FileRefused
from leads.intake.imports.propose import propose_document
from leads.intake.models import ImportJob
from portal.accounts.permissions import May, require
from portal.shared.refusal import Refusal

LOST = "The worker was lost in the middle, so the file was read again from the start. Nothing came in twice."
Status = ImportJob.Status


class NotNow(Refusal):
    code = "not_now"
    sentence = "This import is under way or over already. Nothing was changed."


class NoWorker(Refusal):
    code = "no_worker"
    sentence = "The worker cannot be reached, so the import did not start. Nothing was lost: try again in a minute."


def upload(*, file, by, at, saved=None):
    """Keep an uploaded file, look at it and propose a mapping, or take a saved one. Returns the ImportJob.

    Refuses: NotPermitted, FileRefused (too large, or no CSV file; it is removed again).
    """
    require(by, May.IMPORT_LEADS)
    job = ImportJob(
        file_name=file.name[-200:], stored_as=f"{uuid.uuid4().hex}.csv", size=file.size, created_at=at, created_by=by
    )
    if file.size > settings.IMPORT_MOST_BYTES:
        limit = settings.IMPORT_MOST_BYTES // 1024**2
        raise FileRefused(f"The file is larger than {limit} MB. Split it, or import it from the command line.")
    job.path.parent.mkdir(parents=True, exist_ok=True)
    with job.path.open("wb") as stored:
        for chunk in file.chunks():
            stored.write(chunk)
    job.mapping = saved.document if saved else {}
    try:
        found = profile.read(job)
    except Refusal:
        job.path.unlink()
        raise
    if not saved:
        job.mapping = _proposed(found, at)
    job.profile, job.notes = found.as_json() | {"asked": profile.asked_by(job.mapping)}, found.notes
    job.save()
    return job


def _proposed(found, at):
    """A mapping for a file nobody described: from its headings, and from the values that can mean one thing only."""
    document = propose_document(found)
    document["columns"] = values.proposed(found, document["columns"], values.CLOSED, values.catalogue(at=at))
    return document


@transaction.atomic(durable=True)
def set_mapping(*, job_id, document, historical, by):
    """Keep a mapping document for the file. Returns the ImportJob. Refuses: NotPermitted, NotNow, MappingRefused."""
    job = _waiting(job_id, by)
    read_mapping(document)
    job.mapping, job.is_historical = document, historical
    job.profile = profile.of(job).as_json()
    job.save(update_fields=["mapping", "is_historical", "profile"])
    return job


def check(*, job, at):
    """A dry run over the beginning of the file. Returns the Report. Refuses as import_leads does."""
    found = profile.of(job)
    written = {"delimiter": found.delimiter, "encoding": found.encoding, "dates": date_formats(job, found)}
    return import_leads(
        path=job.beginning_path if job.beginning_path.is_file() else job.path,
        document=job.mapping | {"format": written}, historical=job.is_historical, at=at, by=job.created_by,
        dry_run=True, errors_path=job.path.with_suffix(".check.csv"), most_rows=profile.CHECKED_ROWS, lock_timeout=10,
    )  # fmt: skip


def date_formats(job, found):
    """{field: format} of the mapped date columns, as the mapping says or the whole file was read (`found`).

    Refuses: DatesAmbiguous, MappingRefused.
    """
    mapping = read_mapping(job.mapping)
    formats = dict(mapping.dates)
    for name in fields.MOMENTS:
        place = found.place(mapping.columns[name].name) if name in mapping.columns else None
        if name not in formats and place is not None and (written := found.written(place, name)):
            formats[name] = written
    return formats


def start(*, job_id, by, at, send):
    """Queue the import; send(job id) leaves it for the worker. Returns the ImportJob.

    Refuses: NotPermitted, NotNow, NoWorker (the job can be started again).
    """
    with transaction.atomic(durable=True):
        job = _waiting(job_id, by)
        job.status, job.stage, job.failure = Status.QUEUED, "Waiting for the worker", ""
        job.started_at = job.finished_at = job.cancel_asked_at = None
        job.save()
    try:
        send(job.pk)
    except (OperationalError, OSError):
        ImportJob.objects.filter(pk=job.pk, status=Status.QUEUED).update(status=Status.UPLOADED, stage="")
        raise NoWorker from None
    return job


def cancel(*, job_id, by, at):
    """Ask a running import to stop, or take a waiting one back. Returns the ImportJob."""
    require(by, May.IMPORT_LEADS)
    waiting = ImportJob.objects.filter(pk=job_id, status=Status.QUEUED)
    if not waiting.update(status=Status.CANCELLED, finished_at=at, stage=""):
        ImportJob.objects.filter(pk=job_id, status=Status.RUNNING).update(cancel_asked_at=at)
    return ImportJob.objects.get(pk=job_id)


def run(*, job_id, at, again=False):
    """Run a queued import; the worker calls this. again: the task came back because its worker was lost."""
    was_lost = again and _take(job_id, Status.RUNNING, at, "Taken up again from the start: the worker was lost")
    if not was_lost and not _take(job_id, Status.QUEUED, at, "Waiting for its turn"):
        return
    job = ImportJob.objects.select_related("created_by").get(pk=job_id)
    with Progress(job.pk) as progress:
        try:
            report = import_leads(
                path=job.path, document=job.mapping, historical=job.is_historical, at=at, by=job.created_by,
                errors_path=job.errors_path, progress=progress, file_name=job.file_name,
            )  # fmt: skip
        except Cancelled:
            _finish(job, Status.CANCELLED)
        except Refusal as refusal:
            _finish(job, Status.FAILED, failure=refusal.sentence)
        except Exception:
            _finish(job, Status.FAILED, failure="Something broke on our side. Nothing was imported; try again.")
            raise
        else:
            _finish(
                job, Status.DONE, rows=report.rows, created=report.created, updated=report.updated,
                unchanged=report.unchanged, refused=report.refused, bytes_done=job.size,
                notes=report.notes + ([LOST] if was_lost else []),
                first_errors=[problem.as_json() for problem in report.first_errors[:50]],
            )  # fmt: skip


def _take(job_id, status, at, stage):
    """Mark an import of that status as running now; True when it was one."""
    waiting = ImportJob.objects.filter(pk=job_id, status=status)
    return bool(waiting.update(status=Status.RUNNING, started_at=at, stage=stage, rows=0, bytes_done=0))


def _finish(job, status, **fields):
    ImportJob.objects.filter(pk=job.pk).update(status=status, finished_at=timezone.now(), stage="", **fields)


def _waiting(job_id, by):
    require(by, May.IMPORT_LEADS)
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    if job.status not in (Status.UPLOADED, Status.FAILED, Status.CANCELLED):
        raise NotNow
    return job


class Progress:
    """Writes how far the import is on a connection of its own, beside the import's transaction; hears the cancel."""

    EVERY = 0.5

    def __init__(self, job_id):
        self.job_id, self.told = job_id, 0.0
        self.beside = ThreadPoolExecutor(1, "progress")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.beside.submit(connections.close_all).result()
        self.beside.shutdown()

    def __call__(self, rows, done, stage):
        now = time.monotonic()
        if now - self.told < self.EVERY and stage.startswith("Reading"):
            return
        self.told = now
        if self.beside.submit(self._write, rows, done, stage).result():
            raise Cancelled

    def _write(self, rows, done, stage):
        job = ImportJob.objects.filter(pk=self.job_id)
        job.update(rows=rows, bytes_done=done, stage=stage)
        return job.filter(cancel_asked_at__isnull=False).exists()

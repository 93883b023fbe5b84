"""The worker can be killed in the middle of an import: nothing is half-imported, and the next worker takes it up."""

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.urls import reverse

from leads.intake import tasks
from leads.intake.imports import jobs
from leads.intake.models import ImportJob
from leads.models import Handoff, Lead
from portal.embedded import valkey

ROWS = 3000
PATIENCE = 90  # seconds; a machine can be busy


def until(true):
    """Wait for something that another process does."""
    end = time.monotonic() + PATIENCE
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found, "the worker did not come so far"
    return found


@contextmanager
def worker(queue, folder):
    """A real Celery worker on the tests' database; killed at the end."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    command = [sys.executable, "-m", "celery", "-q", "-A", "portal.celery", "worker", "-P", "threads", "-c", "1",
               "-Q", queue, "-n", f"{queue}@%h", "--without-gossip", "--without-mingle", "-l", "ERROR"]  # fmt: skip
    own = {"DATABASE_URL": address, "HANDOFF_DATA_DIR": str(folder), "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, env=os.environ | own, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def now_running(stage):
    return lambda: ImportJob.objects.filter(status="running", rows=ROWS, stage__startswith=stage).exists()


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_nothing_half_imported_and_the_next_one_takes_it_up(
    agreement, people, client, now, tmp_path, settings
):
    settings.DATA_DIR = tmp_path
    client.force_login(people.marketer)
    text = "Record ID,MQL date\n" + "".join(f"{n},2024-05-06\n" for n in range(ROWS))
    job = jobs.upload(file=SimpleUploadedFile("a.csv", text.encode()), by=people.marketer, at=now)
    jobs.set_mapping(job_id=job.pk, document=job.mapping, historical=True, by=people.marketer)
    queue, page = f"killed-{uuid.uuid4().hex}", reverse("import_detail", args=[job.pk])
    jobs.start(
        job_id=job.pk, by=people.marketer, at=now, send=lambda pk: tasks.run_import.apply_async([pk], queue=queue)
    )

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE leads_handoff IN SHARE MODE")  # the import has read every row, and waits here
        with worker(queue, tmp_path):
            until(now_running("Comparing"))
    assert (Lead.objects.count(), Handoff.objects.count()) == (0, 0)
    assert "3,000 rows read" in client.get(page).content.decode()

    if settings.CELERY_BROKER_URL.startswith("redis"):
        valkey.hand_back_tasks(settings.CELERY_BROKER_URL)  # what `make run` does before it starts a worker
    with worker(queue, tmp_path):
        until(lambda: ImportJob.objects.get().is_over)
    job.refresh_from_db()
    assert (job.status, job.created, Lead.objects.count(), Handoff.objects.count()) == ("done", ROWS, ROWS, ROWS)
    text = client.get(page).content.decode()
    assert "3,000 rows: 3,000 new" in text
    assert "The worker was lost in the middle" in text

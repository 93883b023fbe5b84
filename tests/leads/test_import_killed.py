"""The machine can go away in the middle of an import: then nothing of the file came in, and it can come in again."""

import os
import signal
import subprocess
import sys

import pytest
from django.db import connection
from django.utils import timezone

from leads.intake.imports.engine import import_leads
from leads.models import Handoff, Lead

DOCUMENT = {"columns": {"external_id": "id", "qualified_at": "day"}}
IMPORTER = """
import django, sys, time
django.setup()
from pathlib import Path
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[2]
from django.utils import timezone
from leads.intake.imports.engine import import_leads

def wait(rows, done, stage):
    if stage.startswith(sys.argv[3]) and rows >= 10_000:
        print("there", flush=True)
        time.sleep(60)

import_leads(path=Path(sys.argv[1]), document={document}, historical=True, at=timezone.now(),
             errors_path=Path(sys.argv[1] + ".errors"), progress=wait)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stage", ["Reading and judging", "Comparing", "Writing it down"])
def test_an_import_killed_in_the_middle_leaves_nothing_and_can_be_made_again(agreement, tmp_path, stage):
    path = tmp_path / "f.csv"
    path.write_text("id,day\n" + "".join(f"{n},2024-05-06\n" for n in range(12_000)))
    code = IMPORTER.replace("{document}", repr(DOCUMENT))
    command = [sys.executable, "-c", code, str(path), connection.settings_dict["NAME"], stage]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as importer:
        try:
            assert importer.stdout.readline() == "there\n"
        finally:
            os.kill(importer.pid, signal.SIGKILL)
    assert (Lead.objects.count(), Handoff.objects.count()) == (0, 0)
    report = import_leads(path=path, document=DOCUMENT, historical=True, at=timezone.now(),
                          errors_path=tmp_path / "errors.csv")  # fmt: skip
    assert (report.created, Lead.objects.count(), Handoff.objects.count()) == (12_000, 12_000, 12_000)

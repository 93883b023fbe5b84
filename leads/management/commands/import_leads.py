"""`manage.py import_leads FILE --mapping MAPPING.json`: the import without the page; the same engine."""

import json
import sys
import time
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads.intake.imports.engine import import_leads
from portal.shared.refusal import Refusal

EVERY = 5  # seconds between two lines of progress where nobody watches a terminal


class Command(BaseCommand):
    requires_system_checks = []  # a cron job that imports needs no look at the pages
    help = "Import leads from a CSV file under a mapping document (docs/import.md)."

    def add_arguments(self, parser):
        parser.add_argument("file", help="the CSV file")
        parser.add_argument("--mapping", required=True, help="the mapping document, a JSON file")
        parser.add_argument(
            "--historical", action="store_true", help="rows are handoffs of the past: no clocks, no messages"
        )
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object and nothing else")

    def handle(self, *, file, mapping, historical, dry_run, **options):
        path, at = Path(file), timezone.now()
        if not path.is_file():
            raise CommandError(f"There is no file {file}.")
        errors = settings.DATA_DIR / "imports" / f"{path.stem}-{at:%Y%m%d-%H%M%S-%f}-errors.csv"
        progress = Progress(self.stderr, path.stat().st_size)
        try:
            report = import_leads(
                path=path, document=_document(mapping), historical=historical, at=at, errors_path=errors,
                dry_run=dry_run, progress=progress,
            )  # fmt: skip
        except Refusal as refusal:
            progress.end()
            raise CommandError(refusal.sentence) from None
        except KeyboardInterrupt:
            progress.end()
            raise CommandError("Cancelled. Nothing was imported.", returncode=130) from None
        progress.end()
        for note in report.notes:
            self.stderr.write(note)
        self._tell(report, dry_run=dry_run, as_json=options["json"])

    def _tell(self, report, *, dry_run, as_json):
        if as_json:
            self.stdout.write(json.dumps(report.as_json()))
            return
        would = " would be" if dry_run else ""
        self.stdout.write(
            f"{report.rows:,} rows:{would} {report.created:,} created, {report.updated:,} updated,"
            f" {report.unchanged:,} unchanged, {report.refused:,} refused, in {report.seconds:.1f} s."
        )
        if report.errors_file:
            self.stdout.write(f"The refused rows, and how to mend them: {report.errors_file}")
        if dry_run:
            self.stdout.write("This was a dry run: nothing was written.")


class Progress:
    """Writes to standard error how far the import is: a moving line in a terminal, else a line now and then."""

    def __init__(self, stream, size):
        self.stream, self.size = stream, size or 1
        self.moving = sys.stderr.isatty()
        self.told = time.monotonic()
        self.shown = False

    def __call__(self, rows, done, stage):
        now = time.monotonic()
        if not self.moving and now - self.told < EVERY:
            return
        self.told, self.shown = now, True
        words = f"{stage}: {rows:,} rows, {min(100, 100 * done // self.size)}%"
        self.stream.write(f"\r{words:<70}" if self.moving else words, ending="" if self.moving else "\n")

    def end(self):
        if self.shown and self.moving:
            self.stream.write("")


def _document(mapping):
    try:
        return json.loads(Path(mapping).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CommandError(f"The mapping {mapping} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise CommandError(f"The mapping {mapping} is not JSON: {error}.") from None

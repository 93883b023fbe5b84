"""One engine behind the page and the command: read, judge and stage a file row by row, then record it set-based."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from leads.intake.imports import dates, deals, history, law, owners, present, told
from leads.intake.imports.fields import MOMENTS
from leads.intake.imports.mapping import read_mapping
from leads.intake.imports.problems import ErrorsFile, Problem
from leads.intake.imports.readers import Reader, open_source
from leads.intake.imports.rows import Rows
from leads.intake.imports.staging import LOCK, Staging

JUDGED = 500  # rows judged at a time: what they hold fits the processor's cache
STAGED = 5000  # rows that go to the database at a time


@dataclass
class Report:
    """What an import did. rows = created + updated + unchanged + refused; notes are sentences for people."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    errors_file: str | None = None
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    first_errors: list[Problem] = field(default_factory=list)

    def as_json(self):
        """What `--json` prints, and nothing else."""
        return {
            "rows": self.rows, "created": self.created, "updated": self.updated, "unchanged": self.unchanged,
            "refused": self.refused, "errors_file": self.errors_file, "seconds": round(self.seconds, 3),
        }  # fmt: skip


class _Undo(Exception):
    """Rolls a dry run back."""


def import_leads(
    *,
    path,
    document,
    historical,
    at,
    errors_path,
    by=None,
    dry_run=False,
    progress=None,
    most_rows=None,
    lock_timeout=None,
    file_name=None,
):
    """Import one file under one mapping document, in one transaction. Returns the Report.

    by: the importing user, or None. at: aware datetime, "now". file_name: as people know it, else that of the path.
    progress(rows, bytes, stage) is called after every chunk and may raise Cancelled. A dry run does everything and
    rolls it back; most_rows bounds it to a beginning.
    Refuses the whole file: FileRefused, MappingRefused, DatesAmbiguous, NoVersionInForce, NobodyToRoute, Cancelled.
    """
    started = time.monotonic()
    progress = progress or (lambda rows, done, stage: None)
    mapping = read_mapping(document)
    source = open_source(path, delimiter=mapping.delimiter, encoding=mapping.encoding)
    report = Report(notes=list(source.notes))
    errors = ErrorsFile(errors_path)
    try:
        formats = find_dates(mapping, source, progress)
        if historical and not dry_run and law.past() is None:
            law.propose_starter(at=at)
            report.notes.append(
                "No agreement existed, so the starter agreement was proposed, unsigned,"
                " as the law that this history names."
            )
        with transaction.atomic(durable=not dry_run):
            _run(mapping, source, formats, report, errors, progress, at=at, by=by, historical=historical,
                 most_rows=most_rows, lock_timeout=lock_timeout)  # fmt: skip
            told.remember(mapping, file_name=file_name or path.name, at=at)
            progress(report.rows, source.size, "Writing it down")
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    finally:
        errors.close()
    report.errors_file, report.first_errors = errors.name, errors.first
    report.refused = errors.count
    report.seconds = time.monotonic() - started
    return report


def find_dates(mapping, source, progress):
    """{field: format} of every date column: as the mapping says, else decided over the whole file."""
    places = {name: source.place(mapping.columns[name].name) for name in MOMENTS if name in mapping.columns}
    wanted = {name: place for name, place in places.items() if place is not None and name not in mapping.dates}
    if not wanted:
        return dict(mapping.dates)
    reader = Reader(source, lambda problem: None)
    return dict(mapping.dates) | dates.decide_formats(source, _watched(reader, progress), wanted)


def _watched(reader, progress):
    for n, record in enumerate(reader, 1):
        if n % (STAGED * 4) == 0:
            progress(0, reader.bytes_done, "Reading how the dates are written")
        yield record


def _run(mapping, source, formats, report, errors, progress, *, at, by, historical, most_rows, lock_timeout):
    connection.ensure_connection()
    staging = Staging(connection.connection, at=at, historical=historical)
    if lock_timeout:
        staging.sql(f"SET LOCAL lock_timeout = '{int(lock_timeout)}s'")
    staging.sql("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    past = (law.past() or law.starter_for_trial(at=at)) if historical else None
    zone = ZoneInfo(settings.ORGANISATION_TIME_ZONE)
    now = None if historical else law.present(at=at, zone=zone)
    rows = Rows(mapping, source, formats, at=at, zone=zone, past=past, present=now)
    staging.prepare()
    _stage(rows, source, staging, report, errors, progress, most_rows)
    progress(report.rows, source.size, "Comparing with what is known")
    _settle(rows, staging, report)
    kind, extra = (history, {}) if historical else (present, {"present": now})
    kind.record(staging, by=by and by.pk, **extra)
    if rows.tells_deals:
        report.notes.append("Deals: {:,} recorded, {:,} corrected.".format(
            *deals.record(staging, by=by and by.pk, zone=zone)
        ))  # fmt: skip
    staging.settle()
    report.created, report.updated, report.unchanged = kind.counts(staging)
    for row, external_id, email, decision, code in () if staging.all_new else staging.problems():
        column = rows.column("decision" if decision else "external_id" if external_id else "email")
        errors.add(Problem(row, column, decision or external_id or email, code))
    if not historical:
        handed = ", ".join(f"{count} {name}" for name, count in present.qualified(staging))
        report.notes.append(f"Handed over: {handed}." if handed else "No lead of the file reached a tier.")


def _stage(rows, source, staging, report, errors, progress, most_rows):
    """Read and judge here while the database takes the chunk before: two processors, one transaction."""
    reader = Reader(source, errors.add)
    with ThreadPoolExecutor(1, "import") as database, quick_handover():
        taken, judged = None, rows.judged(_up_to(most_rows, reader.chunks(JUDGED)), errors.add)
        while lines := [*islice(judged, STAGED // JUDGED)]:
            if taken:
                taken.result()
            taken = database.submit(staging.take, lines, rows.told)
            report.rows = rows.last - source.header_row
            progress(report.rows, reader.bytes_done, "Reading and judging rows")
        if taken:
            taken.result()
    report.rows = staging.staged + errors.count
    if reader.footer:
        report.notes.append(f"The footer of the report was left out: {' · '.join(reader.footer)}.")
    if reader.blank:
        were = "1 blank row was" if reader.blank == 1 else f"{reader.blank} blank rows were"
        report.notes.append(f"{were} left out.")


@contextmanager
def quick_handover():
    """Two threads wait for each other many times a second: the interpreter changes between them at once."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _up_to(most_rows, chunks):
    """The chunks, cut off after so many records."""
    for numbers, records in chunks:
        yield numbers[:most_rows], records[:most_rows]
        if most_rows is not None:
            most_rows -= len(records)
            if most_rows <= 0:
                return


def _settle(rows, staging, report):
    """Indexes, owners, people that are known, and what the file says anew of them."""
    staging.ready()
    settled, made = owners.settle(rows.owners)
    staging.take_owners(settled)
    if made:
        shown = ", ".join(made[:20]) + (" …" if len(made) > 20 else "")
        report.notes.append(f"No user matches these owners; they became people without sign-in: {shown}.")
    if not staging.all_new:
        staging.find_known_leads()
    staging.update_facts()

"""What the matching page shows: each column with samples and what it becomes, and what a trial run says."""

from collections import Counter
from dataclasses import dataclass

from psycopg.errors import LockNotAvailable

from leads.intake.imports import fields, jobs, profile, values
from leads.intake.imports.dates import in_words
from leads.intake.imports.forms import DefaultsForm, main_of
from leads.intake.imports.problems import ROWS, DatesAmbiguous
from portal.shared.refusal import Refusal


@dataclass
class Line:
    """One column of the file on the page."""

    place: int
    column: str
    values: list[str]
    filled: int
    becomes: str
    note: str
    state: str


def context(job, *, at):
    """Template context of the matching page; a trial run over the beginning of the file tells what would happen."""
    reasons = values.catalogue(at=at)
    found = {"job": job, "lines": [], "closed": [], "reasons": reasons, "report": None, "refusal": "", "choices": []}
    found["defaults_form"] = defaults_form(job, reasons)
    try:
        held = found["profile"] = profile.of(job)
    except Refusal as refusal:
        return found | {"refusal": refusal.sentence}
    found["closed"] = values.find(held, job.mapping, reasons)
    dates = found["dates"] = {}
    try:
        dates |= jobs.date_formats(job, held)
        report = jobs.check(job=job, at=at)
        found["report"], found["ready"] = report, report.rows - report.refused
        found["kinds"] = _kinds(report.first_errors)
        found["is_beginning"] = report.rows < held.rows
    except DatesAmbiguous as refusal:
        field = refusal.field
        found["choices"] = [(field, pattern, words, ", ".join(few[:3])) for pattern, words, few in refusal.choices]
        found["refusal"] = refusal.sentence
    except Refusal as refusal:
        found["refusal"] = refusal.sentence
    except LockNotAvailable:
        found["refusal"] = "Another import is being checked or run just now. Check again in a moment."
    found["lines"] = _lines(held, job.mapping, dates, found)
    found["matched"] = sum(bool(line.becomes) for line in found["lines"])
    said = job.mapping.get("format", {}).get("dates", {})
    found["said"] = [(name, fields.label_of(name), pattern, in_words(pattern)) for name, pattern in said.items()]
    return found


def defaults_form(job, reasons, data=None):
    """The form of what stands where the file says nothing; as the mapping has it, or as it was sent."""
    columns = job.mapping.get("columns", {})
    return DefaultsForm(data, reasons=reasons, columns=columns, initial=job.mapping.get("defaults", {}))


def check_formats(job):
    """{field: format} of the file's dates, decided over the whole file. Refuses: DatesAmbiguous, MappingRefused."""
    return jobs.date_formats(job, profile.of(job))


def _lines(held, document, dates, found):
    """The columns in the file's order, each with what it becomes and what is to be said of it."""
    names = {}
    for name, value in document.get("columns", {}).items():
        names.setdefault(held.place(values.column_of(value)), []).append(name)
    closed = {column.place: column for column in found["closed"]}
    asked = {choice[0] for choice in found["choices"]}
    lines = []
    for place, column in enumerate(held.header):
        name = main_of(names.get(place, []))
        kind = name if name in fields.FIELDS else "attribute" if name else ""
        filled = held.filled[place]
        state, note = _note(name, filled, held.seen, closed.get(place), dates.get(name), name in asked)
        lines.append(Line(place, column, held.firsts[place], filled, kind, note, state))
    return lines


def _note(name, filled, seen, closed, pattern, is_asked):
    """(state, words) of one column's check."""
    if not name:
        return "idle", "left out"
    if is_asked:
        return "warn", "say how it is written"
    if closed and closed.unsaid:
        return "warn", f"{closed.unsaid} value{'s' if closed.unsaid > 1 else ''} to match"
    if pattern and filled:
        return "ok", in_words(pattern)
    if filled == seen:
        return "ok", "all filled"
    return ("ok" if filled else "idle"), f"{filled} of {seen} filled"


def _kinds(problems):
    """[(what was wrong, how many)] of the first problems, the most frequent first."""
    return Counter(ROWS[p.code][0] or p.wrong for p in problems).most_common(4)

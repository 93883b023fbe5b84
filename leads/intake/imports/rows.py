"""A chunk of records → lines for the database, and the problems of the rows that are refused.

It works column by column, for a loop in C costs a tenth of one in Python: a million rows go through here.
"""

from itertools import compress
from typing import NamedTuple

from leads.intake.imports import cells, fields
from leads.intake.imports.attributes import Attributes
from leads.intake.imports.cells import Seen, Wrong
from leads.intake.imports.fields import FACTS
from leads.intake.imports.judged import Decided, Scored
from leads.intake.imports.problems import MappingRefused, Problem

TIDIED = {name for name in FACTS if fields.FIELDS[name].kind != fields.KEPT}
QUOTE = "\x01"  # around texts with a tab or a line's end; no other character means anything
MARKS = (QUOTE, "\n", "\r")
LONGEST_OWNER = fields.FIELDS["owner"].longest


class Lines(NamedTuple):
    """Rows as COPY reads them: what becomes the lead, what else is told, and which rows later steps need."""

    leads: list[str]
    told: list[str]
    needed: list[bool]


class Chunk:
    """Records by column: the texts of each field, and what is wrong with which of the records (the first thing)."""

    def __init__(self, records, texts):
        self.size = len(records)
        columns = list(zip(*records, strict=True))
        self._columns, self._texts = columns, texts
        self.wrong = {}

    def __contains__(self, name):
        return name in self._texts

    def texts(self, name):
        """The texts of a field, in our words; blank ones where the file does not fill it."""
        get = self._texts.get(name)
        return get(self._columns, self.size) if get else [""] * self.size

    def refuse(self, place, wrong):
        self.wrong.setdefault(place, wrong)

    def read(self, name, seen):
        """What the texts of a field mean; those that are wrong refuse their record and count as blank."""
        found = seen.each(self.texts(name))
        for place, value in enumerate(found):
            if value.__class__ is Wrong:
                self.refuse(place, value)
                found[place] = ""
        return found


class Rows:
    """Turns records into lines under one mapping. `owners` collects the spellings of owners: text → number."""

    def __init__(self, mapping, source, dates, *, at, zone, past=None, present=None):
        self.mapping, self.source = mapping, source
        self.owners, self.last = {}, 0
        self.places = {name: self._place(name, column) for name, column in mapping.columns.items()}
        self._texts = {name: self._getter(name) for name in mapping.fields}
        self._employees = Seen(cells.employees)
        self._attributes = Attributes(mapping)
        judge = Decided if past else Scored
        self._judged = judge(mapping, past or present, dates, at=at, zone=zone)
        self.told = ("row", "owner_no", *self._judged.told)
        self.tells_deals = self._judged.deal.is_told

    def _place(self, name, column):
        place = self.source.place(column.name)
        if place is None:
            raise MappingRefused(
                f"The file has no column “{column.name}”; it has {', '.join(self.source.header)}."
                " Nothing was imported.",
                field=name,
            )
        return place

    def _getter(self, name):
        """A function (columns, size) → texts of a field: its cells in our words, else the default."""
        default, place = self.mapping.defaults.get(name, ""), self.places.get(name)
        values = self.mapping.columns[name].values if name in self.mapping.columns else None
        if place is None:
            return lambda columns, size: [default] * size
        if values:
            seen = Seen(cells.ours(values, default))
            return lambda columns, size: seen.each(columns[place])
        if default:
            return lambda columns, size: [cell or default for cell in columns[place]]
        return lambda columns, size: columns[place]

    def column(self, name):
        """The heading in the file that a field comes from, for the errors file."""
        column = self.mapping.columns.get(name)
        return column.name if column else name

    def judged(self, chunks, problem):
        """The Lines of each chunk of `(rows, records)`; problems go to `problem` in row order."""
        for numbers, records in chunks:
            lines, problems = self.take(numbers, records)
            for found in problems:
                problem(found)
            self.last = numbers[-1]
            yield lines

    def take(self, numbers, records):
        """(Lines, problems in row order) of records that are numbered as in the file."""
        chunk = Chunk(records, self._texts)
        facts = {name: chunk.texts(name) for name in FACTS}
        for name in TIDIED & self.mapping.fields:
            facts[name] = [*map(str.strip, facts[name])]
        _check_who(chunk, facts)
        _check_lengths(chunk, facts)
        facts["employees"] = chunk.read("employees", self._employees)
        owners = self._owners_of(chunk)
        judged, attributes = self._judged(chunk, facts, self._attributes)
        leads = _lines([*facts.values(), attributes])
        told = _lines([[*map(str, numbers)], owners, *judged])
        needed = self._judged.needed(judged)
        if any("\x00" in text or "\\u0000" in text for text in map("".join, (leads, told))):
            self._check_nul(chunk, records)
        return Lines(*(_without(chunk.wrong, part) for part in (leads, told, needed))), [
            Problem(numbers[place], self.column(wrong.field), wrong.value, wrong.code, wrong.what)
            for place, wrong in sorted(chunk.wrong.items())
        ]

    def _owners_of(self, chunk):
        """The numbers of the owners' spellings as text."""
        texts = [*map(str.strip, chunk.texts("owner"))]
        for place, text in enumerate(texts if {*texts} - self.owners.keys() - {""} else ()):
            if len(text) > LONGEST_OWNER:
                chunk.refuse(place, Wrong("owner", text, "too_long", f"Longer than {LONGEST_OWNER} characters."))
            elif "\x00" in text:
                chunk.refuse(place, Wrong("owner", text, "nul_character"))
            elif text and place not in chunk.wrong:
                self.owners.setdefault(text, str(len(self.owners)))
        return [self.owners.get(text, "") for text in texts] if self.owners else texts

    def _check_nul(self, chunk, records):
        for place, record in enumerate(records):
            for name, column in self.places.items():
                if "\x00" in record[column]:
                    chunk.refuse(place, Wrong(name, record[column], "nul_character"))


def _check_who(chunk, facts):
    """A lead has an e-mail address that is one, or an outside ID."""
    emails = facts.get("email") or [""] * chunk.size
    is_email = cells.EMAIL.fullmatch
    for place, email in enumerate(emails):
        if email and (not is_email(email) or len(email) > cells.LONGEST_EMAIL):
            chunk.refuse(place, cells.wrong_email(email))
    if not all(emails):
        keys = facts.get("external_id") or emails
        for place, (email, key) in enumerate(zip(emails, keys, strict=True)):
            if not email and not key:
                chunk.refuse(place, Wrong("external_id", "", "not_a_lead"))


def _check_lengths(chunk, facts):
    for name, texts in facts.items():
        limit = fields.FIELDS[name].longest
        if max(map(len, texts)) > limit:
            for place, text in enumerate(texts):
                if len(text) > limit:
                    chunk.refuse(place, Wrong(name, text, "too_long", f"Longer than {limit} characters."))


def _lines(columns):
    """Rows of the columns as COPY reads them, with tabs between and no end; see `COPY` in `staging`."""
    lines = [*map("\t".join, zip(*columns, strict=True))]
    text = "".join(lines)
    if text.count("\t") > len(lines) * (len(columns) - 1) or any(mark in text for mark in MARKS):
        lines = [*map("\t".join, zip(*map(_quoted, columns), strict=True))]
    return lines


def _quoted(texts):
    return [
        f"{QUOTE}{text.replace(QUOTE, QUOTE * 2)}{QUOTE}" if any(mark in text for mark in ("\t", *MARKS)) else text
        for text in texts
    ]  # fmt: skip


def _without(wrong, values):
    return [*compress(values, [place not in wrong for place in range(len(values))])] if wrong else values

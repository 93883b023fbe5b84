"""What can be wrong: with a whole file (a refusal), or with one row (a line of the errors file)."""

import csv
from array import array
from bisect import insort
from codecs import BOM_UTF8
from dataclasses import dataclass
from io import StringIO
from operator import attrgetter, gt

from leads.services.refusals import AlreadyDecided, HasOpenHandoff, NoteRequired, ReasonRequired, ReasonUnknown
from portal.shared.refusal import Refusal
from portal.shared.sheets import harmless


class FileRefused(Refusal):
    """Nothing of the file can be read; the sentence says why and what to do."""

    code = "file_refused"
    sentence = "This file cannot be read. Nothing was imported."


class MappingRefused(Refusal):
    code = "mapping_refused"
    sentence = "The mapping does not fit the file. Nothing was imported."


class DatesAmbiguous(Refusal):
    """The dates of a column read both ways; `choices` are (strptime format, how it reads, its samples)."""

    code = "dates_ambiguous"

    def __init__(self, sentence, *, field, choices):
        super().__init__(sentence, field=field)
        self.choices = choices


class Cancelled(Refusal):
    code = "cancelled"
    sentence = "The import was cancelled. Nothing was imported."


# code: what was wrong, how to mend it
ROWS = {
    "collapsed_row": (
        "The whole record sits in one quoted cell, as a spreadsheet leaves it after a paste.",
        "Split the cell at its delimiters, or take the row from the original export.",
    ),
    "ragged_row": ("", "Check the quotes and delimiters of this row, so that it has a cell for each heading."),
    "not_a_lead": (
        "The row has neither an e-mail address nor an outside ID.",
        "Fill one of the two; it tells which person the row is about.",
    ),
    "bad_email": ("", "Correct the address, or leave the cell empty and give an outside ID."),
    "bad_number": (
        "This is not a whole number or a range such as 201-500.",
        "Write digits only, or leave the cell empty.",
    ),
    "bad_amount": ("This is not an amount.", "Write digits with a point before the decimals, without the currency."),
    "bad_currency": ("This is not a currency.", "Write three letters, such as EUR."),
    "deal_dates": ("The deal closed before it opened.", "Correct one of the two dates."),
    "bad_date": ("", "Write the date as the other rows of the column do."),
    "time_in_the_future": ("This moment lies in the future.", "History has happened: correct the date."),
    "qualified_at_required": (
        "History needs the day on which the lead became an MQL.",
        "Fill the cell, or give the mapping a default for qualified_at.",
    ),
    "decided_before_qualified": (
        "The decision is older than the lead's qualification.",
        "Correct one of the two dates.",
    ),
    "bad_decision": (
        "A decision is accepted, rejected or undecided.",
        "Write one of the three, or map this value to one.",
    ),
    "bad_outcome": ("An outcome is won, lost or open.", "Write one of the three, or map this value to one."),
    "too_long": ("", "Shorten the text."),
    "nul_character": ("The cell holds a NUL character, which is no text.", "Remove it, or export the file anew."),
    "history_only": (
        "A decided row is history, and this import is not.",
        "Import it as history (--historical), or leave the decision out.",
    ),
    "two_leads": (
        "The outside ID belongs to one lead and the e-mail address to another.",
        "Correct one of the two, or merge the leads first.",
    ),
    ReasonRequired.code: (
        "A rejection needs a reason code.",
        "Fill the reason with a code of the catalogue or a category: fit, timing, data, scoring.",
    ),
    ReasonUnknown.code: (
        "This reason is not in the catalogue of the agreement that the lead falls under.",
        "Use a code of the catalogue or a category (fit, timing, data, scoring), or map this value to one.",
    ),
    NoteRequired.code: ("This reason needs a comment.", "Fill the note."),
    AlreadyDecided.code: (
        "This handoff has another decision already.",
        "Decisions are corrected in the portal, not by an import.",
    ),
    HasOpenHandoff.code: (
        "The lead has an open handoff already.",
        "Decide that one first, or give this row its decision.",
    ),
}


@dataclass(frozen=True)
class Problem:
    """One line of the errors file. `row` counts as a spreadsheet does: the heading is row 1."""

    row: int
    column: str
    value: str
    code: str
    what: str = ""

    @property
    def wrong(self):
        return self.what or ROWS[self.code][0]

    @property
    def mend(self):
        return ROWS[self.code][1]

    def as_json(self):
        return {
            "row": self.row, "column": self.column, "value": shown(self.value[:200]), "code": self.code,
            "wrong": self.wrong, "mend": self.mend,
        }  # fmt: skip


def shown(value):
    """The text with a sign in place of NUL, which neither a page nor a column can hold."""
    return value.replace("\x00", "\N{SYMBOL FOR NULL}")


HEADINGS = ("row", "column", "value", "code", "what was wrong", "how to mend it")


class ErrorsFile:
    """The CSV of refused rows in row order, made at the first one; keeps the first `keep` for the page. UTF-8, BOM.

    Some problems show only later than those of later rows, so where each line begins is kept: 16 bytes a line.
    """

    def __init__(self, path, keep=100):
        self.path, self.keep = path, keep
        self.first, self._file = [], None
        self._rows, self._begins = array("q"), array("q")
        self._line = StringIO(newline="")
        self._writer = csv.writer(self._line)

    @property
    def count(self):
        return len(self._rows)

    def add(self, problem):
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb")
            self._file.write(BOM_UTF8)
            self._write(HEADINGS)
        self._rows.append(problem.row)
        self._begins.append(self._file.tell())
        if self.count <= self.keep or problem.row < self.first[-1].row:
            insort(self.first, problem, key=attrgetter("row"))
            del self.first[self.keep :]
        texts = (problem.column, shown(problem.value), problem.code, problem.wrong, problem.mend)
        self._write([problem.row, *map(harmless, texts)])

    def _write(self, cells):
        self._line.seek(0)
        self._line.truncate()
        self._writer.writerow(cells)
        self._file.write(self._line.getvalue().encode())

    def close(self):
        if self._file is None:
            return
        end = self._file.tell()
        self._file.close()
        order = sorted(range(self.count), key=self._rows.__getitem__)
        if any(map(gt, order, order[1:])):
            self._put_in_order(order, end)

    def _put_in_order(self, order, end):
        self._begins.append(end)
        unsorted = self.path.with_name(f"{self.path.name}.part")
        self.path.rename(unsorted)
        with unsorted.open("rb") as read, self.path.open("wb") as file:
            file.write(read.read(self._begins[0]))
            for n in order:
                read.seek(self._begins[n])
                file.write(read.read(self._begins[n + 1] - self._begins[n]))
        unsorted.unlink()

    @property
    def name(self):
        """Where the file is, or None when no row was refused."""
        return str(self.path) if self.count else None

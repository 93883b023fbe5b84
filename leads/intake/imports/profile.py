"""What a file holds, read once when it is uploaded: its rows, samples, frequent values and how its dates are written.

The page asks the profile, and a copy of the file's beginning, at every change of the matching; the file itself is read
again only by the import.
"""

import csv
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import batched, islice

from leads.intake.imports import dates
from leads.intake.imports.problems import DatesAmbiguous, MappingRefused
from leads.intake.imports.readers import Reader, Source, open_source, open_text
from portal.shared.refusal import Refusal

FALLBACK = "cp1252"  # proposed where a file is not UTF-8; the page shows how it reads then
SAMPLED, COUNTED = 200, 100_000  # rows; they are read in batches of the first number
CHECKED_ROWS = 2000  # rows of the beginning that the trial run reads
SPARE = 200  # and as many records more, for blank ones
MOST_DISTINCT, LONGEST_COUNTED, KEPT_VALUES = 5000, 200, 200
TRIED = 50  # filled cells after which a column that reads as no date is left alone
OF_FIELD = "‹field›"  # stands in a sentence until it is known which field the column fills
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True)
class Profile:
    """One file under one (delimiter, encoding) that was asked for; plain values, kept with the job as JSON."""

    asked: list  # [delimiter or None, encoding or None]
    encoding: str
    delimiter: str
    header: list[str]
    header_row: int
    notes: list[str]
    rows: int
    seen: int  # rows that `filled` counts over
    filled: list[int]
    firsts: list[list[str]]  # by column: its first three values
    counted: int  # rows that `values` counts over
    values: list[list]  # by column: [how many distinct values, [[value, rows], …], the most frequent first]
    dates: dict[str, dict]  # by place: {"written"} or {"sentence", "choices"}; none where the column holds no dates

    place = Source.place

    def counts(self, place):
        """(Counter of a column's frequent values, how many distinct ones there are)."""
        distinct, frequent = self.values[place]
        return Counter(dict(frequent)), distinct

    def written(self, place, of_field):
        """How a column's dates are written, or None where it holds none. Refuses: DatesAmbiguous, MappingRefused."""
        found = self.dates.get(str(place))
        if found is None or "written" in found:
            return found and found["written"]
        sentence = found["sentence"].replace(OF_FIELD, of_field)
        if found["choices"]:
            raise DatesAmbiguous(sentence, field=of_field, choices=found["choices"])
        raise MappingRefused(sentence, field=of_field)

    @property
    def delimiter_name(self):
        return DELIMITERS.get(self.delimiter, f"“{self.delimiter}”")

    def as_json(self):
        return asdict(self)


def asked_by(document):
    """What a mapping document says of how the file is written: [delimiter, encoding]."""
    written = document.get("format", {})
    return [written.get("delimiter") or None, written.get("encoding") or None]


def of(job):
    """The job's Profile as it is kept; read anew where its mapping asks for another delimiter or encoding."""
    if job.profile and job.profile["asked"] == asked_by(job.mapping):
        return Profile(**job.profile)
    return read(job)


def read(job):
    """Read the job's whole file once, and write its beginning beside it. Refuses: FileRefused."""
    delimiter, encoding = asked = asked_by(job.mapping)
    source = open_source(job.path, delimiter=delimiter, encoding=encoding or FALLBACK)
    columns, rows = [_Column(name) for name in source.header], 0
    records = (cells for _, cells in Reader(source, lambda problem: None))
    for batch in batched(records, SAMPLED):
        for column, cells in zip(columns, zip(*batch, strict=True), strict=True):
            column.take(cells, rows)
        rows += len(batch)
    _keep_beginning(source, job.beginning_path)
    return Profile(
        asked=asked, encoding=source.encoding, delimiter=source.delimiter, header=list(source.header),
        header_row=source.header_row, notes=list(source.notes), rows=rows, seen=min(rows, SAMPLED),
        filled=[column.filled for column in columns], firsts=[column.firsts for column in columns],
        counted=min(rows, COUNTED), values=[column.frequent() for column in columns],
        dates={str(place): found for place, column in enumerate(columns) if (found := column.dated())},
    )  # fmt: skip


class _Column:
    """One column while the file is read, a batch of cells at a time: equal cells cost one look."""

    def __init__(self, name):
        self.filled, self.firsts, self.counts, self.overflow = 0, [], Counter(), set()
        self.dates = dates.Column(name)

    def take(self, cells, before):
        """`before`: how many rows were read already."""
        if before >= COUNTED and not self.dates:
            return
        texts = Counter(map(str.strip, cells))
        empty = texts[""]
        if before == 0:
            self.filled = len(cells) - empty
            self.firsts = list(dict.fromkeys(_kept(text)[:60] for text in texts if text))[:3]
        if before < COUNTED:
            self._count(texts)
        if self.dates:
            self._look(texts)

    def _count(self, texts):
        for text, cells in texts.items():
            if text in self.counts or (len(self.counts) < MOST_DISTINCT and len(text) <= LONGEST_COUNTED):
                self.counts[text] += cells
            else:
                self.overflow.add(hash(text))

    def _look(self, texts):
        for text, cells in texts.items():
            if text:
                self.dates.look(text, cells)
        most = max(self.dates.counts.values(), default=0)
        if self.dates.filled >= TRIED and most < self.dates.filled / 2:
            self.dates = None

    def frequent(self):
        found = self.counts.most_common(KEPT_VALUES)
        return [len(self.counts) + len(self.overflow), [[_kept(text), cells] for text, cells in found]]

    def dated(self):
        """How the dates are written, as `Profile.dates` has it; None for a column without any."""
        if not self.dates or not self.dates.counts:
            return None
        try:
            return {"written": self.dates.decide(OF_FIELD)}
        except DatesAmbiguous as refusal:
            return {"sentence": refusal.sentence, "choices": [[p, w, list(few)] for p, w, few in refusal.choices]}
        except Refusal as refusal:
            return {"sentence": refusal.sentence, "choices": []}


def _kept(text):
    """The text as JSON in the database takes it."""
    return text.replace("\0", "\ufffd")


def _keep_beginning(source, path):
    """The heading and the first rows as they stand, record by record, so that row numbers are the file's own."""
    with open_text(source) as file, path.open("w", encoding=source.encoding, newline="") as kept:
        records = csv.reader(_copied(file, kept), delimiter=source.delimiter)
        for _ in islice(records, source.header_row + CHECKED_ROWS + SPARE):
            pass


def _copied(lines, kept):
    for line in lines:
        kept.write(line)
        yield line

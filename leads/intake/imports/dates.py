"""How dates are written: one format for each column, decided over the whole file and never cell by cell."""

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import product

from leads.intake.imports.problems import DatesAmbiguous, MappingRefused

ISO = "iso"
MONTHS = {
    name: number
    for number, (short, rest) in enumerate(
        (("jan", "uary"), ("feb", "ruary"), ("mar", "ch"), ("apr", "il"), ("may", ""), ("jun", "e"), ("jul", "y"),
         ("aug", "ust"), ("sep", "tember"), ("oct", "ober"), ("nov", "ember"), ("dec", "ember")), 1)
    for name in {short, short + rest}
}  # fmt: skip
PARTS = {
    "%Y": r"(?P<Y>\d{4})", "%y": r"(?P<y>\d{2})", "%m": r"(?P<m>\d{1,2})", "%d": r"(?P<d>\d{1,2})",
    "%b": r"(?P<b>[A-Za-z]{3})", "%B": r"(?P<b>[A-Za-z]{3,9})", "%H": r"(?P<H>\d{1,2})", "%I": r"(?P<I>\d{1,2})",
    "%M": r"(?P<M>\d{2})", "%S": r"(?P<S>\d{2})", "%f": r"(?P<f>\d{1,6})", "%p": r"(?P<p>[AaPp])\.?[Mm]\.?",
    "%z": r"(?P<z>Z|[+-]\d{2}:?\d{2})",
}  # fmt: skip
ISO_SHAPE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?")
DATES = (
    *("%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%m.%d.%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%Y%m%d"),
)
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %I:%M %p", ", %H:%M", "T%H:%M:%S", " %H:%M:%S %z")
CANDIDATES = (ISO, *(day + time for day, time in product(DATES, TIMES)))
IN_WORDS = {"%Y": "year", "%y": "year", "%m": "month", "%d": "day", "%b": "month", "%B": "month"}
NEARLY_ALL = 0.9
DISTINCT_KEPT = 4096


def parser(written):
    """A function text → (naive or aware datetime, has it a time of day), or None when the text is not so written."""
    if written == ISO:
        return _parse_iso
    directives = re.findall(r"%.", written)
    if not directives or any(d not in PARTS for d in directives) or len(set(directives)) != len(directives):
        return _by_strptime(written)
    pieces = re.split(r"(%.)", written)
    pattern = re.compile("".join(PARTS.get(piece) or re.escape(piece).replace(r"\ ", r"\s+") for piece in pieces))
    timed = "%H" in directives or "%I" in directives

    def parse(text):
        found = pattern.fullmatch(text)
        if found is None:
            return None
        try:
            return _made(found.groupdict()), timed
        except ValueError:
            return None

    parse.shape = pattern
    return parse


def _made(parts):
    year = int(parts["Y"]) if "Y" in parts else _century(int(parts["y"]))
    month = int(parts["m"]) if "m" in parts else MONTHS.get(parts["b"].lower(), 0)
    if "I" in parts:
        hour = int(parts["I"])
        if not 1 <= hour <= 12:
            raise ValueError("hour")
        hour = hour % 12 + (12 if parts.get("p", "a") in "Pp" else 0)
    else:
        hour = int(parts.get("H") or 0)
    micro = int((parts.get("f") or "0").ljust(6, "0"))
    made = dt.datetime(year, month, int(parts["d"]), hour, int(parts.get("M") or 0), int(parts.get("S") or 0), micro)  # noqa: DTZ001
    zone = parts.get("z")
    return made.replace(tzinfo=dt.datetime.strptime(zone.replace("Z", "+0000"), "%z").tzinfo) if zone else made


def _century(two):
    return two + (1900 if two >= 69 else 2000)


def _parse_iso(text):
    if not ISO_SHAPE.fullmatch(text):
        return None
    try:
        return dt.datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+")), len(text) > 10
    except ValueError:
        return None


_parse_iso.shape = ISO_SHAPE


def _by_strptime(written):
    timed = any(part in written for part in ("%H", "%I", "%X", "%c", "%s", "%T", "%R"))
    try:
        dt.datetime(2020, 2, 3).strftime(written)  # noqa: DTZ001
    except ValueError:
        raise MappingRefused(f"{written!r} is not a date format.") from None

    def parse(text):
        try:
            return dt.datetime.strptime(text, written), timed  # noqa: DTZ007
        except ValueError:
            return None

    return parse


PARSERS = {candidate: parser(candidate) for candidate in CANDIDATES}
DIGITS = str.maketrans("123456789", "000000000")


def in_words(written):
    """ "month-day-year" of a format, for people."""
    if written == ISO:
        return "year-month-day"
    words = [IN_WORDS[d] for d in re.findall(r"%.", written) if d in IN_WORDS]
    return "-".join(words) if words else written


@dataclass
class Column:
    """What is known of one column while the file is read: how its values are shaped, and which formats still fit."""

    name: str
    filled: int = 0
    counts: Counter = field(default_factory=Counter)
    samples: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)
    shapes: dict = field(default_factory=dict)

    def look(self, text, cells=1):
        """Count every format that reads these cells; equal texts are read once, equal shapes tried on few formats."""
        self.filled += cells
        fits = self.seen.get(text)
        if fits is None:
            fits = tuple(name for name, parse in self._shaped(text) if parse(text))
            if len(self.seen) < DISTINCT_KEPT:
                self.seen[text] = fits
            if len(self.samples) < 5:
                self.samples[text] = True
        for name in fits:
            self.counts[name] += cells

    def _shaped(self, text):
        """The formats that texts with digits in these places can have at all."""
        shape = text.translate(DIGITS)
        known = self.shapes.get(shape)
        if known is None:
            known = [(name, parse) for name, parse in PARSERS.items() if parse.shape.fullmatch(text)]
            if len(self.shapes) < DISTINCT_KEPT:
                self.shapes[shape] = known
        return known

    def decide(self, of_field):
        """The one format, or None where the column is empty. Refuses: DatesAmbiguous, MappingRefused."""
        if not self.filled:
            return None
        most = max(self.counts.values(), default=0)
        enough = most if most == self.filled else self.filled * NEARLY_ALL
        best = [name for name, count in self.counts.most_common() if count >= enough]
        shown = ", ".join(self.samples)
        if most < self.filled * NEARLY_ALL:
            raise MappingRefused(
                f"The dates in “{self.name}” are not written in one way: {shown}. Say how under"
                f" format.dates.{of_field}, or correct the column. Nothing was imported.",
                field=of_field,
            )
        if len(best) > 1 and self._differ(best):
            choices = [(name, in_words(name), tuple(self.samples)) for name in best]
            said = " or ".join(f"{words} ({name})" for name, words, _ in choices)
            raise DatesAmbiguous(
                f"The dates in “{self.name}” can be read as {said}: {shown}. Say which under"
                f" format.dates.{of_field}. Nothing was imported.",
                field=of_field,
                choices=choices,
            )
        return best[0]

    def _differ(self, names):
        """True when two of the formats read some value of the column as different days."""
        for text in self.seen:
            read = {found[0] for name in names if (found := PARSERS[name](text))}
            if len(read) > 1:
                return True
        return False


def decide_formats(source, records, wanted):
    """{field: format} for `wanted` {field: column place}, after one pass over all `records` (row, cells)."""
    columns = {name: Column(source.header[place]) for name, place in wanted.items()}
    pairs = [(columns[name], place) for name, place in wanted.items()]
    for _, cells in records:
        for column, place in pairs:
            text = cells[place].strip()
            if text:
                column.look(text)
    return {name: written for name, column in columns.items() if (written := column.decide(name))}

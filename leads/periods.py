"""Months, spans of whole days, several months: what figures are asked of; `figures.rows` takes one like the other.

All are compared by their first day, follow each other with `plus`, and are written in addresses as `str` has them.
"""

import datetime as dt
from dataclasses import dataclass

from portal.shared.time import MONTHS
from portal.shared.time import month as month_words

DAY = dt.timedelta(days=1)
WEEK, FORTNIGHT = 7, 14
MOST_DAYS = 92  # of a span in an address: longer ones are months
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(9000, 1, 1)


class Days:
    """Whole days from `first` on, until the next ones (`plus(1)`) begin."""

    def begins(self, zone):
        """Its first instant in `zone`, in UTC: the first valid one where clocks skip midnight."""
        first = self.first
        return dt.datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(dt.UTC)

    def ends(self, zone):
        """The first instant that is no longer in it (half-open)."""
        return self.plus(1).begins(zone)


@dataclass(frozen=True, order=True)
class Month(Days):
    """A calendar month, compared by its first day."""

    first: dt.date

    @classmethod
    def parse(cls, key):
        """The month of "2026-10"; ValueError for anything else."""
        if not (len(key) == 7 and str(EARLIEST) <= f"{key}-01" < str(LATEST)):
            raise ValueError(f"{key} is not a month such as 2026-10.")
        return cls(dt.date.fromisoformat(f"{key}-01"))

    @classmethod
    def of(cls, at, zone):
        """The month in which the instant `at` lies in `zone`."""
        return cls(at.astimezone(zone).date().replace(day=1))

    def __str__(self):
        return f"{self.first.year:04}-{self.first.month:02}"

    def plus(self, months):
        years, month = divmod(self.first.year * 12 + self.first.month - 1 + months, 12)
        return Month(dt.date(years, month + 1, 1))

    def until(self, later):
        """How many months `later` is away."""
        return (later.first.year - self.first.year) * 12 + later.first.month - self.first.month

    @property
    def name(self):
        """ "October" """
        return MONTHS[self.first.month - 1]

    @property
    def title(self):
        """ "October 2026" """
        return month_words(self.first)

    @property
    def before(self):
        """What the one before is called: "September"."""
        return self.plus(-1).name

    @property
    def within(self):
        """ "in October" """
        return f"in {self.name}"

    @property
    def when(self):
        """ "in October 2026" """
        return f"in {self.title}"

    @property
    def its(self):
        """ "October’s" """
        return f"{self.name}’s"

    @property
    def over(self):
        return "the month is over"


@dataclass(frozen=True, order=True)
class Span(Days):
    """`days` whole days from `first` on."""

    first: dt.date
    days: int = WEEK

    @classmethod
    def week_of(cls, day):
        """The week, Monday to Sunday, in which a date lies."""
        return cls(day - day.weekday() * DAY)

    @classmethod
    def until(cls, last, days):
        """The `days` days that end with the date `last`."""
        return cls(last - (days - 1) * DAY, days)

    @classmethod
    def parse(cls, key):
        """The span of "2026-10-05--2026-10-18"; ValueError for anything else."""
        first, _, last = key.partition("--")
        if not (len(first) == len(last) == 10):
            raise ValueError(f"{key} is not a span such as 2026-10-05--2026-10-18.")
        first, last = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        found = cls(first, (last - first).days + 1)
        if not (EARLIEST <= first < last <= LATEST and found.days <= MOST_DAYS and str(found) == key):
            raise ValueError(f"{key} is not a span of 2 to {MOST_DAYS} days.")
        return found

    def __str__(self):
        return f"{self.first}--{self.last}"

    @property
    def last(self):
        return self.first + (self.days - 1) * DAY

    def plus(self, spans):
        return Span(self.first + spans * self.days * DAY, self.days)

    @property
    def name(self):
        """ "5 to 18 October" """
        return self._words(year=False)

    @property
    def title(self):
        """ "5 to 18 October 2026" """
        return self._words(year=True)

    @property
    def before(self):
        """What the one before is called: "the 14 days before"."""
        return f"the {self.days} days before"

    @property
    def within(self):
        """ "from 5 to 18 October" """
        return f"from {self.name}"

    @property
    def when(self):
        """ "from 5 to 18 October 2026" """
        return f"from {self.title}"

    @property
    def its(self):
        """ "these 14 days’" """
        return f"these {self.days} days’"

    @property
    def over(self):
        return "these days are over"

    def _words(self, *, year):
        first, last = self.first, self.last
        same_year = first.year == last.year
        begin = f"{first.day}"
        if not (same_year and first.month == last.month):
            begin += f" {MONTHS[first.month - 1]}"
        if not same_year:
            begin += f" {first.year}"
        end = f"{last.day} {MONTHS[last.month - 1]}"
        return f"{begin} to {end}" + (f" {last.year}" if year or not same_year else "")


@dataclass(frozen=True, order=True)
class Months(Days):
    """`number` calendar months from the first day of one on."""

    first: dt.date
    number: int = 12

    @classmethod
    def until(cls, last, number):
        """The `number` months that end with a Month."""
        return cls(last.plus(1 - number).first, number)

    @classmethod
    def parse(cls, key):
        """The months of "2025-11..2026-10"; ValueError for anything else."""
        first, _, last = key.partition("..")
        first, last = Month.parse(first), Month.parse(last)
        if last < first:
            raise ValueError(f"{key} ends before it begins.")
        return cls(first.first, first.until(last) + 1)

    def __str__(self):
        return f"{self.begin}..{self.end}"

    @property
    def begin(self):
        return Month(self.first)

    @property
    def end(self):
        """Its last Month."""
        return self.begin.plus(self.number - 1)

    def plus(self, spans):
        return Months(self.begin.plus(spans * self.number).first, self.number)

    @property
    def title(self):
        """ "November 2025 to October 2026" """
        return self.begin.title if self.number == 1 else f"{self.begin.title} to {self.end.title}"

    name = title

    @property
    def when(self):
        """ "from November 2025 to October 2026" """
        return f"from {self.title}" if self.number > 1 else self.begin.when


def parse(key):
    """The Month, Months or Span of an address; ValueError for anything else."""
    kind = Span if "--" in key else Months if ".." in key else Month
    return kind.parse(key)

"""Weeks, for figures that are reviewed by the week: to `leads.figures.series` a week is as good as a month."""

import datetime as dt
from dataclasses import dataclass

WEEK = dt.timedelta(days=7)


@dataclass(frozen=True, order=True)
class Week:
    """A week from Monday to Sunday, compared by its Monday."""

    first: dt.date

    @classmethod
    def of(cls, day):
        """The week in which a date lies."""
        return cls(day - dt.timedelta(days=day.weekday()))

    def __str__(self):
        return self.first.isoformat()

    def plus(self, weeks):
        return Week(self.first + weeks * WEEK)

    def begins(self, zone):
        """Its first instant in `zone`, in UTC."""
        return dt.datetime(self.first.year, self.first.month, self.first.day, tzinfo=zone).astimezone(dt.UTC)

    def ends(self, zone):
        """The first instant that is no longer in it (half-open)."""
        return self.plus(1).begins(zone)

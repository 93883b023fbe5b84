"""The trend: which months differ from chance, and how long a change takes to be seen; pure over the months' figures.

A new average begins with each definition version: what a new definition changed is a step, not noise. Limits are
three standard errors around it, wider where months differ more than chance (Laney's p'): see portal.shared.control.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from math import ceil

from leads.figures import Month, MonthFigures
from portal.shared import control, intervals
from sla.models import SLAVersion


@dataclass(frozen=True)
class Began:
    """A version of the agreement that came into force; `definition` its definition's number, `new` if that changed."""

    at: dt.datetime
    version: int
    definition: int
    new: bool


@dataclass(frozen=True)
class Phase:
    """Months under one definition (None: before there was one), with the chart of those that can be judged."""

    definition: int | None
    months: tuple[MonthFigures, ...]
    chart: control.Chart | None
    counted: tuple[bool, ...]

    @property
    def sqls(self):
        return sum(m.counts.sqls for m, counts in zip(self.months, self.counted, strict=True) if counts)

    @property
    def mqls(self):
        return sum(m.counts.mqls for m, counts in zip(self.months, self.counted, strict=True) if counts)

    @property
    def mqls_a_month(self):
        full = sum(self.counted)
        return self.mqls / full if full else 0.0

    @property
    def limits(self):
        """Each month's control.Limits, or None: the month is not over, has no MQLs, or more SQLs than MQLs."""
        return self.chart.months if self.chart else (None,) * len(self.months)


@dataclass(frozen=True)
class Step:
    """From one definition to the next: the difference of the rates over all their months, with Newcombe's interval."""

    before: Phase
    after: Phase
    change: intervals.Change

    @property
    def verdict(self):
        return "noise" if self.change.is_noise else "real"


@dataclass(frozen=True)
class Needed:
    """To see the rate change by `change`: MQLs before and as many after, and the months until they are there."""

    change: float
    mqls: int
    months: int


@dataclass(frozen=True)
class Trend:
    """The months with their phases, and the versions that began within them or before the first."""

    phases: tuple[Phase, ...]
    began: tuple[Began, ...]

    @cached_property
    def rows(self):
        """(MonthFigures, Phase, control.Limits or None), oldest first."""
        return [
            (month, phase, limits)
            for phase in self.phases
            for month, limits in zip(phase.months, phase.limits, strict=True)
        ]

    @property
    def steps(self):
        judged = [phase for phase in self.phases if phase.mqls]
        return [
            Step(a, b, intervals.newcombe(a.sqls, a.mqls, b.sqls, b.mqls))
            for a, b in pairwise(judged)
        ]  # fmt: skip

    def needed(self, change):
        """Needed to see a change (share of 1) from the last average; None where it leads out of 0 to 1, or no MQLs."""
        last = next((phase for phase in reversed(self.phases) if phase.mqls), None)
        if last is None:
            return None
        try:
            mqls = control.sample_size(last.chart.average, change)
        except ValueError:
            return None
        return Needed(change, mqls, ceil(mqls / last.mqls_a_month))


def trend(series, *, as_of, zone):
    """The Trend of consecutive MonthFigures. One query: the versions that began by the cut-off."""
    return trend_of(series, versions_begun(as_of=as_of), as_of=as_of, zone=zone)


def trend_of(series, began, *, as_of, zone):
    """As `trend`, with the versions that had begun given."""
    phases = [
        _phase(definition, tuple(months), as_of, zone)
        for definition, months in groupby(series, key=lambda m: _definition(m.month, began, zone))
    ]
    first, after = series[0].month.begins(zone), series[-1].month.ends(zone)
    inside = [each for each in began if first <= each.at < after]
    return Trend(tuple(phases), tuple(inside))


def can_be_judged(month, as_of, zone):
    """Whether a month is over, has MQLs and no more SQLs than they."""
    return month.month.ends(zone) <= as_of and month.counts.mqls > 0 and month.counts.sqls <= month.counts.mqls


def versions_begun(*, as_of):
    """The versions signed by both that had begun by `as_of`, oldest first. One query."""
    rows = SLAVersion.objects.begun(at=as_of).values_list("begins_at", "number", "definition__number")
    found, definition = [], None
    for at, number, its in reversed(list(rows)):
        found.append(Began(at, number, its, its != definition))
        definition = its
    return tuple(found)


def _phase(definition, months, as_of, zone):
    judged = tuple(can_be_judged(month, as_of, zone) for month in months)
    pairs = [(m.counts.sqls, m.counts.mqls) if ok else (0, 0) for m, ok in zip(months, judged, strict=True)]
    return Phase(definition, months, control.p_chart(pairs), judged)


def _definition(month: Month, began, zone):
    """The definition that was in force when the month ended: a month in which it changed is the new one's."""
    last = None
    for each in began:
        if each.at < month.ends(zone):
            last = each.definition
    return last

"""What the audit says of the trend: verdicts in words, the chart with its limits and marks, links to the leads."""

from dataclasses import dataclass
from functools import cached_property

from leads import figures, figures_trend
from leads.audit.links import Figure
from portal.shared import charts, text, time

CHANGES = (0.02, 0.03, 0.05, 0.10)  # changes whose waiting times are told unasked


@dataclass(frozen=True)
class TrendPart:
    """The section's words. `trend` is a figures_trend.Trend of the months that end with the page's."""

    trend: figures_trend.Trend
    basis: str
    as_of: object
    zone: object

    @property
    def month(self):
        return self.trend.rows[-1][0].month

    @property
    def verdict(self):
        """ "noise" or "real" of the last month against its limits; None where it cannot be told."""
        _, phase, limits = self.trend.rows[-1]
        return _verdict(limits) if _verdict_of(phase) else None

    @property
    def title(self):
        name = time.MONTHS[self.month.first.month - 1]
        if self.verdict is None:
            return f"{name} cannot be told from chance yet"
        if self.verdict == "noise":
            return f"{name} lies within the range of chance: noise"
        limits = self.trend.rows[-1][2]
        return f"{name} lies {'above' if limits.rate > limits.high else 'below'} the range of chance: real"

    @property
    def why_none(self):
        """Why the last month has no verdict; empty where it has one."""
        month = self.trend.rows[-1][0]
        if self.verdict is not None:
            return ""
        if month.month.ends(self.zone) > self.as_of:
            return "The month is not over, so its rate still moves."
        if not month.counts.mqls:
            return "Marketing delivered no MQLs in it."
        if month.counts.sqls > month.counts.mqls:
            return "More leads were accepted in it than were delivered: such a rate has no limits."
        return "It is the first month under its definition: there is nothing yet to compare it with."

    @property
    def chart(self):
        rows = self.trend.rows
        months = [_month_rate(month) for month, _, _ in rows]
        limits = [
            (phase.chart.average, limits.low, limits.high) if limits and _verdict_of(phase) else None
            for _, phase, limits in rows
        ]
        label = f"Share of MQLs accepted by month, with control limits. {self.title}."
        return charts.trend(months, label=label, marks=self.marks, limits=limits)

    @property
    def marks(self):
        """(index of the month, words) of the versions that began; those of one month share a mark."""
        found = {}
        for each in self.trend.began:
            found.setdefault(self._place(each.at), []).append(each)
        return [(i, _mark(began, first=i == 0)) for i, began in found.items()]

    def _place(self, at):
        first = self.trend.rows[0][0].month
        return first.until(figures.Month.of(at, self.zone))

    @cached_property
    def rows(self):
        """Of each month: its Figures, Rate, limits, verdict and the versions that began in it."""
        marks = dict(self.marks)
        return [
            {
                "month": m.month,
                "mqls": Figure.of(m.counts.mqls, figures.counted("mqls", m.month, self.basis)),
                "sqls": Figure.of(m.counts.sqls, figures.counted("sqls", m.month, self.basis)),
                "rate": m.rate,
                "limits": limits if limits and _verdict_of(phase) else None,
                "verdict": _verdict(limits) if _verdict_of(phase) else None,
                "began": marks.get(i, ""),
            }
            for i, (m, phase, limits) in enumerate(self.trend.rows)
        ]

    @property
    def phases(self):
        """In words, each average with its months and how wide its limits are."""
        return [_phase(phase) for phase in self.trend.phases if phase.mqls]

    @property
    def steps(self):
        """(definition before, after, Change, verdict): what each new definition did to the rate."""
        return [
            (step.before.definition, step.after.definition, step.change, step.verdict) for step in self.trend.steps
        ]

    @property
    def waits(self):
        return [needed for change in CHANGES if (needed := self.trend.needed(change))]


def _verdict(limits):
    return None if limits is None else "real" if limits.is_signal else "noise"


def _verdict_of(phase):
    """A month alone is its own average: nothing can be said."""
    return sum(phase.counted) > 1


def _mark(began, *, first):
    last = began[-1]
    new = any(each.new for each in began)
    words = f"agreement v{last.version}"
    return f"{words}, definition v{last.definition}" if new and not first else words


def _phase(phase):
    counted = [m for m, ok in zip(phase.months, phase.counted, strict=True) if ok]
    months = [time.month(m.month.first) for m in counted]
    return {
        "definition": phase.definition,
        "when": months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}",
        "rate": figures.rate(figures.Counts(mqls=phase.mqls, sqls=phase.sqls)),
        "alone": not _verdict_of(phase),
        "widened": text.rounded(phase.chart.spread, 1) if phase.chart.is_overdispersed else "",
    }


def _month_rate(month):
    rate = month.rate
    if rate is None or rate.low is None:
        return charts.MonthRate(month.month.first, None)
    return charts.MonthRate(month.month.first, rate.value, rate.low, rate.high, rate.n)

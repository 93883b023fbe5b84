"""What the audit page shows: the figures as words, links to the very leads, and charts; no queries of its own."""

from dataclasses import dataclass
from functools import cached_property

from leads import figures
from leads.audit.links import Figure, leads_url, query
from leads.audit.report import Audit
from leads.figures import COHORT, PERIOD
from portal.shared import charts, text, time

ROWS_SHOWN = 40
RULER = (
    (0.0, 0.05, "broken"), (0.05, 0.13, "misaligned"), (0.13, 0.25, "average"), (0.25, 0.40, "good"),
    (0.40, None, "best"),
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """One month's page: `series` the months that end with it, `cut` its Slices, `contact` its FirstContact."""

    series: list
    cut: figures.Slices
    contact: figures.FirstContact
    basis: str
    by: str
    show_all: bool
    as_of: object
    zone: object

    @cached_property
    def audit(self):
        return Audit(self.series[-1], self.series[-2], self.basis, self.by, self.cut.rows, self.as_of, self.zone)

    @property
    def month(self):
        return self.series[-1].month

    @property
    def name(self):
        """ "October" """
        return self.month.name

    @property
    def unfinished(self):
        return self.audit.unfinished

    def link(self, what, month=None, n=0, **more):
        return Figure.of(n, figures.counted(what, month or self.month, self.basis), **more)

    # --- the result -----------------------------------------------------------------------------------

    @property
    def headline(self):
        """The result as a sentence, before its rate."""
        counts, within = self.series[-1].counts, self.month.within
        when = f"So far {within}" if self.unfinished else f"{within[0].upper()}{within[1:]}"
        if not counts.mqls:
            return f"{when} marketing delivered no MQLs"
        mqls = f"{text.thousands(counts.mqls)} {_plural('MQL', counts.mqls)}"
        if self.basis == COHORT:
            return f"Of {self.month.its} {mqls} sales accepted {text.thousands(counts.sqls)} so far"
        return f"{when} sales accepted {text.thousands(counts.sqls)} {_plural('lead', counts.sqls)} against {mqls}"

    @property
    def standing(self):
        """Which tier, in words; empty where there is none."""
        audit = self.audit
        if audit.tier is None:
            return ""
        return "too few MQLs to rank" if audit.rate.few else f"{audit.tier} tier"

    @property
    def aside(self):
        """The change since the month before, in words."""
        change, before = self.audit.change, self.month.before
        if self.audit.rate is None:
            return ""
        if self.unfinished:
            return f"not compared with {before} before {self.month.over}."
        if change.value is None:
            return f"{before} had no MQLs to compare with."
        way = "up" if change.value > 0 else "down"
        moved = f"{way} {text.rounded(abs(100 * change.value))} points on {before}"
        if change.verdict is None:
            return f"{moved}."
        return f"{moved}: {'within noise' if change.verdict == 'noise' else 'a real change'}."

    @property
    def more_accepted_than_delivered(self):
        rate = self.audit.rate
        return rate is not None and rate.low is None

    @cached_property
    def ruler(self):
        rate = self.audit.rate
        if rate is None or rate.low is None:
            return ""
        shown = f"{text.percent(rate.value)}, interval {text.interval(rate.low, rate.high)} percent"
        label = f"Benchmark scale: {shown}: {self.audit.tier}."
        return charts.ruler(rate.value, rate.low, rate.high, RULER, label=label)

    @property
    def tiles(self):
        """(label, Figure or words, note, link of the note, is it few) of each tile."""
        c, within = self.series[-1].counts, self.month.within
        decided = f"decided {within}" if self.basis == PERIOD else f"of {self.month.its} MQLs"
        withdrawn = self.link("withdrawn", n=c.withdrawn)
        note = f"{text.thousands(c.withdrawn)} of them withdrawn" if c.withdrawn else f"qualified {within}"
        return [
            ("MQLs delivered", self.link("mqls", n=c.mqls), note, withdrawn.url),
            ("Accepted as SQL", self.link("sqls", n=c.sqls), decided, ""),
            ("Rejected", self.link("rejected", n=c.rejected), decided, ""),
            ("Undecided", self.link("undecided", n=c.undecided), self._bounds(), ""),
        ]

    def _bounds(self):
        c = self.series[-1].counts
        if self.basis == PERIOD or not c.undecided:
            return f"of {self.month.its} MQLs"
        low, high = text.percent(c.sqls / c.mqls), text.percent((c.sqls + c.undecided) / c.mqls)
        return f"the rate will end between {low} and {high}"

    @property
    def first_contact(self):
        """(words, note) of the median first contact."""
        contact = self.contact
        if not contact.n:
            return "–", "no MQLs"
        fast = f"{text.thousands(contact.within_5_min)} {_plural('lead', contact.within_5_min)} within 5 minutes"
        return ("–", "fewer than half were contacted") if contact.median is None else (_wait(contact.median), fast)

    # --- reasons --------------------------------------------------------------------------------------

    @cached_property
    def candidates(self):
        """The top reason, or two, each with its Figure and what it was the month before."""
        before = self.series[-2]
        return [
            {
                "reason": reason,
                "figure": self.link("rejected", n=reason.n, category=reason.category, reason=reason.code),
                "before": before.rejections[reason.category, reason.code],
                "before_total": before.rejections.total(),
                "change": None if self.unfinished else figures.reason_change(before, self.series[-1], reason),
            }
            for reason in self.audit.top_reasons
        ]

    @property
    def reasons_title(self):
        month = self.series[-1]
        if not month.counts.rejected:
            return f"Sales rejected no lead {self.month.within}"
        category, n = max(month.categories.items(), key=lambda item: item[1])
        share = text.percent(n / month.counts.rejected, 0)
        return f"{charts.CATEGORIES[category]} is the largest part of the rejections: {share}"

    @property
    def legend(self):
        """(category, name, Figure, change since the month before) in reading order."""
        now, before = self.series[-1].categories, self.series[-2].categories
        return [
            (c, name, self.link("rejected", n=now[c], category=c), text.signed(now[c] - before[c]))
            for c, name in charts.CATEGORIES.items()
        ]

    @property
    def reasons_chart(self):
        months = [charts.MonthReasons(m.month.first, m.categories, charts_name(m.month)) for m in self.series]
        first, last = self.series[0], self.series[-1]
        label = (
            f"Rejected leads by reason category, {first.month.title} to {last.month.title}: "
            f"{text.thousands(first.counts.rejected)} in the first bar, {text.thousands(last.counts.rejected)} "
            "in the last. Each part is a link to its leads."
        )
        urls = {m.month.first: leads_url(figures.counted("rejected", m.month, self.basis)) for m in self.series}

        def segment(first, category):
            return f"{urls[first]}&{query({'category': category})}"

        return charts.reasons_by_month(months, label=label, href=segment)

    @property
    def rate_chart(self):
        months = [_month_rate(m) for m in self.series]
        rate = self.audit.rate
        said = f"{self.name}: {text.percent(rate.value)}" if rate else f"{self.name}: no MQLs, no rate"
        return charts.trend(months, label=f"Share of MQLs accepted over time, with 95 % intervals. {said}.")

    @property
    def month_rows(self):
        return [
            {
                "month": m.month,
                "delivered": [
                    self.link("mqls", m.month, m.counts.mqls),
                    self.link("sqls", m.month, m.counts.sqls),
                ],
                "rate": m.rate,
                "others": [
                    *(
                        self.link("rejected", m.month, m.categories[category], category=category)
                        for category in charts.CATEGORIES
                    ),
                    self.link("undecided", m.month, m.counts.undecided),
                ],
            }
            for m in self.series
        ]

    # --- any two dimensions ------------------------------------------------------------------------------

    @property
    def sources_title(self):
        total, first = self.series[-1].counts, self.cut.sources[:2]
        if len(first) < 2 or not total.mqls:
            return "Why sales said no, by source"
        both = _sum(first)
        names = " and ".join(row.label or "no source" for row in first)
        share = text.percent(both.mqls / total.mqls, 0)
        said = f"{names} bring {share} of the MQLs and {both.sqls} of {total.sqls} acceptances"
        return said[0].upper() + said[1:]

    # --- breakdown ----------------------------------------------------------------------------------------

    @property
    def breakdown(self):
        rows = self.cut.rows if self.show_all else self.cut.rows[:ROWS_SHOWN]
        top = max([0.4, *(row.rate.high for row in self.cut.rows if row.rate and row.rate.high)])
        return [self._row(row, top) for row in rows]

    def _row(self, row, top):
        c, rate, value = row.counts, row.rate, {self.by: row.key}
        bar = ""
        if rate and rate.low is not None:
            words = f"{text.percent(rate.value)}, interval {text.interval(rate.low, rate.high)}"
            bar = charts.interval(rate.value, rate.low, rate.high, hi=top, label=words)
        return {
            "label": row.label or f"No {self.by}",
            "figures": [
                (name, self.link(what, n=getattr(c, what), **value))
                for name, what in (
                    ("MQLs", "mqls"), ("SQLs", "sqls"), ("Rejected", "rejected"), ("Undecided", "undecided"),
                )
            ],
            "rate": rate,
            "bar": bar,
        }  # fmt: skip

    @property
    def hidden_rows(self):
        return 0 if self.show_all else max(0, len(self.cut.rows) - ROWS_SHOWN)

    @property
    def breakdown_title(self):
        """The finding: who is ahead where that can be said, never of people."""
        ends = figures.ends(self.cut.rows) if self.by != "owner" else None
        if ends:
            best, worst = ends
            rates = f"{text.percent(best.rate.value, 0)} against {text.percent(worst.rate.value, 0)}"
            return f"{_label(best, self.by)} is accepted more often than {_label(worst, self.by)}: {rates}"
        return f"The same figures by {self.by}"


def _sum(rows):
    names = ("mqls", "sqls", "rejected", "undecided", "withdrawn")
    return figures.Counts(*(sum(getattr(row.counts, name) for row in rows) for name in names))


def _label(row, by):
    return row.label or f"no {by}"


def _month_rate(figure):
    rate, name = figure.rate, charts_name(figure.month)
    if rate is None or rate.low is None:
        return charts.MonthRate(figure.month.first, None, name=name)
    return charts.MonthRate(figure.month.first, rate.value, rate.low, rate.high, rate.n, name)


def charts_name(month):
    """What a chart calls it; a month names itself."""
    return "" if isinstance(month, figures.Month) else month.title


def _plural(word, n):
    return word if n == 1 else f"{word}s"


def _wait(length):
    """A wait in words; imported dates without a time make it 0."""
    return time.duration(length) if length else "the same day"

"""What the leads were worth in the end: the page and its file, by cohort and by source, campaign, tier and so on."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures, figures_deals
from leads.periods import Month, Months
from portal.accounts.permissions import May, require
from portal.shared import sheets, speed_charts, text
from portal.shared.htmx import answer

MONTHS, MOST = 12, 60  # what is shown unasked; the longest span
DAY = 24 * 60
MARKS = ((1, "1 day"), (7, "1 week"), (30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "1 year"))
BY = tuple(figures.DIMENSIONS)
HEAD = (
    "MQLs", "SQLs", "Opportunities", "Won", "Lost", "Open", "MQL to SQL", "SQL to opportunity",
    "Opportunity to won", "MQL to won", "MQL to won 95% from", "95% to", "Currency", "Value won", "Median deal",
    "Value per MQL", "95% from", "95% to", "Won without amount", "Median days to close",
)  # fmt: skip
COUNTS = (  # label, figure, what selects its leads, its rate
    ("MQLs", "mqls", {}, ""),
    ("SQLs", "sqls", {"status": "accepted"}, "sql_rate"),
    ("Opportunities", "opportunities", {"status": "accepted", "deal": "any"}, "opportunity_rate"),
    ("Won", "won", {"status": "accepted", "deal": "won"}, "won_rate"),
    ("Lost", "lost", {"status": "accepted", "deal": "lost"}, ""),
    ("Open", "open", {"status": "accepted", "deal": "open"}, ""),
)


@require_GET
def deals_figures(request):
    """The funnel of a span of months, its cohorts, its breakdown, and how long deals take."""
    require(request.user, May.READ_AUDIT)
    page = _asked(request)
    months = [page.current.plus(-i) for i in range(MOST)]
    return answer(request, "leads/deal_figures.html", {"page": page, "months": months, "dimensions": BY})


@require_GET
def deals_figures_export(request, form):
    """The breakdown that the page shows, or its months with `by=month`; shares are of 1, one row a currency."""
    require(request.user, May.READ_AUDIT)
    page = _asked(request, also=(figures_deals.MONTH,))
    rows = page.cohorts if page.by == figures_deals.MONTH else page.rows
    head = ("Key", page.by.capitalize(), *HEAD)
    return sheets.download(form, f"deals-{page.span}-by-{page.by}", head, (r for row in rows for r in _lines(row)))


def _asked(request, also=()):
    zone, now = timezone.get_default_timezone(), timezone.now()
    current = Month.of(now, zone)
    by = request.GET.get("by") or "source"
    try:
        last = Month.parse(request.GET.get("to") or str(current))
        first = Month.parse(request.GET.get("from") or str(last.plus(1 - MONTHS)))
    except ValueError:
        raise Http404("There is no such month.") from None
    if by not in (*BY, *also):
        raise Http404("There is no such breakdown.")
    first, last = sorted((first, last))
    return Page(Months.until(last, min(first.until(last) + 1, MOST)), by, current, now, zone)


@dataclass(frozen=True)
class Page:
    """One span of months along one dimension."""

    span: Months
    by: str
    current: Month
    now: dt.datetime
    zone: object

    @cached_property
    def total(self):
        return figures_deals.total(self.span, as_of=self.now, zone=self.zone)

    @cached_property
    def cohorts(self):
        return figures_deals.worth(self.span, figures_deals.MONTH, as_of=self.now, zone=self.zone)

    @cached_property
    def rows(self):
        return figures_deals.worth(self.span, self.by, as_of=self.now, zone=self.zone)

    @property
    def title(self):
        whole = self.total
        if whole is None:
            return f"No MQL was delivered {self.span.when}"
        if not whole.opportunities:
            return f"No deal is recorded yet for the {text.thousands(whole.mqls)} MQLs of {self.span.title}"
        worth = " and ".join(text.money(each.total, each.currency) for each in whole.money)
        return f"{text.thousands(whole.won)} of {text.thousands(whole.mqls)} MQLs were won in the end" + (
            f", worth {worth}" if worth else ""
        )

    @cached_property
    def ends(self):
        """(the value won most, the one won least) where they differ beyond chance; None else."""
        counts = [
            figures.Row(row.key, row.label or "none", figures.Counts(mqls=row.mqls, sqls=row.won)) for row in self.rows
        ]
        return figures.ends(counts)

    @property
    def steps(self):
        """[(step, its number, the leads behind it, its rate, of what)] of the funnel."""
        names = ("", "of the MQLs", "of the SQLs", "of the opportunities")
        figured = self.figured(self.total, self.span)[:4]
        return [(*figure, name) for figure, name in zip(figured, names, strict=True)]

    @property
    def cohort_rows(self):
        return [self._line(row, Month.parse(row.key), {}) for row in self.cohorts]

    @property
    def breakdown(self):
        return [self._line(row, self.span, {self.by: row.key}) for row in self.rows]

    def _line(self, row, span, filters):
        label = span.title if isinstance(span, Month) else row.label or "none"
        url = f"{reverse('deals')}?{urlencode({**filters, 'qualified_month': span, **WON_SQLS})}"
        return {"row": row, "label": label, "figures": self.figured(row, span, **filters), "deals_url": url,
                "median": median_words(row.closing)}  # fmt: skip

    def figured(self, row, span, **filters):
        """[(label, number, address of the very leads or "", its Rate or None)]"""
        found = []
        for label, name, more, rate in COUNTS:
            n = getattr(row, name)
            url = self._leads(filters | {"qualified_month": span} | more) if n else ""
            found.append((label, n, url, rate and getattr(row, rate)))
        return found

    def _leads(self, filters):
        return f"{reverse('leads')}?{urlencode(filters)}"

    @property
    def beside(self):
        """[(sentence's number, address, words)] of what the funnel leaves out."""
        whole = self.total
        at = {"qualified_month": self.span}
        return [
            (n, f"{reverse('deals')}?{urlencode(more | at)}", words)
            for n, more, words in (
                (whole.beside, {"handoff": "undecided"}, "with a deal that sales never accepted"),
            )
            if n
        ]  # fmt: skip

    @property
    def curve(self):
        """The share of deals still open by the days since the lead qualified."""
        closing = self.total.closing

        def still(days):
            done, low, high = closing.done_within(dt.timedelta(days=days))
            return 1 - done, 1 - high, 1 - low

        label = f"Share of deals still open by time since the lead qualified. Median: {median_words(closing)}."
        drawn = [mark for mark in MARKS if mark[0] != 180]  # too near the end for a name of its own
        return speed_charts.still_waiting(still, drawn, label=label)

    @property
    def curve_rows(self):
        return [(name, *self.total.closing.done_within(dt.timedelta(days=at))) for at, name in MARKS]

    @property
    def median(self):
        return median_words(self.total.closing)

    @property
    def query(self):
        return urlencode({"from": self.span.begin, "to": self.span.end, "by": self.by})


WON_SQLS = {"outcome": "won", "handoff": "accepted"}


def median_words(closing):
    """The median time to close in words; "not reached" while more than half are open."""
    if closing is None:
        return "–"
    days = closing.median and closing.median / dt.timedelta(days=1)
    return "not reached" if closing.median is None else f"{text.rounded(days or 0, 0)} days"


def _lines(row):
    rates = [rate and rate.value for rate in (row.sql_rate, row.opportunity_rate, row.won_rate, row.whole_rate)]
    whole = row.whole_rate
    counts = [getattr(row, name) for _, name, *_ in COUNTS]
    median = row.closing and row.closing.median and row.closing.median / dt.timedelta(days=1)
    for money in row.money or (None,):
        worth = (
            (money.currency, money.total, money.median, money.mean, money.low, money.high) if money else (None,) * 6
        )
        yield (row.key, row.label or "none", *counts, *rates, whole and whole.low, whole and whole.high, *worth,
               row.without_amount, median)  # fmt: skip

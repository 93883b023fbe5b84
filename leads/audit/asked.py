"""What is asked of the audit, and its answer as known at an instant: page, parts, files and paper all read it here.

Where a month is closed, leads.audit.signed gives the same answers out of its frozen record.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from leads import figures, figures_disputes, figures_left_out, figures_pairs, figures_speed, figures_trend
from leads.audit import promises, quality
from leads.audit import scorecard as score
from leads.audit.action_page import actions
from leads.audit.bulk import in_bulk
from leads.audit.disputes import DisputesPart
from leads.audit.fix import candidates
from leads.audit.heat import heat_of
from leads.audit.models import Closing, Sample
from leads.audit.page import Page
from leads.audit.speed import SpeedPart
from leads.audit.trend import TrendPart
from leads.models import Handoff
from leads.periods import Month, Span
from portal.accounts.models import User

MONTHS_SHOWN, SPANS_SHOWN = 12, 8


@dataclass(frozen=True)
class Asked:
    """What is asked for: of which days, on which basis, `by` which dimension, as of when, for whom (None: for all).

    `rows` against `columns`: the pair of dimensions that is set against each other. `closing`: that of the month.
    """

    period: Month | Span
    basis: str
    by: str
    as_of: dt.datetime
    zone: ZoneInfo
    person: User | None
    rows: str = figures_pairs.REASON
    columns: str = "source"
    closing: Closing | None = None

    @property
    def is_signed(self):
        """Whether the answers come out of the frozen record."""
        return False

    @property
    def when(self):
        return {"as_of": self.as_of, "zone": self.zone}

    @property
    def how(self):
        return {"basis": self.basis, **self.when}

    @cached_property
    def series(self):
        """The figures of the periods that end with this one."""
        return figures.series(self.period, MONTHS_SHOWN if isinstance(self.period, Month) else SPANS_SHOWN, **self.how)

    @property
    def last(self):
        return self.series[-1]

    @cached_property
    def cut(self):
        return figures.slices(self.period, self.by, **self.how)

    @cached_property
    def contact(self):
        return figures.first_contact(self.period, **self.when)

    @cached_property
    def page(self):
        """The figures as the page has them."""
        return Page(
            series=self.series, cut=self.cut, contact=self.contact, basis=self.basis, by=self.by, show_all=False,
            **self.when,
        )  # fmt: skip

    @cached_property
    def heat(self):
        """The Heat of the pair; None of a dimension against itself."""
        return heat_of(self.page, self.rows, self.columns)

    @cached_property
    def trend(self):
        return TrendPart(figures_trend.trend(self.series, **self.when), self.basis, self.as_of, self.zone)

    @cached_property
    def speed(self):
        return SpeedPart(self.period, figures_speed.speed(self.period, **self.when))

    @cached_property
    def disputes(self):
        found = figures_disputes.disputes(self.period, **self.how)
        return DisputesPart(self.period, self.basis, self.last.counts, found)

    @cached_property
    def left_out(self):
        return figures_left_out.left_out(self.period, **self.how)

    @cached_property
    def in_bulk(self):
        return in_bulk(self.period, **self.when)

    @cached_property
    def candidates(self):
        """The top reason, or two, each with its fix."""
        return candidates(self.last, **self.how)

    @cached_property
    def card(self):
        return score.scorecard(self.period, **self.when)

    @cached_property
    def people(self):
        """score.Answered of the people whose clocks the person sees."""
        seen = User.objects.all() if self.person is None else promises.people_seen_by(self.person)
        return score.by_person(self.period, people=seen, **self.when)

    @cached_property
    def rejections(self):
        """The month's rejections that the person sees: those that the flags are about."""
        seen = Handoff.objects.all() if self.person is None else Handoff.objects.visible_to(self.person)
        return quality.rejections(self.period, among=seen, **self.when)

    @cached_property
    def flags(self):
        """({flag: quality.Share}, "bad data" that cannot be judged)"""
        return quality.flags_of(self.rejections)

    @cached_property
    def one_reason(self):
        return quality.one_reason(self.rejections)

    @cached_property
    def agreement(self):
        return quality.agreement(self.period)

    @cached_property
    def samples(self):
        return list(Sample.objects.filter(month=self.period.first).select_related("drawn_by"))

    @cached_property
    def actions(self):
        return actions(self.period, **self.when)

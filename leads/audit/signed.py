"""A closed month's answers out of its frozen record: the same whatever happens later; see leads.audit.record."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from leads import figures, figures_pairs, figures_trend
from leads.audit import closing as closings
from leads.audit import plain, plain_work, promises, record
from leads.audit.asked import Asked
from leads.audit.bulk import InBulk
from leads.audit.disputes import DisputesPart
from leads.audit.fix import candidate
from leads.audit.heat import Heat
from leads.audit.models import Closing
from leads.audit.speed import SpeedPart
from leads.audit.trend import TrendPart
from leads.figures import Month
from portal.accounts.permissions import May, may


@dataclass(frozen=True)
class Signed(Asked):
    """As Asked, of a month that is closed and whose whole record was kept; `content` is the signed one."""

    content: dict | None = None

    @property
    def is_signed(self):
        return True

    @property
    def _record(self):
        return self.content["record"]

    @property
    def _here(self):
        return self._record["bases"][self.basis]

    @cached_property
    def series(self):
        return plain.months_of(self._here["series"])

    @cached_property
    def cut(self):
        cuts = self._here["cuts"]
        return figures.Slices(plain.rows_of(cuts[self.by]), plain.rows_of(cuts["source"]), {})

    @cached_property
    def contact(self):
        return plain.contact_of(self._record["contact"])

    @cached_property
    def heat(self):
        if self.rows == self.columns:
            return None
        of_reasons = self.rows in (figures_pairs.REASON, figures_pairs.CATEGORY)
        wanted = figures_pairs.REASON if of_reasons else self.rows, self.columns
        pair = plain.pair_of(next(one for one in self._here["pairs"] if (one["rows"], one["columns"]) == wanted))
        by_category = self.rows == figures_pairs.CATEGORY
        return Heat(figures_pairs.by_category(pair) if by_category else pair, self.period, self.basis)

    @cached_property
    def trend(self):
        began = plain.began_of(self._record["began"])
        return TrendPart(figures_trend.trend_of(self.series, began, **self.when), self.basis, self.as_of, self.zone)

    @cached_property
    def speed(self):
        return SpeedPart(self.period, plain.speed_of(self._record["speed"]))

    @cached_property
    def disputes(self):
        found = plain.disputes_of(self._here["disputes"])
        return DisputesPart(self.period, self.basis, self.last.counts, found)

    @cached_property
    def left_out(self):
        return plain.left_out_of(self._here["left_out"], self.period, self.basis)

    @cached_property
    def in_bulk(self):
        return InBulk(*self._record["in_bulk"])

    @cached_property
    def candidates(self):
        return [
            candidate(
                self.period, self.basis, plain.reason_of(one["reason"]), plain.signs_of(one["signs"]),
                [tuple(each) for each in one["faults"]], one["returns"], plain.proposal_of(one["proposal"]),
            )
            for one in self._here["candidates"]
        ]  # fmt: skip

    @cached_property
    def card(self):
        return plain_work.card_of(self._record["card"])

    @cached_property
    def people(self):
        seen = None
        if not (self.person is None or may(self.person, May.SEE_ALL_HANDOFFS)):
            seen = set(promises.people_seen_by(self.person).values_list("pk", flat=True))
        return plain_work.people_of(self._record["people"], seen)

    @cached_property
    def flags(self):
        return plain_work.flags_of(self._record["flags"])

    @cached_property
    def one_reason(self):
        return plain_work.one_reason_of(self._record["one_reason"])

    @cached_property
    def agreement(self):
        return plain_work.agreement_of(self._record["agreement"])

    @cached_property
    def samples(self):
        return plain_work.samples_of(self._record["samples"])

    @cached_property
    def actions(self):
        return plain_work.actions_of(self._record["actions"])


def answers(period, *, basis, by, as_of, zone, person, **pair):
    """The Asked of a period: a Signed where the month is closed with its whole record. One query, for the closing."""
    closing = Closing.objects.of(period) if isinstance(period, Month) else None
    said = {"basis": basis, "by": by, "person": person, "closing": closing, **pair}
    content = closing and closings.read(closing)
    if content and content.get("format") == record.FORMAT:
        closed_at = dt.datetime.fromisoformat(content["closed_at"])
        return Signed(period, as_of=closed_at, zone=ZoneInfo(content["time_zone"]), content=content, **said)
    return Asked(period, as_of=as_of, zone=zone, **said)

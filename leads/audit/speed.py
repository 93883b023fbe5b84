"""What the audit says of speed: who was contacted when, what became of them, and who kept them waiting."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from leads import figures, figures_speed, selections
from leads.audit.links import Figure
from portal.shared import intervals, speed_charts, text, time

MARKS = (
    (1, "1 min"), (5, "5 min"), (60, "1 h"), (24 * 60, "24 h"), (7 * 24 * 60, "7 days"), (30 * 24 * 60, "30 days"),
)  # fmt: skip
DRAWN = tuple(mark for mark in MARKS if mark[1] != "7 days")  # too near the end for a name of its own
NAMES = {"5min": "≤ 5 min", "1h": "5–60 min", "24h": "1–24 h", "later": "over 24 h", "none": "no contact"}


@dataclass(frozen=True)
class SpeedPart:
    month: figures.Month
    speed: figures_speed.Speed

    @cached_property
    def mqls(self):
        return sum(band.counts.mqls for band in self.speed.bands)

    @property
    def title(self):
        if not self.mqls:
            return f"Marketing delivered no MQLs {self.month.within}"
        fast = self.speed.bands[0].counts.mqls
        share = text.percent(fast / self.mqls, 0)
        of = f"{self.month.its} {text.thousands(self.mqls)} MQLs"
        return f"{text.thousands(fast)} of {of}, {share}, met sales in five minutes"

    @cached_property
    def within_an_hour(self):
        """(Rate of those contacted within the hour, Rate of the others, Change, verdict); None without either."""
        first, rest = self._sum(self.speed.bands[:2]), self._sum(self.speed.bands[2:])
        if not (first.mqls and rest.mqls):
            return None
        change = intervals.newcombe(rest.sqls, rest.mqls, first.sqls, first.mqls)
        return figures.rate(first), figures.rate(rest), change, "noise" if change.is_noise else "real"

    @property
    def bands(self):
        return [
            {
                "name": selections.BANDS[band.key],
                "figures": [
                    (name, self._figure(band, what))
                    for name, what in (
                        ("MQLs", "mqls"), ("SQLs", "sqls"), ("Rejected", "rejected"), ("Undecided", "undecided"),
                    )
                ],
                "share": band.counts.mqls / self.mqls if self.mqls else None,
                "rate": band.rate,
            }
            for band in self.speed.bands
        ]  # fmt: skip

    def _figure(self, band, what):
        filters = figures.counted(what, self.month, figures.COHORT) | {"speed": band.key}
        return Figure.of(getattr(band.counts, what), filters)

    @property
    def chart(self):
        bands = [_waited(band, self._figure(band, "mqls").url) for band in self.speed.bands]
        all_of_them = figures.rate(self._sum(self.speed.bands))
        said = "; ".join(f"{band.name}: {text.thousands(band.n)} leads" for band in bands)
        label = f"Leads by time to the first contact, and the share accepted. {said}."
        return speed_charts.by_wait(bands, label=label, average=all_of_them and all_of_them.value)

    @property
    def curve(self):
        """The share still without a contact by the time since qualification."""
        contact = self.speed.contact

        def still(minutes):
            done, low, high = contact.done_within(dt.timedelta(minutes=minutes))
            return 1 - done, 1 - high, 1 - low

        median = "not reached" if contact.median is None else words_of(contact.median)
        label = f"Share of MQLs still without a contact, by time since qualification. Median: {median}."
        return speed_charts.still_waiting(still, DRAWN, label=label)

    @property
    def curve_rows(self):
        """(time in words, share contacted by then, low, high)"""
        return [(name, *self.speed.contact.done_within(dt.timedelta(minutes=at))) for at, name in MARKS]

    @property
    def waits(self):
        """(what, Wait, median in words, median of those who are done) of the wait in all, for an owner, and by one."""
        rows = (
            ("Until the first contact", self.speed.contact),
            ("Until an owner had it", self.speed.routing),
            ("From then until contact", self.speed.owner),
        )
        return [(name, wait, _median(wait.median), _median(wait.known)) for name, wait in rows if wait.n]

    @property
    def routing_share(self):
        """How much of the time until contact was routing, a share of 1; None where nobody waited."""
        routing, owner = self.speed.shared
        return routing / (routing + owner) if routing + owner else None

    @staticmethod
    def _sum(bands):
        return figures.Counts(*(
            sum(getattr(band.counts, name) for band in bands)
            for name in ("mqls", "sqls", "rejected", "undecided", "withdrawn")
        ))  # fmt: skip


def _waited(band, url):
    rate = band.rate
    if rate is None:
        return speed_charts.Waited(NAMES[band.key], 0, None)
    return speed_charts.Waited(NAMES[band.key], rate.n, rate.value, rate.low, rate.high, url)


def _median(length):
    return "not reached" if length is None else words_of(length)


def words_of(length):
    return time.duration(length) if length else "at once"

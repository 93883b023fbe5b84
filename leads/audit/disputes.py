"""What the audit says of disputes: what became of them, and the rate with and without those still open."""

from dataclasses import dataclass

from leads import figures, figures_disputes
from leads.audit.links import Figure
from portal.shared import text

SHOWN = ("upheld", "overturned", "waiting", "settled")  # the columns, in order


@dataclass(frozen=True)
class DisputesPart:
    """`counts` are the month's, on the page's basis."""

    month: figures.Month
    basis: str
    counts: figures.Counts
    disputes: figures_disputes.Disputes

    @property
    def title(self):
        within, found = self.month.within, self.disputes.all
        if not found.opened:
            return f"Marketing disputed no rejection {within}"
        n, over = found.opened, found.counts["overturned"]
        said = f"Marketing disputed {text.thousands(n)} rejection{'' if n == 1 else 's'} {within}"
        if over:
            return f"{said}: {text.thousands(over)} overturned"
        return f"{said}: none overturned{' so far' if found.counts['waiting'] else ''}"

    @property
    def tables(self):
        """[(name of the first column, [(label, Figures: opened, then by state)])]"""
        return [
            ("Reason", [self._row(one, disputed_reason=one.key) for one in self.disputes.reasons]),
            ("Rejected by", [self._row(one, rejected_by=one.key) for one in self.disputes.reps]),
        ]

    @property
    def all(self):
        return self._row(self.disputes.all)

    def _row(self, one, **which):
        filters = {"disputed_month": self.month, **which}
        counts = {"any": one.opened} | {state: one.counts[state] for state in SHOWN}
        return one.label, [Figure.of(n, {"disputed": state, **filters}) for state, n in counts.items()]

    @property
    def rejected(self):
        return Figure.of(self.counts.rejected, figures.counted("rejected", self.month, self.basis))

    @property
    def open_now(self):
        """The rejections of the month whose dispute waits for a ruling."""
        filters = figures.counted("rejected", self.month, self.basis) | {"dispute": "open"}
        return Figure.of(self.disputes.open_now, filters)

    @property
    def rate(self):
        """With the rejections under dispute: the rate as it stands."""
        return figures.rate(self.counts)

    @property
    def rate_without(self):
        """Without the MQLs whose rejection is under dispute."""
        return figures.rate(
            figures.Counts(mqls=self.counts.mqls - self.disputes.open_mqls, sqls=self.counts.sqls)
        )  # fmt: skip

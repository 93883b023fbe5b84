"""What became of actions: the change of what each was to move, with its interval, and a verdict in three words."""

from dataclasses import dataclass

from leads import figures
from leads.audit.models import ActionRevision
from portal.shared import intervals

WORKED, DID_NOT, CANNOT_TELL = "Worked", "Did not work", "Can’t tell yet"
LONGEST = 24  # months back that an action is still measured


@dataclass(frozen=True)
class Side:
    """One month's `k` of `n`, a share of 1 with Wilson's interval; None without any, or where k exceeds n."""

    month: figures.Month
    k: int
    n: int

    @property
    def share(self):
        return self.k / self.n if self.n else None

    @property
    def ends(self):
        return intervals.wilson(self.k, self.n) if 0 < self.n >= self.k else None


@dataclass(frozen=True)
class Effect:
    """The month of the action against a later one: Newcombe's interval of the change, shares of 1."""

    before: Side
    after: Side
    change: intervals.Change | None
    verdict: str

    @property
    def is_noise(self):
        return self.change is not None and self.change.is_noise


def effects(revisions, month, *, as_of, zone):
    """{action id: Effect} of ActionRevisions of earlier months, as of the figures.Month `month`. One query at most.

    Period basis: SQLs ÷ MQLs, or a reason's share of the rejections decided in each of the two months.
    """
    firsts = [figures.Month(revision.action.month) for revision in revisions]
    if not firsts:
        return {}
    span = min(LONGEST, max(first.until(month) for first in firsts)) + 1
    found = {one.month: one for one in figures.series(month, span, basis=figures.PERIOD, as_of=as_of, zone=zone)}
    over = month.ends(zone) <= as_of
    return {
        revision.action_id: effect(_side(found[first], revision), _side(found[month], revision), revision, over=over)
        for revision, first in zip(revisions, firsts, strict=True)
        if first in found
    }


def effect(before, after, revision, *, over):
    """The Effect between two Sides; only a month that is `over` can tell.

    Worked: the interval lies wholly on the better side. Did not work: even its best end falls short of what was
    expected. Else nobody can tell yet.
    """
    if before.ends is None or after.ends is None:
        return Effect(before, after, None, CANNOT_TELL)
    change = intervals.newcombe(before.k, before.n, after.k, after.n)
    rises = revision.measure == ActionRevision.RATE
    least, most = (change.low, change.high) if rises else (-change.high, -change.low)
    verdict = CANNOT_TELL
    if over:
        verdict = WORKED if least > 0 else DID_NOT if most < float(revision.expected) / 100 else CANNOT_TELL
    return Effect(before, after, change, verdict)


def _side(one, revision):
    if revision.measure == ActionRevision.RATE:
        return Side(one.month, one.counts.sqls, one.counts.mqls)
    given = sum(n for (_, code), n in one.rejections.items() if code == revision.measure)
    return Side(one.month, given, one.rejections.total())

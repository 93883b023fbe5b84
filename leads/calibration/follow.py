"""What came of a proposal after it was in force, month by month beside what it promised; reads only.

Before and after are compared by acceptance of those decided (Newcombe's interval of the difference). Enough was seen
once as many leads were decided as a change of the promised size needs to be shown four times in five
(leads.calibration.power).
"""

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from leads.calibration.forecast import Range
from leads.calibration.history import months_of
from leads.calibration.power import leads_to_judge
from leads.calibration.promises import expected_of
from portal.shared.intervals import Change, newcombe, wilson
from sla.models import SLAVersion

NOT_YET, NO_PROMISE, TOO_FEW, WORKED, WORSE, NO_CHANGE = (
    "not_yet", "no_promise", "too_few", "worked", "worse", "no_change",
)  # fmt: skip
COUNTS = """
SELECT (extract(year FROM local.at) * 100 + extract(month FROM local.at))::int, count(*),
    count(*) FILTER (WHERE h.status = 'accepted' AND h.decided_at <= %(at)s),
    count(*) FILTER (WHERE h.status IN ('accepted', 'rejected') AND h.decided_at <= %(at)s)
FROM leads_handoff h CROSS JOIN LATERAL (SELECT h.qualified_at AT TIME ZONE %(zone)s AS at) local
WHERE h.qualified_at >= %(since)s AND h.qualified_at < %(until)s AND NOT h.exploration AND NOT h.is_historical
    AND (%(definition)s::bigint IS NULL OR h.definition_id = %(definition)s) GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class Month:
    """A month under the definition: MQLs, `accepted` of those decided, and what was promised of so many."""

    number: int
    mqls: int
    accepted: int
    decided: int
    is_over: bool
    promised: Range | None
    promised_mqls: Range | None

    @property
    def first(self):
        return dt.date(self.number // 100, self.number % 100, 1)

    @property
    def rate(self):
        return self.accepted / self.decided if self.decided else None

    @property
    def ends(self):
        return wilson(self.accepted, self.decided) if self.decided else (0.0, 1.0)

    @property
    def is_kept(self):
        return self.promised is None or self.rate is None or self.promised.holds(self.rate)

    @property
    def is_volume_kept(self):
        return self.promised_mqls is None or not self.is_over or self.promised_mqls.holds(self.mqls)


@dataclass(frozen=True)
class Followed:
    """A proposal since `begins_at` (None: not in force yet). before, after: (accepted, decided); before: in the year
    until then, or until now. needed: decided leads until a change of the promised size would show; None where no
    number would do. verdict: of the constants."""

    begins_at: dt.datetime | None
    months: tuple[Month, ...]
    before: tuple[int, int]
    after: tuple[int, int]
    needed: int | None
    change: Change | None
    verdict: str


def followed(proposal, *, at):
    """The Followed of a Proposal at an instant."""
    version = SLAVersion.objects.begun(at=at).filter(definition=proposal.definition_id).order_by("begins_at").first()
    promise, begins = proposal.promise, version.begins_at if version else at
    before = _year_until(begins, at)
    needed = _needed(promise, before)
    if version is None:
        return Followed(None, (), before, (0, 0), needed, None, NOT_YET)
    months = tuple(_month(row, promise, begins, at) for row in _counts(begins, at, at, proposal.definition_id))
    after = sum(month.accepted for month in months), sum(month.decided for month in months)
    if not promise or not before[1]:
        return Followed(begins, months, before, after, None, None, NO_PROMISE)
    change = newcombe(*before, *after) if after[1] else None
    return Followed(begins, months, before, after, needed, change, _verdict(needed, after[1], change))


def _year_until(begins, at):
    """(accepted, decided) of what was handed over in the year before."""
    rows = _counts(begins - dt.timedelta(days=365), begins, at, None)
    return tuple(sum(row[place] for row in rows) for place in (2, 3))


def _needed(promise, before):
    accepted, decided = before
    if not promise or not decided:
        return None
    return leads_to_judge(accepted / decided, promise["k"] / promise["n"], decided)


def _verdict(needed, decided, change):
    """Only once enough was seen: whoever judges at every look finds a change that is none sooner or later."""
    if needed is None or decided < needed:
        return TOO_FEW
    return NO_CHANGE if change.is_noise else WORKED if change.low > 0 else WORSE


def _counts(since, until, at, definition):
    """[(month, MQLs, accepted, decided), …] of handoffs qualified in [since, until), as known at `at`."""
    zone = timezone.get_default_timezone_name()
    params = {"since": since, "until": until, "at": at, "definition": definition, "zone": zone}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, params)
        return cursor.fetchall()


def _month(row, promise, begins, at):
    number, mqls, accepted, decided = row
    zone = timezone.get_default_timezone()
    whole = dt.datetime(number // 100, number % 100, 1, tzinfo=zone) >= begins
    following = months_of(number, number + 100)[1]
    is_over = whole and dt.datetime(following // 100, following % 100, 1, tzinfo=zone) <= at
    volume = Range(*promise["mqls"]) if promise and is_over else None
    rate = expected_of(promise, decided) if promise and decided else None
    return Month(number, mqls, accepted, decided, is_over, rate, volume)

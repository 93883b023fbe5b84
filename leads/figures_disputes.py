"""Disputes of a month's rejections: opened, upheld, overturned, waiting; by reason and by rep. It only reads.

A dispute belongs to the month in which it was opened. As of a cut-off: a ruling that came later counts as not yet
given; a rejection that was taken back without a ruling leaves its dispute `settled`, with nothing left to rule on.
"""

from collections import Counter
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from leads import figures
from leads.models import Dispute, Ruling
from portal.shared import intervals

STATES = ("waiting", "upheld", "overturned", "settled")


@dataclass(frozen=True)
class Disputed:
    """Disputes of one kind: of a reason, of a rep, or all; `key` selects them, `label` is for people."""

    key: str
    label: str
    counts: Counter

    @property
    def opened(self):
        return self.counts.total()

    @property
    def overturned_share(self):
        """(share, low, high, n) of the rulings that overturned; None where nothing was ruled."""
        n = self.counts["upheld"] + self.counts["overturned"]
        if not n:
            return None
        k = self.counts["overturned"]
        return k / n, *intervals.wilson(k, n), n


@dataclass(frozen=True)
class Disputes:
    """One month's disputes in all and by reason and rep.

    `open_now` of the month's rejections wait for a ruling; `open_mqls` of its MQLs are such rejections.
    """

    all: Disputed
    reasons: tuple[Disputed, ...]
    reps: tuple[Disputed, ...]
    open_now: int
    open_mqls: int


DISPUTES = """
SELECT CASE WHEN r.ruled_at <= %(as_of)s THEN r.outcome WHEN later.id IS NOT NULL THEN 'settled' ELSE 'waiting' END,
    c.category, c.code, c.label, d.decided_by_id, COALESCE(u.name, ''), count(*)
FROM leads_dispute p JOIN leads_decision d ON d.id = p.decision_id JOIN sla_reasoncode c ON c.id = d.reason_id
JOIN leads_handoff h ON h.id = d.handoff_id AND NOT h.exploration
LEFT JOIN accounts_user u ON u.id = d.decided_by_id
LEFT JOIN leads_ruling r ON r.dispute_id = p.id
LEFT JOIN leads_decision later ON later.supersedes_id = d.id AND later.recorded_at <= %(as_of)s
WHERE p.disputed_at >= %(start)s AND p.disputed_at < %(end)s AND p.disputed_at <= %(as_of)s
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 2, 3
"""


def disputes(month, *, basis, as_of, zone):
    """The month's Disputes. Three queries."""
    params = {"start": month.begins(zone), "end": month.ends(zone), "as_of": as_of}
    with connection.cursor() as cursor:
        cursor.execute(DISPUTES, params)
        rows = cursor.fetchall()
    total, reasons, reps, labels = Counter(), {}, {}, {}
    for state, category, code, label, rep, name, n in rows:
        total[state] += n
        reasons.setdefault((category, code), Counter())[state] += n
        reps.setdefault(rep, Counter())[state] += n
        labels[category, code], labels[rep] = label, name
    among = {"period": figures.counted("rejected", month, basis), "mqls": {"qualified_month": month}}
    waiting = {
        side: under_dispute(
            figures.rows(filters | {"status": "rejected"}, as_of=as_of, zone=zone), as_of=as_of
        ).count()
        for side, filters in among.items()
    }
    return Disputes(
        Disputed("", "All", total),
        _most_first(Disputed(code, labels[category, code], c) for (category, code), c in reasons.items()),
        _most_first(Disputed("" if rep is None else str(rep), labels[rep], c) for rep, c in reps.items()),
        waiting["period"],
        waiting["mqls"],
    )


def under_dispute(query, *, as_of):
    """Of a queryset of rejected handoffs those whose rejection waits for a ruling at the cut-off."""
    return query.filter(standing_decision__dispute__disputed_at__lte=as_of).exclude(
        standing_decision__dispute__ruling__ruled_at__lte=as_of
    )


def among(query, filters, *, as_of, zone):
    """Of a queryset of handoffs those of which a rejection was disputed, with what came of it by the cut-off.

    filters: `disputed` (one of STATES, or "any" as without it), `disputed_month` (a Month or Span of `zone`),
    `disputed_reason` (a code), `rejected_by` (an id; "" for an import).
    """
    found = Dispute.objects.filter(decision__handoff=OuterRef("pk"), disputed_at__lte=as_of)
    if month := filters.get("disputed_month"):
        found = found.filter(disputed_at__gte=month.begins(zone), disputed_at__lt=month.ends(zone))
    if code := filters.get("disputed_reason"):
        found = found.filter(decision__reason__code=code)
    if (person := filters.get("rejected_by")) is not None:
        found = found.filter(decision__decided_by=person or None)
    return query.filter(Exists(_came_to(found, filters.get("disputed", "any"), as_of)))


def _came_to(disputes, state, as_of):
    ruled, later = Q(ruling__ruled_at__lte=as_of), Q(decision__superseded_by__recorded_at__lte=as_of)
    if state in Ruling.Outcome.values:
        return disputes.filter(ruled, ruling__outcome=state)
    if state == "any":
        return disputes
    open_ = disputes.exclude(ruled)
    return open_.filter(later) if state == "settled" else open_.exclude(later)


def _most_first(found):
    return tuple(sorted(found, key=lambda each: (-each.opened, each.label, each.key)))

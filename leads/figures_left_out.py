"""What a month's figures leave out or count elsewhere: how many leads of each kind, and filters that list them."""

from dataclasses import dataclass

from django.db import connection

from leads import figures
from leads.figures import DECIDED, PERIOD, QUALIFIED, STATUS
from leads.models import Decision

WITHDRAWN, APART, AMENDED, IMPORTED, EXPLORED = "withdrawn", "apart", "amended", "imported", "exploration"


@dataclass(frozen=True)
class LeftOut:
    """`n` leads of one kind; `filters` (see leads.views.leads) select exactly these."""

    kind: str
    n: int
    filters: dict


OTHER = "h.decided_at <= %(as_of)s AND NOT (h.decided_at >= %(start)s AND h.decided_at < %(end)s)"
LEFT_OUT = f"""
SELECT count(*) FILTER (WHERE {STATUS} = 'withdrawn'), count(*) FILTER (WHERE h.is_historical),
    count(*) FILTER (WHERE {OTHER}),
    (SELECT count(*) FROM leads_handoff h WHERE {DECIDED} AND NOT ({QUALIFIED})),
    (SELECT count(DISTINCT d.handoff_id) FROM leads_decision d JOIN leads_handoff x ON x.id = d.handoff_id
        WHERE d.supersedes_id IS NOT NULL AND NOT x.exploration
        AND d.decided_at >= %(start)s AND d.decided_at < %(end)s AND d.decided_at <= %(as_of)s),
    (SELECT count(*) FROM leads_handoff x WHERE x.qualified_at >= %(start)s AND x.qualified_at < %(end)s
        AND x.qualified_at <= %(as_of)s AND x.exploration)
FROM leads_handoff h WHERE {QUALIFIED}
"""


def left_out(month, *, basis, as_of, zone):
    """The LeftOuts of a month on one basis, each kind that there is. One query, over the month's rows alone.

    apart: decided in another month than delivered; on the period basis of the month's MQLs, else of its decisions.
    amended: a decision was taken back or replaced in the month; only the one that stands counts.
    exploration: handed over below the threshold, by the agreement's exploration; in no figure at all.
    imported: of the month's MQLs, history that counts here, and in nothing about clocks, promises or routing.
    """
    span = {"start": month.begins(zone), "end": month.ends(zone), "as_of": as_of}
    with connection.cursor() as cursor:
        cursor.execute(LEFT_OUT, span)
        withdrawn, imported, later, earlier, amended, explored = cursor.fetchone()
    apart = later if basis == PERIOD else earlier
    found = {WITHDRAWN: withdrawn, APART: apart, AMENDED: amended, EXPLORED: explored, IMPORTED: imported}
    return tuple(LeftOut(kind, n, filters_of(kind, month, basis)) for kind, n in found.items() if n)


def filters_of(kind, month, basis):
    """The filters (see leads.views.leads) that select exactly the leads of a kind."""
    side = "qualified_month" if basis == PERIOD else "decided_month"
    return {
        WITHDRAWN: figures.counted("withdrawn", month, basis),
        APART: {side: month, "apart": "yes"},
        AMENDED: {"amended_month": month},
        EXPLORED: {"qualified_month": month, "exploration": "yes"},
        IMPORTED: {"qualified_month": month, "imported": "yes"},
    }[kind]


def amended_in(query, month, *, as_of, zone):
    """Of a queryset of handoffs those with a decision that was taken back or replaced in the month."""
    amending = Decision.objects.filter(
        supersedes__isnull=False, decided_at__gte=month.begins(zone), decided_at__lt=month.ends(zone),
        decided_at__lte=as_of,
    )  # fmt: skip
    return query.filter(pk__in=amending.values("handoff"))


def decided_apart(query, filters, *, as_of, zone):
    """Of a queryset of handoffs of one month, delivered or decided, those of which the other lies in another month."""
    for side, other in (("qualified_month", "decided_at"), ("decided_month", "qualified_at")):
        if month := filters.get(side):
            query = query.filter(decided_at__lte=as_of).exclude(
                **{f"{other}__gte": month.begins(zone), f"{other}__lt": month.ends(zone)}
            )
    return query

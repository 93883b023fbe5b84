"""How much of a month was done in bulk: counted beside the figures, which do not care how a decision came in."""

from dataclasses import dataclass

from django.db import connection

DONE = """
    SELECT (SELECT count(*) FROM leads_decision d WHERE d.via = 'bulk' AND d.outcome <> 'open'
            AND d.decided_at >= %(start)s AND d.decided_at < %(end)s AND d.recorded_at <= %(as_of)s),
        (SELECT count(*) FROM leads_touch t WHERE t.via = 'bulk'
            AND t.occurred_at >= %(start)s AND t.occurred_at < %(end)s AND t.recorded_at <= %(as_of)s)
"""


@dataclass(frozen=True)
class InBulk:
    """Decisions (undone ones too) and contacts that were made with several leads at once."""

    decisions: int
    contacts: int

    def __bool__(self):
        return bool(self.decisions or self.contacts)


def in_bulk(month, *, as_of, zone):
    """InBulk of a month in `zone`, as known at `as_of`; one query, over the bulk acts of the month alone."""
    with connection.cursor() as cursor:
        cursor.execute(DONE, {"start": month.begins(zone), "end": month.ends(zone), "as_of": as_of})
        return InBulk(*cursor.fetchone())

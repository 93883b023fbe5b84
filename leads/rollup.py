"""What the figures read instead of counting handoffs: the roll-up plus what was not folded yet, in one statement.

It answers for an instant after which nothing is known to have happened, so for now; every other cut, and a zone in
which it was not built, counts the handoffs themselves. The two are equal: `manage.py rollups --verify` recounts.
"""

from django.db import connection

from leads.models.rollup import AS_DELTA

# the dimensions that it knows; along others the handoffs are counted
DIMENSIONS = ("source", "campaign", "channel", "owner", "tier", "definition")
CELL = "dimension, first, decided, key, status, reason_id"

# One delta counts once by its day of qualification and once by that of its decision, in each dimension. The types are
# those of leads_rollup: a condition on what is read of both then reaches its index.
SPREAD = """
    SELECT x.dimension, x.first, s.decided, x.key, d.status, CASE WHEN x.by_reason THEN d.reason_id END AS reason_id,
        sum(d.n)::bigint AS n
    FROM {deltas} d
    CROSS JOIN LATERAL (VALUES (false, d.qualified_day), (true, d.decided_day)) s(decided, day)
    CROSS JOIN LATERAL (SELECT date_trunc('month', s.day::timestamp)::date AS month) m
    CROSS JOIN LATERAL (VALUES
        ('day'::varchar, s.day, ''::varchar, true), ('all', m.month, '', true), ('source', m.month, d.source, true),
        ('campaign', m.month, d.campaign, false), ('channel', m.month, d.channel, false),
        ('owner', m.month, COALESCE(d.owner_id::varchar, ''), false),
        ('tier', m.month, COALESCE(d.tier_id::varchar, ''), false),
        ('definition', m.month, d.definition_id::varchar, false)
    ) x(dimension, first, key, by_reason)
    WHERE s.day IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6
"""
# Handoffs as one delta: what a roll-up in %(zone)s adds up.
HANDOFFS = f"""(
    SELECT {AS_DELTA}, count(*) AS n FROM leads_handoff, (SELECT %(zone)s::text AS zone) z
    WHERE NOT exploration GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
)"""
# Folded or not: the same cell may come twice, so what is read of it is summed.
STANDING = f"(SELECT {CELL}, n FROM leads_rollup UNION ALL {SPREAD.format(deltas='leads_rollupdelta')})"

# Whether the roll-up may answer: built in this zone, and nothing lies after the cut. A plan with it runs one side.
KEPT = "EXISTS (SELECT FROM leads_rollupstate WHERE zone = %(zone)s)"
USABLE = f"""usable AS MATERIALIZED (
    SELECT {KEPT} AND %(rolled_up)s
        AND NOT EXISTS (SELECT FROM leads_handoff WHERE qualified_at > %(as_of)s)
        AND NOT EXISTS (SELECT FROM leads_handoff WHERE decided_at > %(as_of)s)
        AND NOT EXISTS (SELECT FROM leads_handoff WHERE withdrawn_at > %(as_of)s) AS yes
)"""
YES, NO = "(SELECT yes FROM usable)", "NOT (SELECT yes FROM usable)"

# The first contact of a month is worked out from its handoffs, and known until one of them changes.
CONTACT_KNOWN = f"""known AS MATERIALIZED (
    SELECT median, n, within_5_min FROM leads_rollupcontact
    WHERE first = %(first)s AND as_of <= %(as_of)s AND %(rolled_up)s AND {KEPT} AND NOT EXISTS (
        SELECT FROM leads_rollupdelta WHERE qualified_day >= %(first)s AND qualified_day < %(next)s)
)"""

DIFFERENCES = f"""
SELECT {CELL}, COALESCE(sum(n) FILTER (WHERE raw), 0)::bigint, COALESCE(sum(n) FILTER (WHERE NOT raw), 0)::bigint
FROM (
    SELECT true AS raw, c.* FROM ({SPREAD.format(deltas=HANDOFFS)}) c
    UNION ALL SELECT false, s.* FROM {STANDING} s
) both_sides
GROUP BY {CELL}
HAVING COALESCE(sum(n) FILTER (WHERE raw), 0) <> COALESCE(sum(n) FILTER (WHERE NOT raw), 0) ORDER BY {CELL}
"""


def zone_kept():
    """The name of the zone that the roll-up is kept in; None where it is not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT zone FROM leads_rollupstate")
        found = cursor.fetchone()
    return found and found[0]


def differences(*, zone):
    """Cells that are not what the handoffs add up to in `zone`: (*CELL, handoffs, kept). One statement."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES, {"zone": str(zone)})
        return cursor.fetchall()

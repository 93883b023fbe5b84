"""The audit's questions and its page, beside a round trip to the database and the same five questions as plain SQL."""

import statistics
import time
from contextlib import contextmanager

from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from leads import figures
from leads.services.rollup import keep_rollup, rebuild_rollup
from portal.accounts.models import Role, User
from sla.models import SLAVersion
from sla.starter import draft_version

MONTHS = 13

FILL = """
WITH reasons AS (SELECT array_agg(id) AS ids FROM sla_reasoncode WHERE version_id = %(version)s),
owners AS (SELECT array_agg(id) AS ids FROM accounts_user WHERE name LIKE 'Bench rep%%'),
people AS (
    INSERT INTO leads_lead (first_name, last_name, company, email, phone, title, domain, industry, country, region,
        product, source, campaign, channel, attributes, created_at, updated_at)
    SELECT 'Bench', i::text, 'Company ' || i, 'bench' || i || '@example.com', '', '', '', '', '', '', '', '', '', '',
        '{}', %(start)s, %(start)s FROM generate_series(1, %(rows)s) i
    RETURNING id
), dated AS (
    SELECT id, row_number() OVER (ORDER BY id) AS i,
        %(start)s::timestamptz + (%(end)s::timestamptz - %(start)s::timestamptz) * random() AS at, random() AS fate
    FROM people
)
INSERT INTO leads_handoff (lead_id, definition_id, sla_version_id, source, campaign, channel, qualified_at,
    recorded_at, is_historical, owner_id, first_touch_at, status, decided_at, reason_id, withdrawn_why, breakdown,
    standing_decision_id)
SELECT id, %(definition)s, %(version)s, 'Source ' || i %% 7, 'Campaign ' || i %% 20, 'Channel ' || i %% 4, at, at,
    true,
    owners.ids[1 + i %% 12], CASE WHEN i %% 10 < 8 THEN at + interval '20 hours' * random() END,
    CASE WHEN fate < 0.22 THEN 'accepted' WHEN fate < 0.95 THEN 'rejected' ELSE 'open' END,
    CASE WHEN fate < 0.95 THEN at + interval '6 days' * random() END,
    CASE WHEN fate >= 0.22 AND fate < 0.95 THEN reasons.ids[1 + (i * 7 + i / 3) %% cardinality(reasons.ids)] END,
    '', jsonb_build_object('bench', true, 'rules', repeat('a rule that fired or not. ', 40)), id
FROM dated, reasons, owners
"""

FLOOR = (
    "SELECT reason_id, status, count(*) FROM leads_handoff WHERE qualified_at >= %(start)s AND qualified_at < %(end)s"
    " GROUP BY 1, 2",
    "SELECT source, reason_id, count(*) FROM leads_handoff WHERE decided_at >= %(start)s AND decided_at < %(end)s"
    " GROUP BY 1, 2",
    "SELECT percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY first_touch_at - qualified_at) FROM leads_handoff"
    " WHERE qualified_at >= %(start)s AND qualified_at < %(end)s",
    "SELECT owner_id, status, count(*) FROM leads_handoff WHERE qualified_at >= %(start)s AND qualified_at < %(end)s"
    " GROUP BY 1, 2",
    "SELECT date_trunc('month', decided_at), status, reason_id, count(*) FROM leads_handoff"
    " WHERE decided_at >= %(year)s AND decided_at < %(end)s GROUP BY 1, 2, 3",
)


def run(rows):
    """Rows (what, product, floor, ratio, target) for `rows` handoffs over 13 months; what was filled in is removed."""
    zone, now = timezone.get_default_timezone(), timezone.now()
    month = figures.Month.of(now, zone).plus(-1)
    fill(rows, month, zone, now)
    try:
        counted = median(lambda: questions(month, zone, now), 5)
        built = roll_up(zone, now)
        table = measure(rows, month, zone, now)
        table.append((f"audit: SQL of the page, counted from {rows:,} handoffs", in_words(counted), "–", "–", "–"))
        table.append((f"audit: the roll-up of {rows:,} handoffs built", in_words(built), "–", "–", "–"))
        return table
    finally:
        clear()
        rebuild_rollup(at=now, zone=zone)


def measure(rows, month, zone, now):
    sql = median(lambda: questions(month, zone, now))
    one = median(lambda: ask("SELECT 1"), 200)
    span = {"start": month.begins(zone), "end": month.ends(zone), "year": month.plus(-11).begins(zone)}
    plain = median(lambda: [ask(query, span) for query in FLOOR])
    browser = Client()
    browser.force_login(User.objects.get(email="bench.leader@example.com"))
    page = median(lambda: browser.get(f"/audit/{month}/").content, 15)
    hello = median(lambda: browser.get("/healthz").content, 50)
    return [
        line(f"audit: SQL of the page, {rows:,} handoffs, beside SELECT 1", sql, one, "≤ 100 ×"),
        line("audit: SQL of the page beside five plain queries", sql, plain, "≤ 2 ×"),
        line("audit: page by HTTP beside its SQL and a bare view", page, sql + hello + one, "≤ 4 ×"),
    ]


def fill(rows, month, zone, now):
    """Invented history, set down past the triggers: this measures reading."""
    User.objects.create_user("bench.leader@example.com", None, name="Bench leader", roles=[Role.MARKETING_LEADER])
    User.objects.bulk_create(User(name=f"Bench rep {i}", is_active=False, roles=[Role.REP]) for i in range(12))
    version = SLAVersion.objects.first() or draft_version(by=None, at=now)
    with past_the_triggers() as cursor:
        cursor.execute(
            FILL,
            {
                "rows": rows, "version": version.pk, "definition": version.definition_id,
                "start": month.plus(1 - MONTHS).begins(zone), "end": month.ends(zone),
            },
        )  # fmt: skip
    ask_nothing("VACUUM ANALYZE leads_handoff")  # as autovacuum does: the index alone then answers


def roll_up(zone, now):
    """As the worker does; returns how long the build took, in which nobody records facts."""
    start = time.perf_counter()
    if not rebuild_rollup(at=now, zone=zone):
        raise RuntimeError("Somebody else writes handoffs in this database.")
    took = time.perf_counter() - start
    for _ in range(MONTHS):
        keep_rollup(at=now, zone=zone)
    ask_nothing("VACUUM ANALYZE leads_rollup")
    return took


def clear():
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM leads_handoff WHERE breakdown ? 'bench'")
        cursor.execute("DELETE FROM leads_lead WHERE email LIKE 'bench%@example.com'")
    User.objects.filter(name__startswith="Bench ").delete()


@contextmanager
def past_the_triggers():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor


def ask_nothing(command):
    with connection.cursor() as cursor:
        cursor.execute(command)


def questions(month, zone, now):
    """What the page asks, without its words."""
    figures.months_with_data(as_of=now, zone=zone)
    figures.series(month, 12, basis=figures.PERIOD, as_of=now, zone=zone)
    figures.slices(month, "owner", basis=figures.PERIOD, as_of=now, zone=zone)
    figures.first_contact(month, as_of=now, zone=zone)


def ask(query, params=None):
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def median(work, times=15):
    """Seconds of wall time of one call, the middle one of `times`."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def line(what, product, floor, target):
    return what, in_words(product), in_words(floor), f"{product / floor:.1f} ×", target


def in_words(seconds):
    return f"{seconds * 1e3:.2f} ms"

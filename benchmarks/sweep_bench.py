"""The sweep of due clocks beside the same rows written by plain SQL, in turns; and what an idle sweep costs."""

import datetime as dt
import json
import statistics
import time

from django.db import connection, transaction
from django.utils import timezone

from benchmarks import pages_bench
from leads import escalation
from leads.models import Handoff
from leads.services.sweep import sweep_clocks
from portal.accounts.models import Role, User
from sla.models import EscalationStep

BATCH, TURNS, IDLE_TURNS = 1000, 7, 200
HELD = """
INSERT INTO leads_assignment (handoff_id, owner_id, assigned_at, recorded_at, why)
SELECT h.id, h.owner_id, h.qualified_at, h.recorded_at, 'Page' FROM leads_handoff h WHERE h.lead_id IN ({leads})
"""
WATCHED = """
INSERT INTO leads_watch (handoff_id, next_at)
SELECT h.id, NULL FROM leads_handoff h WHERE h.lead_id IN ({leads}) ORDER BY h.id LIMIT %s
ON CONFLICT (handoff_id) DO UPDATE SET next_at = NULL
"""
# one clock of each open lead ran out; what a sweep wrote before is taken away
DUE = """
UPDATE leads_watch w SET plan = %s, next_at = %s FROM leads_handoff h
WHERE h.id = w.handoff_id AND h.status = 'open' AND h.lead_id IN ({leads})
"""
RESET = (
    "DELETE FROM leads_breach",
    "DELETE FROM leads_escalation",
    "DELETE FROM outbox_message WHERE topic LIKE 'clock.%'",
    # every contact clock ran out
    "UPDATE leads_handoff SET contact_due_at = qualified_at WHERE status = 'open' AND lead_id IN ({leads})",
)
# the floor: lock, breach, step taken, fact told, next look: each batch one statement
FLOOR = """
WITH due AS (
    SELECT w.handoff_id, h.contact_due_at AS due_at, h.owner_id, h.sla_version_id
    FROM leads_watch w JOIN leads_handoff h ON h.id = w.handoff_id
    WHERE w.next_at <= %(at)s ORDER BY w.next_at, w.handoff_id LIMIT %(batch)s FOR UPDATE OF w, h SKIP LOCKED
), breach AS (
    INSERT INTO leads_breach (handoff_id, clock, due_at, owner_id, sla_version_id, recorded_at)
    SELECT handoff_id, 'contact', due_at, owner_id, sla_version_id, %(at)s FROM due ON CONFLICT DO NOTHING
), step AS (
    INSERT INTO leads_escalation (handoff_id, clock, step_id, due_at, taken_at)
    SELECT handoff_id, 'contact', %(step)s, due_at, %(at)s FROM due ON CONFLICT DO NOTHING
), told AS (
    INSERT INTO outbox_message (topic, key, payload, created_at, next_attempt_at, attempts, last_error)
    SELECT 'clock.ran_out', 'clock.ran_out:' || handoff_id, jsonb_build_object('handoff', handoff_id), %(at)s, %(at)s,
        0, '' FROM due ON CONFLICT DO NOTHING
)
UPDATE leads_watch w SET next_at = %(next)s, plan = %(later)s FROM due WHERE w.handoff_id = due.handoff_id
"""


def run(rows):
    """[(what, product, floor, ratio, target)] with `rows` handoffs watched, of which some thousands are overdue."""
    pages_bench.fill(rows)
    _past_the_triggers([HELD])
    try:
        return [*idle(rows), due()]
    finally:
        _past_the_triggers(
            [*RESET, "DELETE FROM leads_watch", "DELETE FROM leads_assignment WHERE handoff_id IN "
             "(SELECT id FROM leads_handoff WHERE lead_id IN ({leads}))"]
        )  # fmt: skip
        pages_bench.empty()


def idle(rows):
    """An idle sweep over a tenth of the rows, and over all of them."""
    few = _idle_over(rows // 10)
    many = _idle_over(rows)
    what = f"sweep: idle over {rows:,} beside {rows // 10:,} handoffs"
    yield what, f"{many * 1e3:.2f} ms", f"{few * 1e3:.2f} ms", f"{many / few:.2f}", "≤ 1.5"


def _idle_over(rows):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM leads_watch")
        cursor.execute(WATCHED.replace("{leads}", pages_bench.LEADS.replace("%", "%%")), [rows])
        cursor.execute("VACUUM ANALYZE leads_watch")
    at = timezone.now()
    sweep_clocks(at=at)
    return statistics.median(_seconds(lambda: sweep_clocks(at=at)) for _ in range(IDLE_TURNS))


def due():
    """Rows a second, in batches of a thousand, of the product and of plain SQL."""
    at, count = timezone.now() + dt.timedelta(minutes=1), Handoff.objects.in_inbox().count()
    User.objects.get_or_create(
        email="page.manager@example.com", defaults={"name": "Page manager", "roles": [Role.SALES_MANAGER]}
    )
    step = EscalationStep.objects.filter(clock="contact", kind=escalation.TELL_MANAGER).first()
    now = [[escalation.instant(at) - 60_000_000, "contact", step_id] for step_id in (escalation.RAN_OUT, step.pk)]
    later = [[escalation.instant(at) + 86_400_000_000, "decision", escalation.RAN_OUT]]
    floor = {"at": at, "batch": BATCH, "step": step.pk, "next": at + dt.timedelta(days=1), "later": json.dumps(later)}
    pairs = []
    for _ in range(TURNS):
        _make_due(json.dumps(now + later), at)
        product = _seconds(lambda: sweep_clocks(at=at, batch=BATCH))
        _make_due(json.dumps(now + later), at)
        pairs.append((product, _seconds(lambda: _floor(floor))))
    product, plain = map(statistics.median, zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    what = f"sweep: {count:,} clocks that ran out, batches of {BATCH:,}"
    return what, f"{count / product:,.0f} rows/s", f"{count / plain:,.0f} rows/s", f"{ratio:.2f}", "≥ 0.5"


def _floor(params):
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FLOOR, params)
            if cursor.rowcount < BATCH:
                return


def _make_due(plan, at):
    _past_the_triggers(RESET)
    with connection.cursor() as cursor:
        cursor.execute(DUE.replace("{leads}", pages_bench.LEADS.replace("%", "%%")), [plan, at])
        cursor.execute("VACUUM ANALYZE leads_watch, leads_breach, leads_escalation, outbox_message")


def _past_the_triggers(statements):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement.replace("{leads}", pages_bench.LEADS))


def _seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

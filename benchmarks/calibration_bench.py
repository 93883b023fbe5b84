"""A calibration over 200,000 handoffs × 40 rules, in a process of its own as the worker runs it: seconds and memory.

The floor is one look at the data: the product of the activations with themselves, once. Memory is the most that the
process ever held, Python, Django and numpy included. Of the whole job it tells beside how much was its own work on the
processor; the rest is the database's.
"""

import json
import os
import subprocess
import sys

MINE = "email LIKE 'calibration%@example.com'"
LEADS = f"SELECT id FROM leads_lead WHERE {MINE}"
HANDOFFS, RULES, EVENTS_A_LEAD = 200_000, 40, 2
FILL = """
WITH people AS (
    INSERT INTO leads_lead (first_name, last_name, company, email, phone, title, domain, industry, country, region,
        product, source, campaign, channel, employees, attributes, created_at, updated_at)
    SELECT 'Bench', i::text, 'Company ' || i, 'calibration' || i || '@example.com', '', 'Title ' || i %% 13, '',
        'Industry ' || i %% 7, 'Country ' || i %% 5, '', '', 'Source ' || i %% 9, 'Campaign', '', 10 + i %% 6000,
        jsonb_build_object('Seats', i %% 400, 'City', 'City ' || i %% 11), t.at, t.at
    FROM generate_series(1, %(rows)s) i, LATERAL (
        SELECT now() - interval '1 minute' * (i * 7919 %% 1008000) AS at) t
    RETURNING id, created_at
), events AS (
    INSERT INTO leads_event (lead_id, kind, occurred_at, recorded_at, origin, properties, suspected_by)
    SELECT id, (ARRAY['guide_downloaded', 'webinar_attended', 'email_clicked', 'pricing_viewed'])[1 + (id + n) %% 4],
        created_at - interval '20 days' * random(), created_at, 'calibration-bench', '{}', ''
    FROM people, generate_series(1, %(events)s) n
), decided AS (
    SELECT p.id AS lead_id, p.created_at AS at, v.definition_id, v.id AS version_id, s.status,
        nextval(pg_get_serial_sequence('leads_handoff', 'id')) AS handoff_id,
        nextval(pg_get_serial_sequence('leads_decision', 'id')) AS decision_id,
        CASE WHEN s.status = 'rejected' THEN (
            SELECT min(id) FROM sla_reasoncode WHERE version_id = v.id AND category = 'scoring') END AS reason_id
    FROM people p, (SELECT id, definition_id FROM sla_slaversion ORDER BY number LIMIT 1) v, LATERAL (
        SELECT CASE WHEN random() < 0.2 + 0.3 * (p.id %% 7 = 0)::int + 0.2 * (p.id %% 5 = 0)::int
            THEN 'accepted' ELSE 'rejected' END AS status) s
), decisions AS (
    INSERT INTO leads_decision (id, handoff_id, outcome, reason_id, attribute, field, signal, note, decided_at,
        recorded_at, via)
    SELECT decision_id, handoff_id, status, reason_id, '', '', '', '', at, at, 'import' FROM decided
)
INSERT INTO leads_handoff (id, lead_id, definition_id, sla_version_id, source, campaign, channel, industry,
    qualified_at, recorded_at, is_historical, status, standing_decision_id, decided_at, reason_id, withdrawn_why)
SELECT handoff_id, lead_id, definition_id, version_id, '', '', '', '', at, at, true, status, decision_id, at,
    reason_id, ''
FROM decided
"""


def run(_rows):
    """Rows (what, product, floor, ratio, target); what was filled in goes again."""
    from django.conf import settings
    from django.utils import timezone

    from benchmarks.backtest_bench import past_the_triggers
    from sla.models import SLAVersion
    from sla.starter import draft_version

    SLAVersion.objects.first() or draft_version(by=None, at=timezone.now())
    with past_the_triggers() as cursor:
        cursor.execute(FILL, {"rows": HANDOFFS, "events": EVENTS_A_LEAD})
    try:
        found = _in_a_process_of_its_own(settings)
    finally:
        with past_the_triggers() as cursor:
            for table, which in (
                ("calibration_calibration", "seed = 'bench'"),
                ("leads_decision", f"handoff_id IN (SELECT id FROM leads_handoff WHERE lead_id IN ({LEADS}))"),
                ("leads_handoff", f"lead_id IN ({LEADS})"),
                ("leads_event", "origin = 'calibration-bench'"),
                ("leads_lead", MINE),
            ):
                cursor.execute(f"DELETE FROM {table} WHERE {which}")
    name = f"calibration: {HANDOFFS:,} handoffs × {RULES} rules"
    looks, own = f"{found['fit'] / found['floor']:.0f} looks", f"{found['cpu']:.1f} s of its own"
    return [
        (f"{name}, fitted", f"{found['fit']:.1f} s", f"{found['floor']:.2f} s", looks, "≤ 60 s"),
        (f"{name}, the worker's whole job", f"{found['job']:.1f} s", "–", own, "≤ 60 s"),
        (f"{name}, the most memory of the worker", f"{found['memory']:.0f} MB", "–", "–", "≤ 500 MB"),
    ]


def _in_a_process_of_its_own(settings):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.calibration_bench"], env=environment, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout.splitlines()[-1])


def _measured():
    """What the worker's process does: the whole job, then the fit alone on what it read."""
    import resource
    import time

    from django.utils import timezone

    from leads.calibration import load, work
    from leads.calibration.fit import aggregate
    from leads.calibration.models import Calibration
    from leads.calibration.points import weigh
    from portal.accounts.models import User
    from sla.models import MQLDefinition

    at, definition = timezone.now(), MQLDefinition.objects.order_by("number").first()
    rules = _rules()
    job = Calibration.objects.create(
        question="accepted", since=at - timezone.timedelta(days=1000), until=at, against=definition, number=1,
        rules=rules, most_points=40, seed="bench", created_at=at, status="running",
        created_by=User.objects.first() or User.objects.create_user("bench@example.com", name="Bench"),
    )  # fmt: skip
    begin, cpu = time.perf_counter(), time.process_time()
    result = work.worked_off(job, work.STEP)
    whole, cpu = time.perf_counter() - begin, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert result["yes"] + result["no"] == HANDOFFS
    assert "definition" in result, "the job judged all of the past as well"
    found = load.load(job.candidate_rules(), definition.as_definition(), question="accepted", since=job.since, at=at)
    begin = time.perf_counter()
    table = aggregate(found.rows, found.labels)
    weigh(table, [rule["key"] for rule in rules], {}, most=40)
    took = time.perf_counter() - begin
    begin = time.perf_counter()
    for x, n, _ in table.blocks():
        (x * n[:, None]).T @ x
    return {"fit": took, "job": whole, "cpu": cpu, "memory": memory, "floor": time.perf_counter() - begin}


def _rules():
    """Forty rules: facts by value and by number, events that count, fade and are capped."""
    facts = [("industry", f"Industry {i}") for i in range(6)] + [("country", f"Country {i}") for i in range(4)]
    facts += [("source", f"Source {i}") for i in range(8)] + [("attributes.City", f"City {i}") for i in range(8)]
    rules = [
        {"key": f"f{i}", "label": value, "axis": "fit", "points": 5,
         "condition": {"field": field, "op": "equals", "value": value}}
        for i, (field, value) in enumerate(facts)
    ]  # fmt: skip
    rules += [
        {"key": f"n{i}", "label": f"Seats {i}", "axis": "fit", "points": 5,
         "condition": {"field": "attributes.Seats", "op": "between", "min": 40 * i + 20}}
        for i in range(6)
    ]  # fmt: skip
    for i, kind in enumerate(("guide_downloaded", "webinar_attended", "email_clicked", "pricing_viewed")):
        event = {"axis": "behaviour", "points": 5, "condition": {"event": kind}}
        rules.append({"key": f"d{i}", "label": kind, **event, "decay_days": 30})
        rules.append({"key": f"c{i}", "label": kind, **event, "per_event": True, "cap": 10, "window_days": 10})
    return rules[:RULES]


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_measured()))

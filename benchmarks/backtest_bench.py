"""The backtest of a draft over leads with their events: columns beside scoring one lead after the other."""

import datetime as dt
import statistics
import time
from contextlib import contextmanager

from django.db import connection, transaction
from django.utils import timezone

from leads.backtest import jobs
from leads.models import Event, Lead
from sla import definition_changes, scoring
from sla.models import SLAVersion
from sla.starter import draft_version

EVENTS_A_LEAD = 6
FLOOR_LEADS = 2_000  # scored one by one: more would only take longer

FILL = """
WITH people AS (
    INSERT INTO leads_lead (first_name, last_name, company, email, phone, title, domain, industry, country, region,
        product, source, campaign, channel, employees, attributes, created_at, updated_at)
    SELECT 'Bench', i::text, 'Company ' || i, 'backtest' || i || '@example.com', '',
        (ARRAY['Head of Operations', 'Analyst', 'Plant Manager', 'Student'])[1 + i %% 4] || ' ' || i %% 50, '',
        (ARRAY['Food', 'Packaging', 'Retail', 'Logistics', 'Software'])[1 + i %% 5],
        (ARRAY['Netherlands', 'Germany', 'Spain'])[1 + i %% 3], '', '',
        (ARRAY['Webinar', 'Demo request', 'Trade fair'])[1 + i %% 3], 'Campaign', '', 10 + i %% 6000,
        jsonb_build_object('Lead source', 'Source ' || i %% 9, 'Seats', i %% 400),
        %(since)s::timestamptz + interval '80 days' * random(), %(since)s
    FROM generate_series(1, %(rows)s) i RETURNING id
)
INSERT INTO leads_event (lead_id, kind, occurred_at, recorded_at, origin, properties, suspected_by)
SELECT id, (ARRAY['guide_downloaded', 'webinar_attended', 'email_clicked', 'pricing_viewed', 'page_viewed',
    'roi_completed'])[1 + (id + n) %% 6], %(since)s::timestamptz + interval '88 days' * random(), now(), 'bench',
    jsonb_build_object('page', '/page/' || (id + n) %% 40), ''
FROM people, generate_series(1, %(events)s) n
"""
CHANGES = (
    {"rule": "guide", "set": {"points": 6, "decay_days": 45}},
    {"add_rule": {"key": "seats", "label": "Seats", "axis": "fit", "points": 5,
                  "condition": {"field": "attributes.Seats", "op": "between", "min": 100}}},
    {"add_rule": {"key": "pages", "label": "Pages", "axis": "behaviour", "points": 2, "per_event": True, "cap": 10,
                  "window_days": 60, "condition": {
                      "event": "page_viewed", "where": {"field": "page", "op": "contains", "value": "/page/1"}}}},
)  # fmt: skip


def run(rows):
    """Rows (what, product, floor, ratio, target) for `rows` leads with six events each; what was filled in goes."""
    at = timezone.now()
    version = SLAVersion.objects.first() or draft_version(by=None, at=at)
    before = version.definition.as_definition()
    draft = definition_changes.apply(before, CHANGES, number=2)
    with past_the_triggers() as cursor:
        cursor.execute(FILL, {"rows": rows, "events": EVENTS_A_LEAD, "since": at - dt.timedelta(days=89)})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE leads_lead")
        cursor.execute("VACUUM ANALYZE leads_event")
    try:
        product = median(lambda: jobs.replay(draft, before, at=at))
        alone = one_by_one(draft, before, at, rows)
    finally:
        with past_the_triggers() as cursor:
            cursor.execute("DELETE FROM leads_event WHERE origin = 'bench'")
            cursor.execute("DELETE FROM leads_lead WHERE email LIKE 'backtest%@example.com'")
    name = f"backtest: {rows:,} leads with {EVENTS_A_LEAD * rows:,} events, two definitions"
    return [(name, f"{product:.2f} s", f"{alone:.1f} s one by one", f"{alone / product:.0f} × faster", "≤ 2 s")]


def one_by_one(draft, before, at, rows):
    """Seconds that scoring each lead alone would take, measured on a part of them, reading included."""
    start = time.perf_counter()
    scorers = [scoring.compile(definition) for definition in (draft, before)]
    leads = list(Lead.objects.filter(email__startswith="backtest")[:FLOOR_LEADS])
    events = {lead.pk: [] for lead in leads}
    for row in Event.objects.filter(lead__in=list(events)):
        events[row.lead_id].append(scoring.Event(row.kind, row.occurred_at, row.properties))
    for lead in leads:
        for scorer in scorers:
            scorer(lead.facts(), events[lead.pk], at)
    return (time.perf_counter() - start) * rows / max(len(leads), 1)


def median(work, times=5):
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


@contextmanager
def past_the_triggers():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor

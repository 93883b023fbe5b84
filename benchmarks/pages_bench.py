"""The inbox and a decision beside bare views, in one process and in turns: the ratios hold on a busy machine."""

import json
import logging
import statistics
import time
from urllib.parse import urlencode

from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, reverse
from django.utils import timezone

from leads.models import Handoff
from leads.models.lead import FACTS
from leads.views import inbox_list
from portal.accounts.models import Role, User
from sla import scoring
from sla.models import SLAVersion
from sla.starter import draft_version

REPS = 50
OPEN_EACH = 60  # open leads of a rep: a first page of the inbox is full
HTMX = {"HX-Request": "true"}

FILL = """
WITH reps AS (SELECT array_agg(id ORDER BY id) AS ids FROM accounts_user WHERE name LIKE 'Page rep%%'),
reasons AS (SELECT array_agg(id) AS ids FROM sla_reasoncode WHERE version_id = %(version)s),
people AS (
    INSERT INTO leads_lead (first_name, last_name, company, email, phone, title, domain, employees, industry, country,
        region, product, source, campaign, channel, attributes, created_at, updated_at)
    SELECT 'Page', i::text, 'Company ' || i, 'page' || i || '@example.com', '+49 30 1234567', 'Head of Operations',
        'example.com', 640, 'Food', 'Netherlands', '', '', 'Demo request', 'Spring', 'Paid', '{}', %(now)s, %(now)s
    FROM generate_series(1, %(rows)s) i
    RETURNING id
), dated AS (
    SELECT id, row_number() OVER (ORDER BY id) AS i,
        CASE WHEN row_number() OVER (ORDER BY id) <= %(open)s THEN interval '12 hours' ELSE interval '390 days' END
        * random() AS age FROM people
)
INSERT INTO leads_handoff (lead_id, definition_id, sla_version_id, tier_id, fit, behaviour, total, source, campaign,
    channel, qualified_at, recorded_at, is_historical, owner_id, contact_due_at, decision_due_at, status, decided_at,
    reason_id, withdrawn_why, breakdown, standing_decision_id)
SELECT id, %(definition)s, %(version)s, %(tier)s, 55, 35, 90, 'Demo request', 'Spring', 'Paid', %(now)s - age,
    %(now)s - age, false, reps.ids[1 + i %% cardinality(reps.ids)], %(now)s - age + interval '1 hour',
    %(now)s - age + interval '1 day', CASE WHEN i <= %(open)s THEN 'open' ELSE 'rejected' END,
    CASE WHEN i > %(open)s THEN %(now)s - age + interval '3 hours' END,
    CASE WHEN i > %(open)s THEN reasons.ids[1 + i %% cardinality(reasons.ids)] END, '', %(breakdown)s,
    CASE WHEN i > %(open)s THEN id END
FROM dated, reps, reasons
"""
# in this order, for the rows that refer to others go first
EMPTY = (
    "DELETE FROM outbox_message WHERE topic LIKE 'handoff.%'",
    "DELETE FROM leads_decision WHERE handoff_id IN (SELECT id FROM leads_handoff WHERE lead_id IN ({leads}))",
    "DELETE FROM leads_handoff WHERE lead_id IN ({leads})",
    "DELETE FROM leads_lead WHERE id IN ({leads})",
)
LEADS = "SELECT id FROM leads_lead WHERE first_name = 'Page' AND email LIKE 'page%@example.com'"


def select_one(request):
    """The floor: a view that asks the database once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return HttpResponse(str(cursor.fetchone()[0]))


def hello(request):
    """The floor: a view that asks nobody."""
    return HttpResponse("hello")


select_one.login_required = hello.login_required = False
urlpatterns = [
    path("bench/one", select_one),
    path("bench/hello", hello),
    path("", include("portal.urls")),
]


@override_settings(ROOT_URLCONF="benchmarks.pages_bench")
def run(rows):
    """[(what, product, floor, ratio, target)] with `rows` handoffs in the database, 60 open for each of 50 reps."""
    fill(rows)
    logging.disable(logging.INFO)  # a line per request would bury the table
    try:
        return measure(rows)
    finally:
        logging.disable(logging.NOTSET)
        empty()


def measure(rows):
    reader, decider = User.objects.filter(name__startswith="Page rep").order_by("pk")[:2]
    browser, other, bare = signed_in(reader), signed_in(decider), Client()
    waiting = iter(Handoff.objects.in_inbox().filter(owner=decider).by_deadline().values_list("pk", flat=True))
    decision = pairs(
        lambda: expect(send(other, "accept", next(waiting))),
        lambda: expect(bare.get("/bench/one")), OPEN_EACH // 2 - 5,
    )  # fmt: skip
    rejection = pairs(
        lambda: expect(send(other, "reject", next(waiting), reason="11")),
        lambda: expect(bare.get("/bench/one")), OPEN_EACH // 2 - 5,
    )  # fmt: skip
    query = pairs(lambda: ask_inbox(reader), ask_one, 200)
    inbox = pairs(lambda: expect(browser.get("/inbox/")), lambda: expect(bare.get("/bench/hello")), 60)
    refresh = pairs(
        lambda: expect(browser.get("/inbox/clocks/", headers=HTMX)), lambda: expect(bare.get("/bench/one")), 60
    )
    size = f"{rows:,} handoffs"
    return [
        line(f"decision: POST p50, {size}, beside a SELECT 1 view", decision, "≤ 8 ×"),
        line("decision: a rejection, beside a SELECT 1 view", rejection, "≤ 8 ×"),
        line("inbox: query of a page of 50 beside SELECT 1", query, "≤ 15 ×"),
        (
            "inbox: page beside a hello view",
            f"{1 / inbox[0]:,.0f} req/s",
            f"{1 / inbox[1]:,.0f} req/s",
            f"{1 / inbox[2]:.3f}",
            "≥ 0.03",
        ),
        line("inbox: refresh of the countdowns beside a SELECT 1 view", refresh, ""),
    ]


def ask_inbox(rep):
    """The one query behind the rows."""
    rows, more = inbox_list.page_of(rep, inbox_list.Filters(), timezone.now())
    assert len(rows) == inbox_list.PAGE
    assert more


def ask_one():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()


def fill(rows):
    """Invented handoffs, set down past the triggers and committed, as decisions are transactions of their own."""
    now = timezone.now()
    version = SLAVersion.objects.first() or draft_version(by=None, at=now)
    definition, tier = version.definition, version.definition.tiers.first()
    reps = [User(name=f"Page rep {i}", email=f"page.rep{i}@example.com", roles=[Role.REP]) for i in range(REPS)]
    User.objects.bulk_create(reps, ignore_conflicts=True)
    User.objects.filter(name__startswith="Page rep").update(is_active=True)  # those of a run before
    facts = dict.fromkeys(FACTS, "") | {"title": "Head of Operations", "employees": 640, "industry": "Food",
             "country": "Netherlands", "source": "Demo request", "attributes": {}}  # fmt: skip
    evaluation = scoring.evaluate(definition.as_definition(), facts, [], now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            FILL,
            {
                "rows": rows, "open": min(rows, REPS * OPEN_EACH), "now": now, "version": version.pk,
                "definition": definition.pk, "tier": tier.pk, "breakdown": json.dumps(evaluation.as_json()),
            },
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE leads_lead, leads_handoff")


def empty():
    """Take the invented rows away again, so that the next benchmark finds its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in EMPTY:
            cursor.execute(statement.replace("{leads}", LEADS))
    User.objects.filter(name__startswith="Page rep").update(is_active=False)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def send(browser, act, pk, **given):
    """A form of the inbox as htmx sends it."""
    url, form = reverse(f"inbox_{act}", args=[pk]), "application/x-www-form-urlencoded"
    return browser.post(url, urlencode(given), content_type=form, headers=HTMX)


def expect(response):
    assert response.status_code == 200, response.status_code


def pairs(product, floor, times):
    """(median of the product, of the floor, of their ratios) in seconds, taken in turns after a few to warm up."""
    for _ in range(3):
        product(), floor()
    took = [(seconds(product), seconds(floor)) for _ in range(times)]
    return *map(statistics.median, zip(*took, strict=True)), statistics.median(one / two for one, two in took)


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def line(what, measured, target):
    product, floor, ratio = measured
    return what, f"{product * 1e3:.2f} ms", f"{floor * 1e3:.2f} ms", f"{ratio:.1f} ×", target

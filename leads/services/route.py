"""Routing on the records: one lead or many get their owners, one decision after the other whoever asks."""

import json

from django.db import connection

from leads.models import AccountOwner
from leads.plan import facts_of, published_law
from leads.routing import Desk, people_on

# few and plain statements: whoever waits for the desk waits for them
PLAN = """
    SELECT p.id, p.published_at, t.credits FROM leads_routingplan p
    LEFT JOIN leads_routingturns t ON t.plan_id = p.id
    WHERE p.published_at <= %s ORDER BY p.published_at DESC LIMIT 1
"""
KEEP_TURNS = """
    INSERT INTO leads_routingturns (plan_id, credits) VALUES (%s, %s)
    ON CONFLICT (plan_id) DO UPDATE SET credits = EXCLUDED.credits
"""


def route_lead(lead, tier, *, at):
    """The Route of one lead, inside the caller's transaction; other routings wait until it ends.

    Nobody free is the default queue, no exception; refuses NobodyToRoute only where nobody works here at all.
    """
    desk = open_desk(at=at)
    found = desk.route(facts_of(lead, tier))
    close_desk(desk, at=at)
    return found


def route_many(many, *, at):
    """Routes of many leads in order, as a list, in one turn at the desk. many: an iterable of facts (see facts_of)."""
    desk = open_desk(at=at)
    found = desk.route_all(many)
    close_desk(desk, at=at)
    return found


def open_desk(*, at, besides=None):
    """A Desk over the plan in force and the people of now, alone until the transaction ends.

    Taken before rows of people or handoffs are locked, after a lead's: whoever keeps that order never waits in a ring.
    """
    wait_for_the_desk()
    with connection.cursor() as cursor:
        cursor.execute(PLAN, [at])
        plan, published_at, stored = cursor.fetchone() or (None, None, None)
    told = json.loads(stored or "{}")
    credits = {int(rule): {int(pk): n for pk, n in of.items()} for rule, of in told.items()}
    return Desk(plan and published_law(plan, published_at), people_on(at), credits, besides=besides)


def wait_for_the_desk():
    """One routing at a time: the next one sees what this one gave, so that weights and capacities hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('leads.routing', 0))")


def close_desk(desk, *, at):
    """Write down whose turn is next, and what was learnt of accounts."""
    if desk.turned:
        with connection.cursor() as cursor:
            cursor.execute(KEEP_TURNS, [desk.law.pk, json.dumps(desk.credits)])
    AccountOwner.objects.bulk_create(
        [AccountOwner(domain=domain, owner_id=owner, since=at) for domain, owner in desk.news.items()],
        ignore_conflicts=True,
    )

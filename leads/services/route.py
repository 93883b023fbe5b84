"""Routing on the records: one lead or many get their owners, one decision after the other whoever asks."""

import json
from collections import Counter
from functools import cache

from django.db import connection
from psycopg import ClientCursor

from leads.plan import domain_of, facts_of, published_law
from leads.routing import PEOPLE, Desk, asked_of_loads, asked_of_people, seated

# One message of two statements, for whoever waits for the desk waits for its round trips. The second one looks when
# the first has got the desk: the next routing sees what this one gave, so that weights and capacities hold. Without
# a plan everything goes by who has least, which is told along; with one only some rules ask, and then by themselves.
OPEN = f"""
    SELECT pg_advisory_xact_lock(hashtextextended('leads.routing', 0));
    SELECT p.id, p.published_at, t.credits, ({PEOPLE}),
        (SELECT owner_id FROM leads_accountowner WHERE domain = %(domain)s),
        CASE WHEN p.id IS NULL THEN (SELECT json_object_agg(owner, n)::text FROM ({{loads}}) AS held(owner, n)) END
    FROM (SELECT) one
    LEFT JOIN LATERAL (SELECT id, published_at FROM leads_routingplan WHERE published_at <= %(at)s
        ORDER BY published_at DESC LIMIT 1) p ON true
    LEFT JOIN leads_routingturns t ON t.plan_id = p.id
"""
KEEP = """
    WITH turns AS (
        INSERT INTO leads_routingturns (plan_id, credits) VALUES (%s, %s)
        ON CONFLICT (plan_id) DO UPDATE SET credits = EXCLUDED.credits
    )
    INSERT INTO leads_accountowner (domain, owner_id, since)
    SELECT domain, owner_id, %s FROM unnest(%s::text[], %s::bigint[]) AS news(domain, owner_id) ON CONFLICT DO NOTHING
"""


def route_lead(lead, tier, *, at):
    """The Route of one lead, inside the caller's transaction; other routings wait until it ends.

    Nobody free is the default queue, no exception; refuses NobodyToRoute only where nobody works here at all.
    """
    facts = facts_of(lead, tier)
    desk = open_desk(at=at, domain=domain_of(facts))
    found = desk.route(facts)
    close_desk(desk, at=at)
    return found


def route_many(many, *, at):
    """Routes of many leads in order, as a list, in one turn at the desk. many: an iterable of facts (see facts_of)."""
    desk = open_desk(at=at)
    found = desk.route_all(many)
    close_desk(desk, at=at)
    return found


def open_desk(*, at, besides=None, domain=""):
    """A Desk over the plan in force and the people of now, alone until the transaction ends.

    domain: the company whose account may be asked for. Taken before rows of people or handoffs are locked, after a
    lead's: whoever keeps that order never waits in a ring.
    """
    with connection.wrap_database_errors, ClientCursor(connection.connection) as cursor:  # others send one at a time
        cursor.execute(_open(), asked_of_people(at) | dict(_held()) | {"at": at, "domain": domain})
        cursor.nextset()
        plan, published_at, credits, people, owner, loads = cursor.fetchone()
    credits = {int(rule): {int(pk): n for pk, n in of.items()} for rule, of in json.loads(credits or "{}").items()}
    law = plan and published_law(plan, published_at)
    loads = None if plan else Counter({int(pk): n for pk, n in json.loads(loads or "{}").items()})
    return Desk(law, seated(people), credits, loads=loads, learnt={domain: owner}, besides=besides)


def _held():
    """(name, value) of the parameters of `routing.asked_of_loads`."""
    return [(f"held{n}", value) for n, value in enumerate(asked_of_loads()[1])]


@cache
def _open():
    return OPEN.format(loads=asked_of_loads()[0] % tuple(f"%({name})s" for name, _ in _held()))


def close_desk(desk, *, at):
    """Write down whose turn is next, and what was learnt of accounts: nobody gets a new one but by a turn."""
    if desk.turned:
        news = [list(desk.news), list(desk.news.values())]
        with connection.cursor() as cursor:
            cursor.execute(KEEP, [desk.law.pk, json.dumps(desk.credits), at, *news])

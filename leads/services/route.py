"""Routing on the records: one lead or many get their owners, one decision after the other whoever asks."""

from django.db import connection

from leads.models import AccountOwner, RoutingPlan, RoutingTurns
from leads.plan import facts_of, law_of
from leads.routing import Desk, people_on


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
    plan = RoutingPlan.objects.select_related("turns").in_force(at=at)
    credits = {}
    if plan and (turns := getattr(plan, "turns", None)):
        credits = {int(rule): {int(pk): n for pk, n in of.items()} for rule, of in turns.credits.items()}
    return Desk(plan and law_of(plan), people_on(at), credits, besides=besides)


def wait_for_the_desk():
    """One routing at a time: the next one sees what this one gave, so that weights and capacities hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('leads.routing', 0))")


def close_desk(desk, *, at):
    """Write down whose turn is next, and what was learnt of accounts."""
    if desk.law and desk.credits:
        RoutingTurns.objects.bulk_create(
            [RoutingTurns(plan_id=desk.law.pk, credits=desk.credits)],
            update_conflicts=True, unique_fields=["plan"], update_fields=["credits"],
        )  # fmt: skip
    AccountOwner.objects.bulk_create(
        [AccountOwner(domain=domain, owner_id=owner, since=at) for domain, owner in desk.news.items()],
        ignore_conflicts=True,
    )

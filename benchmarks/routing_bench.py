"""Routing 1,000 leads, all at once and one after the other, beside the raw inserts of what it writes."""

import datetime as dt
import os
from statistics import median
from time import perf_counter

from django.db import connection, transaction

TIMES = 5
NOW = dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)
PAST = """
    INSERT INTO leads_handoff (lead_id, definition_id, sla_version_id, source, campaign, channel, qualified_at,
        recorded_at, is_historical, status, withdrawn_why)
    VALUES (%s, %s, %s, '', '', '', %s, %s, true, 'open', '') RETURNING id
"""
ASSIGN = """
    INSERT INTO leads_assignment (handoff_id, owner_id, assigned_at, recorded_at, why, to_queue)
    VALUES (%s, %s, %s, %s, 'Fewest open leads', false)
"""


def run(rows):
    """[(what, product, floor, ratio, target)]; BENCH_ROUTED sets the number of leads."""
    count = int(os.environ.get("BENCH_ROUTED", 1000))
    version, reps = _company()
    works = (
        lambda: _inserts(version, reps[0], count), lambda: _many(version, count), lambda: _singles(version, count),
    )  # fmt: skip
    turns = [[_undone(work) for work in works] for _ in range(TIMES)]
    floors, many, single = zip(*turns, strict=True)
    return [
        _line(f"routing: {count:,} leads at once", many, floors),
        _line(f"routing: {count:,} leads one by one", single, floors),
    ]


def _line(what, product, floors):
    """The medians, and the median of the ratios of what ran in one turn."""
    ratio = median(took / floor for took, floor in zip(product, floors, strict=True))
    product, floor = median(product) * 1e3, median(floors) * 1e3
    return what, f"{product:,.0f} ms", f"their inserts {floor:,.0f} ms", f"{ratio:.2f}", "≤ 3"


def _undone(work):
    """Seconds of the work, all of which is rolled back."""
    with transaction.atomic():
        seconds = work()
        transaction.set_rollback(True)
    return seconds


def _inserts(version, owner, count):
    """The floor: a handoff and its assignment by plain SQL, row by row."""
    leads = _leads(count)
    began = perf_counter()
    with connection.cursor() as cursor:
        for lead in leads:
            cursor.execute(PAST, (lead.pk, version.definition_id, version.pk, NOW, NOW))
            cursor.execute(ASSIGN, (cursor.fetchone()[0], owner.pk, NOW, NOW))
    return perf_counter() - began


def _many(version, count):
    """The owners of all, in one turn at the desk."""
    from leads.plan import facts_of
    from leads.services.route import route_many

    leads = _leads(count)
    began = perf_counter()
    routes = route_many((facts_of(lead, None) for lead in leads), at=NOW)
    seconds = perf_counter() - began
    if any(route.to_queue for route in routes):
        raise RuntimeError("The benchmark's rules found no rep.")
    return seconds


def _singles(version, count):
    """The owner of each in a turn of its own: lock, plan, people, whose turn, and write it down."""
    from leads.services.route import route_lead

    leads = _leads(count)
    began = perf_counter()
    for lead in leads:
        route_lead(lead, None, at=NOW)
    return perf_counter() - began


def _leads(count):
    from leads.models import Lead

    countries = ("Germany", "Austria", "Netherlands", "Spain")
    return Lead.objects.bulk_create(
        Lead(email=f"routed{n}@company{n % 300}.example", country=countries[n % 4], employees=n % 900, created_at=NOW,
             updated_at=NOW)
        for n in range(count)
    )  # fmt: skip


def _company():
    """Ten reps in two teams, three rules, an agreement. Returns (the version, reps)."""
    from leads.models import RoutingPlan
    from leads.services.routing_plan import RuleTerms, add_rule, delete_rule, publish_plan, start_draft
    from portal.accounts.models import Role, Team
    from sla.models import SLAVersion
    from sla.starter import draft_version

    teams = [Team.objects.get_or_create(name=f"Bench {side}")[0] for side in ("North", "South")]
    reps = [_person(f"Bench rep {n}", Role.REP, teams[n % 2]) for n in range(10)]
    manager = _person("Bench manager", Role.SALES_MANAGER, teams[0])
    version = SLAVersion.objects.select_related("definition").first() or draft_version(by=None, at=NOW)
    if RoutingPlan.objects.in_force(at=NOW):  # of a run before
        return version, reps
    plan = start_draft(by=manager, at=NOW - dt.timedelta(days=1))
    for rule in plan.rules.all():
        delete_rule(rule_id=rule.pk, by=manager)
    big = {"all": [{"field": "country", "op": "in", "values": ["Germany", "Austria"]},
                   {"field": "employees", "op": "between", "min": 200}]}  # fmt: skip
    for terms in (
        RuleTerms(condition=big, team_id=teams[0].pk, weights={reps[0].pk: 3}),
        RuleTerms(condition={"field": "country", "op": "equals", "value": "Spain"}, team_id=teams[1].pk,
                  method="least_loaded"),
        RuleTerms(team_id=teams[1].pk, method="account"),
    ):  # fmt: skip
        add_rule(terms=terms, by=manager)
    publish_plan(by=manager, at=NOW - dt.timedelta(hours=1))
    return version, reps


def _person(name, role, team):
    from portal.accounts.models import User

    email = f"{name.lower().replace(' ', '.')}@bench.example"
    return User.objects.filter(email=email).first() or User.objects.create_user(
        email, name=name, roles=[role], team=team
    )

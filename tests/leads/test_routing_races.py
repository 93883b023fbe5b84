"""Routing under pressure: many leads at once on real connections, each routed once and spread as the weights say."""

import datetime as dt
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from leads.models import Assignment, Handoff, Lead
from leads.services._steps import give, lock
from leads.services.qualify import open_handoff
from leads.services.refusals import HasOpenHandoff
from leads.services.route import route_lead
from tests import cast, history
from tests.routing import plan

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS, LEADS, MINUTE = 8, 1000, dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def quick_turns_of_threads():
    """One worker at a time holds the desk, and between its statements must not wait for the others' arithmetic."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def team(agreement, people):
    """Ten reps of one team with weights 1 to 4, 25 turns a round. Returns {person: weight}."""
    weights = dict(zip([people.rep, people.other_rep], (1, 2), strict=True))
    weights |= {cast.user(f"Rep {n}", "rep", team=people.north): w for n, w in enumerate((3, 4, 1, 2, 3, 4, 2, 3))}
    return weights


def arrivals(now, count):
    return Lead.objects.bulk_create(
        Lead(email=f"race{n}@company{n}.example", created_at=now, updated_at=now, **cast.FACTS) for n in range(count)
    )


def at_once(works):
    """Run the works on WORKERS threads, each with a connection of its own."""

    def work(share):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off")  # about order, not about a power cut
            return [one() for one in share]
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return [result for part in pool.map(work, [works[n::WORKERS] for n in range(WORKERS)]) for result in part]


def by_weight(team, count):
    return {person.pk: count * weight // sum(team.values()) for person, weight in team.items()}


def test_a_thousand_leads_by_eight_workers_are_each_routed_once_and_spread_as_the_weights_say(
    agreement, team, people, now
):
    plan(people, {"team_id": people.north.pk, "weights": {p.pk: w for p, w in team.items()}}, at=now)
    waiting = history.write(agreement, [{"qualified_at": now}] * LEADS)

    @transaction.atomic
    def route(pk):
        handoff = lock(pk)
        if handoff.owner is None:
            place = route_lead(handoff.lead, None, at=now + MINUTE)
            give(handoff, place.owner, by=None, at=now, why=place.why, rule_id=place.rule_id)

    at_once([lambda pk=row.pk: route(pk) for row in waiting])
    assert {a.handoff_id for a in Assignment.objects.all()} == {row.pk for row in waiting}
    assert Assignment.objects.count() == LEADS
    assert Counter(Handoff.objects.values_list("owner", flat=True)) == by_weight(team, LEADS)


def test_leads_that_arrive_at_once_are_handed_over_once_each_and_spread_as_the_weights_say(team, people, now):
    plan(people, {"team_id": people.north.pk, "weights": {p.pk: w for p, w in team.items()}}, at=now)
    leads = arrivals(now, 50)
    twice = [*leads, *leads]
    done = at_once([lambda pk=lead.pk: opened(pk, now + MINUTE) for lead in twice])
    assert sum(done) == len(leads)
    assert Counter(Handoff.objects.values_list("lead", flat=True)) == dict.fromkeys((lead.pk for lead in leads), 1)
    assert Counter(Handoff.objects.values_list("owner", flat=True)) == by_weight(team, 50)


def test_capacity_holds_however_many_ask_at_once(team, people, now):
    plan(people, {"team_id": people.north.pk, "method": "least_loaded"}, at=now, most_open=3)
    leads = arrivals(now, 50)
    at_once([lambda pk=lead.pk: open_handoff(lead_id=pk, by=None, at=now + MINUTE) for lead in leads])
    held = Counter(Handoff.objects.filter(queued_at=None).values_list("owner", flat=True))
    assert held == dict.fromkeys((person.pk for person in team), 3)
    assert Handoff.objects.in_queue().count() == 50 - 3 * len(team)


def opened(pk, at):
    """Whether this call handed the lead over; another one was faster where not."""
    try:
        return bool(open_handoff(lead_id=pk, by=None, at=at))
    except HasOpenHandoff:
        return False

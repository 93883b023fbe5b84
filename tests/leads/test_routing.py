"""Who gets a lead: rules in order, turns by weight, accounts, capacity; and never nobody."""

import datetime as dt
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leads.models import AccountOwner, Assignment, Handoff
from leads.routing import people_on
from leads.services.assign import reassign_handoff
from leads.turns import take_turn
from portal.accounts.absences import add_absence, end_absence
from portal.accounts.models import Role, User
from tests import cast
from tests.routing import DACH, plan

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def arrive(agreement, now):
    """Qualifies a lead without an owner: routing has to find one. Returns the Handoff."""
    return lambda at=now + HOUR, **facts: cast.open_handoff(owner=None, at=at, **facts)


def why(handoff):
    return Assignment.objects.get(handoff=handoff).why


def owners(handoffs):
    return Counter(handoff.owner.name for handoff in handoffs)


# --- turns ------------------------------------------------------------------------------------------
def turns(weights, rounds, credits=None):
    credits = {} if credits is None else credits
    return [take_turn(credits, weights) for _ in range(rounds)]


def test_turns_of_two_to_one_to_one_are_mixed_not_bunched():
    assert "".join(turns({"A": 2, "B": 1, "C": 1}, 8)) == "ABCAABCA"


@given(some.dictionaries(some.integers(0, 9), some.integers(1, 9), min_size=1, max_size=8), some.integers(1, 5))
def test_in_every_full_round_each_gets_exactly_their_weight(weights, rounds):
    assert Counter(turns(weights, rounds * sum(weights.values()))) == {k: rounds * w for k, w in weights.items()}


@given(some.dictionaries(some.integers(0, 9), some.integers(1, 9), min_size=1, max_size=6), some.integers(1, 200))
def test_at_no_moment_is_anybody_a_whole_round_ahead(weights, count):
    had, whole = Counter(turns(weights, count)), sum(weights.values())
    assert all(abs(had[k] - count * w / whole) < len(weights) for k, w in weights.items())


def test_who_was_away_neither_catches_up_nor_loses_their_place():
    credits, everybody = {}, {"A": 1, "B": 1, "C": 1}
    turns(everybody, 3, credits)
    turns({"A": 1, "C": 1}, 20, credits)
    assert Counter(turns(everybody, 30, credits)) == {"A": 10, "B": 10, "C": 10}


# --- rules in order ---------------------------------------------------------------------------------
def test_the_first_rule_that_fits_decides_and_the_assignment_says_so_in_one_line(arrive, people, now):
    plan(
        people,
        {"name": "DACH over 200 employees",
         "condition": {"all": [DACH, {"field": "employees", "op": "between", "min": 201}]},
         "team_id": people.north.pk, "weights": {people.rep.pk: 2}},
        {"team_id": people.south.pk},
        at=now,
    )  # fmt: skip
    german, dutch = arrive(country="germany"), arrive()
    assert (german.owner, dutch.owner) == (people.rep, people.south_rep)
    assert why(german) == ("Plan 1, rule 1, DACH over 200 employees → North; round robin 2:1; Rena Rep’s turn")
    assert why(dutch) == "Plan 1, rule 2, every lead → South; round robin 1; Suna Rep’s turn"
    assert Assignment.objects.get(handoff=german).rule.position == 1


@pytest.mark.parametrize("condition", [
    {"field": "tier", "op": "equals", "value": "hot"},
    {"field": "tier", "op": "in", "values": ["Hot"]},
    {"field": "attributes.segment", "op": "equals", "value": "Enterprise"},
    {"any": [{"field": "region", "op": "equals", "value": "Bavaria"}, {"field": "product", "op": "present"}]},
])  # fmt: skip
def test_a_rule_asks_for_any_fact_the_tier_and_attributes(arrive, people, now, condition):
    plan(people, {"condition": condition, "team_id": people.south.pk}, {"team_id": people.north.pk}, at=now)
    fits = {"attributes": {"segment": "enterprise"}, "product": "Planner"}
    assert arrive(**fits).owner == people.south_rep
    assert arrive(title="", country="", source="Demo request").owner != people.south_rep


def test_a_rule_may_name_one_person(arrive, people, now):
    plan(people, {"person_id": people.other_rep.pk}, at=now)
    found = arrive()
    assert (found.owner, why(found)) == (people.other_rep, "Plan 1, rule 1, every lead → Otto Rep")


def test_leads_are_spread_as_the_weights_say(arrive, people, now):
    plan(people, {"team_id": people.north.pk, "weights": {people.rep.pk: 3, people.other_rep.pk: 1}}, at=now)
    assert owners(arrive() for _ in range(12)) == {"Rena Rep": 9, "Otto Rep": 3}


def test_the_least_loaded_of_the_team_is_next(arrive, open_lead, people, now):
    plan(people, {"team_id": people.north.pk, "method": "least_loaded"}, at=now)
    for _ in range(3):
        open_lead(owner=people.rep)
    assert owners(arrive() for _ in range(5)) == {"Otto Rep": 4, "Rena Rep": 1}


# --- accounts ---------------------------------------------------------------------------------------
def test_leads_of_one_company_go_to_one_rep_and_free_mail_says_nothing(arrive, people, now):
    plan(people, {"team_id": people.north.pk, "method": "account"}, at=now)
    first = arrive(email="a@kestrel.example")
    assert {arrive(email=f"{n}@kestrel.example").owner for n in range(3)} == {first.owner}
    assert owners(arrive(email=f"{n}@gmail.com") for n in range(4)) == {"Rena Rep": 2, "Otto Rep": 2}
    assert AccountOwner.objects.count() == 1


def test_a_company_follows_a_lead_that_is_given_to_somebody_else(arrive, people, now):
    plan(people, {"team_id": people.north.pk, "method": "account"}, at=now)
    first = arrive(email="a@kestrel.example")
    other = people.other_rep if first.owner == people.rep else people.rep
    reassign_handoff(handoff_id=first.pk, to=other, by=people.manager, at=now + HOUR)
    assert arrive(email="b@kestrel.example").owner == other


def test_a_named_account_goes_to_its_owner_of_whatever_team(arrive, people, now):
    plan(people, {"team_id": people.north.pk, "method": "account"}, at=now,
         accounts={"Kestrel.example": people.south_rep.pk})  # fmt: skip
    found = arrive(email="a@kestrel.example")
    assert found.owner == people.south_rep
    assert why(found).endswith("named owner of kestrel.example")


def test_who_handled_a_company_before_the_plan_is_its_owner_from_its_first_day(arrive, open_lead, people, now):
    open_lead(owner=people.other_rep, email="old@kestrel.example", at=now - HOUR)
    plan(people, {"team_id": people.north.pk, "method": "account"}, at=now)
    assert arrive(email="new@kestrel.example").owner == people.other_rep


# --- never nobody -----------------------------------------------------------------------------------
def in_queue(handoff, owner):
    handoff.refresh_from_db()
    return handoff.waits_in_queue and handoff.owner == owner and Assignment.objects.get(handoff=handoff).to_queue


def test_weights_of_zero_are_the_default_queue(arrive, people, now):
    plan(people, {"team_id": people.north.pk, "weights": {people.rep.pk: 0, people.other_rep.pk: 0}}, at=now)
    found = arrive()
    assert in_queue(found, people.manager)
    assert "nobody free (2 with weight 0): default queue" in why(found)


def test_an_empty_team_is_the_default_queue_with_a_clock_of_its_own(arrive, people, now):
    from portal.accounts.models import Team

    plan(people, {"team_id": Team.objects.create(name="West").pk}, at=now, claim_within=dt.timedelta(minutes=20))
    found = arrive()
    assert in_queue(found, people.manager)
    assert found.queue_due_at == found.qualified_at + dt.timedelta(minutes=20)


def test_a_team_that_is_full_or_away_is_the_default_queue_and_the_line_counts_both(arrive, people, now):
    plan(people, {"team_id": people.north.pk}, at=now, most_open=None, capacities={people.rep.pk: 0})
    today = now.date()
    add_absence(person_id=people.other_rep.pk, first_day=today, last_day=today, by=people.admin, at=now)
    found = arrive()
    assert in_queue(found, people.manager)
    assert "nobody free (1 full, 1 away)" in why(found)


def test_no_rule_that_fits_is_the_default_queue(arrive, people, now):
    plan(people, {"condition": DACH, "team_id": people.north.pk}, at=now)
    assert why(arrive()) == "Plan 1: no rule fits: default queue"


def test_a_person_who_is_away_passes_to_the_default_queue(arrive, people, now):
    plan(people, {"person_id": people.rep.pk}, at=now)
    add_absence(person_id=people.rep.pk, first_day=now.date(), last_day=now.date(), by=people.admin, at=now)
    assert in_queue(arrive(), people.manager)


def test_a_rep_gets_no_more_than_their_capacity_and_leads_in_the_queue_fill_nobody(arrive, people, now):
    plan(people, {"team_id": people.north.pk}, at=now, most_open=2)
    found = [arrive() for _ in range(7)]
    assert owners(one for one in found if not one.waits_in_queue) == {"Rena Rep": 2, "Otto Rep": 2}
    assert sum(one.waits_in_queue for one in found) == 3


def test_people_who_left_are_skipped(arrive, people, now):
    plan(people, {"team_id": people.north.pk}, at=now)
    people.rep.is_active = False
    people.rep.save()
    assert owners(arrive() for _ in range(4)) == {"Otto Rep": 4}


def test_when_the_owner_of_the_queue_left_the_next_manager_answers_for_it(arrive, people, now):
    plan(people, at=now)
    substitute = cast.user("Nils Next", Role.SALES_MANAGER)
    people.manager.is_active = False
    people.manager.save()
    assert in_queue(arrive(), substitute)


def test_the_desk_knows_the_same_people_as_everybody_else(people, now):
    for person, first, last in ((people.rep, 0, 0), (people.other_rep, -3, 5), (people.south_rep, 1, 2)):
        first, last = (now.date() + dt.timedelta(days=days) for days in (first, last))
        add_absence(person_id=person.pk, first_day=first, last_day=last, by=people.admin, at=now)
    end_absence(absence_id=people.other_rep.absences.get().pk, by=people.admin, at=now)
    seated = {seat.user() for seat in people_on(now).values() if not seat.away}
    assert seated == set(User.objects.present(on=now).filter(roles__overlap=["rep", "sales_manager"]))
    assert people.rep not in seated
    assert {people.other_rep, people.south_rep, people.manager} <= seated


def test_without_a_plan_the_least_loaded_rep_who_is_there_gets_it(arrive, people, now):
    for away in (people.rep, people.other_rep):
        add_absence(person_id=away.pk, first_day=now.date(), last_day=now.date(), by=people.admin, at=now)
    found = arrive()
    assert (found.owner, why(found)) == (people.south_rep, "Fewest open leads: 0")


def test_a_new_plan_counts_for_new_leads_only(arrive, people, now):
    plan(people, {"team_id": people.north.pk}, at=now)
    before = arrive()
    plan(people, {"person_id": people.south_rep.pk}, at=now + 2 * HOUR)
    after = arrive(at=now + 3 * HOUR)
    assert (Handoff.objects.get(pk=before.pk).owner.team, after.owner) == (people.north, people.south_rep)
    assert why(after) == "Plan 2, rule 1, every lead → Suna Rep"

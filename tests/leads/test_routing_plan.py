"""The routing plan: written as a draft, published once, and then the database refuses to change it."""

import datetime as dt

import pytest
from django.db import DatabaseError

from leads.models import RoutingPlan, RoutingRule
from leads.services import routing_plan as verbs
from leads.services.routing_plan import RuleTerms
from portal.shared.refusal import NotPermitted, Refusal
from tests.leads.test_invariants import run
from tests.routing import DACH, draft, plan

TABLES = ("leads_routingplan", "leads_routingrule", "leads_routingweight", "leads_routingcapacity",
          "leads_namedaccount")  # fmt: skip
CHANGES = {
    "leads_routingplan": "summary = 'other'",
    "leads_routingrule": "name = 'other'",
    "leads_routingweight": "weight = 9",
    "leads_routingcapacity": "most_open = 9",
    "leads_namedaccount": "domain = 'other.example'",
}


@pytest.fixture
def rule(people):
    return {"name": "North", "team_id": people.north.pk, "weights": {people.rep.pk: 2}}


@pytest.fixture
def published(people, rule, now):
    return plan(people, rule, at=now, capacities={people.rep.pk: 5}, accounts={"kestrel.example": people.rep.pk})


@pytest.mark.parametrize("table", TABLES)
def test_a_published_plan_is_not_changed(published, table):
    with pytest.raises(DatabaseError, match=r"does not change|do not change"):
        run(f"UPDATE {table} SET {CHANGES[table]}")


@pytest.mark.parametrize("table", TABLES)
def test_a_published_plan_is_not_deleted_nor_emptied(published, table):
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError, match=r"not change|never emptied"):
            run(statement)


@pytest.mark.parametrize(("change", "constraint"), [
    ("UPDATE leads_routingrule SET person_id = 1", "leads_rule_team_or_person"),
    ("UPDATE leads_routingrule SET team_id = NULL", "leads_rule_team_or_person"),
    ("UPDATE leads_routingrule SET method = 'dice'", "leads_rule_method_known"),
    ("UPDATE leads_routingweight SET weight = 101", "leads_weight_at_most_100"),
    ("UPDATE leads_routingplan SET claim_within = interval '0'", "leads_plan_queue_has_clock"),
    ("UPDATE leads_routingplan SET published_at = now()", "leads_plan_published_pair"),
    ("UPDATE leads_namedaccount SET domain = 'Kestrel.example'", "leads_account_domain"),
])  # fmt: skip
def test_the_database_refuses_a_draft_that_makes_no_sense(people, rule, now, change, constraint):
    draft(people, rule, at=now, accounts={"kestrel.example": people.rep.pk})
    with pytest.raises(DatabaseError, match=constraint):
        run(change)


def test_the_database_refuses_a_second_draft(people, rule, now):
    draft(people, rule, at=now)
    with pytest.raises(DatabaseError, match="leads_plan_one_in_force"):
        run(
            "INSERT INTO leads_routingplan (number, summary, queue_owner_id, claim_within, created_at)"
            " VALUES (9, '', %s, interval '1 hour', now())",
            people.manager.pk,
        )


def test_a_new_draft_says_what_the_plan_in_force_says(published, people, now):
    copy = verbs.start_draft(by=people.admin, at=now)
    (rule,) = copy.rules.all()
    assert (copy.number, copy.started_from, rule.name) == (2, published, "North")
    assert [(w.person, w.weight) for w in rule.weights.all()] == [(people.rep, 2)]
    assert copy.capacities.get().most_open == 5
    assert copy.accounts.get().owner == people.rep
    assert verbs.start_draft(by=people.manager, at=now) == copy


def names(plan):
    return [(rule.position, rule.name) for rule in plan.rules.all()]


def test_rules_are_moved_duplicated_and_deleted_and_their_places_stay_whole(people, now):
    written = draft(people, *({"name": name, "team_id": people.north.pk} for name in "ABC"), at=now)
    a, b, c = written.rules.all()
    by = people.admin
    verbs.move_rule(rule_id=c.pk, up=True, by=by)
    assert names(written) == [(1, "A"), (2, "C"), (3, "B")]
    verbs.move_rule(rule_id=a.pk, up=True, by=by)
    verbs.move_rule(rule_id=b.pk, up=False, by=by)
    verbs.duplicate_rule(rule_id=a.pk, by=by)
    assert names(written) == [(1, "A"), (2, "A (copy)"), (3, "C"), (4, "B")]
    verbs.delete_rule(rule_id=c.pk, by=by)
    assert names(written) == [(1, "A"), (2, "A (copy)"), (3, "B")]


def test_a_rule_is_changed_as_a_whole(people, rule, now):
    written = draft(people, rule, at=now)
    terms = RuleTerms(name="One", condition=DACH, person_id=people.other_rep.pk)
    changed = verbs.change_rule(rule_id=written.rules.get().pk, terms=terms, by=people.manager)
    changed.refresh_from_db()
    assert (changed.name, changed.team, changed.person, changed.condition) == ("One", None, people.other_rep, DACH)
    assert not changed.weights.exists()


@pytest.mark.parametrize(("terms", "code"), [
    ({}, "rule_incomplete"),
    ({"team_id": "north", "person_id": "rep"}, "rule_incomplete"),
    ({"person_id": "marketer"}, "rule_incomplete"),
    ({"team_id": "north", "method": "dice"}, "rule_incomplete"),
    ({"team_id": "north", "condition": {"field": "colour", "op": "equals", "value": "red"}}, "condition_wrong"),
    ({"team_id": "north", "condition": {"field": "tier", "op": "between"}}, "condition_wrong"),
    ({"team_id": "north", "weights": {"rep": 101}}, "terms_wrong"),
])  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused_and_nothing_is_saved(people, now, terms, code):
    draft(people, at=now)
    pk = lambda name: getattr(people, name).pk  # noqa: E731
    terms = {key: pk(value) if key.endswith("_id") else value for key, value in terms.items()}
    if "weights" in terms:
        terms["weights"] = {pk(name): weight for name, weight in terms["weights"].items()}
    with pytest.raises(Refusal) as refused:
        verbs.add_rule(terms=RuleTerms(**terms), by=people.manager)
    assert (refused.value.code, RoutingRule.objects.count()) == (code, 0)


@pytest.mark.parametrize(("terms", "field"), [
    ({"queue_owner_id": "marketer"}, "queue_owner"),
    ({"claim_within": dt.timedelta(0)}, "claim_within"),
    ({"most_open": -1}, "most_open"),
    ({"accounts": {"gmail.com": "rep"}}, "accounts"),
    ({"accounts": {"no domain": "rep"}}, "accounts"),
    ({"accounts": {"kestrel.example": "marketer"}}, "accounts"),
])  # fmt: skip
def test_terms_that_make_no_sense_are_refused(people, now, terms, field):
    pk = lambda name: getattr(people, name).pk  # noqa: E731
    if "queue_owner_id" in terms:
        terms = {"queue_owner_id": pk(terms["queue_owner_id"])}
    if "accounts" in terms:
        terms = {"accounts": {domain: pk(name) for domain, name in terms["accounts"].items()}}
    with pytest.raises(Refusal) as refused:
        draft(people, at=now, **terms)
    assert (refused.value.code, refused.value.field) == ("terms_wrong", field)


@pytest.mark.parametrize("who", ["rep", "marketer", "marketing_leader", "sales_leader"])
def test_only_a_sales_manager_or_an_admin_changes_the_rules(people, rule, now, who):
    written, by = draft(people, rule, at=now), getattr(people, who)
    pk = written.rules.get().pk
    acts = (
        lambda: verbs.start_draft(by=by, at=now),
        lambda: verbs.add_rule(terms=RuleTerms(**rule), by=by),
        lambda: verbs.change_rule(rule_id=pk, terms=RuleTerms(**rule), by=by),
        lambda: verbs.move_rule(rule_id=pk, up=True, by=by),
        lambda: verbs.duplicate_rule(rule_id=pk, by=by),
        lambda: verbs.delete_rule(rule_id=pk, by=by),
        lambda: verbs.publish_plan(by=by, at=now),
        lambda: verbs.discard_draft(by=by),
    )
    for act in acts:
        with pytest.raises(NotPermitted):
            act()
    assert written.rules.count() == 1


def test_without_a_draft_there_is_nothing_to_change(published, people, now):
    for act in (lambda: verbs.publish_plan(by=people.manager, at=now), lambda: verbs.discard_draft(by=people.manager)):
        with pytest.raises(verbs.NoDraft):
            act()


def test_a_draft_is_thrown_away_and_the_plan_in_force_stays(published, people, now):
    verbs.start_draft(by=people.manager, at=now)
    verbs.discard_draft(by=people.manager)
    assert RoutingPlan.objects.get() == RoutingPlan.objects.in_force(at=now) == published

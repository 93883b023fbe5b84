"""Drafts of the definition: begun from any version, changed piece by piece, and never over somebody else's change."""

import pytest
from django.db import IntegrityError, connection, transaction

from portal.shared.refusal import NotPermitted
from sla.models import MQLDefinition, ScoringRule
from sla.services import definition as verbs
from sla.services import tiers as tier_verbs
from sla.services.draft_refusals import DraftChanged, Frozen, Gone, InUse, Unusable

BIG = {"field": "employees", "op": "between", "min": 1000}


@pytest.fixture
def draft(agreement, people, now):
    return verbs.draft_definition(start_from=agreement.definition, by=people.marketer, at=now)


@pytest.fixture
def rule(draft):
    return draft.rules.get(key="guide")


def test_a_draft_starts_as_the_version_it_is_taken_from(draft, agreement):
    assert (draft.number, draft.proposed_at, draft.started_from) == (2, None, agreement.definition)
    before, after = agreement.definition.as_definition().as_json(), draft.as_definition().as_json()
    assert {**before, "number": 2} == after


def test_a_draft_from_nothing_has_one_tier_and_no_rule(people, now):
    draft = verbs.draft_definition(start_from=None, by=people.marketer, at=now)
    assert (draft.number, draft.rules.count(), draft.tiers.count()) == (1, 0, 1)


def test_a_draft_can_begin_with_a_change_already_made(agreement, people, now):
    changes = [
        {"rule": "guide", "set": {"cap": 10}},
        {"rule": "webinar", "remove": True},
        {"tier": "hot", "set": {"total": 90}},
    ]
    draft = verbs.draft_definition(start_from=agreement.definition, changes=changes, by=people.marketer, at=now)
    assert draft.rules.get(key="guide").cap == 10
    assert not draft.rules.filter(key="webinar").exists()
    assert draft.tiers.get(key="hot").total == 90


@pytest.mark.parametrize(
    "change", [{"rule": "nobody", "set": {}}, {"rule": "guide", "set": {"cap": 0}}, {"what": "?"}]
)
def test_a_draft_with_a_change_that_makes_no_sense_is_not_begun(agreement, people, now, change):
    with pytest.raises(Unusable):
        verbs.draft_definition(start_from=agreement.definition, changes=[change], by=people.marketer, at=now)
    assert MQLDefinition.objects.count() == 1


@pytest.mark.parametrize("role", ["rep", "manager", "admin"])
def test_only_marketing_and_the_leaders_begin_a_draft(agreement, people, now, role):
    with pytest.raises(NotPermitted):
        verbs.draft_definition(start_from=agreement.definition, by=getattr(people, role), at=now)


def test_a_change_of_a_rule_is_kept_with_who_made_it_and_when(draft, rule, people, now):
    saved = verbs.change_rule(
        number=2, rule_id=rule.pk, seen=verbs.seen_of(rule), points=4, by=people.sales_leader, at=now
    )
    draft.refresh_from_db()
    assert (saved.points, draft.changed_by, draft.changed_at) == (4, people.sales_leader, now)


def test_two_people_who_change_one_rule_do_not_overwrite_each_other(rule, people, now):
    seen = verbs.seen_of(rule)
    verbs.change_rule(number=2, rule_id=rule.pk, seen=seen, points=4, by=people.marketer, at=now)
    with pytest.raises(DraftChanged):
        verbs.change_rule(number=2, rule_id=rule.pk, seen=seen, cap=30, by=people.sales_leader, at=now)
    with pytest.raises(DraftChanged):
        verbs.delete_rule(number=2, rule_id=rule.pk, seen=seen, by=people.sales_leader, at=now)
    rule.refresh_from_db()
    assert (rule.points, rule.cap) == (4, 40)


def test_two_people_may_change_two_rules(draft, people, now):
    for key, by in (("guide", people.marketer), ("webinar", people.sales_leader)):
        rule = draft.rules.get(key=key)
        verbs.change_rule(number=2, rule_id=rule.pk, seen=verbs.seen_of(rule), points=1, by=by, at=now)
    assert set(draft.rules.filter(points=1).values_list("key", flat=True)) == {"guide", "webinar"}


def test_a_rule_that_was_removed_meanwhile_is_gone_and_says_so(rule, people, now):
    seen = verbs.seen_of(rule)
    verbs.delete_rule(number=2, rule_id=rule.pk, seen=seen, by=people.marketer, at=now)
    with pytest.raises(Gone):
        verbs.change_rule(number=2, rule_id=rule.pk, seen=seen, points=4, by=people.sales_leader, at=now)


def test_a_rule_that_cannot_be_used_is_refused_in_a_sentence(rule, people, now):
    with pytest.raises(Unusable, match="has no points"):
        verbs.change_rule(
            number=2, rule_id=rule.pk, seen=verbs.seen_of(rule), axis="disqualifier", by=people.marketer, at=now
        )


def test_a_rule_moves_past_its_neighbour_on_its_axis_and_stays_at_the_end(draft, people, now):
    def behaviour():
        return [rule.key for rule in draft.rules.filter(axis="behaviour")]

    first, second, *_ = behaviour()
    pk = draft.rules.get(key=second).pk
    for _ in range(2):
        verbs.move_rule(number=2, rule_id=pk, up=True, by=people.marketer, at=now)
        assert behaviour()[:2] == [second, first]
    verbs.move_rule(number=2, rule_id=pk, up=False, by=people.marketer, at=now)
    assert behaviour()[:2] == [first, second]


def test_a_copy_of_a_rule_stands_behind_it_under_its_own_key(draft, rule, people, now):
    copy = verbs.copy_rule(number=2, rule_id=rule.pk, by=people.marketer, at=now)
    keys = list(draft.rules.values_list("key", flat=True))
    assert keys[keys.index("guide") + 1] == copy.key == "guide-2"
    assert draft.as_definition().rules[-1].key == "competitor"


def test_a_new_rule_is_the_last_and_has_a_key_made_of_its_name(draft, people, now):
    rule = verbs.add_rule(
        number=2, label="Big company", axis="fit", condition=BIG, points=15, by=people.marketer, at=now
    )
    assert (rule.key, draft.as_definition().rules[-1].condition) == ("big-company", BIG)


def test_tiers_are_added_changed_moved_and_removed_but_the_last_one_stays(draft, people, now):
    who = {"number": 2, "by": people.marketer, "at": now}
    tier = tier_verbs.add_tier(**who)
    assert (tier.position, tier.total) == (3, 50)
    tier = tier_verbs.change_tier(tier_id=tier.pk, seen=verbs.seen_of(tier), name="Cool", total=30, fit=10, **who)
    tier_verbs.move_tier(tier_id=tier.pk, up=True, **who)
    assert [t.name for t in draft.tiers.all()] == ["Hot", "Cool", "Standard"]
    for name in ("Hot", "Standard"):
        one = draft.tiers.get(name=name)
        tier_verbs.delete_tier(tier_id=one.pk, seen=verbs.seen_of(one), **who)
    with pytest.raises(Unusable, match="at least one tier"):
        tier_verbs.delete_tier(tier_id=tier.pk, seen=verbs.seen_of(tier), **who)


def test_required_facts_are_kept_and_say_what_a_lead_lacks(draft, people, now):
    verbs.require_facts(
        number=2, facts=["company", "attributes.Budget"], seen=verbs.seen_of_facts(draft), by=people.marketer, at=now
    )
    draft.refresh_from_db()
    definition = draft.as_definition()
    assert definition.lacks({"company": "Corvane", "attributes": {}}) == ["attributes.Budget"]
    assert definition.from_json(definition.as_json()) == definition
    draft.refresh_from_db()
    with pytest.raises(Unusable, match="no field"):
        verbs.require_facts(number=2, facts=["shoe size"], seen=verbs.seen_of_facts(draft), by=people.marketer, at=now)


def test_a_definition_without_required_facts_keeps_the_document_that_was_signed(agreement):
    assert set(agreement.definition.as_definition().as_json()) == {"number", "rules", "tiers"}


def test_a_draft_can_be_thrown_away_unless_something_begins_from_it(draft, people, now):
    verbs.draft_definition(start_from=draft, by=people.marketer, at=now)
    with pytest.raises(InUse):
        verbs.delete_draft(number=2, by=people.marketer, at=now)
    verbs.delete_draft(number=3, by=people.marketer, at=now)
    verbs.delete_draft(number=2, by=people.marketer, at=now)
    assert list(MQLDefinition.objects.values_list("number", flat=True)) == [1]


def test_a_proposed_definition_does_not_change_by_verb_nor_past_it(agreement, people, now):
    rule = ScoringRule.objects.filter(definition=agreement.definition).first()
    with pytest.raises(Frozen):
        verbs.change_rule(number=1, rule_id=rule.pk, seen=verbs.seen_of(rule), points=1, by=people.marketer, at=now)
    with pytest.raises(Frozen):
        verbs.delete_draft(number=1, by=people.marketer, at=now)
    for statement in (
        "UPDATE sla_mqldefinition SET required_facts = '[\"company\"]'",
        "UPDATE sla_scoringrule SET points = 1",
        "DELETE FROM sla_tier",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_database_wants_to_know_when_somebody_changed_a_draft(draft):
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("UPDATE sla_mqldefinition SET changed_at = NULL WHERE number = 2")

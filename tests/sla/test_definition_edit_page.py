"""The editor of a draft: every change is saved at once, in place for htmx and by plain forms."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from sla.models import MQLDefinition
from sla.services import definition as verbs

HTMX = {"HX-Request": "true"}


@pytest.fixture
def door():
    def sign_in(person):
        client = Client()
        client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
        return client

    return sign_in


@pytest.fixture
def marketer(people, door):
    return door(people.marketer)


@pytest.fixture
def draft(agreement, people, now):
    return verbs.draft_definition(start_from=agreement.definition, by=people.marketer, at=now)


@pytest.fixture
def guide(draft):
    return draft.rules.get(key="guide")


def fields_of(html, form):
    """What a plain submit of the form would send, buttons apart."""
    own = re.search(rf'<form[^>]*id="{form}".*?</form>', html, re.DOTALL)
    text = own.group() + "".join(re.findall(rf'<(?:input|select)[^>]*form="{form}"[^>]*>', html))
    data = {}
    for tag in re.findall(r"<input[^>]*>", text):
        name, value = (re.search(rf'\s{part}="([^"]*)"', tag) for part in ("name", "value"))
        kind = re.search(r'type="(\w+)"', tag)
        if name and not (kind and kind[1] in ("checkbox", "radio") and "checked" not in tag):
            data.setdefault(name[1], []).append(value[1] if value else "on")
    for name, body in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', text, re.DOTALL):
        data[name] = re.findall(r'value="([^"]*)" selected', body)[:1]
    for name, body in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', text, re.DOTALL):
        data[name] = [body]
    return data


def opened(client, rule):
    """The fields of a rule's opened form, as the page has them."""
    html = client.get(reverse("definition_rule", args=[2, rule.pk])).content.decode()
    return fields_of(html, f"rule-{rule.pk}-form")


def test_a_marketer_starts_a_draft_from_a_version_and_lands_in_its_editor(marketer, agreement):
    answer = marketer.post(reverse("definition_draft"), {"start_from": 1})
    assert answer["Location"] == reverse("definition_edit", args=[2])
    html = marketer.get(answer["Location"]).content.decode()
    assert "Definition v2" in html
    assert "Company size 200–5,000" in html


def test_the_points_of_a_rule_are_saved_at_once(marketer, guide):
    answer = marketer.post(
        reverse("definition_rule_points", args=[2, guide.pk]),
        {"points": 4, "seen": verbs.seen_of(guide)},
        headers=HTMX,
    )
    assert (answer.status_code, answer["HX-Trigger"]) == (200, "draft-changed")
    assert "+4 each time" in answer.content.decode()
    guide.refresh_from_db()
    assert guide.points == 4


def test_without_script_the_same_form_leads_back_to_the_page(marketer, guide):
    html = marketer.get(reverse("definition_edit", args=[2])).content.decode()
    data = fields_of(html, f"rule-{guide.pk}-form") | {"points": 4}
    answer = marketer.post(reverse("definition_rule_points", args=[2, guide.pk]), data)
    assert answer["Location"].startswith(reverse("definition_edit", args=[2]))
    guide.refresh_from_db()
    assert guide.points == 4


def test_the_second_of_two_people_sees_the_rule_as_it_now_is(marketer, door, people, guide):
    data = {"points": 4, "seen": verbs.seen_of(guide)}
    where = reverse("definition_rule_points", args=[2, guide.pk])
    marketer.post(where, data, headers=HTMX)
    answer = door(people.sales_leader).post(where, data | {"points": 9}, headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (409, f"#rule-{guide.pk}")
    assert "Somebody changed this meanwhile" in answer.content.decode()
    assert "+4 each time" in answer.content.decode()
    guide.refresh_from_db()
    assert guide.points == 4
    plain = door(people.sales_leader).post(where, data | {"points": 9})
    assert plain.status_code == 409
    assert "Somebody changed this meanwhile" in plain.content.decode()


def test_an_opened_rule_sent_back_unchanged_changes_nothing(marketer, draft):
    for rule in draft.rules.all():
        answer = marketer.post(reverse("definition_rule", args=[2, rule.pk]), opened(marketer, rule), headers=HTMX)
        assert answer.status_code == 200, answer.content.decode()
        before = rule.as_rule()
        rule.refresh_from_db()
        assert rule.as_rule() == before


def test_a_condition_is_added_with_and_then_filled_in(marketer, draft):
    rule, where = draft.rules.get(key="size"), None
    where = reverse("definition_rule", args=[2, rule.pk])
    answer = marketer.post(where, opened(marketer, rule) | {"act": "and:c"}, headers=HTMX)
    assert f'id="rule-{rule.pk}-parts" hx-swap-oob="true"' in answer.content.decode()
    data = opened(marketer, rule) | {"c.1.field": "Industry", "c.1.op": "equals", "c.1.value": "Food"}
    answer = marketer.post(where, data, headers=HTMX)
    assert "company size is 200–5,000, and industry is Food" in answer.content.decode()
    rule.refresh_from_db()
    assert rule.condition["all"][1] == {"field": "industry", "op": "equals", "value": "Food"}


def test_a_comparison_without_a_value_is_asked_for_and_not_saved(marketer, draft):
    rule = draft.rules.get(key="size")
    data = opened(marketer, rule) | {"c.field": "industry", "c.op": "equals"}
    answer = marketer.post(reverse("definition_rule", args=[2, rule.pk]), data, headers=HTMX)
    assert answer.status_code == 422
    assert "say what industry is compared with" in answer.content.decode()
    assert 'name="c.value"' in answer.content.decode()
    plain = marketer.post(reverse("definition_rule", args=[2, rule.pk]), data)
    assert plain.status_code == 422
    assert "say what industry is compared with" in plain.content.decode()
    rule.refresh_from_db()
    assert rule.condition["op"] == "between"


def test_a_rule_can_turn_from_a_fact_to_events(marketer, draft):
    rule = draft.rules.get(key="size")
    data = opened(marketer, rule) | {"about": "events", "event": "pricing_viewed", "window_days": 14}
    assert marketer.post(reverse("definition_rule", args=[2, rule.pk]), data, headers=HTMX).status_code == 200
    rule.refresh_from_db()
    assert (rule.condition, rule.window_days) == ({"event": "pricing_viewed"}, 14)


def test_rules_are_added_copied_moved_and_removed_in_place(marketer, draft, guide):
    def act(name, *args, **data):
        return marketer.post(reverse(name, args=[2, *args]), data, headers=HTMX).content.decode()

    assert "New rule" in act("definition_rule_add", axis="behaviour")
    assert "Guide downloaded (copy)" in act("definition_rule_copy", guide.pk)
    html = act("definition_rule_move", guide.pk, direction="up")
    assert html.index(f'id="rule-{guide.pk}"') < html.index("Pricing page")
    assert f'id="rule-{guide.pk}"' not in act("definition_rule_delete", guide.pk, seen=verbs.seen_of(guide))


def test_a_rule_that_is_gone_is_told_with_the_page_as_it_is(marketer, people, guide, now):
    seen = verbs.seen_of(guide)
    verbs.delete_rule(number=2, rule_id=guide.pk, seen=seen, by=people.sales_leader, at=now)
    answer = marketer.post(
        reverse("definition_rule_points", args=[2, guide.pk]), {"points": 4, "seen": seen}, headers=HTMX
    )
    assert (answer.status_code, answer["HX-Retarget"]) == (409, "#editor")
    assert "Somebody removed this meanwhile" in answer.content.decode()


def test_a_draft_that_was_proposed_meanwhile_says_so(marketer, people, guide, now):
    MQLDefinition.objects.filter(number=2).update(proposed_at=now, proposed_by=people.marketer)
    answer = marketer.post(
        reverse("definition_rule_points", args=[2, guide.pk]), {"points": 4, "seen": "x"}, headers=HTMX
    )
    assert answer.status_code == 409
    assert "was proposed" in answer.content.decode()
    assert marketer.get(reverse("definition_edit", args=[2]))["Location"] == reverse("definition_version", args=[2])


def test_a_tier_is_changed_in_place_and_the_matrix_follows(marketer, draft):
    tier = draft.tiers.get(key="hot")
    data = {"name": "Hot", "total": 90, "fit": "", "behaviour": 30, "seen": verbs.seen_of(tier)}
    answer = marketer.post(reverse("definition_tier", args=[2, tier.pk]), data, headers=HTMX)
    assert "90 points or more, 30 of them for behaviour" in answer.content.decode()
    assert 'id="matrix" hx-swap-oob="true"' in answer.content.decode()
    again = marketer.post(reverse("definition_tier", args=[2, tier.pk]), data, headers=HTMX)
    assert (again.status_code, again["HX-Retarget"]) == (409, f"#tier-{tier.pk}")
    empty = marketer.post(reverse("definition_tier", args=[2, tier.pk]), {"name": "Hot", "total": ""}, headers=HTMX)
    assert empty.status_code == 422


def test_tiers_are_added_moved_and_removed_in_place(marketer, draft):
    html = marketer.post(reverse("definition_tier_add", args=[2]), headers=HTMX).content.decode()
    assert 'value="New tier"' in html
    tier = draft.tiers.get(name="New tier")
    html = marketer.post(reverse("definition_tier_move", args=[2, tier.pk]), {"direction": "up"}, headers=HTMX)
    assert html.content.decode().index("New tier") < html.content.decode().index('value="Standard"')
    where = reverse("definition_tier_delete", args=[2, tier.pk])
    assert "New tier" not in marketer.post(where, {"seen": verbs.seen_of(tier)}, headers=HTMX).content.decode()


def test_required_facts_and_the_summary_are_kept(marketer, draft):
    html = marketer.get(reverse("definition_edit", args=[2])).content.decode()
    data = fields_of(html, "required-form") | {"facts": ["company"], "other": "Budget"}
    assert "Budget" in marketer.post(reverse("definition_required", args=[2]), data, headers=HTMX).content.decode()
    data = fields_of(html, "summary-form") | {"summary": "pay for buying"}
    said = marketer.post(reverse("definition_summary", args=[2]), data, headers=HTMX).content.decode()
    assert "Definition v2: pay for buying" in said
    draft.refresh_from_db()
    assert (draft.required_facts, draft.summary) == (["company", "attributes.Budget"], "pay for buying")


def test_a_draft_is_thrown_away_by_its_button(marketer, draft):
    assert marketer.post(reverse("definition_delete", args=[2]))["Location"] == reverse("definition")
    assert not MQLDefinition.objects.filter(number=2).exists()


ACTS = [
    ("definition_draft", ()), ("definition_delete", (2,)), ("definition_summary", (2,)),
    ("definition_required", (2,)), ("definition_rule_add", (2,)), ("definition_rule", (2, "rule")),
    ("definition_rule_points", (2, "rule")), ("definition_rule_move", (2, "rule")),
    ("definition_rule_copy", (2, "rule")), ("definition_rule_delete", (2, "rule")), ("definition_tier_add", (2,)),
    ("definition_tier", (2, "tier")), ("definition_tier_move", (2, "tier")), ("definition_tier_delete", (2, "tier")),
]  # fmt: skip


@pytest.mark.parametrize("role", ["rep", "manager", "admin"])
def test_who_may_not_edit_is_refused_at_every_door(people, door, draft, guide, role):
    client, before = door(getattr(people, role)), draft.as_definition()
    pks = {"rule": guide.pk, "tier": draft.tiers.first().pk}
    form = {"points": 1, "total": 1, "name": "x", "seen": verbs.seen_of(guide)}
    for name, args in ACTS:
        answer = client.post(reverse(name, args=[pks.get(arg, arg) for arg in args]), form)
        assert answer.status_code == 403 or (name == "definition_tier" and answer.status_code == 403), name
    assert client.get(reverse("definition_edit", args=[2])).status_code == 403
    assert MQLDefinition.objects.get(number=2).as_definition() == before
    assert MQLDefinition.objects.count() == 2


def test_the_comparison_shows_each_change_before_and_after(marketer, people, guide, now):
    verbs.change_rule(number=2, rule_id=guide.pk, seen=verbs.seen_of(guide), points=4, by=people.marketer, at=now)
    html = marketer.get(reverse("definition_compare", args=[1, 2])).content.decode()
    assert "From v1 to v2: one change" in html
    assert "<del>+10</del>" in html
    assert "<ins>+4</ins>" in html
    chosen = marketer.get(reverse("definition_compare_choose"), {"before": 2, "after": 1})
    assert chosen["Location"] == reverse("definition_compare", args=[2, 1])


def test_the_editor_asks_the_database_few_questions(marketer, draft, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        marketer.get(reverse("definition_edit", args=[2]))


def test_the_frame_still_names_the_terms_in_force(marketer, draft):
    assert "agreement v1, definition v1" in marketer.get(reverse("definition_edit", args=[2])).content.decode()

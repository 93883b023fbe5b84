"""The page of the routing rules: written by form, with htmx and without, tried on last month, published."""

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from leads.dry_run import dry_run
from leads.figures import Month
from leads.models import RoutingPlan, RoutingRule
from portal.accounts.absences import add_absence
from tests.routing import DACH, draft, plan

HTMX = {"HX-Request": "true"}


@pytest.fixture
def manager(client, people):
    client.force_login(people.manager)
    return client


def rule_of(people, **changes):
    """The form of a rule as a browser sends it."""
    return {
        "name": "DACH", "join": "all", "field": ["country", "employees", ""], "test": ["in", "at_least", "in"],
        "value": ["Germany, Austria", "200", ""], "target": f"team:{people.north.pk}", "method": "round_robin",
        f"weight-{people.rep.pk}": "2", f"weight-{people.other_rep.pk}": "1", **changes,
    }  # fmt: skip


def test_without_rules_the_page_says_what_happens_and_starts_the_first(manager, agreement):
    assert "fewest open leads" in manager.get(reverse("routing")).content.decode()
    assert manager.post(reverse("routing_start")).status_code == 302
    assert "A draft of who gets which lead" in manager.get(reverse("routing")).content.decode()


def test_a_rule_is_added_by_form_and_stands_there_as_a_sentence(manager, people, now):
    draft(people, at=now)
    assert manager.post(reverse("routing_rule_add"), rule_of(people)).status_code == 302
    rule = RoutingRule.objects.get()
    assert rule.condition == {"all": [
        {"field": "country", "op": "in", "values": ["Germany", "Austria"]},
        {"field": "employees", "op": "between", "min": 200},
    ]}  # fmt: skip
    page = manager.get(reverse("routing")).content.decode()
    assert "When country is Germany or Austria, and company size is at least 200: to North, in turn by weight:" in page
    assert "Otto Rep (1) and Rena Rep (2)" in page


def test_a_rule_is_changed_and_what_the_form_shows_is_what_it_says(manager, people, now):
    written = draft(people, {"condition": DACH, "team_id": people.north.pk, "weights": {people.rep.pk: 3}}, at=now)
    where = reverse("routing_rule", args=[written.rules.get().pk])
    shown = manager.get(where).context
    assert shown["rows"][0] == {"field": "country", "test": "in", "value": "Germany, Austria, Switzerland"}
    assert [(rep.name, weight) for rep, weight in shown["members"]] == [("Otto Rep", 1), ("Rena Rep", 3)]
    answer = manager.post(where, rule_of(people, target=f"person:{people.rep.pk}"), headers=HTMX)
    assert answer.status_code == 200
    assert "to Rena Rep." in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_condition_that_the_form_cannot_say_is_kept_as_it_is(manager, people, now):
    deep = {"not": {"any": [DACH, {"field": "title", "op": "matches", "value": "Head|Chief"}]}}
    rule = draft(people, {"condition": deep, "team_id": people.north.pk}, at=now).rules.get()
    where = reverse("routing_rule", args=[rule.pk])
    assert "Keep the condition as it is" in manager.get(where).content.decode()
    manager.post(where, {"keep": "1", "name": "Kept", "target": f"team:{people.south.pk}", "method": "account"})
    rule.refresh_from_db()
    assert (rule.condition, rule.name, rule.team) == (deep, "Kept", people.south)


@pytest.mark.parametrize(("changes", "code"), [
    ({"target": ""}, "rule_incomplete"),
    ({"value": ["Germany", "many", ""]}, "condition_wrong"),
    ({"value": ["", "200", ""]}, "condition_wrong"),
    ({"method": "dice"}, "rule_incomplete"),
])  # fmt: skip
def test_a_rule_that_makes_no_sense_comes_back_as_it_was_sent(manager, people, now, changes, code):
    draft(people, at=now)
    for headers in ({}, HTMX):
        answer = manager.post(reverse("routing_rule_add"), rule_of(people, **changes), headers=headers)
        assert (answer.status_code, answer.context["refusal"].code, answer.context["name"]) == (422, code, "DACH")
    assert answer["HX-Retarget"] == "#rule-new"
    assert not RoutingRule.objects.exists()


def test_rules_are_moved_duplicated_and_deleted_with_htmx_and_without(manager, people, now):
    written = draft(people, *({"name": name, "team_id": people.north.pk} for name in "AB"), at=now)
    a, b = written.rules.all()
    answer = manager.post(reverse("routing_rule_move", args=[b.pk]), {"up": "1"}, headers=HTMX)
    assert answer.content.decode().index("<b>B</b>") < answer.content.decode().index("<b>A</b>")
    assert manager.post(reverse("routing_rule_duplicate", args=[a.pk])).status_code == 302
    assert manager.post(reverse("routing_rule_delete", args=[b.pk]), headers=HTMX).status_code == 200
    assert [rule.name for rule in written.rules.all()] == ["A", "A (copy)"]


def test_queue_room_and_accounts_are_written_on_a_page_of_their_own(manager, people, now):
    draft(people, at=now)
    sent = {"queue_owner": people.manager.pk, "minutes": "30", "most_open": "12", f"room-{people.rep.pk}": "5",
            "accounts": f"kestrel.example {people.rep.email}\nCorvane.example Otto Rep\n"}  # fmt: skip
    assert manager.post(reverse("routing_terms"), sent).status_code == 302
    found = RoutingPlan.objects.draft()
    assert (found.claim_within, found.most_open) == (dt.timedelta(minutes=30), 12)
    assert dict(found.capacities.values_list("person", "most_open")) == {people.rep.pk: 5}
    assert [(one.domain, one.owner) for one in found.accounts.all()] == [
        ("corvane.example", people.other_rep), ("kestrel.example", people.rep),
    ]  # fmt: skip
    for wrong in ({"minutes": "0"}, {"minutes": "soon"}, {"most_open": "-3"}, {"accounts": "kestrel.example nobody"}):
        answer = manager.post(reverse("routing_terms"), sent | wrong)
        assert (answer.status_code, answer.context["refusal"].code) == (422, "terms_wrong")


def test_a_draft_is_published_and_then_only_read(manager, people, now):
    draft(people, {"team_id": people.north.pk}, at=now)
    manager.post(reverse("routing_publish"), {"summary": "North takes all"})
    in_force = RoutingPlan.objects.in_force(at=timezone.now())
    assert (in_force.summary, in_force.published_by) == ("North takes all", people.manager)
    page = manager.get(reverse("routing")).content.decode()
    assert "Change the rules" in page
    assert "Delete rule" not in page
    assert manager.get(reverse("routing_rule", args=[in_force.rules.get().pk])).status_code == 404
    assert manager.get(reverse("routing_plan", args=[in_force.number])).status_code == 200


# --- dry run ----------------------------------------------------------------------------------------
@pytest.fixture
def last_month(open_lead, people, now):
    """Four leads of September that the rep got, two of them German; the test's now is in October."""
    first = dt.datetime(2026, 9, 10, 8, tzinfo=dt.UTC)
    countries = ("Germany", "Netherlands", "Germany", "Netherlands")
    return [open_lead(at=first + dt.timedelta(days=n), country=country) for n, country in enumerate(countries)]


def tried(plan, now):
    zone = timezone.get_default_timezone()
    return dry_run(plan, Month.of(now, zone).plus(-1), at=now, zone=zone)


def test_the_dry_run_says_who_would_have_got_what_beside_what_happened(last_month, people, now):
    written = draft(people, {"condition": DACH, "team_id": people.south.pk}, {"team_id": people.north.pk}, at=now)
    found = tried(written, now)
    assert [(one.had, one.would) for one in found.outcomes] == [
        ("Rena Rep", "Suna Rep"), ("Rena Rep", "Rena Rep"), ("Rena Rep", "Suna Rep"), ("Rena Rep", "Otto Rep"),
    ]  # fmt: skip
    assert found.people == (("Otto Rep", 0, 1), ("Rena Rep", 4, 1), ("Suna Rep", 0, 2))
    assert len(found.moved) == 3


def test_the_dry_run_keeps_to_capacity_and_to_who_was_away_on_the_day(last_month, people, now):
    away = dt.date(2026, 9, 10)
    add_absence(person_id=people.rep.pk, first_day=away, last_day=away, by=people.admin,
                at=dt.datetime(2026, 9, 1, tzinfo=dt.UTC))  # fmt: skip
    found = tried(draft(people, {"team_id": people.north.pk}, at=now, most_open=1), now)
    assert [one.would for one in found.outcomes] == ["Otto Rep", "Rena Rep", "default queue", "default queue"]


def test_the_dry_run_writes_nothing(last_month, manager, people, now):
    plan(people, {"team_id": people.north.pk, "method": "account"}, at=now)
    written = []

    def watch(execute, sql, params, many, context):
        if not sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE")):
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert len(tried(RoutingPlan.objects.get(), now).outcomes) == 4
        assert manager.get(reverse("routing_dry_run")).status_code == 200
    assert not [sql for sql in written if "django_session" not in sql]

"""What a lead's facts were before they changed: kept whatever writes, and read as they were at the handoff."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from leads.backtest.load import load
from leads.models import FactChange, Lead
from leads.services.capture import capture_lead
from leads.services.qualify import open_handoff
from sla.scoring import Definition

DAY = dt.timedelta(days=1)


@pytest.fixture
def at():
    return timezone.now()


def reading(*fields):
    """A definition with a rule of one point for each fact that is there."""
    rules = [
        {"key": f"r{i}", "label": "There", "axis": "fit", "condition": {"field": field, "op": "present"}, "points": 1}
        for i, field in enumerate(fields)
    ]
    return Definition.from_json(
        {"number": 1, "rules": rules, "tiers": [{"key": "mql", "name": "MQL", "position": 1, "total": 1}]}
    )


def values(loaded, name):
    column = loaded.panel.facts[name]
    return [column.values[code] for code in column.codes]


def test_each_change_keeps_what_was_there_before(db, at):
    lead = capture_lead(facts={"email": "a@x.example", "industry": "Food", "attributes": {"Seats": 4}}, at=at - DAY)
    assert not FactChange.objects.exists(), "what is new was nothing before"
    capture_lead(facts={"email": "a@x.example", "industry": "Retail", "attributes": {"Tags": "Closed"}}, at=at)
    change = FactChange.objects.get(lead=lead)
    assert (change.changed_at, change.was) == (at, {"industry": "Food", "attributes.Tags": None})


def test_what_is_no_fact_leaves_no_change(db, at):
    lead = capture_lead(facts={"email": "a@x.example"}, at=at - DAY)
    Lead.objects.filter(pk=lead.pk).update(recycle_on=at.date(), updated_at=at)
    capture_lead(facts={"email": "a@x.example"}, at=at)
    assert not FactChange.objects.exists()


def test_a_change_without_a_time_of_its_own_counts_from_now(db, at):
    lead = capture_lead(facts={"email": "a@x.example", "country": "Spain"}, at=at - DAY)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE leads_lead SET country = 'Peru' WHERE id = %s", [lead.pk])
    assert FactChange.objects.get().changed_at > at - DAY / 2


def test_changes_are_facts_that_nobody_alters(db, at):
    capture_lead(facts={"email": "a@x.example", "country": "Spain"}, at=at - DAY)
    capture_lead(facts={"email": "a@x.example", "country": "Peru"}, at=at)
    for statement in ("UPDATE leads_factchange SET was = '{}'", "DELETE FROM leads_factchange"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_backtest_judges_a_lead_by_the_facts_of_its_handoff(agreement, people, at):
    then, facts = (
        at - 9 * DAY,
        {"email": "a@x.example", "source": "Demo request", "employees": 640, "industry": "Food"},
    )
    lead = capture_lead(facts=facts, at=then - DAY)
    assert open_handoff(lead_id=lead.pk, by=None, at=then, owner=people.rep)
    for days, industry, tag in ((6, "Retail", "Called"), (3, "Mining", "Won")):
        capture_lead(
            facts={"email": "a@x.example", "industry": industry, "employees": 7, "attributes": {"Tags": tag}},
            at=at - days * DAY,
        )
    loaded = load([reading("industry", "employees", "attributes.Tags")], at=at)
    assert values(loaded, "industry") == ["Food"], "the earliest change after it tells"
    assert values(loaded, "employees") == [640]
    assert values(loaded, "attributes.Tags") == [None], "nobody had written it yet"


def test_a_lead_that_came_after_its_moment_has_the_facts_it_came_with(db, at):
    lead = capture_lead(facts={"email": "a@x.example", "industry": "Food"}, at=at - 2 * DAY)
    capture_lead(facts={"email": "a@x.example", "industry": "Retail"}, at=at - DAY)
    assert values(load([reading("industry")], at=at), "industry") == ["Food"], "judged when it was captured"
    assert lead.pk

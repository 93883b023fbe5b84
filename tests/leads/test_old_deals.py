"""Outcomes that older imports kept among attributes become deals, once, and no rule can read them any more."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from leads.calibration.as_known import facts_at
from leads.models import Deal, Lead
from leads.services.deal import record_deal
from leads.services.old_deals import convert_old_deals
from portal.outbox.models import Message
from tests.history import write

UTC, DAY = dt.UTC, dt.timedelta(days=1)
AT = dt.datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def leads(agreement):
    """Four leads of history as an older import left them: won, lost, still open, and one that nobody can read."""
    told = (
        {"outcome": "won", "closed_at": "2026-03-20T10:00:00+00:00", "amount": "1200.5", "City": "Bonn"},
        {"outcome": "lost"},
        {"outcome": "open", "closed_at": "2026-03-20T10:00:00+00:00"},
        {"outcome": "perhaps", "amount": "7"},
    )
    rows = write(agreement, [
        {"qualified_at": AT, "decided_at": AT + DAY, "lead": {"attributes": attributes}} for attributes in told
    ])  # fmt: skip
    return [row.lead for row in rows]


def standing():
    return [
        (d.lead_id, d.handoff.qualified_at, d.outcome, d.amount, d.currency, d.closed_at, d.via)
        for d in Deal.objects.standing().select_related("handoff").order_by("lead_id")
    ]


def test_outcomes_among_attributes_become_deals_of_the_handoff_that_led_to_them(leads, now):
    found = convert_old_deals(at=now)
    assert (found.recorded, found.known) == (3, 0)
    assert found.left == [(leads[3].pk, "the outcome is none of won, lost and open")]
    closed = dt.datetime(2026, 3, 20, 10, tzinfo=UTC)
    assert standing() == [
        (leads[0].pk, AT, "won", Decimal("1200.50"), "EUR", closed, "import"),
        (leads[1].pk, AT, "lost", None, "", None, "import"), (leads[2].pk, AT, "open", None, "", None, "import"),
    ]  # fmt: skip
    kept = {lead.pk: lead.attributes for lead in Lead.objects.all()}
    assert kept == {
        leads[0].pk: {"City": "Bonn"}, leads[1].pk: {}, leads[2].pk: {},
        leads[3].pk: {"outcome": "perhaps", "amount": "7"},
    }  # fmt: skip
    assert not Message.objects.filter(topic="deal.recorded").exists(), "it is no news to anybody"


def test_run_again_it_changes_nothing(leads, now):
    convert_old_deals(at=now)
    rows, changed = Deal.objects.count(), [*Lead.objects.values_list("updated_at", flat=True)]
    found = convert_old_deals(at=now + DAY)
    assert (found.recorded, found.known, len(found.left)) == (0, 0, 1)
    assert (Deal.objects.count(), [*Lead.objects.values_list("updated_at", flat=True)]) == (rows, changed)


def test_a_dry_run_counts_and_writes_nothing(leads, now):
    found = convert_old_deals(at=now, dry_run=True)
    assert (found.recorded, len(found.left), Deal.objects.count()) == (3, 1, 0)
    assert Lead.objects.filter(attributes__has_key="outcome").count() == 4


def test_what_was_recorded_since_is_newer_and_gets_no_second_deal(leads, people, now):
    record_deal(by=people.sales_leader, at=now, handoff_id=leads[0].handoffs.get().pk, outcome="lost")
    found = convert_old_deals(at=now + DAY)
    assert (found.recorded, found.known) == (2, 1)
    assert [row[2] for row in standing()] == ["lost", "lost", "open"]
    assert Lead.objects.get(pk=leads[0].pk).attributes == {"City": "Bonn"}


def test_nothing_of_the_outcome_is_shown_of_the_lead_as_it_was(leads, now):
    convert_old_deals(at=now)
    handoff = leads[0].handoffs.select_related("lead").get()
    assert facts_at(handoff).get("attributes.City") == "Bonn"
    assert not {"attributes.outcome", "attributes.closed_at", "attributes.amount"} & facts_at(handoff).keys()


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"outcome": "won", "amount": "much"}, "the amount is no number"),
        ({"outcome": "won", "closed_at": "soon"}, "the day it closed is no date"),
        (
            {"outcome": "won", "closed_at": "2026-03-20T10:00"},
            "the day it closed has no time zone, or lies in the future",
        ),
        (
            {"outcome": "won", "closed_at": "2999-03-20T10:00+00:00"},
            "the day it closed has no time zone, or lies in the future",
        ),
    ],
)
def test_what_cannot_be_read_is_left_and_said(leads, now, attributes, why):
    Lead.objects.filter(pk=leads[0].pk).update(attributes=attributes)
    assert (leads[0].pk, why) in convert_old_deals(at=now).left
    assert Lead.objects.get(pk=leads[0].pk).attributes == attributes


def test_the_command_reports(leads, capsys):
    call_command("convert_deals", dry_run=True)
    assert "This was a dry run" in capsys.readouterr().out
    call_command("convert_deals")
    said = capsys.readouterr().out
    assert "Deals recorded: 3. Leads of which one stood already: 0. Leads left as they are: 1." in said
    assert f"1: the outcome is none of won, lost and open (leads {leads[3].pk})" in said
    assert timezone.now() > Deal.objects.latest("recorded_at").recorded_at

"""Deals by the API: by who may record them, told apart by their id, once."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from leads.models import Deal
from leads.services.deal import record_deal
from portal.keys.scopes import DEALS_READ, DEALS_WRITE, HANDOFFS_READ, HANDOFFS_WRITE
from tests import cast
from tests.api import Program
from tests.leads.test_api_work import pages

DAY = dt.timedelta(days=1)


@pytest.fixture
def held(agreement, people):
    return cast.open_handoff(owner=people.rep, at=timezone.now() - 20 * DAY, email="anna@corvane.example")


def body(held, **more):
    return {"lead": {"email": "Anna+x@corvane.example"}, "outcome": "won", "amount": "1200.50", "currency": "USD",
            "closed_at": (timezone.now() - DAY).isoformat(), **more}  # fmt: skip


def test_a_deal_is_recorded_for_the_handoff_that_led_to_it_and_corrected_by_the_next(held, people):
    crm = Program(people.rep)
    assert crm.post("deals", body(held, id="D-7")).status_code == 201
    deal = Deal.objects.get()
    assert (deal.handoff, deal.amount, deal.currency, deal.via, deal.recorded_by) == (
        held, Decimal("1200.50"), "USD", "api", people.rep,
    )  # fmt: skip
    assert (crm.said["change"], crm.said["amount"], crm.said["handoff"]) == ("new", "1200.50", held.pk)
    lost = body(held, id="D-7", outcome="lost", loss_reason="Bad timing")
    assert (crm.post("deals", lost).status_code, crm.said["change"]) == (200, "corrected")
    assert (crm.post("deals", lost).status_code, crm.said["change"]) == (200, "unchanged")
    assert Deal.objects.standing().get().loss_reason == "bad_timing"


def test_with_one_idempotency_key_it_is_recorded_once(held, people):
    crm, told = Program(people.rep), body(held)
    for _ in range(2):
        assert crm.post("deals", told, Idempotency_Key="k").status_code == 201
    assert Deal.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"amount": "1,000"}, "invalid"),
        ({"amount": 5}, "invalid"),
        ({"amount": "1.005"}, "invalid"),
        ({"currency": "Euro"}, "invalid"),
        ({"outcome": "maybe"}, "invalid"),
        ({"recorded_by": 1}, "invalid"),
        ({"closed_at": "2999-01-01T00:00:00Z"}, "time_in_the_future"),
        ({"opened_at": "2026-02-01T00:00:00Z", "closed_at": "2026-01-01T00:00:00Z"}, "deal_dates"),
        ({"outcome": "void"}, "nothing_to_correct"),
        ({"lead": {"email": "nobody@x.example"}}, "no_such_lead"),
    ],
)
def test_what_is_no_deal_is_refused_with_its_code(held, people, more, code):
    crm = Program(people.rep)
    assert (crm.post("deals", body(held, **more)).status_code, crm.said["code"]) == (422, code)
    assert not Deal.objects.exists()


def test_only_who_may_records_and_only_of_leads_they_see(held, people):
    assert Program(people.marketer).post("deals", body(held)).status_code == 403
    stranger = Program(people.south_rep)
    for more in ({}, {"handoff": held.pk}, {"lead": {"id": held.lead_id}}):
        assert (stranger.post("deals", body(held, **more)).status_code, stranger.said["code"]) == (422, "no_such_lead")
    narrow = Program(people.rep, HANDOFFS_WRITE)
    assert (narrow.post("deals", body(held)).status_code, narrow.said["code"]) == (403, "scope_missing")
    assert Program(people.admin).post("deals", body(held)).status_code == 201


# --- reading them -----------------------------------------------------------------------------------
@pytest.fixture
def many(agreement, people):
    """Six deals: three of Rena's leads, two of the other rep's, one of no handoff."""
    at, made = timezone.now(), []
    for n, owner in enumerate([people.rep] * 3 + [people.other_rep] * 2):
        handoff = cast.open_handoff(owner=owner, at=at - 20 * DAY, email=f"d{n}@corvane.example")
        told = {"outcome": "won", "closed_at": at - (n + 1) * DAY} if n else {"outcome": "open"}
        made.append(record_deal(lead_id=handoff.lead_id, by=owner, at=at, external_id=f"D-{n}", **told).deal)
    lead = cast.capture_lead(facts={"email": "late@corvane.example"}, at=at - DAY)
    made.append(record_deal(lead_id=lead.pk, by=people.admin, at=at, outcome="lost", external_id="D-5").deal)
    return made


def test_everybody_reads_the_deals_they_see_on_pages(many, people):
    for person, n in {people.rep: 3, people.other_rep: 2, people.marketer: 6, people.admin: 6}.items():
        assert len(pages(Program(person, DEALS_READ), "deals", limit=2)) == n, person


def test_pages_show_each_deal_once_whatever_is_written_between_them(many, people):
    crm = Program(people.admin)
    first = crm.get("deals", {"limit": 2}).json()
    at = timezone.now()
    for n, outcome in ((0, "lost"), (4, "void")):
        deal = many[n]
        record_deal(lead_id=deal.lead_id, by=people.admin, at=at, external_id=deal.external_id, outcome=outcome)
    rest = pages(crm, "deals", limit=2, cursor=first["next_cursor"])
    assert [row["id"] for row in first["items"] + rest] == ["D-0", "D-1", "D-2", "D-3", "D-5", "D-0"]
    assert [rest[-1]["outcome"], pages(crm, "deals", id="D-4")] == ["lost", []]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"outcome": "won"}, {1, 2, 3, 4}),
        ({"id": "D-5"}, {5}),
        ({"closed_from": "2020-01-01T00:00:00Z", "outcome": "open"}, set()),
        ({"closed_before": "2020-01-01T00:00:00Z"}, set()),
        ({"recorded_from": "2999-01-01T00:00:00Z"}, set()),
    ],
)
def test_deals_are_filtered(many, people, query, wanted):
    assert {row["id"] for row in pages(Program(people.admin), "deals", **query)} == {f"D-{n}" for n in wanted}


def test_a_lead_s_deals_are_read_with_a_key_made_for_that(many, people):
    said = pages(Program(people.rep, DEALS_READ), "deals", lead=many[1].lead_id, handoff=many[1].handoff_id)
    assert [(row["deal"], row["outcome"]) for row in said] == [(many[1].pk, "won")]
    assert "change" not in said[0]
    for scope in (DEALS_WRITE, HANDOFFS_READ):
        assert Program(people.rep, scope).get("deals").status_code == 403


def test_a_page_of_deals_costs_four_queries(many, people, django_assert_max_num_queries):
    crm = Program(people.admin)
    crm.get("deals")
    with django_assert_max_num_queries(4):
        crm.get("deals")

"""Deals by the API: by who may record them, told apart by their id, once."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from leads.models import Deal
from portal.keys.scopes import HANDOFFS_WRITE
from tests import cast
from tests.api import Program

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
    assert Program(people.south_rep).post("deals", body(held)).status_code == 404
    assert Program(people.south_rep).post("deals", body(held, handoff=held.pk)).status_code == 404
    narrow = Program(people.rep, HANDOFFS_WRITE)
    assert (narrow.post("deals", body(held)).status_code, narrow.said["code"]) == (403, "scope_missing")
    assert Program(people.admin).post("deals", body(held)).status_code == 201

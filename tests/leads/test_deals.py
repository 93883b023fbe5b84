"""Deals: what stands, what a correction is, and what the database refuses whatever writes."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from leads.models import Deal, Handoff
from leads.services.deal import code_of, record_deal
from portal.shared.refusal import Refusal
from tests import cast
from tests.leads.test_races import at_once, codes

DAY = dt.timedelta(days=1)


@pytest.fixture
def handoff(open_lead, now):
    return open_lead(at=now - 30 * DAY)


@pytest.fixture
def record(handoff, people, now):
    def record(**told):
        return record_deal(**{"handoff_id": handoff.pk, "by": people.rep, "at": now, "outcome": "won"} | told)

    return record


def refused(code, **told):
    with pytest.raises(Refusal) as refusal:
        record_deal(**told)
    assert refusal.value.code == code


def test_a_deal_is_recorded_with_its_money_in_the_organisations_currency(record, handoff, now, people):
    found = record(amount=Decimal("1200.50"), closed_at=now - DAY, opened_at=now - 9 * DAY, product=" Planning ")
    deal = Deal.objects.get()
    assert (found.change, deal.handoff, deal.lead) == ("new", handoff, handoff.lead)
    assert (deal.amount, deal.currency, deal.product, deal.via) == (Decimal("1200.50"), "EUR", "Planning", "page")
    assert (deal.recorded_at, deal.recorded_by) == (now, people.rep)


def test_the_same_again_changes_nothing_and_a_correction_is_a_new_row(record, now):
    record(outcome="open", opened_at=now - 9 * DAY)
    assert record(outcome="open", opened_at=now - 9 * DAY).change == "unchanged"
    assert record(outcome="lost", loss_reason="Bad timing!", closed_at=now).change == "corrected"
    assert list(Deal.objects.values_list("outcome", flat=True)) == ["open", "lost"]
    assert [(d.outcome, d.loss_reason) for d in Deal.objects.standing()] == [("lost", "bad_timing")]


def test_a_loss_in_words_of_ones_own_becomes_a_code():
    assert (code_of("Went with Übersicht & Co."), code_of(" - ")) == ("went_with_bersicht_co", "")


def test_what_was_recorded_by_mistake_stands_for_nothing_and_can_be_recorded_again(record):
    first = record(amount=Decimal(5)).deal
    taken_back = record(corrects=first.pk, outcome="void").deal
    assert not Deal.objects.standing().exists()
    assert record(corrects=taken_back.pk, amount=Decimal(6)).deal == Deal.objects.standing().get()


def test_an_outside_id_tells_two_deals_of_one_handoff_apart(record):
    record(external_id="D-1")
    record(external_id="D-2", outcome="lost")
    record(external_id="D-1", amount=Decimal(9))
    assert sorted(Deal.objects.standing().values_list("external_id", "outcome")) == [("D-1", "won"), ("D-2", "lost")]


def test_a_deal_of_a_lead_belongs_to_the_last_cycle_before_it_closed(open_lead, people, now):
    old = open_lead(at=now - 90 * DAY)
    Handoff.objects.filter(pk=old.pk).update(status="withdrawn", withdrawn_at=now - 80 * DAY, withdrawn_why="Merged")
    told = {"lead_id": old.lead_id, "by": None, "at": now, "outcome": "won"}
    assert record_deal(closed_at=now - 85 * DAY, **told).deal.handoff is None
    new = cast.qualify(lead_id=old.lead_id, by=None, at=now - 40 * DAY, owner=people.rep)
    attached = record_deal(closed_at=now - 30 * DAY, **told)
    assert (attached.change, attached.deal.handoff) == ("corrected", new)
    assert Deal.objects.standing().count() == 1


def test_who_held_a_lead_before_does_not_tell_of_the_deal_of_who_holds_it_now(open_lead, people, now):
    old = open_lead(at=now - 90 * DAY)
    Handoff.objects.filter(pk=old.pk).update(status="withdrawn", withdrawn_at=now - 80 * DAY, withdrawn_why="Merged")
    new = cast.qualify(lead_id=old.lead_id, by=None, at=now - 40 * DAY, owner=people.south_rep)
    won = record_deal(handoff_id=new.pk, by=people.south_rep, at=now, outcome="won", external_id="D-1").deal
    told = {"by": people.rep, "at": now, "outcome": "lost"}
    for which in (
        {"lead_id": old.lead_id},
        {"lead_id": old.lead_id, "external_id": "D-1"},
        {"handoff_id": old.pk, "external_id": "D-1"},
    ):
        with pytest.raises(Http404):
            record_deal(**which, **told)
    assert list(Deal.objects.all()) == [won]
    assert record_deal(handoff_id=old.pk, external_id="D-2", **told).deal.handoff == old


def test_a_day_without_a_time_belongs_to_a_handoff_of_that_day(record, handoff, now):
    morning = (now - 30 * DAY).replace(hour=0)
    deal = record_deal(lead_id=handoff.lead_id, by=None, at=now, outcome="won", closed_at=morning).deal
    assert deal.handoff == handoff


def test_nonsense_is_refused_with_its_code(handoff, now, people):
    who = {"handoff_id": handoff.pk, "by": people.rep, "at": now}
    refused("deal_not_told", outcome="maybe", **who)
    refused("deal_dates", outcome="won", closed_at=now + DAY, **who)
    refused("deal_dates", outcome="won", closed_at=now - 3 * DAY, opened_at=now - DAY, **who)
    refused("deal_amount", outcome="won", amount=Decimal("1.005"), **who)
    refused("deal_amount", outcome="won", amount=Decimal(10), currency="Euro", **who)
    refused("deal_amount", outcome="won", amount=Decimal("NaN"), **who)
    refused("nothing_to_correct", outcome="void", **who)
    refused("not_permitted", outcome="won", handoff_id=handoff.pk, by=people.marketer, at=now)
    assert not Deal.objects.exists()


def test_who_corrects_what_was_corrected_meanwhile_is_told(record, handoff, people, now):
    first = record().deal
    record(outcome="lost")
    refused("deal_overtaken", outcome="won", corrects=first.pk, by=people.rep, at=now)


@pytest.mark.django_db(transaction=True)
def test_two_who_record_a_deal_at_once_leave_one_that_stands(handoff, people, now):
    who = {"handoff_id": handoff.pk, "by": people.rep, "at": now}
    outcomes = at_once(
        lambda: record_deal(outcome="won", **who), lambda: record_deal(outcome="lost", **who)
    )  # fmt: skip
    assert codes(outcomes) == ["done", "done"]
    assert Deal.objects.standing().count() == 1
    assert Deal.objects.count() == 2


INSERT = (
    "INSERT INTO leads_deal (lead_id, handoff_id, external_id, outcome, amount, currency, product, loss_reason, note,"
    " via, opened_at, closed_at, recorded_at, supersedes_id) VALUES (%(lead)s, %(handoff)s, %(external_id)s,"
    " %(outcome)s, %(amount)s, %(currency)s, '', %(loss_reason)s, '', %(via)s, %(opened_at)s, %(closed_at)s, now(),"
    " %(supersedes)s)"
)
PLAIN = dict.fromkeys(("external_id", "amount", "opened_at", "closed_at", "supersedes")) | {
    "outcome": "won", "currency": "", "loss_reason": "", "via": "api"}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "late"},
        {"outcome": "void"},
        {"outcome": "open", "closed_at": "2026-01-01"},
        {"outcome": "won", "loss_reason": "price"},
        {"outcome": "lost", "loss_reason": "Bad Timing"},
        {"amount": 5},
        {"currency": "EUR"},
        {"amount": 5, "currency": "eur"},
        {"opened_at": "2026-01-02", "closed_at": "2026-01-01"},
        {"external_id": ""},
        {"via": "rumour"},
        {},  # a second row that stands
        {"supersedes": "first", "lead": "other", "handoff": None},
        {"supersedes": "first", "external_id": "D-1"},
        {"supersedes": "first", "handoff": None},
        {"supersedes": "first", "handoff": "other"},
        {"handoff": "other"},
        {"supersedes": "older"},
    ],
)
def test_the_database_refuses_a_wrong_deal_whatever_writes_it(record, handoff, open_lead, wrong):
    older = record(external_id="D-7").deal
    record(external_id="D-7", outcome="lost")
    first, other = record().deal, open_lead(email="other@x.example")
    names = {"first": first.pk, "older": older.pk, "other": other.lead_id if "lead" in wrong else other.pk}
    row = PLAIN | {"lead": handoff.lead_id, "handoff": handoff.pk} | {k: names.get(v, v) for k, v in wrong.items()}
    if "supersedes" in wrong and wrong["supersedes"] == "older":
        row["external_id"] = "D-7"
    if wrong and set(wrong) <= set(PLAIN) - {"supersedes", "external_id"}:
        row["external_id"] = "D-9"  # wrong for nothing else
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, row)


def test_the_row_that_is_right_would_be_taken(record, handoff):
    first = record().deal
    with connection.cursor() as cursor:
        for more in ({"external_id": "D-9"}, {"supersedes": first.pk, "outcome": "void"}):
            cursor.execute(INSERT, PLAIN | {"lead": handoff.lead_id, "handoff": handoff.pk} | more)
    assert Deal.objects.count() == 3


@pytest.mark.parametrize(
    "statement", ["UPDATE leads_deal SET note = 'x'", "DELETE FROM leads_deal", "TRUNCATE leads_deal CASCADE"]
)
def test_deals_are_only_ever_added(record, statement):
    record()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(statement)

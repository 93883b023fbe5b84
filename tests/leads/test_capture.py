"""Capture: one row per person, however the address is spelt."""

import datetime as dt
import threading

import pytest
from django.db import connection

from leads.models import Event, Handoff, Lead
from leads.services.capture import Happened, NotALead, TwoLeads, capture_lead, record_event, take_in_lead
from leads.services.evaluate import evaluate_due
from portal.outbox.models import Message
from tests import cast


@pytest.mark.parametrize("again", ["ANNA@corvane.example", " anna@corvane.example ", "anna+webinar@corvane.example"])
def test_spellings_of_one_mailbox_are_one_lead(db, now, again):
    first = capture_lead(facts={"email": "anna@corvane.example", "company": "Corvane"}, at=now)
    second = capture_lead(facts={"email": again, "title": "COO"}, at=now)
    assert (second.pk, second.company, second.title) == (first.pk, "Corvane", "COO")


def test_an_empty_fact_overwrites_nothing(db, now):
    lead = capture_lead(facts={"email": "anna@corvane.example", "employees": 640, "attributes": {"a": 1}}, at=now)
    capture_lead(facts={"email": "anna@corvane.example", "employees": None, "attributes": {"b": 2}}, at=now)
    lead.refresh_from_db()
    assert (lead.employees, lead.attributes) == (640, {"a": 1, "b": 2})


def test_a_lead_without_address_or_outside_id_is_refused(db, now):
    with pytest.raises(NotALead):
        capture_lead(facts={"company": "Corvane"}, at=now)


def test_an_outside_id_and_an_address_of_two_leads_are_refused(db, now):
    capture_lead(facts={"external_id": "A1"}, at=now)
    capture_lead(facts={"email": "anna@corvane.example"}, at=now)
    with pytest.raises(TwoLeads):
        capture_lead(facts={"external_id": "A1", "email": "anna@corvane.example"}, at=now)


def test_an_event_told_twice_is_recorded_once(db, now):
    lead = capture_lead(facts={"external_id": "A1"}, at=now)
    told = {
        "lead_id": lead.pk,
        "kind": "page_viewed",
        "occurred_at": now,
        "at": now,
        "origin": "web",
        "origin_id": "7",
    }
    assert [record_event(**told), record_event(**told)] == [True, False]
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_captures_of_one_person_at_once_make_one_lead(now):
    errors = []

    def capture():
        try:
            capture_lead(facts={"email": "anna@corvane.example"}, at=now)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=capture) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (errors, Lead.objects.count()) == ([], 1)


# --- capture → evaluate → hand off, in one transaction -----------------------------------------------
DAY = dt.timedelta(days=1)
NURTURED = {**cast.FACTS, "email": "n@quiet.example", "source": "", "title": ""}


def test_a_lead_above_the_threshold_is_a_routed_handoff_with_running_clocks_at_once(agreement, people, now):
    taken = take_in_lead(facts={**cast.FACTS, "email": "a@corvane.example"}, at=now)
    assert (taken.outcome, taken.created) == ("handed_over", True)
    assert taken.handoff.owner is not None
    assert taken.handoff.next_due_at > now
    assert set(Message.objects.values_list("topic", flat=True)) >= {"lead.captured", "handoff.opened"}


def test_a_second_capture_attaches_to_the_open_handoff_and_keeps_its_clock(agreement, people, now):
    first = take_in_lead(facts={**cast.FACTS, "email": "a@corvane.example"}, at=now)
    again = take_in_lead(
        facts={"email": "A+x@corvane.example"}, events=[Happened("form_submitted", now)], at=now + DAY
    )
    assert (again.outcome, again.created, again.handoff) == ("open", False, first.handoff)
    assert (Handoff.objects.count(), Event.objects.count()) == (1, 1)


def test_below_the_threshold_a_lead_is_in_nurture_until_an_event_lifts_it(agreement, people, now):
    assert take_in_lead(facts=NURTURED, at=now).outcome == "nurture"
    event = Happened("roi_completed", now, origin="web", origin_id="1")
    taken = take_in_lead(facts={"email": "n@quiet.example"}, events=[event], at=now)
    assert (taken.outcome, taken.new_events) == ("handed_over", 1)
    assert take_in_lead(facts={"email": "n@quiet.example"}, events=[event], at=now).new_events == 0


def test_a_suspected_event_of_a_known_lead_evaluates_nothing(agreement, people, now):
    take_in_lead(facts=NURTURED, at=now)
    marked = Happened("roi_completed", now, suspected_by="scanner")
    taken = take_in_lead(facts={"email": "n@quiet.example"}, events=[marked], at=now)
    assert (taken.outcome, Handoff.objects.count()) == ("later", 0)


def test_under_load_the_worker_evaluates_what_was_taken_in(agreement, people, now):
    taken = take_in_lead(facts={**cast.FACTS, "email": "a@corvane.example"}, at=now, evaluate=False)
    assert (taken.outcome, Handoff.objects.count()) == ("later", 0)
    assert evaluate_due(at=now) == {"handed_over": 1}


def test_a_day_to_come_back_outlives_an_event_that_lifts_nothing(agreement, people, now):
    lead = take_in_lead(facts=NURTURED, at=now).lead
    Lead.objects.filter(pk=lead.pk).update(recycle_on=(now + 60 * DAY).date())
    take_in_lead(facts={"email": "n@quiet.example"}, events=[Happened("page_viewed", now)], at=now)
    record_event(lead_id=lead.pk, kind="page_viewed", occurred_at=now, at=now)
    evaluate_due(at=now)
    lead.refresh_from_db()
    assert (lead.recycle_on, lead.evaluate_from) == ((now + 60 * DAY).date(), None)


def test_without_an_agreement_a_lead_is_kept_and_waits(db, now):
    taken = take_in_lead(facts={"email": "a@corvane.example"}, at=now)
    taken.lead.refresh_from_db()
    assert (taken.outcome, taken.lead.evaluate_from) == ("no_version", now)

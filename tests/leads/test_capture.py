"""Capture: one row per person, however the address is spelt."""

import threading

import pytest
from django.db import connection

from leads.models import Event, Lead
from leads.services.capture import NotALead, TwoLeads, capture_lead, record_event


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

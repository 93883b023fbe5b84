"""Leads and events by the API: the same verb as forms, the same refusals, exactly once."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import timezone

from leads.models import Event, Handoff, Lead
from leads.visitors import lead_of, visitor_token
from portal.keys.models import KeptAnswer
from portal.keys.scopes import EVENTS_WRITE, LEADS_WRITE
from portal.keys.services import forget_answers
from portal.outbox.models import Message
from tests import cast
from tests.api import Program, token_for

HOT = {**cast.FACTS, "email": "anna@corvane.example"}
COLD = {"email": "n@quiet.example"}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def crm(agreement, people):
    """A program that may send leads and events, as a marketer."""
    return Program(people.marketer, LEADS_WRITE, EVENTS_WRITE)


def test_a_lead_that_reaches_a_tier_is_a_routed_handoff_in_the_answer(crm):
    answer = crm.post("leads", HOT)
    handoff, row = crm.said["handoff"], Handoff.objects.get()
    assert (answer.status_code, crm.said["created"], crm.said["outcome"]) == (201, True, "handed_over")
    assert (handoff["id"], handoff["owner"]["id"], handoff["tier"]) == (row.pk, row.owner_id, row.tier.key)
    assert crm.said["score"]["total"] == row.total == handoff["score"]
    assert dt.datetime.fromisoformat(handoff["contact_due_at"]) == row.contact_due_at
    assert set(Message.objects.values_list("topic", flat=True)) >= {"lead.captured", "handoff.opened"}


def test_below_the_threshold_it_is_in_nurture_with_its_score(crm):
    assert crm.post("leads", COLD).status_code == 201
    assert (crm.said["outcome"], crm.said["handoff"], crm.said["score"]["tier"]) == ("nurture", None, None)


def test_the_same_person_again_is_updated_by_mailbox_or_by_outside_id(crm):
    first = crm.post("leads", {**COLD, "external_id": "A1", "company": "Quiet"}).json()["lead"]
    assert crm.post("leads", {"email": "N+news@Quiet.example", "title": "CEO"}).status_code == 200
    assert crm.post("leads", {"external_id": "A1", "attributes": {"size": 5, "tags": ["a", "b"]}}).status_code == 200
    lead = Lead.objects.get()
    assert (lead.pk, lead.company, lead.title) == (first, "Quiet", "CEO")
    assert lead.attributes == {"size": 5, "tags": ["a", "b"]}


def test_events_come_with_the_lead_and_each_is_known_once(crm):
    seen = {"kind": "roi_completed", "id": "7", "source": "site", "occurred_at": (timezone.now() - HOUR).isoformat()}
    assert crm.post("leads", {**COLD, "events": [seen]}).json()["new_events"] == 1
    assert crm.post("leads", {**COLD, "events": [seen]}).json()["new_events"] == 0
    assert Event.objects.get().origin == "api/site"


def test_an_event_that_lifts_a_lead_to_a_tier_hands_it_over_at_once(crm):
    crm.post("leads", {**HOT, "source": "", "title": ""})
    assert crm.said["outcome"] == "nurture"
    crm.post("events", {"lead": {"email": "Anna@corvane.example"}, "kind": "roi_completed"})
    assert (crm.said["outcome"], crm.said["new_events"]) == ("handed_over", 1)


def test_an_event_of_somebody_unknown_is_refused(crm):
    for who in ({"id": 10**9}, {"email": "who@corvane.example"}, {}, {"id": 1, "email": "n@quiet.example"}):
        answer = crm.post("events", {"lead": who, "kind": "page_viewed"})
        assert (answer.status_code, crm.said["code"]) == (422, "no_such_lead")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"company": "Corvane"}, 422, "not_a_lead"),
        ({"email": "", "external_id": None}, 422, "invalid"),
        ({"email": "no address"}, 422, "invalid"),
        ({**COLD, "owner": 1}, 422, "invalid"),
        ({**COLD, "recycle_on": "2030-01-01"}, 422, "invalid"),
        ({**COLD, "email_key": "x@y.example"}, 422, "invalid"),
        ({**COLD, "id": 1}, 422, "invalid"),
        ({**COLD, "employees": True}, 422, "invalid"),
        ({**COLD, "employees": "5"}, 422, "invalid"),
        ({**COLD, "employees": 2**31}, 422, "invalid"),
        ({**COLD, "company": "x" * 201}, 422, "invalid"),
        ({**COLD, "company": "a\0b"}, 422, "invalid"),
        ({**COLD, "attributes": {"a": {"b": 1}}}, 422, "invalid"),
        ({**COLD, "attributes": {"a": [[1]]}}, 422, "invalid"),
        ({**COLD, "attributes": {"a": 10**400}}, 422, "invalid"),
        ({**COLD, "attributes": {"": 1}}, 422, "invalid"),
        ({**COLD, "attributes": {f"a{n}": 1 for n in range(51)}}, 422, "invalid"),
        ({**COLD, "events": [{"kind": "x", "suspected_by": "me"}]}, 422, "invalid"),
        ({**COLD, "events": [{"kind": "x"}] * 51}, 422, "invalid"),
        ({**COLD, "events": [{"kind": "x", "occurred_at": "2026-10-15T08:00:00"}]}, 422, "invalid"),
        ({**COLD, "events": [{"kind": "x", "occurred_at": 1760000000}]}, 422, "invalid"),
        ({**COLD, "events": [{"kind": "x", "occurred_at": "9999-12-31T23:59:59Z"}]}, 422, "time_in_the_future"),
        ({**COLD, "events": [{"kind": "x", "occurred_at": "0001-01-01T00:00:00+14:00"}]}, 422, "time_too_long_ago"),
        ([], 422, "invalid"),
        ('"text"', 422, "invalid"),
    ],
)  # fmt: skip
def test_what_is_not_as_documented_is_refused_and_nothing_is_saved(crm, body, status, code):
    answer = crm.post("leads", body)
    assert (answer.status_code, crm.said["code"]) == (status, code)
    assert not Lead.objects.exists()


def test_two_leads_that_one_request_names_are_refused(crm):
    crm.post("leads", {"external_id": "A1"})
    crm.post("leads", COLD)
    answer = crm.post("leads", {**COLD, "external_id": "A1"})
    assert (answer.status_code, crm.said["code"]) == (409, "two_leads")


def test_who_may_not_import_leads_may_not_send_them_either(agreement, people):
    program = Program(people.rep, LEADS_WRITE, EVENTS_WRITE)
    for where, body in (("leads", HOT), ("events", {"lead": {"id": 1}, "kind": "x"})):
        assert program.post(where, body).json()["code"] == "not_permitted"


def test_a_clock_that_is_a_little_ahead_is_taken_for_now(crm):
    soon = timezone.now() + dt.timedelta(minutes=3)
    crm.post("leads", {**COLD, "events": [{"kind": "page_viewed", "occurred_at": soon.isoformat()}]})
    assert Event.objects.get().occurred_at < soon


def test_the_answer_gives_a_token_for_the_visitor_that_nobody_can_guess(crm):
    lead = crm.post("leads", COLD).json()["lead"]
    token = crm.said["visitor"]
    assert lead_of(token) == lead
    assert lead_of(token.replace(f"{lead}:", f"{lead + 1}:", 1)) is None
    for wrong in ("", str(lead), f"{lead}:", visitor_token(lead)[:-1], "x" * 10**6, "٣:x:y", "\0"):
        assert lead_of(wrong) is None


# --- Idempotency-Key ----------------------------------------------------------------------------------
def test_the_same_request_with_the_same_key_gets_the_same_answer_and_is_worked_once(crm):
    first = crm.post("leads", {**COLD, "events": [{"kind": "page_viewed"}]}, Idempotency_Key="one")
    again = crm.post("leads", {**COLD, "events": [{"kind": "page_viewed"}]}, Idempotency_Key="one")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert (again["Idempotent-Replayed"], first.has_header("Idempotent-Replayed")) == ("true", False)
    assert (Lead.objects.count(), Event.objects.count()) == (1, 1)


def test_the_same_key_with_another_body_address_or_person_is_refused(crm, people):
    crm.post("leads", COLD, Idempotency_Key="one")
    for where, body in (("leads", HOT), ("events", {"lead": {"email": COLD["email"]}, "kind": "x"})):
        answer = crm.post(where, body, Idempotency_Key="one")
        assert (answer.status_code, crm.said["code"]) == (422, "idempotency_key_reused")
    assert (Lead.objects.count(), Event.objects.count()) == (1, 0)


def test_two_programs_may_use_the_same_key(crm, people):
    crm.post("leads", COLD, Idempotency_Key="one")
    assert Program(people.admin).post("leads", HOT, Idempotency_Key="one").status_code == 201


def test_a_refusal_is_kept_like_any_answer(crm):
    for _ in range(2):
        answer = crm.post("events", {"lead": {"id": 10**9}, "kind": "x"}, Idempotency_Key="one")
        assert (answer.status_code, crm.said["code"]) == (422, "no_such_lead")
        assert answer["Content-Type"] == "application/problem+json"
    assert answer["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "ключ", "two words"])
def test_a_key_that_is_none_is_refused(crm, key):
    answer = crm.post("leads", COLD, Idempotency_Key=key)
    assert (answer.status_code, crm.said["code"]) == (422, "idempotency_key_invalid")


def test_after_a_day_the_key_is_free_again_and_the_answer_forgotten(crm):
    crm.post("leads", COLD, Idempotency_Key="one")
    now = timezone.now()
    assert forget_answers(at=now) == 0
    KeptAnswer.objects.update(kept_at=now - 24 * HOUR)
    assert crm.post("leads", HOT, Idempotency_Key="one").status_code == 201
    KeptAnswer.objects.update(kept_at=now - 24 * HOUR)
    assert forget_answers(at=now) == 1


def test_work_and_answer_are_written_together_or_not_at_all(crm, monkeypatch):
    """The process dies between the work and the answer: the next try works as if there had been none."""
    crm.client.raise_request_exception = False
    monkeypatch.setattr("portal.keys.once.KeptAnswer.objects.create", lambda **fields: 1 / 0)
    assert crm.post("leads", COLD, Idempotency_Key="one").status_code == 500
    assert not Lead.objects.exists()
    monkeypatch.undo()
    assert crm.post("leads", COLD, Idempotency_Key="one").json()["created"] is True


@pytest.mark.django_db(transaction=True)
def test_two_that_arrive_at_once_are_worked_once_and_get_one_answer():
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    token = token_for(cast.people().marketer)
    answers, ready = [], threading.Barrier(5)

    def send():
        ready.wait()
        answers.append(
            Program(token=token).post("leads", {**HOT, "events": [{"kind": "page_viewed"}]}, Idempotency_Key="one")
        )
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum(answer.has_header("Idempotent-Replayed") for answer in answers) == 4
    assert (Lead.objects.count(), Handoff.objects.count(), Event.objects.count()) == (1, 1, 1)

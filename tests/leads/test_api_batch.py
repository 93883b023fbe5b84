"""Batches: a result for each row, one bad row stops no other, a few statements for a thousand rows."""

import threading
import time

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leads.models import Assignment, Event, Handoff, Lead, Place
from leads.services.capture import Captured, Happened, take_in_leads
from portal.keys.scopes import EVENTS_WRITE, LEADS_WRITE
from portal.outbox.models import Message
from tests import cast
from tests.api import Program, token_for

HOT, COLD = dict(cast.FACTS), {"company": "Quiet"}


@pytest.fixture
def crm(agreement, people):
    return Program(people.marketer, LEADS_WRITE, EVENTS_WRITE)


def hot(n):
    return HOT | {"email": f"a{n}@corvane.example"}


def test_each_row_has_its_result_and_a_bad_one_stops_no_other(crm):
    rows = [
        hot(1), {"company": "no name"}, {"email": "b@quiet.example", "owner": 5}, "text", None,
        {**hot(2), "events": [{"kind": "x", "occurred_at": "9999-01-01T00:00:00Z"}]}, {"email": "c@quiet.example"},
    ]  # fmt: skip
    answer = crm.post("leads:batch", {"leads": rows})
    found = [(row["status"], row["result"]["outcome"] if "result" in row else row["problem"]["code"])
             for row in crm.said["rows"]]  # fmt: skip
    assert found == [
        (201, "handed_over"), (422, "not_a_lead"), (422, "invalid"), (422, "invalid"), (422, "invalid"),
        (422, "time_in_the_future"), (201, "nurture"),
    ]  # fmt: skip
    assert (answer.status_code, crm.said["taken"], crm.said["refused"]) == (200, 2, 5)
    assert [row["row"] for row in crm.said["rows"]] == [*range(7)]
    assert Lead.objects.count() == 2


def test_a_row_becomes_what_a_single_request_would_have_made_of_it(crm, now):
    crm.post("leads", {**hot(1), "events": [{"kind": "roi_completed", "id": "1"}]})
    crm.post("leads:batch", {"leads": [{**hot(2), "events": [{"kind": "roi_completed", "id": "2"}]}]})
    one, other = Handoff.objects.order_by("pk")
    same = ("fit", "behaviour", "total", "tier", "source", "industry", "employees", "segment", "sla_version", "status")
    assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
    assert [rule["points"] for rule in one.breakdown["rules"]] == [rule["points"] for rule in other.breakdown["rules"]]
    assert one.contact_due_at - one.qualified_at == other.contact_due_at - other.qualified_at
    assert Assignment.objects.count() == 2
    told = Message.objects.order_by("key").values_list("topic", flat=True)
    assert [*told].count("handoff.opened") == [*told].count("lead.captured") == 2
    assert set(Place.objects.values_list("place", flat=True)) == {"open"}


def test_work_is_shared_out_as_if_the_leads_had_come_one_by_one(crm, people):
    crm.post("leads:batch", {"leads": [hot(n) for n in range(9)]})
    held = {}
    for row in crm.said["rows"]:
        name = row["result"]["handoff"]["owner"]["name"]
        held[name] = held.get(name, 0) + 1
    assert sorted(held.values()) == [3, 3, 3]


def test_a_person_who_stands_in_two_rows_is_one_lead_that_learns_both(crm):
    rows = [
        {"email": "a1@corvane.example", "external_id": "A1"}, {"external_id": "A1", **HOT},
        {"email": "A1+x@corvane.example", "title": "CEO", "events": [{"kind": "page_viewed"}]},
    ]  # fmt: skip
    crm.post("leads:batch", {"leads": rows})
    lead = Lead.objects.get()
    assert (lead.title, lead.company) == ("CEO", "Corvane Foods")
    results = [row["result"] for row in crm.said["rows"]]
    assert [(one["created"], one["new_events"]) for one in results] == [(True, 0), (False, 0), (False, 1)]
    assert len({one["handoff"]["id"] for one in results}) == 1


def test_known_leads_are_updated_and_keep_their_handoff_and_clock(crm):
    first = crm.post("leads", hot(1)).json()["handoff"]
    crm.post("leads:batch", {"leads": [{**hot(1), "title": "CEO"}, hot(2)]})
    assert [row["result"]["outcome"] for row in crm.said["rows"]] == ["open", "handed_over"]
    assert crm.said["rows"][0]["result"]["handoff"] == first


def test_two_leads_that_a_row_names_are_refused_in_that_row_alone(crm):
    crm.post("leads:batch", {"leads": [{"external_id": "A1"}, {"email": "b@quiet.example"}]})
    crm.post("leads:batch", {"leads": [{"external_id": "A1", "email": "b@quiet.example"}, {"external_id": "A2"}]})
    assert [row["status"] for row in crm.said["rows"]] == [409, 201]


@pytest.mark.parametrize("body", [{"leads": []}, {"leads": [{}] * 1001}, {}, {"leads": {}}, {"leads": [{}], "x": 1}])
def test_a_batch_has_one_to_a_thousand_rows(crm, body):
    answer = crm.post("leads:batch", body)
    assert (answer.status_code, crm.said["code"]) == (422, "invalid")


def test_a_batch_costs_the_same_statements_however_many_rows_it_has(crm):
    crm.post("leads:batch", {"leads": [hot(0)]})  # the law is read once a process
    counts = []
    for n in (3, 60):
        with CaptureQueriesContext(connection) as asked:
            crm.post("leads:batch", {"leads": [{**hot(n * 1000 + i), "events": [{"kind": "x"}]} for i in range(n)]})
        counts.append(len(asked))
    assert counts[0] == counts[1] < 20


def test_a_batch_with_an_idempotency_key_is_worked_once(crm):
    body = {"leads": [{**hot(n), "events": [{"kind": "page_viewed"}]} for n in range(5)]}
    first = crm.post("leads:batch", body, Idempotency_Key="one")
    again = crm.post("leads:batch", body, Idempotency_Key="one")
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert (Lead.objects.count(), Event.objects.count()) == (5, 5)


def test_a_batch_takes_more_of_the_quota_and_may_be_larger(crm, settings):
    settings.API_REQUESTS_A_MINUTE = 100
    crm.post("leads:batch", {"leads": [{"email": "a@quiet.example", "attributes": {"x": "y" * 900}}] * 300})
    assert crm.said["taken"] == 300
    answer = crm.post("leads:batch", {"leads": [hot(1)]})
    left = int(answer["RateLimit"].split("r=")[1].split(";")[0])
    assert left in (60, 80)  # a minute may begin in between
    assert crm.post("leads:batch", '{"leads": ["' + "x" * 4_200_000 + '"]}').status_code == 413


# --- events -------------------------------------------------------------------------------------------
def test_events_name_their_leads_in_any_way_and_each_is_judged_once(crm):
    crm.post("leads:batch", {"leads": [{"email": "n@quiet.example", **HOT, "source": "", "title": ""},
                                       {"external_id": "A1"}]})  # fmt: skip
    lead = crm.said["rows"][0]["result"]["lead"]
    rows = [
        {"lead": {"email": "N@quiet.example"}, "kind": "roi_completed", "id": "1"},
        {"lead": {"id": lead}, "kind": "pricing_viewed"}, {"lead": {"external_id": "A1"}, "kind": "page_viewed"},
        {"lead": {"id": 10**12}, "kind": "page_viewed"}, {"lead": {}, "kind": "page_viewed"},
        {"lead": {"id": lead}, "kind": "roi_completed", "id": "1"}, {"kind": "page_viewed"},
    ]  # fmt: skip
    crm.post("events:batch", {"events": rows})
    found = [row["result"]["outcome"] if "result" in row else row["problem"]["code"] for row in crm.said["rows"]]
    assert found == ["handed_over", "handed_over", "nurture", "no_such_lead", "no_such_lead", "handed_over", "invalid"]
    assert [row["result"]["new_events"] for row in crm.said["rows"] if "result" in row] == [1, 1, 1, 0]
    assert (Handoff.objects.count(), Event.objects.count()) == (1, 3)


def test_only_who_may_import_leads_sends_batches(agreement, people):
    program = Program(people.rep)
    for where, body in (("leads:batch", {"leads": [hot(1)]}), ("events:batch", {"events": [{}]})):
        assert program.post(where, body).json()["code"] == "not_permitted"


# --- at once ------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_batches_and_single_requests_about_the_same_people_at_once_make_each_lead_once():
    at = timezone.now()
    cast.agreement(at=at.replace(year=2022, day=1))
    token, statuses = token_for(cast.people().marketer), []
    ready = threading.Barrier(6)

    def send(order):
        rows = [{**hot(n), "external_id": f"A{n}", "events": [{"kind": "page_viewed", "id": str(n)}]} for n in order]
        program = Program(token=token)
        ready.wait()
        if len(rows) > 5:
            statuses.append(program.post("leads:batch", {"leads": rows}).json()["refused"])
        else:
            statuses.extend(program.post("leads", row).status_code // 400 for row in rows)
        connection.close()

    orders = [range(30), range(29, -1, -1), [*range(15, 30), *range(15)], [3, 2], [29, 28, 0], [14, 15]]
    threads = [threading.Thread(target=send, args=[order]) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {0}
    assert (Lead.objects.count(), Handoff.objects.count(), Event.objects.count()) == (30, 30, 30)


@pytest.mark.django_db(transaction=True)
def test_a_person_whom_an_import_brings_at_the_same_moment_is_found_then_and_stops_no_row():
    """An import takes no locks of people: its rows are met when they are written, and then looked for again."""
    at = timezone.now()
    cast.agreement(at=at.replace(year=2022, day=1))
    cast.people()
    written, done = threading.Event(), []

    def bring():
        with transaction.atomic():
            Lead.objects.create(email="a1@corvane.example", phone="1", created_at=at, updated_at=at)
            written.set()
            while not somebody_waits():
                time.sleep(0.01)
        connection.close()

    importing = threading.Thread(target=bring)
    importing.start()
    written.wait()
    done = take_in_leads(captures=[Captured(hot(n)) for n in range(3)], at=at)
    importing.join()
    assert [one.created for one in done] == [True, False, True]
    assert Lead.objects.get(email="a1@corvane.example").phone == "1"
    assert (Lead.objects.count(), Handoff.objects.count()) == (3, 3)


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def test_what_is_only_suspected_of_a_new_lead_is_kept_and_not_judged_in_a_batch_either(agreement, people, now):
    marked = Happened("page_viewed", now, suspected_by="crawler")
    captures = [
        Captured({"email": "a@corvane.example", **HOT}, [marked]),
        Captured({"email": "b@corvane.example", **HOT}),
    ]
    assert [one.outcome for one in take_in_leads(captures=captures, at=now)] == ["suspected", "handed_over"]

"""A person whom an import commits while a capture of the same new person is under way: the capture learns of them."""

import datetime as dt
import threading
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from leads.connectors.inbound import connections
from leads.connectors.models import Conflict, Item
from leads.intake.forms.models import Submission
from leads.intake.forms.public import tokens
from leads.intake.forms.services.build import create_form, publish_version
from leads.models import Event, Handoff, Lead
from leads.services.capture import Captured, TwoLeads, capture_lead, take_in_leads
from portal.embedded.process import wait_until
from tests import cast, form_cast
from tests.api import Program

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL, PATIENCE = "rosa@aldermoss.example", 20
PERSON = {
    "email": EMAIL, "company": "Aldermoss", "title": "Head of Maintenance", "employees": 640, "industry": "Food",
    "source": "Demo request",
}  # fmt: skip
# as an import writes a lead: it waits for nobody's captures
IMPORTED = """
INSERT INTO leads_lead (external_id, email, industry, phone, first_name, last_name, title, company, domain, country,
    region, product, source, campaign, channel, attributes, created_at, updated_at)
VALUES (%s, %s, 'Foundry', '', '', '', '', '', '', '', '', '', '', '', '', '{}', now(), now())
"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
HERE = ("host", "port", "user", "password", "dbname")


@contextmanager
def written(*people):
    """Within, these people (outside id, e-mail) are written by another connection, and not committed.

    Gives a function: run a work that comes to wait for them, commit them, and return what the work returned.
    """
    at = {name: value for name, value in connection.get_connection_params().items() if name in HERE}
    with psycopg.connect(**at) as other, psycopg.connect(**at, autocommit=True) as watcher:
        for person in people:
            other.execute(IMPORTED, person)

        def overtake(work):
            one = Worked(work)
            assert wait_until(lambda: watcher.execute(WAITING).fetchone()[0] or not one.is_alive(), PATIENCE)
            assert one.is_alive(), one.outcome
            other.commit()
            return one.result()

        yield overtake


class Worked(threading.Thread):
    """A work on a connection of its own."""

    def __init__(self, work):
        super().__init__()
        self.work, self.outcome = work, None
        self.start()

    def run(self):
        try:
            self.outcome = self.work()
        except Exception as error:
            self.outcome = error
        finally:
            connection.close()

    def result(self):
        self.join(PATIENCE)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def people():
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    return cast.people()


def api(people):
    program = Program(people.marketer)
    return lambda: program.post("leads", PERSON).status_code


def api_with_its_answer_kept(people):
    program = Program(people.marketer)
    return lambda: program.post("leads", PERSON, Idempotency_Key="k1").status_code


def batch(people):
    program = Program(people.marketer)

    def send():
        program.post("leads:batch", {"leads": [{"email": "else@corvane.example"}, PERSON]})
        return program.said["rows"][1]["status"]

    return send


def form(people):
    at = timezone.now()
    pages = [{"key": "all", "questions": [q for page in form_cast.ROI["pages"] for q in page["questions"]]}]
    made = create_form(name="F", slug="f", by=people.marketer, at=at, document=form_cast.ROI | {"pages": pages})
    version = publish_version(form_id=made.pk, by=people.marketer, at=at)
    ticket = tokens.issue(version, at=at - dt.timedelta(minutes=2))
    said = form_cast.HOT | {"email": EMAIL}
    body = {"_token": ticket.signed(), "_page": "all", "_shown": list(said), **said}

    def send():
        answer = Client().post(reverse("form_public", args=["f"]), body)
        return 200 if answer.status_code == 302 and Submission.objects.get().lead_id else answer.content

    return send


def inbound(people):
    said = {"name": "J", "event_kind": "told", "by": people.admin}
    made, token, _ = connections.add_connection(**said, kind="json", at=timezone.now())
    mapping = {"columns": {name: name for name in PERSON}}
    connections.change_connection(
        **said, connection_id=made.pk, mapping=mapping, overwrites=[], ours=[], shares_ids=False
    )
    path = reverse("inbound", args=["json", token])

    def send():
        answer = Client().post(path, PERSON, content_type="application/json")
        item = Item.objects.get()
        return answer.status_code if item.outcome == "taken" else item.why

    return send


@pytest.mark.parametrize("door", [api, api_with_its_answer_kept, batch, form, inbound])
def test_a_door_learns_of_the_person_whom_an_import_commits_at_that_instant(people, door):
    send = door(people)
    with written(("A1", EMAIL.upper())) as overtake:
        assert overtake(send) == 200
    lead = Lead.objects.get(email_key=EMAIL)
    assert (lead.external_id, lead.company) == ("A1", "Aldermoss")


def test_a_connection_that_is_overtaken_overwrites_nothing_that_it_is_not_the_source_of(people):
    send = inbound(people)
    with written(("A1", EMAIL)) as overtake:
        assert overtake(send) == 200
    assert Lead.objects.get().industry == "Foundry"
    assert [(one.fact, one.told) for one in Conflict.objects.all()] == [("industry", "Food")]


def test_the_same_outside_id_is_the_same_person_too(people, now):
    with written(("A1", None)) as overtake:
        lead = overtake(lambda: capture_lead(facts={"external_id": "A1", "email": EMAIL}, at=now))
    assert Lead.objects.get() == lead


def test_names_that_meanwhile_became_those_of_two_leads_are_refused(people, now):
    with written(("A1", None), (None, EMAIL)) as overtake, pytest.raises(TwoLeads):
        overtake(lambda: capture_lead(facts={"external_id": "A1", "email": EMAIL}, at=now))
    assert Lead.objects.count() == 2


def test_of_many_captures_only_the_one_whose_names_became_two_leads_is_refused(people, now):
    told = [Captured({"external_id": "A1", "email": EMAIL}), Captured({"external_id": "A2"})]
    with written(("A1", None), (None, EMAIL)) as overtake:
        refused, taken = overtake(lambda: take_in_leads(captures=told, at=now))
    assert (refused.code, taken.lead.external_id) == ("two_leads", "A2")


def test_a_handoff_follows_once(people):
    send = api(people)
    with written((None, EMAIL)) as overtake:
        overtake(send)
    assert send() == 200
    assert Handoff.objects.get().lead == Lead.objects.get()
    assert not Event.objects.exists()

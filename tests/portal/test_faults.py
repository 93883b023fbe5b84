"""A fault is told in the log with where it came from, and without a word of what somebody wrote."""

import datetime as dt
import io
import logging
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_structlog.celery.receivers import CeleryReceiver
from pydantic import BaseModel

from leads.intake.forms.public import tokens
from leads.intake.forms.services import submit
from leads.intake.forms.services.build import create_form, publish_version
from portal import logs
from portal.celery import app
from portal.embedded.management.commands import up
from portal.shared import faults
from tests import form_cast

SAID = form_cast.HOT | {
    "email": "rosa-zebra@aldermoss.example", "name": "Rosa Zebra", "company": "Zebra Works", "title": "Chief Zebra",
    "more": "Call me after the zebra.",
}  # fmt: skip


@pytest.fixture(params=[True, False], ids=["as JSON", "in words"])
def written(request, settings):
    """What the log says, as production writes it and as `make run` does."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    level, out = root.level, io.StringIO()
    logs.configure({"json": request.param, "level": "INFO"})
    root.handlers[-1].setStream(out)
    yield out.getvalue
    logs.configure(settings.LOGGING)
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def form(agreement, people):
    at = timezone.now() - dt.timedelta(days=1)
    pages = [{"key": "all", "questions": [q for page in form_cast.ROI["pages"] for q in page["questions"]]}]
    made = create_form(name="F", slug="f", by=people.marketer, at=at, document=form_cast.ROI | {"pages": pages})
    return publish_version(form_id=made.pk, by=people.marketer, at=at)


class Person(BaseModel):
    employees: int


def refused_by_the_database(facts):
    with connection.cursor() as cursor:
        row = ("leads_lead", facts["email"], facts["company"])
        cursor.execute(f"INSERT INTO {row[0]} (email, company) VALUES (%s, %s)", row[1:])


def not_a_number(facts):
    return int(facts["company"])


def not_as_documented(facts):
    return Person(employees=facts["company"])


def no_such_key(facts):
    return {}[facts["email"]]


def a_fault_after_a_fault(facts):
    try:
        return int(facts["company"])
    except ValueError:
        raise RuntimeError("the worker is a teapot") from None


def several_at_once(facts):
    raise ExceptionGroup("several", [ValueError(facts["email"]), OSError("disk")])


FAULTS = [
    refused_by_the_database, not_a_number, not_as_documented, no_such_key, a_fault_after_a_fault, several_at_once,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_form_leaves_no_answer_in_the_log(form, written, monkeypatch, fault):
    monkeypatch.setattr(submit, "take_in", lambda *, facts, **_: fault(facts))
    ticket = tokens.issue(form, at=timezone.now() - dt.timedelta(minutes=2))
    body = {"_token": ticket.signed(), "_page": "all", "_shown": list(SAID), **SAID}
    answer = Client(raise_request_exception=False).post(reverse("form_public", args=["f"]), body)
    assert answer.status_code == 500
    assert "ebra" not in answer.content.decode()
    told = written()
    assert "request_failed" in told
    assert f"in {fault.__name__}" in told
    assert "ebra" not in told


def test_a_fault_of_a_task_leaves_no_value_in_the_log(db, written):
    try:
        not_a_number(SAID)
    except ValueError as error:
        CeleryReceiver().receiver_task_failure("t1", error, sender=app.tasks["portal.heartbeat"])
    told = written()
    assert "task_failed" in told
    assert "ValueError" in told
    assert "Zebra" not in told


def test_what_the_database_refused_is_named_by_its_constraint(db):
    with pytest.raises(Exception, match="null") as caught, connection.cursor() as cursor:
        cursor.execute("INSERT INTO leads_lead (company) VALUES ('Zebra')")
    assert faults.message(caught.value) == "23502 leads_lead"
    assert faults.message(OSError("disk")) == "disk"


def test_the_secret_part_of_an_address_is_not_in_the_log(db, written):
    Client().post(reverse("inbound", args=["json", "s3cr3t-of-an-address"]))
    Client().get("/account/password/reset/key/1-s3cr3t/")
    assert "POST /in/json/" in written()
    assert "s3cr3t" not in written()


def test_trying_the_portal_shows_nobody_its_inside(settings):
    for child in up._children(8000):
        assert "DEBUG" not in child.environment
    makefile = Path(settings.BASE_DIR, "Makefile").read_text()
    assert "DEBUG" not in makefile.partition("\nrun:")[2].partition("\n\n")[0]

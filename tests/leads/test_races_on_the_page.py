"""Two browsers at once, over HTTP on a live server: one wins, the other gets 409 with the row as it is."""

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import requests
from django.conf import settings
from django.test import Client
from django.urls import reverse

from leads.intake.models import ImportJob
from leads.models import Decision, Handoff, Lead
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60  # seconds; a machine can be busy


@pytest.fixture
def now():
    """The page asks the real clock, so these leads are of today."""
    return dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2)


@pytest.fixture
def browser(live_server):
    """Makes a signed-in HTTP client of a person: browser(user) → post(path, data, files=None)."""

    def sign_in(user):
        client, session = Client(), requests.Session()
        client.force_login(user)
        session.cookies.set(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
        page = session.get(live_server.url + reverse("me"), timeout=PATIENCE)
        token = re.search(r'"X-CSRFToken": "(\w+)"', page.text).group(1)

        def post(path, data=None, files=None):
            headers = {"HX-Request": "true", "X-CSRFToken": token}
            return session.post(
                live_server.url + path, data=data, files=files, headers=headers, timeout=PATIENCE,
                allow_redirects=False,
            )  # fmt: skip

        return post

    return sign_in


def at_once(*posts):
    """Send all of them in the same moment; their answers."""
    start = Barrier(len(posts))

    def send(post):
        start.wait(PATIENCE)
        return post()

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(send, posts))


def loser(answers):
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    return next(answer for answer in answers if answer.status_code == 409)


def test_a_rep_and_the_manager_accept_one_lead_and_the_slower_sees_who_was_faster(open_lead, people, browser):
    handoff, reps, managers = open_lead(), browser(people.rep), browser(people.manager)
    path = reverse("inbox_accept", args=[handoff.pk])
    lost = loser(at_once(lambda: reps(path), lambda: managers(path)))
    decision = Decision.objects.get()
    assert 'data-code="already_decided"' in lost.text
    assert re.search(rf"<b>Accepted</b>\s+by {decision.decided_by.name}", lost.text)
    assert Handoff.objects.get().status == "accepted"


def test_a_double_click_on_accept_decides_once(open_lead, people, browser):
    handoff, click = open_lead(), browser(people.rep)
    path = reverse("inbox_accept", args=[handoff.pk])
    lost = loser(at_once(lambda: click(path), lambda: click(path)))
    assert f'id="lead-row-{handoff.pk}" hx-swap-oob="delete"' in lost.text
    assert Decision.objects.count() == 1


def test_accepted_by_one_and_rejected_by_the_other_is_decided_once(open_lead, people, browser):
    handoff, reps, managers = open_lead(), browser(people.rep), browser(people.manager)
    accept, reject = (reverse(name, args=[handoff.pk]) for name in ("inbox_accept", "inbox_reject"))
    lost = loser(at_once(lambda: reps(accept), lambda: managers(reject, {"reason": "11"})))
    assert Handoff.objects.get().get_status_display() in lost.text
    assert Decision.objects.count() == 1


def test_a_batch_confirmed_twice_tells_the_second_that_each_lead_was_decided(open_lead, people, browser):
    rows, click = [open_lead() for _ in range(3)], browser(people.rep)
    data = {"act": "accept", "go": 1, "lead": [row.pk for row in rows]}
    answers = at_once(*[lambda: click(reverse("inbox_bulk"), data)] * 2)
    told = "".join(answer.text for answer in answers)
    assert (told.count('data-code="ok"'), told.count('<tr data-code="already_decided"')) == (3, 3)
    assert Decision.objects.count() == 3


def test_one_file_uploaded_and_run_twice_at_once_makes_each_lead_once(browser, settings, tmp_path, now, monkeypatch):
    from django.utils import timezone

    from leads.intake import tasks
    from leads.intake.imports import jobs

    settings.DATA_DIR = tmp_path
    cast.agreement(at=now - dt.timedelta(days=90))
    people = cast.people()
    monkeypatch.setattr(tasks, "send", lambda pk: jobs.run(job_id=pk, at=timezone.now()))
    text = "Record ID,Email,MQL date\n" + "".join(f"{n},a{n}@x.example,2024-05-06\n" for n in range(200))
    uploads = [browser(people.marketer), browser(people.admin)]
    sent = [lambda post=post: post(reverse("import_upload"), files={"file": ("a.csv", text)}) for post in uploads]
    assert {answer.status_code for answer in at_once(*sent)} == {302}
    runs = [
        lambda post=post, job=job: post(reverse("import_run", args=[job.pk]))
        for post, job in zip(uploads, ImportJob.objects.all(), strict=True)
    ]
    ImportJob.objects.update(is_historical=True)
    at_once(*runs)
    assert sorted(ImportJob.objects.values_list("status", "created", "unchanged")) == [
        ("done", 0, 200),
        ("done", 200, 0),
    ]
    assert (Lead.objects.count(), Handoff.objects.count()) == (200, 200)


def test_run_pressed_twice_runs_once_and_the_second_is_told(browser, settings, tmp_path, now, monkeypatch):
    from leads.intake import tasks

    settings.DATA_DIR = tmp_path
    cast.agreement(at=now - dt.timedelta(days=90))
    sent = []
    monkeypatch.setattr(tasks, "send", sent.append)
    click = browser(cast.people().marketer)
    click(reverse("import_upload"), files={"file": ("a.csv", "Email\na@x.example\n")})
    job = ImportJob.objects.get()
    path = reverse("import_run", args=[job.pk])
    answers = at_once(lambda: click(path), lambda: click(path))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert sent == [job.pk]

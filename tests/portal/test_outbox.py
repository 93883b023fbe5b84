"""The outbox: what happened is told once, late rather than never, and stops after so many attempts."""

import datetime as dt

import pytest
from django.core import mail
from django.db import connection

from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff
from portal.outbox.deliver import MOST_ATTEMPTS, deliver_due, pause
from portal.outbox.models import Message
from portal.outbox.services import tell
from portal.outbox.tasks import deliver_messages

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def quiet(agreement):
    """Nothing waits but what the test makes."""
    Message.objects.all().delete()


def no_mail_server(monkeypatch):
    """Mail goes to a port where nobody listens."""
    lost = {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": {"host": "127.0.0.1", "port": 1}}
    monkeypatch.setattr("django.conf.settings.MAILERS", {"default": lost})


def test_a_new_lead_is_written_to_its_owner_with_a_link(quiet, open_lead, people, now, settings):
    settings.PORTAL_URL = "https://handoff.example"
    handoff = open_lead()
    deliver_due(at=now)
    (letter,) = mail.outbox
    assert letter.to == [people.rep.email]
    assert letter.subject == "New lead: Henrike Solvang, Corvane Foods (Hot)"
    assert f"https://handoff.example/leads/{handoff.pk}/" in letter.body
    assert not Message.objects.filter(delivered_at=None).exists()


def test_a_second_run_tells_nothing_twice(quiet, open_lead, now):
    open_lead()
    deliver_due(at=now)
    assert deliver_due(at=now) == 0
    assert len(mail.outbox) == 1


def test_a_reassigned_lead_is_told_to_the_new_owner_only(quiet, open_lead, people, now):
    handoff = open_lead()
    reassign_handoff(handoff_id=handoff.pk, to=people.other_rep, by=people.manager, at=now + MINUTE)
    deliver_due(at=now + MINUTE)
    assert [letter.subject.split(":")[0] for letter in mail.outbox if letter.to == [people.other_rep.email]][
        -1
    ] == "Now yours"


def test_what_was_decided_meanwhile_is_not_written_about(quiet, open_lead, people, now):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    deliver_due(at=now)
    assert not mail.outbox


def test_a_message_for_nobody_in_particular_is_done(quiet, now):
    tell("handoff.accepted", key=1, payload={}, at=now)
    assert deliver_due(at=now) == 1
    assert Message.objects.get().delivered_at == now
    assert not mail.outbox


def test_somebody_who_left_is_not_written_to(quiet, open_lead, people, now):
    open_lead()
    people.rep.is_active = False
    people.rep.save()
    deliver_due(at=now)
    assert not mail.outbox


def test_a_failed_message_is_tried_again_after_longer_and_longer_pauses(quiet, open_lead, now, monkeypatch):
    open_lead()
    no_mail_server(monkeypatch)
    deliver_due(at=now)
    message = Message.objects.get(topic="handoff.opened")
    assert (message.attempts, message.delivered_at, message.next_attempt_at) == (1, None, now + pause(1))
    assert "ConnectionRefusedError" in message.last_error
    assert deliver_due(at=now) == 0
    monkeypatch.undo()
    deliver_due(at=now + pause(1))
    assert len(mail.outbox) == 1


def test_after_the_last_attempt_a_message_is_dead_and_kept(quiet, open_lead, now, monkeypatch):
    open_lead()
    no_mail_server(monkeypatch)
    at = now
    for attempt in range(1, MOST_ATTEMPTS + 1):
        deliver_due(at=at)
        at += pause(attempt)
    message = Message.objects.get(topic="handoff.opened")
    assert (message.attempts, message.delivered_at) == (MOST_ATTEMPTS, None)
    assert message.dead_at
    assert deliver_due(at=at + dt.timedelta(days=1)) == 0


def test_one_bad_message_does_not_hold_up_the_others(quiet, open_lead, people, now):
    tell("handoff.opened", key="broken", payload={"handoff": 0}, at=now - MINUTE, to=people.rep)
    open_lead()
    deliver_due(at=now)
    assert len(mail.outbox) == 1


def test_pauses_grow_up_to_an_hour():
    pauses = [pause(n) for n in range(1, 12)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (dt.timedelta(seconds=30), dt.timedelta(hours=1))


def test_the_name_of_a_lead_cannot_forge_a_header(quiet, open_lead, now):
    open_lead(first_name="Eve\r\nBcc: all@company.example", last_name="X")
    deliver_due(at=now)
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].bcc == []


def test_the_worker_is_asked_every_ten_seconds(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["outbox"]
    assert (entry["task"], entry["schedule"]) == (deliver_messages.name, 10.0)


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_send_one_message_twice(now):
    """While one holds the row, the other one goes past it."""
    from django.db import transaction

    from tests import cast

    people = cast.people()
    tell("handoff.assigned", key="held", payload={"handoff": 0}, at=now, to=people.rep)
    second = connection.copy()
    try:
        with transaction.atomic(), second.cursor() as other:
            list(Message.objects.select_for_update())
            other.execute("SELECT count(*) FROM (SELECT 1 FROM outbox_message FOR UPDATE SKIP LOCKED) free")
            assert other.fetchone() == (0,)
    finally:
        second.close()

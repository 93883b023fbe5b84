"""The admins' page of messages: dead letters with a way back, and a banner while nothing can be delivered."""

import datetime as dt
from email import policy
from email.parser import BytesParser

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.urls import reverse

from portal import heartbeat
from portal.outbox.deliver import MOST_ATTEMPTS, deliver_due, pause
from portal.outbox.kept import KeptMail, newest, one
from portal.outbox.models import Message
from portal.outbox.services import retry_messages, tell
from portal.shared.refusal import NotPermitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead(agreement, open_lead, people, now):
    Message.objects.all().delete()
    open_lead()
    letter = Message.objects.get(recipient=people.rep)
    Message.objects.filter(pk=letter.pk).update(dead_at=now, attempts=8, last_error="OSError: mail server down")
    return letter


@pytest.fixture
def admin(client, people):
    client.force_login(people.admin)
    return client


def test_a_dead_letter_is_shown_with_what_went_wrong(dead, admin):
    page = admin.get(reverse("messages")).content.decode()
    assert "One could not be delivered" in page
    assert "mail server down" in page


def test_a_dead_letter_is_tried_again_and_arrives(dead, admin, now):
    admin.post(reverse("message_retry", args=[dead.pk]))
    dead.refresh_from_db()
    assert (dead.dead_at, dead.attempts) == (None, 0)
    deliver_due(at=dead.next_attempt_at)
    assert len(mail.outbox) == 1


def test_all_dead_letters_are_tried_again_at_once(dead, admin):
    answer = admin.post(reverse("messages_retry_all"), follow=True)
    assert "1 message is tried again" in answer.content.decode()
    assert not Message.objects.dead().exists()


def test_only_an_admin_tries_again(dead, people, now):
    with pytest.raises(NotPermitted):
        retry_messages(message_ids=[dead.pk], by=people.manager, at=now)
    assert Message.objects.dead().exists()


def test_what_waits_is_counted(agreement, admin, now):
    Message.objects.all().delete()
    tell("handoff.accepted", key="1", payload={}, at=now)
    page = admin.get(reverse("messages"))
    assert page.context["waiting"] == 1
    assert "One waits to be delivered" in page.content.decode()


def test_admins_see_on_every_page_that_the_worker_is_away_and_others_do_not(client, people):
    cache.delete(heartbeat.KEY)
    for person, warned in ((people.admin, True), (people.rep, False)):
        client.force_login(person)
        assert ("Messages wait." in client.get(reverse("me")).content.decode()) is warned
    heartbeat.note()
    client.force_login(people.admin)
    assert "Messages wait." not in client.get(reverse("me")).content.decode()
    cache.delete(heartbeat.KEY)


def test_pages_go_on_without_the_broker_and_say_so(admin, settings):
    gone = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere/valkey"}
    settings.CACHES = {"default": gone}
    page = admin.get(reverse("me"))
    assert page.status_code == 200
    assert "The broker or the cache does not answer." in page.content.decode()


def test_a_letter_is_plain_text_first_with_the_same_beside_it_and_one_click_to_the_lead(
    agreement, open_lead, people, now, settings
):
    settings.PORTAL_URL = "https://handoff.example"
    Message.objects.all().delete()
    handoff = open_lead(first_name="<b>Eve</b>")
    deliver_due(at=now)
    letter = BytesParser(policy=policy.default).parsebytes(mail.outbox[0].message().as_bytes())
    plain, html = letter.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    address = f"https://handoff.example/leads/{handoff.pk}/"
    assert f"Open the lead: {address}" in plain.get_content()
    assert f'href="{address}"' in html.get_content()
    assert "&lt;b&gt;Eve" in html.get_content()
    assert "<b>Eve</b>" in plain.get_content()


def test_each_attempt_at_a_message_is_the_same_letter(agreement, open_lead, people, now):
    Message.objects.all().delete()
    open_lead()
    deliver_due(at=now)
    Message.objects.update(delivered_at=None)
    deliver_due(at=now)
    assert len({letter.extra_headers["Message-ID"] for letter in mail.outbox}) == 1


# --- the demo's post --------------------------------------------------------------------------------
@pytest.fixture
def post_box(tmp_path, settings):
    """A demo that keeps its mail, and a letter in it."""
    settings.DEMO = True
    settings.MAILERS = {"default": {"BACKEND": "portal.outbox.kept.KeptMail", "OPTIONS": {"file_path": str(tmp_path)}}}
    return tmp_path


def letter(subject="Hello", **headers):
    return EmailMessage(subject, "Look: https://handoff.example/leads/1/", to=["rena@x.example"], headers=headers)


def test_the_demo_keeps_its_mail_in_a_page_one_can_open(client, post_box):
    letter("New lead: Ада").send()
    [kept] = newest(post_box)
    assert "New lead: Ада" in client.get(reverse("kept_mails")).content.decode()
    page = client.get(reverse("kept_mail", args=[kept.name])).content.decode()
    assert "rena@x.example" in page
    assert 'href="https://handoff.example/leads/1/"' in page


def test_outside_the_demo_there_is_no_such_page(client, post_box, settings):
    settings.DEMO = False
    assert client.get(reverse("kept_mails")).status_code == 404
    settings.DEMO, settings.PRODUCTION = True, True
    assert client.get(reverse("kept_mails")).status_code == 404


def test_the_page_opens_letters_and_no_other_file(client, post_box):
    (post_box.parent / "secret.eml").write_text("Subject: secret\n\nsecret")
    assert one(post_box, "../secret") is None
    assert client.get(reverse("kept_mail", args=["nothing"])).status_code == 404


def test_the_same_letter_is_kept_once(post_box):
    KeptMail(file_path=post_box).send_messages([letter(**{"Message-ID": "<1@x>"}), letter(**{"Message-ID": "<1@x>"})])
    assert len(newest(post_box)) == 1
    assert not list(post_box.glob("*.part"))


def test_a_message_is_given_up_after_about_an_hour():
    assert dt.timedelta(minutes=50) < sum(map(pause, range(1, MOST_ATTEMPTS)), dt.timedelta()) < dt.timedelta(hours=2)

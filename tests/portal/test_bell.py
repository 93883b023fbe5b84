"""The bell: what a person was told, unread until opened; the number beside it is the database's own sum."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message, Notice

HTMX = {"HX-Request": "true"}


@pytest.fixture
def told(agreement, open_lead, people, now):
    """The rep was told of two leads."""
    Message.objects.all().delete()
    leads = [open_lead(), open_lead()]
    deliver_due(at=now)
    return leads


@pytest.fixture
def rep(client, people):
    client.force_login(people.rep)
    return client


def unread(person):
    person.refresh_from_db()
    return person.unread


def test_a_new_lead_rings_and_counts_on_every_page(told, rep, people):
    assert unread(people.rep) == 2
    assert "Notices, 2 unread" in rep.get(reverse("me")).content.decode()


def test_opening_a_notice_reads_it_and_leads_to_the_lead(told, rep, people):
    notice = Notice.objects.filter(person=people.rep).first()
    answer = rep.post(reverse("bell_open", args=[notice.pk]))
    assert answer["Location"] == reverse("handoff", args=[notice.message.payload["handoff"]])
    assert unread(people.rep) == 1
    rep.post(reverse("bell_open", args=[notice.pk]))
    assert unread(people.rep) == 1


def test_nobody_opens_somebody_elses_notice(told, client, people):
    client.force_login(people.other_rep)
    notice = Notice.objects.filter(person=people.rep).first()
    assert client.post(reverse("bell_open", args=[notice.pk])).status_code == 404
    assert unread(people.rep) == 2


def test_marking_all_as_read_leaves_what_came_since(told, rep, people):
    first = Notice.objects.filter(person=people.rep).order_by("id").first()
    rep.post(reverse("bell_read_all"), {"up_to": first.pk})
    assert unread(people.rep) == 1


def test_the_list_shows_what_is_unread_and_reads_on(told, rep, monkeypatch):
    monkeypatch.setattr("portal.outbox.views.bell.PAGE", 1)
    page = rep.get(reverse("bell"))
    assert "Two you have not read" in page.content.decode()
    assert len(page.context["notices"]) == 1
    older = rep.get(reverse("bell"), {"before": page.context["older"]})
    assert older.context["notices"][0].pk < page.context["notices"][0].pk
    assert older.context["older"] is None


def test_the_poll_answers_nothing_while_the_number_is_the_same(told, rep):
    assert rep.get(reverse("bell_count"), {"shown": "2"}, headers=HTMX).status_code == 204
    grown = rep.get(reverse("bell_count"), {"shown": "1"}, headers=HTMX).content.decode()
    assert "2 unread" in grown
    assert "A new notice arrived." in grown


def test_the_bell_costs_no_query(told, rep, django_assert_num_queries):
    with django_assert_num_queries(2):  # the session and its user
        rep.get(reverse("bell_count"), {"shown": "1"}, headers=HTMX)


def test_the_number_is_right_whatever_writes(told, people):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outbox_notice SET read_at = now()")
    assert unread(people.rep) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM outbox_notice",
        "UPDATE outbox_notice SET title = 'Something else', read_at = now()",
        "UPDATE outbox_notice SET read_at = NULL",
        "UPDATE outbox_notice SET read_at = now(), path = 'https://evil.example/'",
    ],
)
def test_the_database_lets_a_notice_only_be_read(told, sql):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_one_message_rings_once(told, people, now):
    Message.objects.filter(recipient=people.rep).update(delivered_at=None)
    deliver_due(at=now)
    assert unread(people.rep) == 2

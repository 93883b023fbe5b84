"""Links in mails: one read-only document, for one person, without a session, until they expire or are taken back."""

import datetime as dt
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.core import mail
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from leads.audit.closing import close_audit
from leads.figures import Month
from leads.services.decide import accept_handoff
from leads.services.digests import tell_digests
from portal.accounts import links
from portal.accounts.models import Role
from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message, Notice
from tests import cast
from tests.test_rules import address, routes, views

DAY = dt.timedelta(days=1)
PDF = "/audit/2026-03/audit.pdf"
REVIEW = "/audit/2026-03-16--2026-03-29/review.pdf"
TABLE = "/audit/2026-03/reasons.csv"


@pytest.fixture
def leader(agreement, people):
    return people.sales_leader


def signed(person, where=PDF, lasts=DAY):
    return links.signed(where, person=person, until=timezone.now() + lasts)


def is_asked_to_sign_in(answer, where=PDF):
    """To sign in, and on to the document, without the key."""
    return (answer.status_code, answer["Location"]) == (
        302,
        f"{reverse('account_login')}?next={quote(where, safe='/')}",
    )


def test_it_opens_the_document_as_the_person_and_leaves_nobody_signed_in(client, leader):
    for where in (PDF, REVIEW):
        answer = client.get(signed(leader, where))
        assert answer.status_code == 200
        assert answer.content.startswith(b"%PDF-")
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
    for form, begins in (("csv", b"\xef\xbb\xbfCategory,"), ("xlsx", b"PK")):
        answer = client.get(signed(leader, TABLE.replace("csv", form)))
        assert (answer.status_code, b"".join(answer.streaming_content)[: len(begins)]) == (200, begins)
        assert answer["Cache-Control"] == "private, no-store"
    assert not client.cookies
    assert is_asked_to_sign_in(client.get(PDF))
    assert client.get(reverse("audit", args=["2026-03"])).status_code == 302


@pytest.mark.parametrize("where", [PDF, TABLE, f"{TABLE}?basis=cohort"])
def test_an_expired_link_asks_to_sign_in_and_then_leads_to_the_document(client, leader, where):
    for lasts in (-DAY, dt.timedelta(0)):
        assert is_asked_to_sign_in(client.get(signed(leader, where, lasts)), where)
    client.force_login(leader)
    assert client.get(signed(leader, where, lasts=-DAY)).status_code == 200


@pytest.mark.parametrize("change", [lambda key: f"{key[:-1]}{'A' if key[-1] != 'A' else 'B'}", lambda key: key[1:],
                                    lambda key: "", lambda key: "x:y:z", lambda key: key + key])  # fmt: skip
def test_a_key_that_was_tampered_with_opens_nothing(client, leader, change):
    key = parse_qs(urlsplit(signed(leader)).query)["key"][0]
    answer = client.get(PDF, {"key": change(key)})
    assert is_asked_to_sign_in(answer)


def test_a_key_opens_no_other_document_and_no_other_question(client, leader):
    key = parse_qs(urlsplit(signed(leader)).query)["key"][0]
    for where in (
        "/audit/2026-02/audit.pdf",
        REVIEW,
        TABLE,
        reverse("leads_export", args=["csv"]),
        reverse("audit", args=["2026-03"]),
        reverse("leads"),
    ):
        assert client.get(where, {"key": key}).status_code == 302
    assert is_asked_to_sign_in(client.get(PDF, {"basis": "cohort", "key": key}), f"{PDF}?basis=cohort")
    cohort = signed(leader, f"{PDF}?basis=cohort&by=owner")
    assert client.get(cohort).status_code == 200
    assert client.get(cohort.replace("owner", "tier")).status_code == 302


def test_a_key_made_for_something_else_is_none(client, leader):
    said = {"address": PDF, "person": leader.pk, "until": int((timezone.now() + DAY).timestamp())}
    for salt in ("portal.outbox", "django.core.signing"):
        assert is_asked_to_sign_in(client.get(PDF, {"key": Signer(salt=salt).sign_object(said)}))
    assert client.get(PDF, {"key": links.SIGNER.sign_object(said)}).status_code == 200


def test_a_person_who_was_deactivated_or_lost_the_role_is_let_in_no_more(client, leader):
    where = signed(leader)
    leader.roles = [Role.REP]
    leader.save()
    assert is_asked_to_sign_in(client.get(where))
    leader.roles, leader.is_active = [Role.SALES_LEADER], False
    leader.save()
    assert is_asked_to_sign_in(client.get(where))
    leader.is_active = True
    leader.save()
    assert client.get(where).status_code == 200


def test_the_document_shows_what_the_person_may_see(client, people, leader):
    for where in (PDF, TABLE):
        assert client.get(signed(people.rep, where)).status_code == 302
        assert client.get(signed(people.manager, where)).status_code == 200


def test_a_table_by_link_has_the_clocks_that_the_person_may_see(client, people, open_lead):
    row = open_lead(owner=people.south_rep, at=dt.datetime(2026, 3, 10, 8, tzinfo=dt.UTC))
    accept_handoff(handoff_id=row.pk, by=people.south_rep, at=row.qualified_at + dt.timedelta(hours=1))
    clocks = "/audit/2026-03/clocks.csv"
    said = {who: b"".join(client.get(signed(who, clocks)).streaming_content) for who in (people.manager, people.rep)}
    assert not any(b"Suna Rep" in each for each in said.values())
    assert b"Suna Rep" in b"".join(client.get(signed(people.sales_leader, clocks)).streaming_content)


def test_lists_of_leads_open_by_no_link(client, leader):
    where = f"{reverse('leads_export', args=['csv'])}?qualified_month=2026-03"
    assert client.get(signed(leader, where)).status_code == 302


def test_a_link_to_a_document_that_is_not_there_shows_a_strangers_page(client, leader):
    answer = client.get(signed(leader, "/audit/2226-01/audit.pdf"))
    assert answer.status_code == 404
    assert leader.name not in answer.text


def test_what_opens_by_link_is_read_and_never_changed(leader):
    """Every door that lets signed links in takes questions alone."""
    known, doors = dict(routes()), [name for name, view in views().items() if getattr(view, "opens_by_link", False)]
    assert set(doors) == {"audit_pdf", "audit_review_pdf", "audit_table"}
    for name in doors:
        where = address(name, known[name])
        assert Client().post(signed(leader, where)).status_code == 405
        assert Client().post(where).status_code == 302


# --- the letters ------------------------------------------------------------------------------------
def links_in(letter):
    """The path and key of each signed link of the letter, the same in text and HTML: the paper first, then tables."""
    found = [word for word in letter.body.split() if "key=" in word]
    assert all(word in letter.alternatives[0].content.replace("&amp;", "&") for word in found)
    return [word.removeprefix("http://localhost:8000") for word in found]


def opens_every_table(client, letter, *tables):
    """The letter's other links open these tables, each as CSV and as XLSX."""
    rest = links_in(letter)[1:]
    wanted = [f"{table}.{form}" for table in tables for form in ("csv", "xlsx")]
    assert [urlsplit(where).path.rsplit("/", 1)[1] for where in rest] == wanted
    return all(client.get(where).status_code == 200 for where in rest)


def letters(at=None):
    mail.outbox.clear()
    deliver_due(at=at or timezone.now() + dt.timedelta(minutes=1))
    return {letter.to[0]: letter for letter in mail.outbox}


def test_the_letter_about_a_closed_audit_opens_what_is_to_be_signed(client, people, leader):
    Message.objects.all().delete()
    zone, at = timezone.get_default_timezone(), timezone.now()
    close_audit(month=Month.parse("2026-03"), by=people.marketing_leader, at=at, zone=zone)
    letter = letters()[leader.email]
    assert "Without signing in until " in letter.body
    assert "- What is to be signed (PDF): http" in letter.body
    assert "Read and sign: http://localhost:8000/audit/2026-03/closing/" in letter.body
    answer = client.get(links_in(letter)[0])
    assert answer.content.startswith(b"%PDF-")
    assert opens_every_table(client, letter, "reasons", "scorecard")
    assert client.get(reverse("audit_closing", args=["2026-03"])).status_code == 302, "signing needs a session"
    assert "key=" not in Notice.objects.get(person=leader).path


def test_a_letter_that_is_sent_again_has_the_same_link(leader, people):
    Message.objects.all().delete()
    zone, at = timezone.get_default_timezone(), timezone.now()
    close_audit(month=Month.parse("2026-03"), by=people.marketing_leader, at=at, zone=zone)
    first = links_in(letters()[leader.email])
    Message.objects.update(delivered_at=None)
    assert links_in(letters()[leader.email]) == first


def test_the_letter_before_a_review_opens_its_paper(client, people):
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC), review_cadence="weekly")
    today = timezone.now().astimezone(timezone.get_default_timezone())
    last_week = today - dt.timedelta(days=today.weekday() + 3)
    cast.open_handoff(owner=people.rep, at=last_week)
    Message.objects.all().delete()
    monday = today - dt.timedelta(days=today.weekday())
    morning = monday.replace(hour=8, minute=0)
    tell_digests(at=morning)
    letter = letters(morning)[people.marketing_leader.email]
    assert "- The review as PDF: http" in letter.body
    where = links_in(letter)[0]
    assert where.startswith("/audit/20")
    assert "/review.pdf?key=" in where
    answer = client.get(where)
    assert answer.content.startswith(b"%PDF-"), "it lasts for seven days from this Monday on"
    assert opens_every_table(client, letter, "reasons", "breakdown")

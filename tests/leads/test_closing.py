"""A closed audit is frozen, signed by both sides, chained, and opened again only by both."""

import datetime as dt
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads.audit.closing import ask_to_reopen, close_audit, read, sign_audit, since_closing, verify
from leads.audit.models import Closing, ClosingSignature
from leads.audit.report import audits
from leads.figures import DIMENSIONS, Month
from leads.services.decide import accept_handoff, reject_handoff
from portal.outbox.mail import TOPICS
from portal.outbox.models import Message
from portal.shared.refusal import Refusal
from sla.chain import sha256
from sla.models import Party
from tests import cast, kept
from tests.history import random_cases, write

UTC, DAY = dt.UTC, dt.timedelta(days=1)
ZONE = get_default_timezone()
MARCH, APRIL = Month.parse("2026-03"), Month.parse("2026-04")
INSERT = "INSERT INTO audit_closing (month, number, closed_at, closed_by_id, canonical, fingerprint"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def past(agreement, people):
    cases = random_cases(
        80, seed=5, version=agreement, owners=[people.rep, people.south_rep],
        start=dt.datetime(2026, 2, 20, tzinfo=UTC), end=dt.datetime(2026, 4, 10, tzinfo=UTC),
    )  # fmt: skip
    return kept.once(
        lambda: write(agreement, cases), "past of the closing", agreement.pk, people.rep.pk, empty="leads_lead"
    )


@pytest.fixture
def closing(past, people, now):
    return close_audit(month=MARCH, by=people.marketing_leader, at=now, zone=ZONE)


def refused(code, verb, **arguments):
    with pytest.raises(Refusal) as refusal:
        verb(**arguments)
    assert refusal.value.code == code


def sign_both(closing, people, now):
    for party, person in ((Party.MARKETING, people.marketing_leader), (Party.SALES, people.sales_leader)):
        sign_audit(closing_id=closing.pk, party=party, fingerprint=closing.fingerprint, by=person, at=now)


def reopen(closing, people, now):
    for party, person in ((Party.MARKETING, people.marketing_leader), (Party.SALES, people.sales_leader)):
        ask_to_reopen(closing_id=closing.pk, party=party, why="A late import.", by=person, at=now)


def test_it_freezes_what_the_audit_says(closing, now):
    kept = read(closing)
    for basis in ("period", "cohort"):
        (live,) = audits(MARCH, MARCH, basis=basis, as_of=now, zone=ZONE)
        live = live.as_json()
        assert {name: kept["bases"][basis][name] for name in ("mqls", "sqls", "rejected", "undecided")} == {
            name: live[name] for name in ("mqls", "sqls", "rejected", "undecided")
        }
        assert float(kept["bases"][basis]["rate"]["value"]) == pytest.approx(live["rate"]["value"], abs=1e-6)
        assert set(kept["breakdowns"][basis]) == set(DIMENSIONS)
        for rows in kept["breakdowns"][basis].values():
            assert sum(row["mqls"] for row in rows) == live["mqls"]
    assert kept["agreements"][0]["number"] == 1


def test_the_fingerprint_is_the_sha_256_of_the_text(closing):
    assert sha256(closing.canonical) == closing.fingerprint
    assert json.loads(closing.canonical)["predecessor"] is None


def test_the_next_one_follows_it(closing, people, now):
    second = close_audit(month=APRIL, by=people.sales_leader, at=now, zone=ZONE)
    assert json.loads(second.canonical)["predecessor"] == closing.fingerprint
    assert verify() is None


def test_nothing_that_happens_later_changes_it(closing, people, now, agreement):
    sign_both(closing, people, now)
    before = Closing.objects.get(pk=closing.pk)
    late = cast.open_handoff(owner=people.rep, at=dt.datetime(2026, 3, 12, 9, tzinfo=UTC))
    accept_handoff(handoff_id=late.pk, by=people.rep, at=dt.datetime(2026, 3, 13, 9, tzinfo=UTC))
    assert Closing.objects.get(pk=closing.pk).canonical == before.canonical
    since = since_closing(before, at=now + DAY, zone=ZONE)
    moved = {(basis, what): today - then for basis, what, then, today in since if basis != "promises"}
    assert moved[("period", "mqls")] == moved[("period", "sqls")] == moved[("cohort", "sqls")] == 1


def test_a_month_is_closed_once_and_only_when_it_is_over(closing, people, now):
    refused("already_closed", close_audit, month=MARCH, by=people.sales_leader, at=now, zone=ZONE)
    refused("month_not_over", close_audit, month=Month.of(now, ZONE), by=people.sales_leader, at=now, zone=ZONE)


def test_only_the_leaders_close_and_each_signs_for_their_own_side(past, people, now):
    refused("not_permitted", close_audit, month=MARCH, by=people.marketer, at=now, zone=ZONE)
    closing = close_audit(month=MARCH, by=people.sales_leader, at=now, zone=ZONE)
    said = {"closing_id": closing.pk, "fingerprint": closing.fingerprint, "at": now}
    refused("not_permitted", sign_audit, party=Party.MARKETING, by=people.sales_leader, **said)
    sign_both(closing, people, now)
    refused("already_signed", sign_audit, party=Party.SALES, by=people.sales_leader, **said)


def test_one_person_with_both_roles_never_signs_for_both(closing, now):
    both = cast.user("Bo Both", "marketing_leader", "sales_leader")
    said = {"closing_id": closing.pk, "fingerprint": closing.fingerprint, "by": both, "at": now}
    sign_audit(party=Party.MARKETING, **said)
    refused("never_for_both", sign_audit, party=Party.SALES, **said)


def test_another_fingerprint_than_the_one_shown_is_not_signed(closing, people, now):
    said = {"closing_id": closing.pk, "party": Party.SALES, "by": people.sales_leader, "at": now}
    refused("other_fingerprint", sign_audit, fingerprint="0" * 64, **said)


def test_both_sides_open_it_again_and_the_new_closing_stands_beside_the_old(closing, people, now):
    said = {"closing_id": closing.pk, "party": Party.SALES, "by": people.sales_leader, "at": now}
    refused("why_reopen", ask_to_reopen, why=" ", **said)
    ask_to_reopen(why="A late import.", **said)
    refused("already_asked", ask_to_reopen, why="Again.", **said)
    assert Closing.objects.of(MARCH) == closing
    ask_to_reopen(
        closing_id=closing.pk, party=Party.MARKETING, why="Yes.", by=people.marketing_leader, at=now
    )  # fmt: skip
    assert Closing.objects.of(MARCH) is None
    refused("not_closed", sign_audit, fingerprint=closing.fingerprint, **said)
    again = close_audit(month=MARCH, by=people.sales_leader, at=now + DAY, zone=ZONE)
    assert (again.number, again.predecessor) == (2, closing)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE audit_closing SET canonical = canonical || ' '", "append-only"),
        ("DELETE FROM audit_closingsignature", "append-only"),
        (
            f"{INSERT}, predecessor_id)"
            " SELECT '2026-04-01', 1, now(), closed_by_id, '{{}}', repeat('0', 64), id FROM audit_closing",
            "text_has_fingerprint",
        ),
        (
            f"{INSERT})"
            " SELECT '2026-04-01', 1, now(), closed_by_id, 'x', encode(sha256('x'), 'hex') FROM audit_closing",
            "follows the one closed last",
        ),
        (
            f"{INSERT}, predecessor_id)"
            " SELECT month, 2, now(), closed_by_id, 'x', encode(sha256('x'), 'hex'), id FROM audit_closing",
            "opened again by both",
        ),
        (
            "INSERT INTO audit_closingsignature"
            " (closing_id, fingerprint, party, signed_by_id, name, role, signed_at, digest)"
            " SELECT id, repeat('1', 64), 'sales', {leader}, 'x', 'x', now(), '' FROM audit_closing",
            "of the fingerprint that was closed",
        ),
    ],
)
def test_the_database_refuses_what_no_verb_does(closing, people, now, sql, why):
    sign_both(closing, people, now)
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(leader=people.admin.pk))


def test_a_signature_altered_past_the_triggers_is_found(closing, people, now):
    sign_both(closing, people, now)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_closingsignature SET name = 'Somebody Else' WHERE party = 'sales'")
    assert verify() == "Audit of 2026-03, no. 1: the signature for sales was altered."


def test_the_leaders_close_and_sign_on_the_page(client, past, people):
    address = reverse("audit_closing", args=["2026-03"])
    client.force_login(people.marketing_leader)
    page = client.get(address).text
    assert "Close March 2026" in page
    assert f'<a href="{reverse("agreement_version", args=[1])}">agreement v1</a>' in page
    answer = client.post(reverse("audit_close", args=["2026-03"]), **HTMX)
    assert "marketing has not signed; sales has not signed" in answer.text
    closing = Closing.objects.get()
    sign = reverse("audit_sign", args=["2026-03", closing.pk])
    said = {"party": "marketing", "fingerprint": closing.fingerprint}
    wrong = client.post(sign, said | {"password": "not this"}, **HTMX)
    assert (wrong.status_code, ClosingSignature.objects.count()) == (422, 0)
    assert "This is not your password" in wrong.text
    client.post(sign, said | {"password": "correct horse battery"})
    client.force_login(people.sales_leader)
    answer = client.post(sign, said | {"party": "sales", "password": "correct horse battery"}, **HTMX)
    assert "Closed and signed by both sides" in answer.text
    assert "Nothing has changed" in answer.text


def test_a_second_closing_at_the_same_moment_is_told_so(client, closing, people):
    client.force_login(people.sales_leader)
    answer = client.post(reverse("audit_close", args=["2026-03"]), **HTMX)
    assert answer.status_code == 409
    assert "closed already" in answer.text


def test_what_was_signed_can_be_taken_along(client, closing, people):
    client.force_login(people.marketer)
    file = client.get(reverse("audit_closed_json", args=["2026-03", 1])).json()
    assert sha256(file["canonical"]) == file["fingerprint"] == closing.fingerprint


def test_the_other_leader_is_written_to(closing, people):
    message = Message.objects.get(topic="audit.waits")
    mail = TOPICS["audit.waits"].write(message.payload)
    assert message.recipient == people.sales_leader
    assert mail.path == reverse("audit_closing", args=["2026-03"])


def test_the_command_says_whether_all_agree(closing, people, now, capsys):
    call_command("verify_audits")
    assert "1 closed audits agree" in capsys.readouterr().out
    sign_both(closing, people, now)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_closingsignature SET role = 'admin'")
    with pytest.raises(CommandError, match="was altered"):
        call_command("verify_audits")


def test_a_manager_reads_it_and_closes_nothing(client, past, people):
    client.force_login(people.manager)
    assert "Close March 2026" not in client.get(reverse("audit_closing", args=["2026-03"])).text
    assert client.post(reverse("audit_close", args=["2026-03"])).status_code == 403


def test_late_decisions_of_the_month_are_told_since_closing(client, closing, people, agreement):
    late = cast.open_handoff(owner=people.rep, at=dt.datetime(2026, 3, 12, 9, tzinfo=UTC))
    reject_handoff(handoff_id=late.pk, by=people.rep, at=dt.datetime(2026, 3, 13, 9, tzinfo=UTC), reason="11")
    client.force_login(people.marketing_leader)
    text = client.get(reverse("audit_closing", args=["2026-03"])).text
    assert "What would be different today" in text
    assert "Company too small" in text

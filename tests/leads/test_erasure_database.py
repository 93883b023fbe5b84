"""The narrow path of an erasure: columns are blanked in its own transaction, and no other fact got loose (raw SQL)."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from leads import figures
from leads.audit.closing import close_audit
from leads.models import Erasure, Event, Handoff, Lead
from leads.services.capture import capture_lead
from leads.services.decide import reject_handoff
from leads.services.privacy.erase import erase_person
from tests import kept
from tests.forgotten import BERLIN, EMAIL, MARK, MINUTE, known_everywhere, sql, where


@pytest.fixture
def uploads(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path / "uploads"


@pytest.fixture
def known(agreement, people, now, uploads, settings):
    """See tests.forgotten.known_everywhere."""
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    ground = (agreement.pk, people.rep.pk)
    return kept.once(lambda: known_everywhere(people, now), "known everywhere", *ground, empty="leads_lead")


@pytest.fixture
def forgotten(open_lead, people, now):
    """A lead that was rejected and then forgotten."""
    handoff = open_lead(email=EMAIL, external_id="A1")
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason="11")
    erase_person(lead_id=handoff.lead_id, by=people.admin, at=now + MINUTE)
    return handoff


# --- the database's narrow path -----------------------------------------------------------------------
BLANKS = (
    "UPDATE leads_event SET properties = '{}', origin_id = NULL",
    "UPDATE leads_decision SET note = ''",
    "UPDATE leads_touch SET note = ''",
    "UPDATE leads_dispute SET note = '[erased]'",
    "UPDATE leads_ruling SET note = ''",
    "UPDATE leads_assignment SET why = '[erased]'",
    "UPDATE leads_recyclechange SET why = ''",
    "UPDATE leads_deal SET note = ''",
    "UPDATE leads_factchange SET was = NULL",
    "UPDATE audit_excuse SET why = '[erased]'",
    "UPDATE audit_excuseanswer SET note = '[erased]'",
    "UPDATE calibration_mark SET tags = '{}'",
    "UPDATE leads_handoff SET breakdown = jsonb_set(breakdown, '{rules}', (SELECT jsonb_agg(r || '{\"saw\": \"\"}')"
    " FROM jsonb_array_elements(breakdown -> 'rules') r))",
)
ERASE = (
    "INSERT INTO leads_erasure (lead_id, why, erased_at, in_transaction)"
    " SELECT id, 'asked', now(), 0 FROM leads_lead WHERE email = %s"
)


def refused(statement):
    with pytest.raises(IntegrityError), transaction.atomic():
        sql(statement)


OF_LEAD = "lead_id IN (SELECT id FROM leads_lead WHERE email = %s)"
OF_HANDOFF = f"handoff_id IN (SELECT id FROM leads_handoff WHERE {OF_LEAD})"
WHOSE = {
    **dict.fromkeys(("leads_decision", "leads_touch", "leads_assignment"), OF_HANDOFF),
    **dict.fromkeys(
        ("leads_dispute", "leads_ruling", "audit_excuse", "audit_excuseanswer", "calibration_mark"), "%s <> ''"
    ),  # there is one of each
}


@pytest.mark.parametrize("blank", BLANKS, ids=lambda text: text.split()[1])
def test_a_fact_is_blanked_only_while_its_person_is_erased(known, blank, open_lead):
    """All in the test's own transaction: so is what it refuses and what it allows."""
    refused(blank)  # nobody is being erased
    open_lead(email="else@corvane.example")
    with transaction.atomic():
        sql(ERASE, "else@corvane.example")
        refused(blank)  # somebody else is
        transaction.set_rollback(True)
    sql(ERASE, EMAIL)
    sql(f"{blank} WHERE {WHOSE.get(blank.split()[1], OF_LEAD)}", EMAIL)


@pytest.mark.parametrize(
    "loose",
    [
        "UPDATE leads_event SET properties = '{\"a\": 1}', origin_id = NULL",
        "UPDATE leads_event SET properties = '{}'",
        "UPDATE leads_event SET properties = '{}', origin_id = NULL, kind = 'other'",
        "UPDATE leads_event SET properties = '{}', origin_id = NULL, occurred_at = now()",
        "DELETE FROM leads_event",
        "UPDATE leads_decision SET note = 'other'",
        "UPDATE leads_decision SET note = '', outcome = 'accepted', reason_id = NULL",
        "UPDATE leads_decision SET note = '', decided_at = now()",
        "UPDATE leads_decision SET note = '', decided_by_id = NULL",
        "DELETE FROM leads_decision",
        "UPDATE leads_touch SET note = '', outcome = 'sent'",
        "UPDATE leads_assignment SET why = 'other'",
        "UPDATE leads_assignment SET why = '[erased]', assigned_at = now()",
        "UPDATE leads_dispute SET note = '[erased]', due_at = now()",
        "UPDATE leads_ruling SET note = '', outcome = 'upheld', ruled_at = now()",
        "UPDATE leads_factchange SET was = '{}'",
        "UPDATE leads_deal SET note = '', amount = 1",
        "UPDATE audit_excuse SET why = 'other'",
        "UPDATE audit_excuseanswer SET note = '[erased]', agreed = true",
        "UPDATE calibration_mark SET tags = '{}', answers = '{\"ready\": \"yes\"}'",
        "UPDATE calibration_mark SET tags = '{x}'",
        "UPDATE leads_handoff SET breakdown = '{}'",
        "UPDATE leads_handoff SET breakdown = jsonb_set(breakdown, '{total}', '1')",
        "UPDATE leads_handoff SET breakdown = jsonb_set(breakdown, '{rules}', '[]')",
        "UPDATE leads_handoff SET total = 1",
        "DELETE FROM leads_handoff",
        "UPDATE leads_breach SET due_at = now()",
        "UPDATE leads_erasure SET in_transaction = 1",
        "DELETE FROM leads_erasure",
        "UPDATE audit_closing SET canonical = ''",
        "UPDATE sla_signature SET name = ''",
        "UPDATE forms_consent SET key = ''",
        "UPDATE outbox_notice SET title = 'other', text = ''",
        "UPDATE outbox_notice SET title = 'About somebody who was forgotten', text = '', path = '/x'",
    ],
)
def test_even_in_an_erasure_nothing_else_of_a_fact_changes(known, people, now, loose):
    close_audit(month=figures.Month.parse("2026-08"), by=people.sales_leader, at=now, zone=BERLIN)
    case = Handoff.objects.first()
    sql("INSERT INTO leads_breach (handoff_id, clock, due_at, sla_version_id, recorded_at)"
        " VALUES (%s, 'decision', now() - interval '1 day', %s, now())", case.pk, case.sla_version_id)  # fmt: skip
    sql(ERASE, EMAIL)
    refused(loose)


@pytest.mark.django_db(transaction=True)
def test_an_erasure_of_yesterday_opens_nothing_and_its_transaction_cannot_be_forged(known, now, people):
    erase_person(lead_id=known.pk, by=people.admin, at=now)
    Event.objects.bulk_create([Event(lead=known, kind="x", occurred_at=now, recorded_at=now, properties={"a": 1})])
    refused("UPDATE leads_event SET properties = '{}', origin_id = NULL WHERE kind = 'x'")
    other = capture_lead(facts={"email": "o@x.example"}, at=now)
    forged = (
        "INSERT INTO leads_erasure (lead_id, why, erased_at, in_transaction) VALUES (%s, 'asked', now(), 461168601)"
    )
    sql(forged, other.pk)
    assert Erasure.objects.get(lead=other).in_transaction != 461
    refused("TRUNCATE leads_erasure")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE leads_lead SET erased_at = now()",  # without an erasure, and with facts
        "UPDATE leads_lead SET erased_at = NULL WHERE erased_at IS NOT NULL",
        "UPDATE leads_lead SET email = 'x@y.example' WHERE erased_at IS NOT NULL",
        "UPDATE leads_lead SET attributes = '{\"a\": 1}' WHERE erased_at IS NOT NULL",
        "UPDATE leads_lead SET company = 'X' WHERE erased_at IS NOT NULL",
        "UPDATE leads_lead SET recycle_on = now() WHERE erased_at IS NOT NULL",
        "UPDATE leads_handoff SET status = 'open', reason_id = NULL, decided_at = NULL",
        "INSERT INTO leads_handoff (lead_id, definition_id, sla_version_id, source, campaign, channel, industry,"
        " status, qualified_at, recorded_at, is_historical, withdrawn_why) SELECT lead_id, definition_id,"
        " sla_version_id, '', '', '', '', 'open', now(), now(), true, '' FROM leads_handoff",
    ],
)
def test_the_database_keeps_the_forgotten_forgotten(forgotten, change):
    assert Lead.objects.filter(erased_at__isnull=False).exists()
    refused(change)


@pytest.mark.django_db(transaction=True)
def test_the_portals_role_erases_and_may_do_no_more_than_blank(known, people, now, portal_role):
    sql(f"SET ROLE {portal_role}")
    try:
        for statement in ("UPDATE leads_decision SET outcome = 'accepted'", "UPDATE leads_event SET kind = 'x'",
                          "UPDATE leads_erasure SET why = 'asked'", "DELETE FROM leads_touch"):  # fmt: skip
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                sql(statement)
        erase_person(lead_id=known.pk, by=people.admin, at=now)
    finally:
        sql("RESET ROLE")
    assert where(MARK) == []

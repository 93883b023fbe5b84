"""The portal's role may do what its verbs do, and nothing else: refused by the database, whatever the code says."""

import datetime as dt

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from leads.models import Decision, Lead
from leads.services.capture import capture_lead, record_event
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.qualify import open_handoff
from leads.services.touch import log_touch
from portal.shared import checks, privileges
from sla.models import SLAVersion
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def as_portal(portal_role):
    """Runs what follows as the portal's role, on this connection."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {portal_role}")
        yield portal_role
        cursor.execute("RESET ROLE")


def refused(sql, why="permission denied|must be owner"):
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_facts_are_neither_updated_nor_deleted_nor_emptied(as_portal):
    facts = privileges.tables_with("append_only")
    assert {"leads_decision", "leads_event", "leads_touch", "leads_assignment", "sla_signature"} <= set(facts)
    for table in facts:
        refused(f"UPDATE {table} SET id = id")
        refused(f"DELETE FROM {table}")
        refused(f"TRUNCATE {table} CASCADE")


def test_no_table_is_emptied_and_no_handoff_deleted(as_portal):
    refused("TRUNCATE accounts_user CASCADE")
    refused("DELETE FROM leads_handoff")
    refused("DELETE FROM django_migrations")


def test_triggers_are_not_disabled(as_portal):
    refused("ALTER TABLE leads_decision DISABLE TRIGGER ALL")
    refused("ALTER TABLE sla_slaversion DISABLE TRIGGER USER")
    refused("SET session_replication_role = replica")
    refused("DROP TABLE leads_decision")
    refused("CREATE TABLE public.mine (id integer)")


def test_a_trigger_is_not_ignored_on_request(agreement, as_portal):
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(tgname, ',') FROM pg_trigger WHERE tgname LIKE 'pgtrigger_%%'")
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, false)", [f"{{{cursor.fetchone()[0]}}}"])
    refused("UPDATE sla_slaversion SET summary = 'quietly changed'", why="a proposed agreement does not change")
    with connection.cursor() as cursor:
        cursor.execute("RESET pgtrigger.ignore")


def test_the_portal_does_its_work_as_that_role(agreement, people, now, as_portal):
    lead = capture_lead(facts={"email": "jo@oak.example", **cast.FACTS}, at=now)
    record_event(lead_id=lead.pk, kind="demo_requested", occurred_at=now, at=now)
    handoff = open_handoff(lead_id=lead.pk, by=None, at=now, owner=people.rep)
    log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=people.rep, at=now + MINUTE)
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 2 * MINUTE)
    reopen_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 3 * MINUTE)
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 4 * MINUTE, reason="11")
    assert [d.outcome for d in Decision.objects.order_by("id")] == ["accepted", "open", "rejected"]
    assert Lead.objects.get().email == "jo@oak.example"
    assert SLAVersion.objects.in_force(at=now) == agreement


def test_repeating_the_grant_changes_nothing(portal_role):
    before = _privileges(portal_role)
    with transaction.atomic():
        privileges.grant(connection, portal_role)
    assert _privileges(portal_role) == before


def test_the_check_names_the_facts_that_the_role_could_change(portal_role):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"GRANT UPDATE ON leads_decision TO {portal_role}")
        cursor.execute(f"SET LOCAL ROLE {portal_role}")
        assert checks.changeable(connection) == ["leads_decision"]
        transaction.set_rollback(True)


def test_one_role_for_both_is_said_before_it_goes_live(monkeypatch):
    owner = settings.DATABASES["default"]
    monkeypatch.setattr(settings, "DATABASE_OWNER", owner, raising=False)
    assert [problem.id for problem in checks.two_roles(None)] == ["handoff.W001"]
    monkeypatch.setattr(settings, "DATABASE_OWNER", owner | {"USER": "someone_else"}, raising=False)
    assert checks.two_roles(None) == []


def _privileges(role):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = %s"
            " ORDER BY 1, 2",
            [role],
        )
        return cursor.fetchall()

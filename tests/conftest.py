"""The cast: an agreement in force, the people who work under it, and a lead or two."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import settings as hypothesis

from portal.shared import privileges
from tests import cast, kept

hypothesis.register_profile("house", deadline=None)  # laws are about answers, not about how busy the machine is
hypothesis.load_profile("house")
SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def flush_past_the_triggers():
    """Tests with real second connections empty the tables; only as the owner, past the no_truncate triggers."""
    flush = DatabaseOperations.execute_sql_flush

    def past_triggers(self, sql_list):
        return flush(self, ["SET LOCAL ROLE NONE", "SET LOCAL session_replication_role = replica", *sql_list])

    DatabaseOperations.execute_sql_flush = past_triggers
    yield
    DatabaseOperations.execute_sql_flush = flush


@pytest.fixture(scope="session")
def portal_role(django_db_setup, django_db_blocker):
    """A role with the privileges of the portal's, in the tests' database."""
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(1)"
        )  # roles belong to the whole server: another worker makes it too
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'handoff_test_portal'")
        if not cursor.fetchone():
            cursor.execute("CREATE ROLE handoff_test_portal")
        privileges.grant(connection, "handoff_test_portal")
    return "handoff_test_portal"


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real lead files beside the checkout; a test that needs it says so when it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real lead files are not here ({SHARED_DATA})")
    return SHARED_DATA


@pytest.fixture
def now():
    """A Thursday morning in Berlin."""
    return dt.datetime(2026, 10, 15, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def agreement(db, now):
    """Agreement v1 with definition v1, signed by both sides, in force since 1 January 2022."""
    return kept.once(lambda: cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC)), "agreement")


@pytest.fixture
def people(db):
    """Two sales teams with two reps each, and one of every other role; see tests.cast.people."""
    return cast.people()


@pytest.fixture
def open_lead(agreement, people, now):
    """Makes open handoffs: open_lead() or open_lead(owner=…, at=…, email=…)."""

    def make(owner=None, at=now, **facts):
        return cast.open_handoff(owner=owner or people.rep, at=at, **facts)

    return make

"""The cast: an agreement in force, the people who work under it, and a lead or two."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis

from leads.connectors.inbound import door, take
from leads.connectors.outgoing import sending
from portal.outbox import deliver
from portal.shared import privileges
from tests import cast, kept
from tests.migrated import unrendered

# laws are about answers, not about how busy the machine is nor about luck: the same examples in every run
hypothesis.register_profile("house", deadline=None, derandomize=True)
hypothesis.load_profile("house")
AN_HOUR = 3600.0  # seconds
SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def migrated_quickly():
    with unrendered():
        yield


@pytest.fixture(scope="session")
def django_db_setup(migrated_quickly, django_db_setup):
    """The tests' database, as pytest-django makes it."""


@pytest.fixture(autouse=True, scope="session")
def time_enough():
    """No run leaves the rest to the next one because the machine is busy; tests of that give seconds of their own."""
    with pytest.MonkeyPatch.context() as changed:
        for each in (deliver, sending):
            changed.setattr(each, "A_RUN", AN_HOUR)
        changed.setattr(door, "AT_ONCE", AN_HOUR)
        changed.setitem(take.take_waiting.__kwdefaults__, "within", AN_HOUR)
        yield


@pytest.fixture(autouse=True, scope="session")
def empty_past_the_triggers():
    """Tests with real second connections empty the tables; only as the owner, past the append-only triggers.

    Row by row: few tables hold any, and TRUNCATE makes new files for each of the hundred. Like TRUNCATE it waits for
    whoever still writes. What Django itself noted after migrating stays.
    """
    before = TransactionTestCase._fixture_teardown

    def empty(self):
        noted = {"django_content_type", "auth_permission"}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE NONE")
            cursor.execute("SET LOCAL session_replication_role = replica")
            tables = sorted({*connection.introspection.django_table_names()} - noted)
            cursor.execute(f"LOCK TABLE {', '.join(tables)}")
            cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables))

    TransactionTestCase._fixture_teardown = empty
    yield
    TransactionTestCase._fixture_teardown = before


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
def agreement(db):
    """Agreement v1 with definition v1, signed by both sides, in force since 1 January 2022."""
    return kept.once(lambda: cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC)), "agreement")


@pytest.fixture
def people(request, db):
    """Two sales teams with two reps each, and one of every other role; see tests.cast.people.

    In whatever order a test asks, the agreement comes first: it would not be copied where people are.
    """
    if "agreement" not in request.fixturenames:
        return kept.once(cast.people, "people")
    signed = request.getfixturevalue("agreement")
    return kept.once(cast.people, "people who work under it", signed.pk, empty="accounts_team")


@pytest.fixture
def open_lead(agreement, people, now):
    """Makes open handoffs: open_lead() or open_lead(owner=…, at=…, email=…)."""

    def make(owner=None, at=now, **facts):
        return cast.open_handoff(owner=owner or people.rep, at=at, **facts)

    return make

"""Schemathesis speaks to the API as its document says it may, and as it says it may not, and finds nothing.

API_SEED and API_EXAMPLES (per operation and way) look further than the suite does.
"""

import datetime as dt
import os

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from portal.accounts.models import Role
from portal.keys import secrets
from portal.keys.models import ApiKey
from portal.keys.scopes import SCOPES
from tests import cast

SEED, EXAMPLES = int(os.environ.get("API_SEED", "1")), int(os.environ.get("API_EXAMPLES", "5"))
PREFIX, TOKEN = secrets.new_token()
# the key stands in the configuration, so that leaving it out is tried as well
CONFIG = {
    "seed": SEED,
    "auth": {"openapi": {"Bearer": {"bearer": TOKEN}}},
    "generation": {"max-examples": EXAMPLES, "database": "none"},
}
schema = schemathesis.openapi.from_wsgi(
    "/api/v1/openapi.json", WSGIHandler(), config=SchemathesisConfig.from_dict(CONFIG)
)


@pytest.fixture
def one_connection():
    """Requests in this process would close the connection on which the test's transaction runs."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def everybody(agreement, people, open_lead, one_connection, settings):
    """A key for everything that acts as a person of every role, and handoffs to work."""
    settings.API_REQUESTS_A_MINUTE = 10**6
    person, now = cast.user("Every Body", *Role.values, team=people.north), timezone.now()
    for _ in range(3):
        open_lead(owner=person)
    ApiKey.objects.create(
        name="Schemathesis", prefix=PREFIX, digest=secrets.digest(secrets.taken_apart(TOKEN)[1]), person=person,
        scopes=[*SCOPES], created_at=now, created_by=people.admin, expires_at=now + dt.timedelta(days=1),
    )  # fmt: skip


def what_is_valid_is_taken(ctx, response, case):
    """What the document allows is never `invalid`; what is there may refuse it all the same, with its own code."""
    if response.status_code == 422 and response.json()["code"] != "invalid":
        return None
    return positive_data_acceptance(ctx, response, case)


@schema.parametrize()
@hypothesis(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_the_document_says(everybody, case):
    case.call_and_validate(excluded_checks=[positive_data_acceptance], additional_checks=[what_is_valid_is_taken])

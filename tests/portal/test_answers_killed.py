"""A real web server killed in the middle of a request with an Idempotency-Key: sent again, it is worked once."""

import datetime as dt
import json

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from leads.models import Event, Handoff, Lead
from portal.embedded.process import wait_until
from portal.keys.models import KeptAnswer
from tests import cast
from tests.api import token_for
from tests.webserver import PATIENCE, WebServer

pytestmark = pytest.mark.django_db(transaction=True)
EVENT = {"kind": "pricing_viewed", "source": "website"}
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
HERE = ("host", "port", "user", "password", "dbname")


def request(token, number):
    lead = {"email": f"a{number}@corvane.example", **cast.FACTS, "events": [EVENT | {"id": f"v-{number}"}]}
    body = json.dumps(lead).encode()
    head = (
        f"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: signup-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def read(answer):
    """(status, is it a replay, what it says)"""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), b"idempotent-replayed: true" in head.lower(), json.loads(body)


def there():
    return (Lead.objects.count(), Event.objects.count(), Handoff.objects.count(), KeptAnswer.objects.count())


def test_a_request_is_worked_once_though_the_server_is_killed_before_and_after_its_work(tmp_path):
    at = timezone.now()
    cast.agreement(at=at - dt.timedelta(days=365))
    token = token_for(cast.people().marketer)
    where = {name: value for name, value in connection.get_connection_params().items() if name in HERE}
    web = WebServer(tmp_path)
    try:
        with psycopg.connect(**where) as other, psycopg.connect(**where, autocommit=True) as watcher:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended('leads.routing', 0))")
            asked = web.open(request(token, 1))
            waits = lambda: watcher.execute(WAITS).fetchone()[0]  # noqa: E731
            assert wait_until(waits, PATIENCE), f"not handed over: {web.heard(asked)}\n{web.log.read_text()}"
            web.kill()
            other.rollback()
            assert wait_until(lambda: not waits(), PATIENCE)
        assert there() == (0, 0, 0, 0)
        web.start()
        assert read(web.ask(request(token, 1)))[:2] == (201, False)
        unheard = web.open(request(token, 2))
        assert wait_until(lambda: KeptAnswer.objects.count() == 2, PATIENCE)
        web.kill()
        unheard.close()
        kept = json.loads(KeptAnswer.objects.get(name="signup-2").body)
        web.start()
        for _ in range(2):
            assert read(web.ask(request(token, 2))) == (201, True, kept)
        assert there() == (2, 2, 2, 2)
    finally:
        web.kill()

"""Hostile input at every door: nothing that a person can send is a fault of the portal's (500)."""

import itertools
import re

import pytest
from django.core.signals import got_request_exception
from django.db import connection, transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from portal.accounts.models import Role, Team
from portal.outbox.models import Room
from portal.shared.middleware import _without_nulls
from portal.shared.sealed import seal
from sla.services.definition import draft_definition
from sla.services.terms import draft_from
from tests import cast
from tests.routing import draft
from tests.test_rules import address, routes

HUGE = "9" * 5000
HOSTILE = (
    HUGE, "a\0b", "'\"><script>alert(1)</script>", "٣", "²", "-1", "1e309", "nan", "2026-02-30", "0001-01-01",
    "9999-12-31", "0001-01-01T00:00:00+14:00_1", "9999-12-31T23:59", "x" * 10_000, "\u202e", "team:99999999", "[]",
    '{"a":"\\u0000"}', "10:00+02:00", "../../etc/passwd", "a\r\nBcc: x@y.example", "%00", "=1+1", "person-" + HUGE,
)  # fmt: skip
NOT_OURS = {"readyz", "account_logout"}  # readyz says 503 where no worker is; whoever signed out tries no further


@pytest.fixture
def asked(monkeypatch):
    """The names that views ask a query or a form for, gathered while they do."""
    names = set()

    def noting(method):
        def noted(self, key, *args):
            names.add(key)
            return method(self, key, *args)

        return noted

    for name in ("get", "getlist", "__getitem__", "__contains__"):
        monkeypatch.setattr(QueryDict, name, noting(getattr(QueryDict, name)))
    return names


@pytest.fixture
def everybody(agreement, people, open_lead, now):
    """A person of every role, with something to work on behind every door."""
    person = cast.user("Every Body", *Role.values, team=people.north)
    open_lead(owner=person)
    draft(people, at=now)
    draft_definition(start_from=agreement.definition, by=person, at=now)
    draft_from(version_id=agreement.pk, by=person, at=now)
    Room.objects.create(
        name="Room", style="slack", address=seal("https://chat.invalid/x"), created_at=now, created_by=person
    )
    return person


def test_no_door_breaks_under_hostile_queries_and_forms(everybody, portal_role, asked):
    """As the portal's role, so that a missing privilege shows too."""
    client, broke, faults = Client(raise_request_exception=False), [], []
    client.force_login(everybody)
    got_request_exception.connect(lambda **said: faults.append(said), weak=False, dispatch_uid="hostile")
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {portal_role}")
    values, headers = itertools.cycle(HOSTILE), itertools.cycle(({}, {"HX-Request": "true"}))
    for (name, route), send in itertools.product(routes(), (client.get, client.post)):
        where = address(name, route, number=2 if name.startswith(("agreement_", "definition_")) else 1)
        asked.clear()
        if name in NOT_OURS or _status(send, where, {}) == 405:
            continue
        given = {key: next(values) for key in sorted(asked) if isinstance(key, str)}
        status = _status(send, where, given, next(headers))
        if status >= 500:
            broke.append((send.__name__, route, status, {key: text[:30] for key, text in given.items()}))
    got_request_exception.disconnect(dispatch_uid="hostile")
    assert not broke
    assert not faults


def _status(send, where, data, headers=None):
    """What the portal answers; whatever it wrote is taken back."""
    unchanged = transaction.atomic()
    unchanged._from_testcase = True  # the verbs' own transactions may begin within it
    with unchanged:
        status = send(where, data, headers=headers or {}).status_code
        transaction.set_rollback(True)
    return status


def test_a_number_that_no_record_has_is_no_page(everybody, client):
    client.force_login(everybody)
    number = 10**30  # more than any column holds
    for name, route in routes():
        if re.search("<int:", route):
            where = address(name, route, number=number, other=number, pk=number)
            answers = {client.get(where).status_code, client.post(where).status_code}
            assert answers <= {404, 405, 409, 422, 302}, where


def test_what_was_sent_holds_no_nul_by_the_time_a_view_reads_it():
    sent = QueryDict("a=x%00y&a=z&b%00=1")
    assert _without_nulls(sent).urlencode() == "a=xy&a=z&b=1"
    clean = QueryDict("a=x")
    assert _without_nulls(clean) is clean


def test_a_name_that_no_column_holds_is_refused_with_a_sentence(people, client):
    client.force_login(people.admin)
    answer = client.post(reverse("team_add"), {"name": "x" * 81})
    assert answer.status_code == 422
    assert "This name is too long" in answer.content.decode()
    assert not Team.objects.filter(name__startswith="xx").exists()


def test_htmx_gets_the_bell_and_the_messages_as_anybody_does(people, client):
    client.force_login(people.admin)
    for page in ("bell", "messages"):
        assert client.get(reverse(page), headers={"HX-Request": "true"}).status_code == 200

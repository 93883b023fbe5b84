"""What an attacker sends to the doors of programs: none of it is a fault, and none of it does what it should not."""

import datetime as dt
import json
import re

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from leads.models import Event, Lead
from leads.services.deal import record_deal
from portal.accounts.models import Role
from portal.accounts.permissions import May
from portal.keys.scopes import SCOPES
from tests import cast
from tests.api import Program

LEAD = {"email": "a@quiet.example"}
DAY = dt.timedelta(days=1)


@pytest.fixture
def everybody(agreement, people):
    return Program(cast.user("Every Body", *Role.values, team=people.north), *SCOPES)


@pytest.fixture(scope="session")
def naughty(shared_data):
    return json.loads((shared_data / "csv" / "naughty-strings.json").read_text(encoding="utf-8"))


def test_naughty_strings_are_kept_letter_by_letter_or_refused_and_never_a_fault(everybody, naughty, client, people):
    rows = [
        {
            "external_id": f"n{n}", "company": text[:200], "first_name": text[:120],
            "attributes": {"said": text[:1000]},
            "events": [{"kind": "page_viewed", "properties": {"path": text[:1000]}}],
        }
        for n, text in enumerate(naughty)
    ]  # fmt: skip
    everybody.post("leads:batch", {"leads": rows})
    said = {row["row"]: row["status"] for row in everybody.said["rows"]}
    assert set(said.values()) <= {201, 422}
    refused = [naughty[n] for n, status in said.items() if status == 422]
    assert all("\0" in text or _is_half(text) for text in refused)
    for lead in Lead.objects.all():
        text = naughty[int(lead.external_id[1:])]
        assert (lead.company, lead.attributes["said"]) == (text[:200], text[:1000])
    client.force_login(people.admin)
    assert client.get("/leads/").status_code == 200


def _is_half(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def test_naughty_strings_name_no_lead_and_open_no_list(everybody, naughty):
    for text in naughty[::7]:
        asked = (("leads", {"external_id": text}), ("leads", {"cursor": text}), ("handoffs", {"owner": text}))
        for where, query in asked:
            assert everybody.get(where, query).status_code in (200, 422)
        body = {"lead": {"external_id": text}, "kind": "page_viewed"}
        assert everybody.post("events", body).json()["code"] in ("no_such_lead", "invalid")


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nul", b"\xff\xfe", b"{'a': 1}", b'{"email": NaN}', b'{"employees": Infinity}', b"[" * 100_000,
        b'{"a":' * 20_000, b'{"email": "a@quiet.example"} {}', b"9" * 5000, b'{"employees": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_what_is_no_json_or_nested_beyond_reason_is_refused(everybody, body):
    answer = everybody.post("leads", body)
    assert (answer.status_code, everybody.said["code"]) == (400, "body_not_json")


@pytest.mark.parametrize("deep", [40, 900, 5000])
def test_deep_values_are_refused_before_they_reach_the_database(everybody, deep):
    body = '{"email": "a@quiet.example", "attributes": {"a": ' + "[" * deep + "]" * deep + "}}"
    assert everybody.post("leads", body).status_code in (400, 422)
    assert not Lead.objects.exists()


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
     "application/jsonx", "text/html; application/json"],
)  # fmt: skip
def test_only_json_is_read(everybody, kind):
    answer = everybody.post("leads", json.dumps(LEAD), content_type=kind)
    assert (answer.status_code, everybody.said["code"]) == (415, "content_type_not_json")
    assert everybody.post("leads", json.dumps(LEAD), content_type="application/json; charset=utf-8").status_code == 201


@pytest.mark.parametrize("where", ["leads", "events", "handoffs/1/touches", "handoffs/1/decision", "collect"])
def test_a_body_beyond_the_limit_is_refused_before_it_is_read(everybody, where):
    answer = everybody.post(where, json.dumps({"x": "y" * 140_000}))
    assert (answer.status_code, everybody.said["code"]) == (413, "body_too_large")
    client = Client(headers={"Authorization": f"Bearer {everybody.token}"})
    for length in ("999999999999999999999", "-1", "x", "1e9"):
        answer = client.post(f"/api/v1/{where}", b"{}", content_type="application/json", CONTENT_LENGTH=length)
        assert answer.status_code in (400, 413), (length, answer.status_code)


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff", "a\\ud83d", "\\u0000"])
def test_text_that_no_column_holds_is_refused_wherever_it_stands(everybody, half):
    lead = '{"email": "a@quiet.example", %s}'
    spots = (
        '{"external_id": "%s"}', lead % '"company": "%s"', lead % '"attributes": {"a": "%s"}',
        lead % '"attributes": {"%s": 1}', lead % '"attributes": {"a": ["%s"]}', lead % '"%s": 1',
        lead % '"events": [{"kind": "x", "properties": {"a": "%s"}}]',
    )  # fmt: skip
    for spot in spots:
        answer = everybody.post("leads", spot % half)
        assert (answer.status_code, everybody.said["code"]) == (422, "invalid"), spot
    assert not Lead.objects.exists()
    batch = '{"leads": [{"external_id": "%s"}, {"external_id": "ok"}]}'
    everybody.post("leads:batch", batch % half)
    assert [row["status"] for row in everybody.said["rows"]] == [422, 201]


def test_a_header_that_is_no_text_opens_nothing(everybody):
    for token in ("\u00e9" * 40, "x" * 100_000, "hk_\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661_" + "a" * 43):
        client = Client()
        answer = client.get("/api/v1/agreement", HTTP_AUTHORIZATION=f"Bearer {token}")
        assert answer.status_code == 401
    for named in ("\0", "x" * 10_000, "a@b'; DROP TABLE accounts_user --"):
        client = Client(headers={"Authorization": f"Bearer {everybody.token}"})
        assert client.get("/api/v1/agreement", HTTP_ON_BEHALF_OF=named).status_code == 422


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_key_opens_the_doors_of_its_own_scope_and_no_other(agreement, people, scope):
    """Every operation of the document, with keys of one scope each that act as a person who may do everything."""
    everyone = cast.user("Every Body", *Role.values, team=people.north)
    program, document = Program(everyone, scope), Client().get("/api/v1/openapi.json").json()
    for address, methods in document["paths"].items():
        for method, operation in methods.items():
            wanted = operation.get("x-scope")
            if wanted is None:
                assert operation["operationId"] == "post_visits"  # the one door without a key
                continue
            where = re.sub(r"{\w+}", "2026-01" if "month" in address else "1", address.removeprefix("/api/v1/"))
            answer = program.get(where) if method == "get" else program.post(where, {})
            lacks = answer.status_code == 403 and answer.json()["code"] == "scope_missing"
            assert lacks is (wanted != scope), (scope, method, address, answer.status_code)


def test_every_address_of_the_api_is_a_door_with_its_checks():
    """No door was added past portal.keys.door: each is exempt from cookies' tokens, and asks for a key by itself."""
    [api] = [one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/"]
    for one in api.url_patterns:
        if one.name not in ("api_docs", "api_openapi"):
            assert one.callback.__name__ in ("sync_view_wrapper", "nowhere"), one.name
            assert (one.callback.csrf_exempt, one.callback.login_required) == (True, False)


def asked(person, act, number, email, outside_id):
    """(status, what is said but for its request's id) of every door that a lead or a handoff can be named at."""
    program, told = Program(person), {"outcome": "won"}
    name = {"lead": {"email": email}, "outside": {"external_id": outside_id}, "number": {"id": number}}
    doors = {
        **{f"deal by {by}": lambda one=one: program.post("deals", told | {"lead": one}) for by, one in name.items()},
        **{
            f"event by {by}": lambda one=one: program.post("events", {"kind": "seen", "lead": one})
            for by, one in name.items()
        },
        "lead": lambda: program.get(f"leads/{number}"),
        "leads by address": lambda: program.get("leads", {"email": email}),
        "leads by outside id": lambda: program.get("leads", {"external_id": outside_id}),
        "handoffs": lambda: program.get("handoffs", {"lead": number}),
        "handoff": lambda: program.get(f"handoffs/{number}"),
        "touch": lambda: program.post(f"handoffs/{number}/touches", {"kind": "call", "outcome": "reached"}),
        "decision": lambda: program.post(f"handoffs/{number}/decision", {"outcome": "accepted"}),
        "deals": lambda: program.get("deals", {"lead": number}),
        "deals by outside id": lambda: program.get("deals", {"id": outside_id}),
    }  # fmt: skip
    answer = doors[act]()
    return answer.status_code, {key: said for key, said in program.said.items() if key != "request_id"}


ACTS = (
    *(f"{what} by {by}" for what in ("deal", "event") for by in ("lead", "outside", "number")),
    *("lead", "leads by address", "leads by outside id", "handoffs", "handoff", "touch", "decision", "deals"),
    "deals by outside id",
)  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_nobody_learns_whether_a_lead_they_do_not_see_is_known(agreement, people, act):
    held = cast.open_handoff(
        owner=people.rep, at=timezone.now() - DAY, email="anna@corvane.example", external_id="A-1"
    )
    record_deal(lead_id=held.lead_id, by=people.rep, at=timezone.now(), external_id="A-1", outcome="won")
    for number in {held.pk, held.lead_id}:
        there = asked(people.south_rep, act, number, "Anna+x@corvane.example", "A-1")
        nowhere = asked(people.south_rep, act, 10**9, "nobody@corvane.example", "B-2")
        assert there == nowhere


def test_whoever_sends_leads_sees_them_all():
    """A door that makes or finds a lead by its address says which: it is for people from whom no lead is kept."""
    assert set(May.IMPORT_LEADS.value[0]) <= set(May.SEE_ALL_HANDOFFS.value[0])


def test_a_value_that_was_refused_is_repeated_nowhere(everybody):
    marker = "<img src=x onerror=alert(1)>"
    for body in ({"email": marker}, {marker: 1}, {"email": "a@quiet.example", "attributes": {marker: {}}}):
        answer = everybody.post("leads", body)
        assert answer.status_code == 422
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Type"] == "application/problem+json"
    assert not Event.objects.exists()

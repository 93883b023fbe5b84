"""What an attacker sends to the inbound doors: kept letter by letter or refused, never a fault, never without end."""

import json
from http import HTTPStatus
from xml.sax.saxutils import escape

import pytest
from django.test import Client
from django.urls import reverse

from leads.connectors.inbound import door, take
from leads.connectors.models import Item
from leads.models import Lead
from tests.leads.test_inbound import event, read_as, sender, stands, told  # noqa: F401 (fixtures)

A_MESSAGE = 400
TAKEN_OR_NOT = {"taken", "unchanged", "ignored", "refused", "held", "ours"}


@pytest.fixture(scope="module")
def naughty(shared_data):
    return json.loads((shared_data / "csv" / "naughty-strings.json").read_text(encoding="utf-8"))


def all_done(now):
    take.take_waiting(at=now)
    assert set(Item.objects.values_list("outcome", flat=True)) <= TAKEN_OR_NOT


def kept(text, longest):
    """A text as a fact keeps it: without NULs, halves of characters as question marks."""
    return text[:longest].replace("\0", "").encode("utf-8", "replace").decode()


def test_naughty_strings_told_by_hubspot(sender, naughty, now):  # noqa: F811
    hub = sender()
    events = told(now, {"email": "n@x.example"})
    for n, text in enumerate(naughty[::2]):
        events += told(now, {"company": text[:200]}, start=10 + n, minutes=n / 10)
    for n in range(0, len(events), A_MESSAGE):
        assert hub.hubspot(*events[n : n + A_MESSAGE]).status_code == HTTPStatus.OK
    assert Lead.objects.get().company == kept(naughty[::2][-1], 200)
    for text in naughty[::5]:
        names = ("propertyName", "propertyValue", "objectId", "sourceId", "subscriptionType", "occurredAt", "eventId")
        odd = [event(now, **{name: text}) for name in names] + [text, {text: text}]
        assert hub.hubspot(*odd).status_code == HTTPStatus.OK
    all_done(now)


def test_naughty_strings_told_by_salesforce(sender, naughty, now):  # noqa: F811
    crm = sender("salesforce")
    seen = set()
    for n, text in enumerate(naughty[1::2]):
        written = escape(text[:120])
        lead = {"Id": f"00Q{n}", "Email": f"s{n}@x.example", "Company": written}
        rows = [(f"{n}-1", "Lead", lead), (written, written, {"Email": written, "Id": written})]
        if _is_half(text):
            continue
        seen.add(crm.salesforce(*rows).status_code)
    assert seen == {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}
    for lead in Lead.objects.filter(external_id__startswith="00Q"):
        text = naughty[1::2][int(lead.external_id[3:])]
        assert lead.company == text[:120].replace("\r\n", "\n").replace("\r", "\n").strip()
    all_done(now)


def _is_half(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def test_naughty_strings_told_as_json(sender, naughty, people, now):  # noqa: F811
    webinars = sender("json")
    read_as(webinars, people, properties={"said": "said"})
    items = [
        {"id": text, "at": text, "title": text, "by": text, "said": text, text: text,
         "who": {"id": text, "mails": [f"j{n}@x.example"], "name": text[:120], "company": text[:200]}}
        for n, text in enumerate(naughty[1::2])
    ]  # fmt: skip
    for n in range(0, len(items), A_MESSAGE):
        assert webinars.json({"data": {"attendees": items[n : n + A_MESSAGE]}}).status_code == HTTPStatus.OK
    for text in naughty[::5]:
        body = text.encode("utf-8", "surrogatepass")
        assert webinars.post(body).status_code in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST)
    for lead in Lead.objects.filter(email__startswith="j"):
        assert lead.company == kept(naughty[1::2][int(lead.email[1:].partition("@")[0])], 200)
    all_done(now)


# --- addresses that are none ----------------------------------------------------------------------------
def test_who_tries_addresses_that_are_none_waits_and_stops_nobody_elses_messages(
    agreement,
    sender,  # noqa: F811
    monkeypatch,
):
    monkeypatch.setattr(door, "UNKNOWN_A_MINUTE", 5)
    monkeypatch.setattr("portal.keys.limits._taken", {})
    known, unknown = sender("json"), reverse("inbound", args=["json", "x" * 43])
    statuses = [Client(REMOTE_ADDR="198.51.100.7").post(unknown).status_code for _ in range(7)]
    assert statuses == [404] * 5 + [429] * 2
    assert "Retry-After" in Client(REMOTE_ADDR="198.51.100.7").post(unknown).headers
    assert Client(REMOTE_ADDR="198.51.100.8").post(unknown).status_code == 404
    known.client = Client(REMOTE_ADDR="198.51.100.7")
    assert known.json({"email": "a@x.example"}).status_code == 200

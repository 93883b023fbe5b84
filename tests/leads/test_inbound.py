"""What comes in: HubSpot, Salesforce and JSON become leads once, in any order; bad items stay in the log, alone."""

import datetime as dt
import json
import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from leads.connectors.inbound import connections, hubspot, keep, salesforce, take
from leads.connectors.inbound.message import Message, NotBelieved, Unreadable, arrival, moment, parse
from leads.connectors.inbound.present import address
from leads.connectors.models import Conflict, Connection, Delivery, Item, Link, Said
from leads.connectors.outgoing import endpoints, signing
from leads.connectors.outgoing.sending import send_due
from leads.intake.imports.problems import MappingRefused
from leads.models import Event, Handoff, Lead
from leads.services.capture import capture_lead
from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message as Told
from portal.outbox.models import Notice
from portal.shared.refusal import NotPermitted
from tests import cast
from tests.receiver import receiver

HUB_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
ORGANISATION = "00Dxx0000000001AAA"
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
HOT = {
    "email": "henrike@corvane.example", "firstname": "Henrike", "lastname": "Solvang", "company": "Corvane Foods",
    "jobtitle": "Head of Operations", "numberofemployees": "640", "industry": "Food", "country": "Netherlands",
    "hs_analytics_source": "Demo request",
}  # fmt: skip


@pytest.fixture
def stands(now, monkeypatch):
    """The clock of the door stands at `now`; stands(at) moves it."""
    clock = {"at": now}
    monkeypatch.setattr("leads.connectors.inbound.door.timezone.now", lambda: clock["at"])
    return lambda at: clock.update(at=at)


class Sender:
    """A system at a connection of its own: posts as that system would."""

    def __init__(self, made, token, secret, now):
        self.connection, self.token, self.secret, self.now = made, token, secret, now
        self.address = address(made, token)
        self.client = Client()

    def post(self, body, content_type="application/json", **headers):
        path = reverse("inbound", args=[self.connection.kind, self.token])
        return self.client.post(path, body, content_type=content_type, headers=headers)

    def hubspot(self, *events, at=None, secret=HUB_SECRET):
        body, stamp = json.dumps(events).encode(), str(int((at or self.now).timestamp() * 1000))
        signed = hubspot.signature(secret, "POST", self.address, body, stamp)
        return self.post(body, **{"X-HubSpot-Signature-v3": signed, "X-HubSpot-Request-Timestamp": stamp})

    def salesforce(self, *notifications, organisation=ORGANISATION):
        return self.post(soap(notifications, organisation), "text/xml; charset=UTF-8")

    def json(self, body, **headers):
        return self.post(json.dumps(body), **headers)


@pytest.fixture
def sender(people, now, stands, settings):
    settings.PORTAL_URL = "https://handoff.example"

    def make(kind="hubspot", **given):
        given = {"name": kind, "kind": kind, "event_kind": "webinar_attended"} | given
        given |= {"secret": HUB_SECRET} if kind == "hubspot" else {}
        given |= {"organisation": ORGANISATION} if kind == "salesforce" else {}
        made, token, secret = connections.add_connection(by=people.admin, at=now, **given)
        return Sender(made, token, secret, now)

    return make


def event(now, number=1, kind="contact.propertyChange", person=123, minutes=0, **more):
    happened = int((now - HOUR + minutes * MINUTE).timestamp() * 1000)
    return {
        "eventId": number, "subscriptionId": 9, "portalId": 1, "appId": 5, "occurredAt": happened,
        "subscriptionType": kind, "attemptNumber": 0, "objectId": person, "changeSource": "CRM",
        "sourceId": "userId:1",
    } | more  # fmt: skip


def told(now, facts, person=123, start=1, minutes=0):
    return [
        event(now, start + n, person=person, minutes=minutes, propertyName=name, propertyValue=value)
        for n, (name, value) in enumerate(facts.items())
    ]


def soap(notifications, organisation=ORGANISATION):
    inside = "".join(
        f"<Notification><Id>{number}</Id>"
        f'<sObject xsi:type="sf:{kind}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        + "".join(f"<sf:{name}>{value}</sf:{name}>" for name, value in fields.items())
        + "</sObject></Notification>"
        for number, kind, fields in notifications
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope'
        ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organisation}</OrganizationId><ActionId>04k</ActionId><SessionId>s3cr3t</SessionId>{inside}"
        "</notifications></soapenv:Body></soapenv:Envelope>"
    )


SF_HOT = {
    "Id": "00Qxx0000000001AAA", "Email": "henrike@corvane.example", "FirstName": "Henrike", "LastName": "Solvang",
    "Title": "Head of Operations", "Company": "Corvane Foods", "NumberOfEmployees": "640", "Industry": "Food",
    "Country": "Netherlands", "LeadSource": "Demo request",
}  # fmt: skip


def outcomes():
    return list(Item.objects.order_by("id").values_list("outcome", flat=True))


# --- HubSpot ------------------------------------------------------------------------------------------
def test_hubspots_own_vector_of_version_3_comes_out_equal(shared_data):
    vectors = json.loads((shared_data / "webhooks" / "hubspot.json").read_text())["signature_vectors"]
    [vector] = [one for one in vectors if one["version"] == "v3"]
    given = (vector["client_secret"], vector["method"], vector["url"], vector["body"].encode())
    assert hubspot.signature(*given, str(vector["timestamp"])) == vector["expected"]
    at = dt.datetime.fromtimestamp(vector["timestamp"] / 1000, dt.UTC)
    headers = {"X-HubSpot-Signature-v3": vector["expected"], "X-HubSpot-Request-Timestamp": str(vector["timestamp"])}
    hubspot.check(Message(given[2], headers, given[3], at + 5 * MINUTE), given[0])
    for late in (5 * MINUTE + dt.timedelta(seconds=1), -6 * MINUTE):
        with pytest.raises(NotBelieved, match="five minutes"):
            hubspot.check(Message(given[2], headers, given[3], at + late), given[0])
    for changed in ({"url": given[2] + "/"}, {"body": given[3] + b" "}):
        message = Message(given[2], headers, given[3], at)._replace(**changed)
        with pytest.raises(NotBelieved, match="does not fit"):
            hubspot.check(message, given[0])


def test_the_older_signatures_which_can_be_replayed_for_ever_are_not_taken(shared_data, now):
    vectors = json.loads((shared_data / "webhooks" / "hubspot.json").read_text())["signature_vectors"]
    for vector in vectors:
        if vector["version"] != "v3":
            headers = {vector["header"]: vector["expected"], "X-HubSpot-Signature-Version": vector["version"]}
            message = Message(vector.get("url", ""), headers, vector["body"].encode(), now)
            with pytest.raises(NotBelieved):
                hubspot.check(message, vector["client_secret"])


def test_a_contact_of_hubspot_becomes_one_handoff_however_often_it_is_told(agreement, sender, now):
    hub = sender()
    events = [event(now, 100, "contact.creation"), *told(now, HOT)]
    for _ in range(3):
        answer = hub.hubspot(*events)
        assert answer.status_code == 200
    assert answer.json() == {"received": 10, "new": 0}
    lead, handoff = Lead.objects.get(), Handoff.objects.get()
    assert (lead.email, lead.employees, lead.external_id) == ("henrike@corvane.example", 640, "123")
    assert handoff.lead == lead
    assert set(Item.objects.values_list("times", flat=True)) == {3}
    assert Event.objects.count() == len({*Event.objects.values_list("origin", "origin_id")})


def test_properties_that_come_before_the_address_are_held_and_taken_with_it(agreement, sender, now):
    hub = sender()
    rest = {name: value for name, value in HOT.items() if name != "email"}
    hub.hubspot(event(now, 100, "contact.creation"), *told(now, rest))
    assert set(outcomes()) == {"held"}
    assert not Lead.objects.exists()
    hub.hubspot(*told(now, {"email": HOT["email"]}, start=50))
    assert set(outcomes()) == {"taken"}
    assert Lead.objects.get().company == "Corvane Foods"
    assert Handoff.objects.count() == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_in_whatever_order_a_fact_is_told_the_newest_stays(agreement, sender, now, order):
    hub = sender()
    hub.hubspot(*told(now, {"email": HOT["email"]}))
    events = [told(now, {"jobtitle": title}, start=10 + n, minutes=n)[0] for n, title in enumerate(("A", "B", "C"))]
    for n in order:
        hub.hubspot(events[n])
    assert Lead.objects.get().title == "C"
    assert {one.why for one in Conflict.objects.all()} == ({"older"} if order != (0, 1, 2) else set())


def test_a_fact_it_is_not_the_source_of_is_filled_but_never_overwritten_and_the_conflict_is_kept(
    agreement, sender, now, people
):
    hub = sender()
    connections.change_connection(
        connection_id=hub.connection.pk, name="Hub", mapping=hub.connection.mapping, overwrites=["title"], ours=[],
        shares_ids=True, by=people.admin,
    )  # fmt: skip
    capture_lead(facts={"email": HOT["email"], "title": "COO", "phone": "1"}, at=now)
    hub.hubspot(*told(now, {"email": HOT["email"].upper(), "jobtitle": "CEO", "phone": "2", "company": "Corvane"}))
    lead = Lead.objects.get()
    assert (lead.title, lead.phone, lead.company) == ("CEO", "1", "Corvane")
    [conflict] = Conflict.objects.all()
    assert (conflict.fact, conflict.known, conflict.told, conflict.why) == ("phone", "1", "2", "not_theirs")
    assert conflict.item.why == "Everything it says is known. One fact was not taken."


def test_what_we_told_and_what_comes_back_changes_nothing(agreement, sender, now, people):
    hub = sender()
    hub.hubspot(*told(now, HOT))
    before, events = Lead.objects.get().updated_at, Event.objects.count()
    hub.hubspot(*told(now, HOT, start=500))  # other events, the same facts
    assert Item.objects.filter(outcome="unchanged").count() == len(HOT)
    connections.change_connection(
        connection_id=hub.connection.pk, name="Hub", mapping=hub.connection.mapping, overwrites=list(hubspot.USUAL),
        ours=["handoff-sync"], shares_ids=True, by=people.admin,
    )  # fmt: skip
    hub.hubspot(*[one | {"sourceId": "handoff-sync"} for one in told(now, {"jobtitle": "Changed by us"}, start=900)])
    assert Item.objects.latest("id").outcome == "ours"
    assert (Lead.objects.get().updated_at, Event.objects.count()) == (before, events)


def test_our_own_webhook_that_comes_back_changes_nothing(agreement, sender, now, people, settings, open_lead):
    """Somebody pointed an endpoint of ours to an address of ours."""
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    with receiver() as server:
        endpoints.add_endpoint(name="Loop", address=server.address, topics=["handoff.opened"], by=people.admin, at=now)
        open_lead()
        send_due(at=now)
        heard = server.heard[0]
    mine = sender("json")
    mine.post(heard.body, **{"webhook-id": heard.headers["webhook-id"]})
    assert outcomes() == ["ours"]
    assert Delivery.objects.count() == 1
    assert Lead.objects.count() == 1


@pytest.mark.parametrize(
    "kind",
    ["contact.deletion", "contact.merge", "company.propertyChange", "deal.creation", "contact.associationChange"],
)
def test_what_tells_nothing_of_a_lead_is_passed_over(agreement, sender, now, kind):
    sender().hubspot(event(now, kind=kind), event(now, 2, propertyName="nobody_maps_this", propertyValue="1"))
    assert outcomes() == ["ignored", "ignored"]
    assert not Lead.objects.exists()


def test_a_wish_to_be_forgotten_is_told_to_the_admins(agreement, sender, now, people):
    hub = sender()
    hub.hubspot(*told(now, HOT))
    Told.objects.all().update(delivered_at=now)
    hub.hubspot(event(now, 999, "contact.privacyDeletion"))
    deliver_due(at=now)
    notice = Notice.objects.get(person=people.admin)
    assert notice.title == "hubspot: a person asks to be forgotten"
    assert f"lead {Lead.objects.get().pk}" in notice.text


# --- Salesforce ---------------------------------------------------------------------------------------
def test_the_synthetic_message_of_the_facts_file_is_read_and_acknowledged(shared_data, agreement, sender):
    facts = json.loads((shared_data / "webhooks" / "outbound_message_facts.json").read_text())
    answer = sender("salesforce").post(facts["request_example_synthetic"], "text/xml; charset=UTF-8")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/xml")
    body = answer.content.decode().partition("?>")[2]
    assert body == facts["ack_required"]
    lead = Lead.objects.get()
    assert (lead.email, lead.company, lead.source) == ("ada@example.com", "Example GmbH", "Web")
    assert lead.external_id == "00Qxx0000000001AAA"


def test_a_notification_of_salesforce_makes_one_handoff_however_often_it_comes(agreement, sender):
    force = sender("salesforce")
    for _ in range(3):
        assert force.salesforce(("04l1", "Lead", SF_HOT)).status_code == 200
    force.salesforce(("04l2", "Lead", SF_HOT))  # the same facts under another id
    assert Handoff.objects.count() == Lead.objects.count() == 1
    assert outcomes() == ["taken", "unchanged"]
    assert "s3cr3t" not in str(list(Item.objects.values()))  # the session's id is not kept


def test_one_bad_notification_stops_no_other_and_stays_in_the_log_with_its_reason(agreement, sender):
    force = sender("salesforce")
    answer = force.salesforce(
        ("1", "Lead", SF_HOT | {"Id": "A", "Email": "no address"}),
        ("2", "Lead", SF_HOT | {"Id": "B", "NumberOfEmployees": "many", "Email": "b@x.example"}),
        ("", "Lead", SF_HOT | {"Id": "C", "Email": "c@x.example"}),
        ("4", "Account", {"Id": "D"}),
        ("5", "Lead", SF_HOT),
    )
    assert answer.status_code == 200
    assert [one.outcome for one in Item.objects.order_by("id")] == ["refused"] * 3 + ["ignored", "taken"]
    whys = list(Item.objects.filter(outcome="refused").order_by("id").values_list("why", flat=True))
    assert whys[0].startswith("E-mail: ")
    assert whys[1].startswith("Employees: ")
    assert whys[2] == "The notification has no id."
    assert Handoff.objects.count() == 1


@pytest.mark.parametrize("organisation", ["00Dxx0000000002AAA", "", "00D"])
def test_a_message_of_another_organisation_is_turned_away(sender, organisation):
    force = sender("salesforce")
    assert force.salesforce(("1", "Lead", SF_HOT), organisation=organisation).status_code == 401
    assert not Item.objects.exists()
    assert Connection.objects.get().turned_away_why == "The message is of another Salesforce organisation."


def test_the_shorter_id_of_the_same_organisation_is_believed(agreement, sender):
    assert sender("salesforce").salesforce(("1", "Lead", SF_HOT), organisation=ORGANISATION[:15]).status_code == 200


BOMBS = {
    "billion laughs": '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>',
    "quadratic": f'<!DOCTYPE a [<!ENTITY a "{"x" * 5000}">]><a>{"&a;" * 5000}</a>',
    "a file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "the net": '<!DOCTYPE a SYSTEM "http://127.0.0.1/evil.dtd"><a/>',
    "a parameter": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]><a/>',
    "an instruction": '<?xml-stylesheet href="http://127.0.0.1/x"?><a/>',
    "depth": "<a>" * 100_000,
    "a name": "<a xmlns:b='c'>" + "<b:c>" * 50,
    "no end": "<a><b>",
    "nothing": "",
    "no XML": "{}",
    "another character set": '<?xml version="1.0" encoding="utf-7"?><a/>',
    "undeclared": "<a>&x;</a>",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_xml_bombs_are_refused_before_anything_is_expanded(sender, bomb):
    began = dt.datetime.now(dt.UTC)
    assert sender("salesforce").post(bomb, "text/xml").status_code in (400, 401)
    assert dt.datetime.now(dt.UTC) - began < dt.timedelta(seconds=10)
    assert not Lead.objects.exists()


def test_entities_in_a_value_are_read_and_nothing_else(agreement, sender):
    sender("salesforce").salesforce(("1", "Lead", SF_HOT | {"Company": "A &amp; B &lt;i&gt;&#x41;<![CDATA[<c>]]>"}))
    assert Lead.objects.get().company == "A & B <i>A<c>"


# --- JSON ---------------------------------------------------------------------------------------------
def read_as(one, people, **more):
    """Say how a JSON connection reads its items."""
    given = {
        "name": "Webinars",
        "mapping": {
            "columns": {
                "email": "who.mails.0", "first_name": "who.name", "company": "who.company",
                "employees": {"column": "who.size", "values": {"L": "640"}}, "title": "who.role",
                "attributes.Webinar": "title",
            },
            "defaults": {"country": "Netherlands", "source": "Webinar"},
        },
        "paths": {"items": "data.attendees", "id": "id", "occurred_at": "at", "person": "who.id", "actor": "by"},
        "overwrites": ["title"], "ours": ["us"], "shares_ids": False, "event_kind": "webinar_attended",
    }  # fmt: skip
    return connections.change_connection(connection_id=one.connection.pk, by=people.admin, **given | more)


def attendee(number=1, **who):
    who = {"id": "p1", "mails": ["anna@corvane.example"], "name": "Anna", "size": "L", "role": "COO"} | who
    return {"id": f"a{number}", "at": "2026-10-15T09:30:00+02:00", "title": "Planning", "who": who}


def test_json_of_any_shape_becomes_facts_and_an_event(agreement, sender, people):
    webinars = sender("json")
    read_as(webinars, people)
    for _ in range(2):
        answer = webinars.json({"data": {"attendees": [attendee()]}})
        assert answer.status_code == 200
    lead, happened = Lead.objects.get(), Event.objects.get()
    assert (lead.employees, lead.country, lead.source) == (640, "Netherlands", "Webinar")
    assert lead.attributes == {"Webinar": "Planning"}
    assert lead.external_id is None  # its ids of people are not ours
    assert (happened.kind, happened.origin_id) == ("webinar_attended", "a1")
    assert happened.occurred_at == dt.datetime(2026, 10, 15, 7, 30, tzinfo=dt.UTC)
    assert Item.objects.get().times == 2


def test_an_event_of_somebody_known_is_recorded_even_when_every_fact_is_known(agreement, sender, people):
    webinars = sender("json")
    read_as(webinars, people)
    webinars.json({"data": {"attendees": [attendee(1), attendee(2)]}})
    assert Event.objects.count() == 2
    assert Lead.objects.count() == 1


def test_somebody_is_known_by_the_senders_id_and_the_defaults_only_fill(agreement, sender, people):
    webinars = sender("json")
    read_as(webinars, people)
    webinars.json({"data": {"attendees": [attendee(1)]}})
    Lead.objects.update(country="Belgium")
    webinars.json({"data": {"attendees": [attendee(2, mails=[], role="CEO", company="Corvane")]}})
    lead = Lead.objects.get()
    assert (lead.title, lead.company, lead.country) == ("CEO", "Corvane", "Belgium")
    assert Link.objects.get().lead == lead


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"who": {"mails": ["nobody"]}}, "E-mail: "),
        ({"who": {"mails": [{"a": 1}]}}, "E-mail: an object"),
        ({"who": {"mails": ["a@x.example"], "name": "x" * 121}}, "First name: Longer than 120"),
        ({"who": {"mails": ["a@x.example"], "size": 1e300}}, "Employees: "),
        ({"at": "2036-01-01", "who": {"mails": ["a@x.example"]}}, "It happened in the future."),
        ("text", "This is no object."),
        (7, "This is no object."),
        ({"id": "a", "who": {"id": "p" * 121, "mails": ["a@x.example"]}}, "The id of the person is too long."),
    ],
)
def test_a_bad_item_is_kept_with_its_reason_and_the_good_one_beside_it_is_taken(agreement, sender, people, item, why):
    webinars = sender("json")
    read_as(webinars, people)
    assert webinars.json({"data": {"attendees": [item, attendee()]}}).status_code == 200
    assert set(outcomes()) == {"refused", "taken"}
    assert Item.objects.get(outcome="refused").why.startswith(why)


def test_an_item_without_an_address_waits_for_one(agreement, sender, people):
    webinars = sender("json")
    read_as(webinars, people)
    webinars.json({"data": {"attendees": [attendee(mails=[])]}})
    assert outcomes() == ["held"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1,",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 10_000,
        json.dumps([{}] * 501).encode(),
    ],
)
def test_what_is_no_json_is_refused_and_its_beginning_kept(sender, body):
    assert sender("json").post(body).status_code == 400
    [item] = Item.objects.all()
    assert item.outcome == "refused"
    assert len(item.content["beginning"]) <= keep.SHOWN


def test_nuls_and_halves_of_characters_are_taken_out(agreement, sender, people):
    webinars = sender("json")
    read_as(webinars, people)
    name = "A\\u0000n\\ud800na"
    webinars.post(json.dumps({"data": {"attendees": [attendee(name="NAME")]}}).replace("NAME", name))
    assert Lead.objects.get().first_name == "An?na"


def test_an_actor_that_is_us_changes_nothing(agreement, sender, people):
    webinars = sender("json")
    read_as(webinars, people)
    webinars.json({"data": {"attendees": [attendee() | {"by": "us"}]}})
    assert outcomes() == ["ours"]


def test_a_connection_that_signs_is_believed_for_five_minutes_and_by_its_secret_alone(
    agreement, sender, people, now, stands
):
    webinars = sender("json", signed=True)
    read_as(webinars, people)
    body = json.dumps({"data": {"attendees": [attendee()]}}).encode()
    signed = signing.headers([webinars.secret], "m1", int(now.timestamp()), body)
    assert webinars.post(body).status_code == 401
    assert webinars.post(body + b" ", **signed).status_code == 401
    other = signing.headers([signing.new_secret()], "m1", int(now.timestamp()), body)
    assert webinars.post(body, **other).status_code == 401
    assert webinars.post(body, **signed).status_code == 200
    stands(now + 6 * MINUTE)
    assert webinars.post(body, **signed).status_code == 401
    assert Item.objects.count() == 1


# --- the door -----------------------------------------------------------------------------------------
def test_a_hubspot_message_with_a_wrong_or_old_signature_is_turned_away_and_nothing_kept(sender, now):
    hub = sender()
    assert hub.hubspot(event(now), secret="another").status_code == 401
    assert hub.hubspot(event(now), at=now - 6 * MINUTE).status_code == 401
    assert hub.post(json.dumps([event(now)])).status_code == 401
    assert not Item.objects.exists()
    assert Connection.objects.get().turned_away_at == now


def test_an_address_that_nobody_knows_or_of_another_kind_leads_nowhere(sender, now):
    hub = sender()
    assert Client().post(reverse("inbound", args=["hubspot", "x" * 43])).status_code == 404
    assert Client().post(reverse("inbound", args=["json", hub.token])).status_code == 404
    assert Client().get(reverse("inbound", args=["hubspot", hub.token])).status_code == 405


def test_a_renewed_address_works_at_once_and_the_one_before_it_for_a_day(agreement, sender, people, now, stands):
    force = sender("salesforce")
    old = force.token
    _, force.token = connections.renew_address(connection_id=force.connection.pk, by=people.admin, at=now)
    assert force.salesforce(("1", "Lead", SF_HOT)).status_code == 200
    force.token, new = old, force.token
    assert force.salesforce(("2", "Lead", SF_HOT)).status_code == 200
    stands(now + 25 * HOUR)
    assert force.salesforce(("3", "Lead", SF_HOT)).status_code == 404
    force.token = new
    assert force.salesforce(("3", "Lead", SF_HOT)).status_code == 200


def test_a_disabled_or_retired_connection_leads_nowhere(sender, people, now):
    force = sender("salesforce")
    asked = {"connection_id": force.connection.pk, "by": people.admin, "at": now}
    connections.set_disabled(disabled=True, **asked)
    assert force.salesforce(("1", "Lead", SF_HOT)).status_code == 404
    connections.set_disabled(disabled=False, **asked)
    connections.retire_connection(**asked)
    assert force.salesforce(("1", "Lead", SF_HOT)).status_code == 404


def test_too_much_at_once_is_turned_away(sender, monkeypatch):
    hook = sender("json")
    assert hook.post(b"x" * (1024 * 1024 + 1)).status_code == 413
    monkeypatch.setattr("leads.connectors.inbound.door.A_MINUTE", 2)
    statuses = [hook.json({"n": n}).status_code for n in range(3)]
    assert statuses[-1] == 429
    assert not Item.objects.filter(content={"n": 2}).exists()


def test_the_door_asks_no_session_and_gives_none(sender):
    answer = sender("json").json({"a": 1})
    assert answer.status_code == 200
    assert not answer.cookies


# --- taking in ----------------------------------------------------------------------------------------
def kept(one, content, now, number=1):
    [made] = keep.keep(
        connection_id=one.connection.pk, arrivals=[arrival(f"k{number}", "", now, content, now)], at=now
    )
    return made


def test_what_was_kept_when_the_process_died_is_taken_in_by_the_worker(agreement, sender, people, now):
    webinars = sender("json")
    read_as(webinars, people)
    kept(webinars, attendee(), now)
    assert take.take_waiting(at=now) == 1
    assert Handoff.objects.count() + Lead.objects.count() >= 1
    assert take.take_waiting(at=now) == 0


def test_a_fault_of_ours_is_tried_again_and_in_the_end_said(sender, now, monkeypatch, people):
    webinars = sender("json")
    read_as(webinars, people)
    item = kept(webinars, attendee(), now)
    monkeypatch.setattr(take, "take_in", lambda **_: 1 / 0)
    for tries in range(1, take.MOST_TRIES + 1):
        take.take_waiting(at=now)
        one = Item.objects.get()
        assert one.outcome == ("failed" if tries == take.MOST_TRIES else "waiting")
    assert one.why == "Something broke on our side (ZeroDivisionError)."
    assert not Lead.objects.exists()
    monkeypatch.undo()
    take.try_again(item_id=item, by=people.admin, at=now)
    take.take_waiting(at=now)
    assert Item.objects.get().outcome == "taken"


@pytest.mark.django_db(transaction=True)
def test_the_same_message_at_the_same_moment_makes_one_lead_and_one_handoff(now, stands, settings, monkeypatch):
    settings.PORTAL_URL = "https://handoff.example"
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    admin = cast.people().admin
    made, token, _ = connections.add_connection(
        name="SF", kind="salesforce", organisation=ORGANISATION, by=admin, at=now
    )
    statuses = []

    def post():
        one = Sender(made, token, "", now)
        statuses.append(one.salesforce(("1", "Lead", SF_HOT), ("2", "Lead", SF_HOT | {"Title": "COO"})).status_code)
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    take.take_waiting(at=now)
    assert statuses == [200] * 4
    assert (Lead.objects.count(), Handoff.objects.count()) == (1, 1)
    assert Item.objects.count() == 2
    assert not Item.objects.waiting().exists()


def test_two_leads_for_one_person_are_refused_and_said(agreement, sender, now):
    capture_lead(facts={"external_id": "123"}, at=now)
    capture_lead(facts={"email": HOT["email"]}, at=now)
    sender().hubspot(*told(now, {"email": HOT["email"]}))
    assert Item.objects.get().outcome == "refused"
    assert "two different leads" in Item.objects.get().why


@pytest.mark.parametrize(
    "document",
    [
        {"columns": {"decision": "a"}},
        {"columns": {"nonsense": "a"}},
        {"columns": {"email": 1}},
        {"defaults": {"qualified_at": "2026-01-01"}},
        [],
        "text",
    ],
)
def test_a_mapping_that_tells_more_than_facts_is_refused(sender, people, document):
    with pytest.raises(MappingRefused):
        read_as(sender("json"), people, mapping=document)


def test_only_an_admin_manages_connections(sender, people, now):
    one = sender("json")
    for person in (people.marketer, people.sales_leader, people.rep):
        for verb in (connections.renew_address, connections.retire_connection):
            with pytest.raises(NotPermitted):
                verb(connection_id=one.connection.pk, by=person, at=now)


def test_neither_address_nor_secret_stands_in_the_database(sender):
    hub = sender()
    everything = str(list(Connection.objects.values()))
    assert hub.token not in everything
    assert HUB_SECRET not in everything


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE connectors_item SET origin_id = ''",
        "UPDATE connectors_item SET outcome = 'waiting'",
        "UPDATE connectors_item SET lead_id = NULL",
        "INSERT INTO connectors_item (connection_id, origin_id, person, occurred_at, received_at, times, tries,"
        " outcome, why) SELECT connection_id, origin_id, '', now(), now(), 1, 0, 'waiting', '' FROM connectors_item",
        "UPDATE connectors_connection SET secret = ''",
        "UPDATE connectors_connection SET kind = 'else'",
        "UPDATE connectors_connection SET disabled_at = now()",
    ],
)
def test_the_database_refuses(agreement, sender, now, change):
    sender().hubspot(*told(now, HOT))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_old_items_are_forgotten(agreement, sender, now):
    sender().hubspot(*told(now, HOT))
    assert keep.forget_old(at=now + dt.timedelta(days=91), days=90) == len(HOT)
    assert Lead.objects.count() == 1


def test_who_said_what_is_known_by_fact(agreement, sender, now):
    sender().hubspot(*told(now, HOT))
    assert set(Said.objects.values_list("fact", flat=True)) == set(hubspot.USUAL) - {"phone", "domain", "region"}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2026-10-15T08:00:00Z", dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)),
        ("2026-10-15T08:00:00.000+0000", dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)),
        ("2026-10-15 10:00", dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)),
        (1792051200, dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)),
        (1792051200000, dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)),
        ("1792051200000", dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)),
        ("soon", None),
        (None, None),
        ([], None),
        (1e300, None),
        (float("nan"), None),
    ],
)
def test_moments_are_read_in_every_usual_spelling(value, wanted):
    from zoneinfo import ZoneInfo

    assert moment(value, ZoneInfo("Europe/Berlin")) == wanted


def test_reading_never_takes_anything_for_granted():
    with pytest.raises(Unreadable):
        parse(b"nonsense")
    with pytest.raises(Unreadable):
        salesforce.read(b"<a/")

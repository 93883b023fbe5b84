"""What comes before it is known whose it is, as HubSpot tells a contact property by property; and of the event."""

import random

import pytest
from django.urls import reverse

from leads.connectors.inbound import connections, keep, take
from leads.connectors.inbound.message import arrival
from leads.connectors.models import Item
from leads.models import Event, Handoff, Lead
from leads.services.capture import capture_lead
from tests.leads.test_capture_races import Worked
from tests.leads.test_inbound import HOT, event, outcomes, sender, stands, told  # noqa: F401

EMAIL = {"email": HOT["email"]}
REST = {name: value for name, value in HOT.items() if name != "email"}


@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_order_and_however_often_a_new_contact_is_told_nothing_is_lost(agreement, sender, now, seed):  # noqa: F811
    hub, mixed = sender(), random.Random(seed)
    events = [
        event(now, 100, "contact.creation"),
        *told(now, HOT),
        *told(now, {"jobtitle": "COO"}, start=60, minutes=1),
    ]
    told_twice = events + mixed.sample(events, 4)
    mixed.shuffle(told_twice)
    while told_twice:
        some, told_twice = told_twice[: mixed.randint(1, 4)], told_twice[4:]
        hub.hubspot(*some)
    for one in events:  # what the slices above left out
        hub.hubspot(one)
    lead = Lead.objects.get()
    assert (lead.first_name, lead.last_name, lead.company) == ("Henrike", "Solvang", "Corvane Foods")
    assert (lead.employees, lead.industry, lead.country, lead.source) == (640, "Food", "Netherlands", "Demo request")
    assert lead.title == "COO"
    assert not set(outcomes()) & {"held", "waiting", "refused", "failed"}
    assert Item.objects.count() == len(events)
    assert Handoff.objects.count() == 1


def test_what_waits_and_what_became_of_it_stands_in_the_connections_log(agreement, sender, now, client, people):  # noqa: F811
    hub = sender()
    client.force_login(people.admin)
    page = reverse("connection", args=[hub.connection.pk])
    hub.hubspot(*told(now, REST))
    waits = client.get(page, {"outcome": "held"}).content.decode()
    assert waits.count("no e-mail address was told. What it says waits for one.") == len(REST)
    hub.hubspot(*told(now, EMAIL, start=50))
    assert client.get(page).content.decode().count("It waited for the e-mail address.") == len(REST)


def test_what_waits_is_taken_by_the_worker_once_another_door_told_whose_id_it_is(agreement, sender, now):  # noqa: F811
    hub = sender()
    hub.hubspot(*told(now, REST))
    capture_lead(facts={"external_id": "123", **EMAIL}, at=now)
    assert set(outcomes()) == {"held"}
    take.take_waiting(at=now)
    assert set(outcomes()) == {"taken"}
    assert Lead.objects.get().company == HOT["company"]


def test_what_waits_for_others_goes_on_waiting(agreement, sender, now):  # noqa: F811
    hub = sender()
    hub.hubspot(*told(now, REST))
    hub.hubspot(*told(now, EMAIL, person=456, start=50))
    take.take_waiting(at=now)
    assert set(Item.objects.filter(person="123").values_list("outcome", flat=True)) == {"held"}


@pytest.mark.django_db(transaction=True)
def test_an_address_that_comes_at_the_same_moment_as_what_waits_for_it_finds_it(sender, now, people):  # noqa: F811
    """Its ids are not ours: no outside id makes the two wait for each other."""
    hub = sender()
    said = {"name": "Hub", "mapping": hub.connection.mapping, "overwrites": [], "ours": []}
    connections.change_connection(connection_id=hub.connection.pk, by=people.admin, shares_ids=False, **said)
    for turn in range(5):
        person = str(turn)
        mine, address = (
            told(now, facts, person=turn, start=turn * 10 + n)
            for n, facts in enumerate(({"company": "Corvane"}, {"email": f"a{turn}@corvane.example"}))
        )
        kept = [
            keep.keep(
                connection_id=hub.connection.pk, at=now,
                arrivals=[arrival(f"{person}:{n}", person, now, one[0], now)],
            )
            for n, one in enumerate((mine, address))
        ]  # fmt: skip
        works = [Worked(lambda pk=pk: take.take_item(item_id=pk, at=now)) for [pk] in kept]
        for one in works:
            one.result()
        assert Lead.objects.get(email=f"a{turn}@corvane.example").company == "Corvane"


def test_nobody_can_be_meant_without_an_address_and_an_id(agreement, sender):  # noqa: F811
    sender("json").json({"name": "Somebody"})
    assert Item.objects.get().outcome == "refused"
    assert "needs an e-mail address" in Item.objects.get().why


# --- properties of the event ----------------------------------------------------------------------------
def reads(one, people, **properties):
    said = {"name": "Webinars", "event_kind": "webinar_attended", "overwrites": [], "ours": [], "shares_ids": False}
    columns = {"email": "who.mail"}
    connections.change_connection(
        connection_id=one.connection.pk, by=people.admin, mapping={"columns": columns}, properties=properties, **said
    )


def test_what_json_tells_of_the_event_stands_in_its_properties(agreement, sender, people):  # noqa: F811
    webinars = sender("json")
    reads(webinars, people, minutes="session.minutes", asked="session.asked", tags="tags", note="note", none="none")
    item = {
        "who": {"mail": "a@x.example"}, "session": {"minutes": 41.5, "asked": True}, "tags": ["a", "b"], "note": " n ",
    }  # fmt: skip
    webinars.json(item)
    assert Event.objects.get().properties == {"minutes": 41.5, "asked": True, "tags": "a, b", "note": "n"}


@pytest.mark.parametrize("value", [{"a": 1}, "x" * 1001, [{}], 2**4000])
def test_a_property_that_is_no_plain_value_is_refused_with_its_name(agreement, sender, people, value):  # noqa: F811
    webinars = sender("json")
    reads(webinars, people, said="said")
    webinars.json({"who": {"mail": "a@x.example"}, "said": value})
    assert Item.objects.get().why.startswith("said: ")
    assert not Event.objects.exists()

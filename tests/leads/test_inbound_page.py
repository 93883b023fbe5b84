"""Pages of inbound connections: the address shown once, the log with reasons, the reading, a sample; for admins."""

import json

import pytest
from django.urls import reverse

from leads.connectors.inbound import connections, keep
from leads.connectors.inbound.message import arrival
from leads.connectors.inbound.take import take_waiting
from leads.connectors.models import Connection, Item
from leads.intake.models import SavedMapping
from leads.models import Lead
from portal.shared.sealed import unseal

NASTY = '<script>alert("x")</script>'


@pytest.fixture
def admin(client, people):
    client.force_login(people.admin)
    return client


@pytest.fixture
def webinars(people, now):
    given = {"name": "Webinars", "kind": "json", "event_kind": "webinar_attended"}
    return connections.add_connection(by=people.admin, at=now, **given)[0]


def text(answer):
    return answer.content.decode()


def came(connection, content, now, number=1):
    one = arrival(f"k{number}", "", None, content, now)
    keep.keep(connection_id=connection.pk, arrivals=[one], at=now)
    take_waiting(at=now)
    return Item.objects.latest("id")


def form(connection, **changes):
    columns = connection.mapping["columns"]
    plain = {f"from-{fact}": where for fact, where in columns.items() if isinstance(where, str)}
    return {"name": connection.name, "event_kind": connection.event_kind} | plain | changes


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"kind": "hubspot", "secret": "s3cr3t-of-hubspot"}, "hubspot"),
        ({"kind": "salesforce", "organisation": "00Dxx0000000001AAA"}, "salesforce"),
        ({"kind": "json", "event_kind": "webinar_attended", "signed": "on"}, "json"),
    ],
)
def test_an_admin_adds_a_connection_and_is_shown_its_address_once(admin, people, given, kind, settings):
    settings.PORTAL_URL = "https://handoff.example"
    made = text(admin.post(reverse("connection_add"), {"name": "Source"} | given))
    one = Connection.objects.get()
    assert f"https://handoff.example/in/{kind}/" in made
    assert ("whsec_" in made) is (kind == "json")
    assert one.created_by == people.admin
    assert kind != "hubspot" or unseal(one.secret) == "s3cr3t-of-hubspot"
    for page in (reverse("connections"), reverse("connection", args=[one.pk])):
        shown = text(admin.get(page))
        assert "Source" in shown
        assert f"/in/{kind}/" not in shown
        assert "s3cr3t" not in shown
        assert "whsec_" not in shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": ""}, "Give the connection a name"),
        ({"kind": "else"}, "Give the connection a name"),
        ({"kind": "hubspot"}, "copy it here"),
        ({"kind": "salesforce", "organisation": "12"}, "15 or 18 letters"),
        ({"event_kind": "Webinar Attended"}, "small letters"),
        ({"name": "Webinars"}, "exists already"),
    ],
)
def test_what_is_wrong_is_said(admin, webinars, given, said):
    answer = admin.post(reverse("connection_add"), {"name": "New", "kind": "json", "event_kind": "x"} | given)
    assert answer.status_code == 422
    assert said in text(answer)
    assert Connection.objects.count() == 1


def test_the_log_shows_each_item_with_its_outcome_and_nothing_runs(admin, webinars, agreement, now):
    came(webinars, {"email": "nobody", "name": NASTY}, now)
    good = came(webinars, {"email": "anna@corvane.example"}, now, 2)
    page = text(admin.get(reverse("connection", args=[webinars.pk])))
    assert "This is not an e-mail address." in page
    assert "Taken" in page
    bad = Item.objects.get(outcome="refused")
    one = text(admin.get(reverse("item", args=[bad.pk])))
    assert "&lt;script&gt;" in one
    assert NASTY not in one
    assert good.lead == Lead.objects.get()
    only = text(admin.get(reverse("connection", args=[webinars.pk]), {"outcome": "refused", "before": "9" * 30}))
    assert reverse("item", args=[bad.pk]) in only
    assert reverse("item", args=[good.pk]) not in only


def test_a_refused_item_is_looked_at_again_when_the_reading_was_mended(admin, webinars, agreement, now):
    item = came(webinars, {"mail": "anna@corvane.example"}, now)
    assert item.outcome == "refused"
    admin.post(reverse("connection_reading", args=[webinars.pk]), form(webinars) | {"from-email": "mail"})
    page = text(admin.post(reverse("item_again", args=[item.pk]), follow=True))
    assert "looked at again" in page
    take_waiting(at=now)
    item.refresh_from_db()
    assert (item.outcome, Lead.objects.get().email) == ("taken", "anna@corvane.example")


def test_the_reading_is_changed_fact_by_fact(admin, webinars):
    sent = form(webinars) | {
        "from-title": " role ", "attributes": "City = address.city\n\nnonsense\n", "overwrites": ["title", "phone"],
        "ours": "us\n\nus\n", "path-items": "data", "path-person": "id", "shares_ids": "on", "event_kind": "joined",
        "properties": " minutes = session.minutes \n",
    }  # fmt: skip
    admin.post(reverse("connection_reading", args=[webinars.pk]), sent)
    changed = Connection.objects.get()
    wanted = {"email": "email", "title": "role", "attributes.City": "address.city"}
    assert changed.mapping == {"columns": wanted}
    assert (changed.overwrites, changed.ours, changed.event_kind) == (["title"], ["us"], "joined")
    assert changed.properties == {"minutes": "session.minutes"}
    assert "minutes = session.minutes" in text(admin.get(reverse("connection_reading", args=[webinars.pk])))
    assert (changed.paths, changed.shares_ids) == ({"items": "data", "person": "id"}, True)


def test_a_document_is_pasted_or_taken_from_a_saved_matching_and_its_values_stay(admin, webinars, people, now):
    page = reverse("connection_reading", args=[webinars.pk])
    document = {"columns": {"email": "mail", "employees": {"column": "size", "values": {"L": "640"}}}}
    admin.post(page, form(webinars) | {"document": json.dumps(document)})
    assert Connection.objects.get().mapping == document
    admin.post(page, form(Connection.objects.get()) | {"from-email": "e", "from-employees": "headcount"})
    kept = Connection.objects.get().mapping["columns"]["employees"]
    assert kept == {"column": "headcount", "values": {"L": "640"}}
    saved = SavedMapping.objects.create(
        name="Fair", document={"columns": {"email": "E-mail", "decision": "Status"}, "defaults": {"source": "Fair"}},
        created_at=now, updated_at=now,
    )  # fmt: skip
    admin.post(page, form(webinars) | {"saved": str(saved.pk)})
    assert Connection.objects.get().mapping == {"columns": {"email": "E-mail"}, "defaults": {"source": "Fair"}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"document": "{"}, "no JSON"),
        ({"document": '{"columns": {"decision": "a"}}'}, "facts of the lead, nothing else"),
        ({"saved": "99"}, "no such saved matching"),
        ({"name": ""}, "Give the connection a name"),
        ({"event_kind": ""}, "small letters"),
        ({"properties": "minutes"}, "lines “name = path”"),
        ({"properties": "\n".join(f"p{n} = a" for n in range(31))}, "at most 30"),
    ],
)
def test_a_wrong_reading_is_said_and_what_was_typed_stays(admin, webinars, changes, said):
    sent = form(webinars) | {"from-title": "typed.path"} | changes
    answer = admin.post(reverse("connection_reading", args=[webinars.pk]), sent)
    assert answer.status_code == 422
    assert said in text(answer)
    assert "typed.path" in text(answer)
    assert Connection.objects.get().mapping == webinars.mapping


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ('{"email": "anna@corvane.example"}', "anna@corvane.example"),
        ('{"email": "nobody"}', "This is not an e-mail address."),
        ("{", "The body is no JSON."),
        ("{}", "No fact is read from it"),
    ],
)
def test_a_sample_is_read_and_nothing_kept(admin, webinars, sample, said):
    page = text(admin.post(reverse("connection_sample", args=[webinars.pk]), {"sample": sample}))
    assert said in page
    assert not Item.objects.exists()
    assert not Lead.objects.exists()


def test_address_secret_and_end_are_changed_by_the_page(admin, people, now):
    hub, _, _ = connections.add_connection(name="Hub", kind="hubspot", secret="one", by=people.admin, at=now)

    def act(name, **data):
        return text(admin.post(reverse(name, args=[hub.pk]), data, follow=True))

    assert "/in/hubspot/" in act("connection_renew")
    assert "new client secret" in act("connection_secret", secret="two")
    assert unseal(Connection.objects.get().secret) == "two"
    assert "copy it here" in act("connection_secret", secret=" ")
    assert "its address leads nowhere" in act("connection_disable")
    assert "is enabled" in act("connection_enable")
    assert "tells us nothing more" in act("connection_retire")
    assert Connection.objects.get().secret == ""
    assert admin.get(reverse("connection", args=[hub.pk])).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        *("connection", "connection_reading", "connection_sample", "connection_renew", "connection_secret"),
        *("connection_disable", "connection_enable", "connection_retire", "item", "item_again"),
    ],
)
def test_nobody_but_an_admin_opens_them(client, people, webinars, now, name):
    item = came(webinars, {"email": "nobody"}, now)
    where = reverse(name, args=[item.pk if name.startswith("item") else webinars.pk])
    for person in (people.rep, people.manager, people.marketer, people.marketing_leader, people.sales_leader):
        client.force_login(person)
        assert client.post(where).status_code in (403, 405)
        assert client.get(where).status_code in (403, 405)

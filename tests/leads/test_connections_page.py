"""The pages of connections: endpoints, their secret shown once, their log; for admins alone."""

import pytest
from django.urls import reverse

from leads.connectors.models import Delivery, Endpoint
from leads.connectors.outgoing import endpoints
from leads.connectors.outgoing.sending import send_due
from leads.connectors.outgoing.topics import TOPICS
from leads.services.decide import accept_handoff
from portal.shared.sealed import unseal
from tests.receiver import receiver


@pytest.fixture
def server(settings):
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    with receiver() as one:
        yield one


@pytest.fixture
def endpoint(people, now, server):
    return endpoints.add_endpoint(name="CRM", address=server.address, topics=TOPICS, by=people.admin, at=now)[0]


@pytest.fixture
def admin(client, people):
    client.force_login(people.admin)
    return client


@pytest.fixture
def delivery(endpoint, agreement, open_lead, people, now):
    accept_handoff(handoff_id=open_lead().pk, by=people.rep, at=now)
    return Delivery.objects.get(topic="handoff.accepted")


def text(answer):
    return answer.content.decode()


def test_an_admin_adds_an_endpoint_and_is_shown_its_secret_once(admin, server, people):
    given = {"name": "CRM", "address": server.address, "topics": ["handoff.accepted", "handoff.rejected"]}
    made = admin.post(reverse("endpoint_add"), given)
    endpoint = Endpoint.objects.get()
    assert unseal(endpoint.secret) in text(made)
    assert "no-store" in made["Cache-Control"]
    for page in (reverse("connections"), reverse("endpoint", args=[endpoint.pk])):
        shown = text(admin.get(page))
        assert "whsec_" not in shown
        assert "s3cr3t" not in shown
        assert "…XyZ9" in shown
    assert (endpoint.topics, endpoint.created_by) == (["handoff.accepted", "handoff.rejected"], people.admin)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "Give the endpoint a name"),
        ({"topics": []}, "Choose at least one thing"),
        ({"address": "https://10.0.0.1/s3cr3t"}, "inside the house"),
        ({"name": "CRM"}, "exists already"),
    ],
)
def test_what_is_wrong_is_said_and_no_address_repeated(admin, server, endpoint, settings, wrong, said):
    settings.WEBHOOK_PRIVATE_ADDRESSES = "name" in wrong or "topics" in wrong
    given = {"name": "Other", "address": server.address, "topics": list(TOPICS)} | wrong
    answer = admin.post(reverse("endpoint_add"), given)
    assert answer.status_code == 422
    assert said in text(answer)
    assert "s3cr3t" not in text(answer)
    assert Endpoint.objects.count() == 1


def test_the_log_shows_what_was_sent_and_answered(admin, server, endpoint, delivery, now):
    server.statuses, server.answer = [500, 200], b"<script>alert(1)</script>"
    send_due(at=now)
    page = text(admin.get(reverse("endpoint", args=[endpoint.pk])))
    assert "handoff.accepted" in page
    assert "Failing" in page or "Working" in page
    one = text(admin.get(reverse("delivery", args=[delivery.pk])))
    assert delivery.webhook_id in one
    assert "Answered" in one
    assert "&lt;script&gt;alert(1)" in one
    assert "<script>alert" not in one
    assert "whsec_" not in one


@pytest.mark.parametrize("state", ["waiting", "delivered", "given_up", "nonsense"])
def test_the_log_is_read_by_state_and_page(admin, endpoint, delivery, state):
    answer = admin.get(reverse("endpoint", args=[endpoint.pk]), {"state": state, "before": "99999999999999999999"})
    assert answer.status_code == 200


def test_a_greeting_says_what_came_of_it(admin, server, endpoint):
    server.statuses = [204, 500]
    page = reverse("endpoint_ping", args=[endpoint.pk])
    assert "took a greeting: it answered 204" in text(admin.post(page, follow=True))
    assert "It answered 500." in text(admin.post(page, follow=True))
    assert Delivery.objects.filter(topic="ping").count() == 2
    assert not Delivery.objects.waiting().exists()


def test_a_delivery_is_sent_again_disabled_enabled_and_retired_by_the_page(admin, server, endpoint, delivery, now):
    def act(name, pk):
        return text(admin.post(reverse(name, args=[pk]), follow=True))

    send_due(at=now)
    waits = Delivery.objects.waiting().count()
    assert "1 delivery is sent again" in act("delivery_resend", delivery.pk)
    assert "There is nothing to send again." in act("endpoint_resend", endpoint.pk)
    assert "is disabled" in act("endpoint_disable", endpoint.pk)
    assert "Enable it first" in act("delivery_resend", delivery.pk)
    assert waits == 0
    assert "What waited is sent now." in act("endpoint_enable", endpoint.pk)
    before = Endpoint.objects.get().secret
    assert unseal(Endpoint.objects.get().secret) not in act("endpoint_rotate", endpoint.pk)
    assert Endpoint.objects.get().previous_secret == before
    assert "hears nothing more" in act("endpoint_retire", endpoint.pk)
    gone = Endpoint.objects.get()
    assert (gone.address, gone.secret) == ("", "")
    assert "retired" in text(admin.get(reverse("delivery", args=[delivery.pk])))
    assert admin.get(reverse("endpoint", args=[endpoint.pk])).status_code == 404


def test_what_it_hears_is_changed_and_its_address_kept(admin, endpoint):
    page = reverse("endpoint", args=[endpoint.pk])
    admin.post(page, {"name": "CRM", "topics": ["audit.closed"], "address": ""})
    changed = Endpoint.objects.get()
    assert (changed.topics, changed.address) == (["audit.closed"], endpoint.address)
    assert admin.post(page, {"name": "", "topics": ["audit.closed"]}).status_code == 422


@pytest.mark.parametrize(
    "name",
    [
        *("endpoint", "endpoint_ping", "endpoint_rotate", "endpoint_disable", "endpoint_enable", "endpoint_retire"),
        *("endpoint_resend", "delivery", "delivery_resend"),
    ],
)
def test_nobody_but_an_admin_opens_them(client, people, endpoint, delivery, name):
    where = reverse(name, args=[delivery.pk if name.startswith("delivery") else endpoint.pk])
    for person in (people.rep, people.manager, people.marketer, people.marketing_leader, people.sales_leader):
        client.force_login(person)
        assert client.post(where).status_code in (403, 405)
        assert client.get(where).status_code in (403, 405)

"""Outgoing webhooks: told with the fact, signed, retried over a day under one id; a dead receiver delays no other."""

import datetime as dt
import json
import re
import time
import uuid
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from standardwebhooks import Webhook

from leads.audit.closing import close_audit
from leads.connectors import tasks
from leads.connectors.models import Attempt, Delivery, Endpoint
from leads.connectors.outgoing import endpoints, sending, signing
from leads.connectors.outgoing.endpoints import EndpointAddressRefused, EndpointDisabled, NothingToHear
from leads.connectors.outgoing.sending import SCHEDULE, pause, send_due
from leads.connectors.outgoing.topics import TOPICS
from leads.figures import Month
from leads.models import Breach
from leads.services.capture import take_in_lead
from leads.services.decide import accept_handoff, reject_handoff
from leads.services.privacy.erase import erase_person
from leads.services.sweep import sweep_clocks
from leads.services.touch import log_touch
from portal.accounts.models import Role
from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message, Notice
from portal.outbox.services import tell
from portal.shared.refusal import NotPermitted
from portal.shared.sealed import SealBroken, seal, unseal
from sla.models import Party
from sla.services.version import sign_version
from tests import cast
from tests.leads.test_import_worker_killed import until, worker
from tests.receiver import receiver

SECOND, MINUTE, HOUR, DAY = (dt.timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


@pytest.fixture(scope="session")
def vectors(shared_data):
    return json.loads((shared_data / "webhooks" / "standard-webhooks.json").read_text())["vectors"]


@pytest.fixture
def server():
    with receiver() as one:
        yield one


@pytest.fixture
def hears(people, now, server, settings):
    """Makes endpoints at the receiver: hears("handoff.opened", …) → Endpoint, with its secret as `.shown`."""
    settings.WEBHOOK_PRIVATE_ADDRESSES = True

    def make(*topics, name="CRM", address=None):
        given = {"name": name, "address": address or server.address, "topics": topics or list(TOPICS)}
        endpoint, secret = endpoints.add_endpoint(by=people.admin, at=now, **given)
        endpoint.shown = secret
        return endpoint

    return make


def said(server):
    return [json.loads(heard.body) for heard in server.heard]


# --- the signature ------------------------------------------------------------------------------------
def test_every_vector_of_standard_webhooks_comes_out_as_it_says(vectors):
    assert len(vectors) == 14
    for vector in vectors:
        secret = vector["secret"]
        if vector["kind"] == "sign":
            signed = signing.signature(secret, vector["id_header"], vector["timestamp"], vector["body"].encode())
            assert signed == vector["expected_signature"], vector["id"]
        elif vector["kind"] == "construct":
            with pytest.raises(signing.BadSecret):
                signing.signature(secret, "msg_1", 1, b"")
        elif vector["expected"] == "valid":
            signing.verify([secret], vector["headers"], vector["body"].encode(), now=vector["now"])
        else:
            with pytest.raises(signing.BadSignature):
                signing.verify([secret], vector["headers"], vector["body"].encode(), now=vector["now"])


def test_the_reference_library_takes_what_we_sign_with_either_of_two_secrets():
    old, new, body, now = signing.new_secret(), signing.new_secret(), b'{"a": "\xc3\xa4"}', int(time.time())
    headers = signing.headers([new, old], "msg_1", now, body)
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers) == {"a": "ä"}
    assert headers["webhook-signature"] == " ".join(
        Webhook(secret).sign("msg_1", dt.datetime.fromtimestamp(now, dt.UTC), body.decode()) for secret in (new, old)
    )


# --- what is told -------------------------------------------------------------------------------------
def test_every_topic_is_told_with_ids_and_no_name(agreement, hears, server, people, now, open_lead):
    hears()
    facts = cast.FACTS | {"email": "henrike@corvane.example", "external_id": "A1"}
    lead = take_in_lead(facts=facts, at=now - HOUR).lead
    handoff = lead.handoffs.first() or open_lead(email="henrike@corvane.example")
    log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=handoff.owner, at=now, note="Henrike says no")
    reject_handoff(handoff_id=handoff.pk, by=handoff.owner, at=now, reason="11", note="Henrike again")
    accept_handoff(handoff_id=open_lead(owner=people.rep).pk, by=people.rep, at=now)
    open_lead(at=now - 9 * DAY)
    sweep_clocks(at=now)
    draft = cast.draft_version(by=people.marketing_leader, at=now)
    cast.propose_version(version_id=draft.pk, effective_from=now + 9 * DAY, by=people.marketing_leader, at=now)
    sign_version(
        version_id=draft.pk, party=Party.MARKETING, role=Role.MARKETING_LEADER, by=people.marketing_leader, at=now
    )
    month = Month.parse("2026-08")
    close_audit(month=month, by=people.sales_leader, at=now, zone=ZoneInfo("Europe/Berlin"))
    erase_person(lead_id=open_lead().lead_id, by=people.admin, at=now)
    send_due(at=now)
    told = said(server)
    assert {one["type"] for one in told} == set(TOPICS)
    assert not Delivery.objects.waiting().exists()
    everything = json.dumps(told)
    assert "Henrike" not in everything
    assert "@" not in everything
    by_type = {one["type"]: one for one in told if one["data"].get("lead", {}).get("id") in (None, lead.pk)}
    rejected = by_type["handoff.rejected"]
    assert rejected["timestamp"] == "2026-10-15T08:00:00Z"
    assert rejected["data"]["lead"] == {"id": lead.pk, "external_id": "A1"}
    assert rejected["data"]["decision"]["reason"] == {"code": "11", "category": "fit"}
    assert rejected["data"]["handoff"]["agreement"] == 1
    assert by_type["handoff.touched"]["data"]["touch"]["outcome"] == "reached"
    assert by_type["audit.closed"]["data"]["audit"]["month"] == "2026-08"


def test_a_breach_is_told_once_for_each_clock(agreement, hears, server, open_lead, now):
    hears("handoff.breached")
    open_lead(at=now - 9 * DAY)
    sweep_clocks(at=now)
    sweep_clocks(at=now + HOUR)
    send_due(at=now + HOUR)
    told = [one["data"]["breach"] for one in said(server)]
    assert {(one["id"], one["clock"]) for one in told} == set(Breach.objects.values_list("id", "clock"))
    assert len(told) == Breach.objects.count() == 2


def test_an_endpoint_hears_of_what_it_chose_and_of_nothing_before_it_came(agreement, hears, open_lead, people, now):
    open_lead()
    hears("handoff.accepted")
    accept_handoff(handoff_id=open_lead().pk, by=people.rep, at=now)
    assert [one.topic for one in Delivery.objects.all()] == ["handoff.accepted"]


def test_what_is_taken_back_with_its_transaction_is_told_to_nobody(hears, now):
    hears("audit.closed")
    with transaction.atomic():
        tell("audit.closed", key=1, payload={}, at=now)
        assert Delivery.objects.exists()
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_the_same_fact_told_again_is_delivered_once(hears, now):
    hears("audit.closed")
    for _ in range(2):
        tell("audit.closed", key=1, payload={}, at=now)
    assert Delivery.objects.count() == 1


def test_a_chat_room_and_an_endpoint_both_hear_and_neither_makes_the_other_hear_twice(
    agreement, hears, people, open_lead, now, server, settings
):
    from portal.outbox.rooms import add_room

    settings.CHAT_PRIVATE_ADDRESSES = True
    with receiver() as chat:
        add_room(name="S", style="slack", address=chat.address, kinds=["new_lead"], by=people.admin, at=now)
        hears("handoff.opened")
        open_lead()
        deliver_due(at=now)
        send_due(at=now)
        assert len(server.heard) == len(chat.heard) == 1


# --- how it is sent -----------------------------------------------------------------------------------
@pytest.fixture
def fact(agreement, hears, open_lead):
    """An endpoint that hears of decisions, and a lead to decide: fact(at) makes one more delivery."""

    def make(at):
        handoff = open_lead(at=at)
        accept_handoff(handoff_id=handoff.pk, by=handoff.owner, at=at)

    make.endpoint = hears("handoff.accepted")
    return make


def test_a_receiver_can_verify_what_comes(fact, server, now):
    fact(now)
    send_due(at=dt.datetime.now(dt.UTC))
    [heard] = server.heard
    assert Webhook(fact.endpoint.shown).verify(heard.body, heard.headers)["type"] == "handoff.accepted"
    assert heard.headers["content-type"] == "application/json"


def test_a_receiver_that_fails_gets_the_same_id_and_body_again_until_it_takes_them(fact, server, now):
    server.statuses = [500, 404, 302]
    fact(now)
    for after in SCHEDULE[:5]:
        send_due(at=now + after)
    assert len(server.heard) == 4
    assert len({(heard.headers["webhook-id"], heard.body) for heard in server.heard}) == 1
    assert len({heard.headers["webhook-timestamp"] for heard in server.heard}) == 4
    assert list(Attempt.objects.values_list("status", flat=True)) == [500, 404, 302, 200]
    assert Delivery.objects.get().delivered_at == now + SCHEDULE[3]


def test_attempts_go_on_over_a_day_then_the_delivery_is_given_up_and_the_endpoint_disabled_with_a_notice(
    fact, server, now, people, mailoutbox
):
    server.statuses = [500] * 10
    fact(now)
    for after in SCHEDULE:
        send_due(at=now + after - SECOND)
        send_due(at=now + after)
    end = now + DAY
    delivery, endpoint = Delivery.objects.get(), Endpoint.objects.get()
    assert (delivery.attempts_made, delivery.given_up_at, delivery.attempts.count()) == (10, end, 10)
    assert (endpoint.disabled_at, endpoint.disabled_by, endpoint.disabled_why) == (
        end,
        None,
        "It failed for 24 hours.",
    )
    deliver_due(at=end)
    assert Notice.objects.get(person=people.admin).title == "Webhooks to “CRM” are disabled"
    assert "It failed for 24 hours." in next(m.body for m in mailoutbox if m.to == [people.admin.email])


def test_a_disabled_endpoint_is_sent_nothing_and_what_waited_comes_when_it_is_enabled(fact, server, people, now):
    endpoints.disable_endpoint(endpoint_id=fact.endpoint.pk, by=people.admin, at=now)
    fact(now)
    send_due(at=now + DAY)
    assert not server.heard
    _, waiting = endpoints.enable_endpoint(endpoint_id=fact.endpoint.pk, by=people.admin, at=now + DAY)
    send_due(at=now + DAY)
    assert (waiting, len(server.heard)) == (1, 1)


def test_a_receiver_that_is_gone_is_disabled_at_once(fact, server, now):
    server.statuses = [410]
    fact(now)
    send_due(at=now)
    assert "410" in Endpoint.objects.get().disabled_why


def test_one_message_that_a_receiver_never_takes_holds_up_no_other(fact, server, now):
    server.statuses = [400]
    fact(now)
    fact(now + SECOND)
    send_due(at=now + SECOND)
    assert len(server.heard) == 2
    assert Endpoint.objects.get().failing_since is None  # it took the other one


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_overloaded_receiver_is_left_alone_for_as_long_as_it_asks(fact, server, now, status):
    server.statuses, server.headers = [status], {"Retry-After": "600"}
    fact(now)
    fact(now + SECOND)
    send_due(at=now + SECOND)
    send_due(at=now + 9 * MINUTE)
    assert len(server.heard) == 1
    send_due(at=now + 10 * MINUTE + SECOND)
    assert len(server.heard) == 3


def test_pauses_grow_to_half_an_hour():
    assert [pause(n) // SECOND for n in (1, 2, 3, 4, 5, 6, 500)] == [5, 20, 80, 320, 1280, 1800, 1800]


@pytest.mark.django_db(transaction=True)
def test_a_dead_receiver_delays_nobody_else(agreement, hears, open_lead, people, now, server, monkeypatch):
    monkeypatch.setattr(sending, "WITHIN", 3.0)
    with receiver() as dead:
        dead.delay = 60
        hears("handoff.accepted", name="Dead", address=dead.address)
        hears("handoff.accepted", name="Alive")
        for _ in range(4):
            accept_handoff(handoff_id=open_lead().pk, by=people.rep, at=now)
        began = time.monotonic()
        send_due(at=now)
        assert len(dead.heard) == 1  # the others wait for its pause
        assert len(server.heard) == 4
        assert server.heard[-1].at - began < 3.0  # before the dead one was given up
    assert Attempt.objects.get(status=None).problem == "The server did not answer within 3 seconds."


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_sends_delivers_again_under_the_same_id(fact, server, now, tmp_path, monkeypatch):
    monkeypatch.setenv("WEBHOOK_PRIVATE_ADDRESSES", "1")
    server.delay, queue, real = 60, f"webhooks-{uuid.uuid4().hex}", dt.datetime.now(dt.UTC)
    fact(now)
    Delivery.objects.update(next_attempt_at=real)
    tasks.send.apply_async(queue=queue)
    with worker(queue, tmp_path):
        until(lambda: server.heard)
    assert Delivery.objects.waiting().exists()
    server.delay = 0
    server.let_go.set()
    send_due(at=real + MINUTE)
    assert len(server.heard) == 1  # somebody may still be at it
    send_due(at=real + 5 * MINUTE)
    first, second = server.heard
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert Delivery.objects.get().delivered_at


def test_a_delivery_is_sent_again_under_its_id_on_request(fact, server, people, now):
    fact(now)
    send_due(at=now)
    delivery = Delivery.objects.get()
    asked = {"endpoint_id": fact.endpoint.pk, "by": people.admin, "at": now + HOUR}
    assert endpoints.resend(delivery_id=delivery.pk, **asked) == 1
    send_due(at=now + HOUR)
    assert len({heard.headers["webhook-id"] for heard in server.heard}) == 1
    assert len(server.heard) == 2
    assert endpoints.resend(**asked) == 0  # nothing was given up
    endpoints.disable_endpoint(endpoint_id=fact.endpoint.pk, by=people.admin, at=now)
    with pytest.raises(EndpointDisabled):
        endpoints.resend(**asked)


def test_a_fact_that_cannot_be_written_is_noted_and_stops_no_other(hears, server, now):
    hears("audit.closed")
    tell("audit.closed", key=1, payload={"nonsense": 1}, at=now)
    said_rightly = {"closing": 1, "month": "2026-08", "fingerprint": "f"}
    tell("audit.closed", key=2, payload=said_rightly, at=now + SECOND)
    for after in (SECOND, 6 * SECOND, MINUTE):
        send_due(at=now + after)
    assert [one["data"]["audit"]["closing"] for one in said(server)] == [1]
    assert Endpoint.objects.get().failures == 0  # it had no part in it
    assert Attempt.objects.filter(problem__contains="could not be written. (KeyError)").exists()


# --- secrets and rights -------------------------------------------------------------------------------
def test_two_secrets_sign_for_a_day_after_a_new_one_was_made(fact, server, people, now):
    old = fact.endpoint.shown
    _, new = endpoints.rotate_secret(endpoint_id=fact.endpoint.pk, by=people.admin, at=now)
    for at, known in ((now + HOUR, {old, new}), (now + 25 * HOUR, {new})):
        fact(at)
        send_due(at=at)
        heard = server.heard[-1]
        signed = heard.headers["webhook-signature"].split(" ")
        parts = (heard.headers["webhook-id"], heard.headers["webhook-timestamp"], heard.body)
        assert set(signed) == {signing.signature(secret, *parts) for secret in known}


def test_a_secret_is_sealed_in_the_database_and_opens_under_an_earlier_key(fact, settings):
    secret = fact.endpoint.shown
    assert secret not in str(Endpoint.objects.values())
    assert unseal(Endpoint.objects.get().secret) == secret
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    assert unseal(Endpoint.objects.get().secret) == secret
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SealBroken):
        unseal(Endpoint.objects.get().secret)
    assert unseal(seal("ä")) == "ä"


def test_only_an_admin_manages_endpoints(fact, people, now):
    for person in (people.marketer, people.sales_leader, people.rep):
        for verb in (endpoints.rotate_secret, endpoints.disable_endpoint, endpoints.retire_endpoint, sending.ping):
            with pytest.raises(NotPermitted):
                verb(endpoint_id=fact.endpoint.pk, by=person, at=now)


def test_an_address_inside_the_house_is_refused_and_looked_at_again_at_every_attempt(
    fact, people, now, settings, server
):
    settings.WEBHOOK_PRIVATE_ADDRESSES = False
    with pytest.raises(EndpointAddressRefused):
        endpoints.add_endpoint(name="In", address="https://[::1]/", topics=list(TOPICS), by=people.admin, at=now)
    fact(now)
    send_due(at=now)
    assert not server.heard
    assert Attempt.objects.get().problem == "The address must begin with https://."


def test_an_endpoint_hears_something(people, now):
    with pytest.raises(NothingToHear):
        endpoints.add_endpoint(name="In", address="https://x.example", topics=["else"], by=people.admin, at=now)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE connectors_delivery SET number = gen_random_uuid()",
        "UPDATE connectors_delivery SET body = '{}'",
        "UPDATE connectors_delivery SET topic = 'audit.closed'",
        "UPDATE connectors_delivery SET given_up_at = delivered_at",
        "UPDATE connectors_endpoint SET topics = '{lead.deleted}'",
        "UPDATE connectors_endpoint SET disabled_at = now()",
        "UPDATE connectors_endpoint SET previous_secret = 'x'",
        "UPDATE connectors_endpoint SET retired_at = now(), retired_by_id = created_by_id",
    ],
)
def test_the_database_refuses(fact, now, change):
    fact(now)
    send_due(at=now)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_old_deliveries_are_forgotten(fact, now):
    fact(now - 40 * DAY)
    fact(now)
    send_due(at=now)
    assert sending.forget_old(at=now, days=30) == 1
    assert Attempt.objects.count() == 1


def test_messages_that_nobody_hears_cost_no_row(agreement, open_lead):
    open_lead()
    assert Message.objects.exists()
    assert not Delivery.objects.exists()


def test_the_documented_check_takes_ours_and_no_other(fact, server, now):
    """The snippet of docs/webhooks.md, run as it stands there."""
    text = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
    [snippet] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    known = {}
    exec(snippet, known)
    fact(now)
    send_due(at=dt.datetime.now(dt.UTC))
    [heard] = server.heard
    assert known["is_ours"](fact.endpoint.shown, heard.headers, heard.body)
    assert not known["is_ours"](signing.new_secret(), heard.headers, heard.body)
    assert not known["is_ours"](fact.endpoint.shown, heard.headers, heard.body + b" ")
    assert not known["is_ours"](fact.endpoint.shown, heard.headers | {"webhook-timestamp": "1614265330"}, heard.body)

"""Verbs on endpoints: add one, change what it hears, renew its secret, disable and enable it, retire it."""

import datetime as dt

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from leads.connectors.models import Delivery, Endpoint
from leads.connectors.outgoing.signing import new_secret
from leads.connectors.outgoing.topics import PING, TOPICS
from portal.accounts.permissions import May, require
from portal.shared import outward
from portal.shared.refusal import Refusal
from portal.shared.sealed import seal

log = structlog.get_logger(__name__)
OVERLAP = dt.timedelta(hours=24)  # both secrets sign for that long
LONGEST_NAME, LONGEST_ADDRESS = 80, 1000


class EndpointIncomplete(Refusal):
    code = "endpoint_incomplete"
    sentence = "Give the endpoint a name of at most 80 characters. Nothing was saved."
    field = "name"


class EndpointNameTaken(Refusal):
    code = "endpoint_name_taken"
    sentence = "An endpoint with this name exists already. Nothing was saved."
    field = "name"


class NothingToHear(Refusal):
    code = "nothing_to_hear"
    sentence = "Choose at least one thing that the endpoint hears of. Nothing was saved."
    field = "topics"


class EndpointAddressRefused(Refusal):
    code = "address_refused"
    sentence = "This address cannot be posted to. Nothing was saved."
    field = "address"


class EndpointDisabled(Refusal):
    code = "endpoint_disabled"
    sentence = "The endpoint is disabled. Enable it first; what waits is then sent."


@transaction.atomic(durable=True)
def add_endpoint(*, name, address, topics, by, at):
    """A receiver of webhooks. Returns (Endpoint, its secret): nobody is shown the secret again.

    Refuses: NotPermitted, EndpointIncomplete, NothingToHear, EndpointAddressRefused, EndpointNameTaken.
    """
    require(by, May.MANAGE_CONNECTIONS)
    secret = new_secret()
    endpoint = Endpoint(
        name=_name(name), topics=_topics(topics), address=_address(address), secret=seal(secret), created_at=at,
        created_by=by,
    )  # fmt: skip
    _save(endpoint)
    log.info("endpoint_added", endpoint=endpoint.pk, by=by.pk)
    return endpoint, secret


@transaction.atomic(durable=True)
def change_endpoint(*, endpoint_id, name, topics, by, address=""):
    """Name and topics; an address where a new one is given. Returns the Endpoint. Refuses as add_endpoint does."""
    endpoint = _lock(endpoint_id, by)
    endpoint.name, endpoint.topics = _name(name), _topics(topics)
    endpoint.address = _address(address) if address.strip() else endpoint.address
    _save(endpoint, ["name", "topics", "address"])
    log.info("endpoint_changed", endpoint=endpoint.pk, by=by.pk)
    return endpoint


@transaction.atomic(durable=True)
def rotate_secret(*, endpoint_id, by, at):
    """A new secret; the one before signs beside it for a day. Returns (Endpoint, the new secret).

    Refuses: NotPermitted.
    """
    endpoint, secret = _lock(endpoint_id, by), new_secret()
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, at + OVERLAP
    endpoint.secret = seal(secret)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    log.info("endpoint_secret_rotated", endpoint=endpoint.pk, by=by.pk)
    return endpoint, secret


@transaction.atomic(durable=True)
def disable_endpoint(*, endpoint_id, by, at):
    """Nothing is sent until it is enabled; what happens meanwhile waits. Returns it. Refuses: NotPermitted."""
    endpoint = _lock(endpoint_id, by)
    if endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_by, endpoint.disabled_why = at, by, f"{by.name} disabled it."[:200]
        endpoint.save(update_fields=["disabled_at", "disabled_by", "disabled_why"])
        log.info("endpoint_disabled", endpoint=endpoint.pk, by=by.pk)
    return endpoint


@transaction.atomic(durable=True)
def enable_endpoint(*, endpoint_id, by, at):
    """Send again, at once, with a clean record. Returns (Endpoint, how many wait). Refuses: NotPermitted."""
    endpoint = _lock(endpoint_id, by)
    clean = {"disabled_at": None, "disabled_by": None, "disabled_why": "", "failing_since": None, "failures": 0}
    for name, value in (clean | {"paused_until": None}).items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=[*clean, "paused_until"])
    waiting = Delivery.objects.waiting().filter(endpoint=endpoint)
    log.info("endpoint_enabled", endpoint=endpoint.pk, by=by.pk)
    return endpoint, waiting.update(next_attempt_at=at)


@transaction.atomic(durable=True)
def retire_endpoint(*, endpoint_id, by, at):
    """It hears nothing more; address and secrets are forgotten, its log stays. Returns it. Refuses: NotPermitted."""
    endpoint = _lock(endpoint_id, by)
    endpoint.retired_at, endpoint.retired_by = at, by
    endpoint.secret = endpoint.previous_secret = endpoint.address = ""
    endpoint.previous_until = None
    endpoint.save()
    Delivery.objects.waiting().filter(endpoint=endpoint).update(given_up_at=at)
    log.info("endpoint_retired", endpoint=endpoint.pk, by=by.pk)
    return endpoint


@transaction.atomic(durable=True)
def resend(*, endpoint_id, by, at, delivery_id=None):
    """Send one delivery again, or all that were given up; ids and bodies stay. Returns how many.

    Refuses: NotPermitted, EndpointDisabled.
    """
    endpoint = _lock(endpoint_id, by)
    if endpoint.disabled_at:
        raise EndpointDisabled
    again = Delivery.objects.filter(endpoint=endpoint)
    again = again.given_up() if delivery_id is None else again.filter(pk=delivery_id)
    fresh = {"delivered_at": None, "given_up_at": None, "attempts_made": 0, "first_attempt_at": None}
    log.info("webhooks_resent", endpoint=endpoint.pk, delivery=delivery_id, by=by.pk)
    return again.exclude(topic=PING).update(next_attempt_at=at, **fresh)


def _lock(endpoint_id, by):
    require(by, May.MANAGE_CONNECTIONS)
    return Endpoint.objects.kept().select_for_update().get(pk=endpoint_id)


def _name(name):
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise EndpointIncomplete
    return name


def _topics(topics):
    chosen = [topic for topic in TOPICS if topic in set(topics)]
    if not chosen:
        raise NothingToHear
    return chosen


def _address(address):
    address = address.strip()
    try:
        outward.permitted(
            address if len(address) <= LONGEST_ADDRESS else "", private=settings.WEBHOOK_PRIVATE_ADDRESSES
        )
    except outward.NotPosted as problem:
        raise EndpointAddressRefused(f"{problem} Nothing was saved.") from None
    return address


def _save(endpoint, fields=None):
    try:
        with transaction.atomic():
            endpoint.save(update_fields=fields)
    except IntegrityError:
        raise EndpointNameTaken from None

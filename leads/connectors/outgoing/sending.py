"""Sending: each endpoint's queue by itself, retried over a day under the same id, and noted attempt by attempt."""

import datetime as dt
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import connection, transaction

from leads.connectors.models import Attempt, Delivery, Endpoint
from leads.connectors.outgoing import payload, signing
from leads.connectors.outgoing.topics import PING
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared import outward
from portal.shared.sealed import SealBroken, unseal

log = structlog.get_logger(__name__)
SECOND, MINUTE, HOUR = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)
# when the attempts are made, from the first one on: https://www.standardwebhooks.com, "deliverability"
SCHEDULE = (0 * SECOND, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, *(n * HOUR for n in (2, 5, 10, 14, 20, 24)))
FAILED_FOR_TOO_LONG = dt.timedelta(hours=24)
FIRST_PAUSE, LONGEST_PAUSE = 5 * SECOND, 30 * MINUTE  # of an endpoint that does not answer
GONE = 410  # the receiver wants nothing more
OVERLOADED = (429, 502, 503, 504)
WITHIN = 15.0  # seconds for one attempt
ENDPOINTS_AT_ONCE = 8
A_RUN, MOST_IN_A_RUN = 20.0, 500  # seconds and deliveries of one endpoint; the beat comes again
CLAIM = dt.timedelta(seconds=90)  # longer than a run with its last attempt


class Told(NamedTuple):
    """What came of one attempt: `answer` is None where there was none; `ours`: the receiver had no part in it."""

    answer: outward.Answer | None
    problem: str
    took_ms: int
    ours: bool = False

    @property
    def is_fine(self):
        return self.answer is not None and self.answer.is_fine

    @property
    def status(self):
        return self.answer and self.answer.status


def send_due(*, at):
    """Send what is due at `at`, endpoint by endpoint side by side: a dead one delays no other. Returns how many.

    Several workers may run it at once: an endpoint is served by one of them. What a killed worker was sending is sent
    again, under its id, when its claim has lapsed.
    """
    waiting = list(Endpoint.objects.with_something_due(at=at).values_list("pk", flat=True))
    if len(waiting) <= 1:
        return sum(_serve(pk, at) for pk in waiting)
    with ThreadPoolExecutor(ENDPOINTS_AT_ONCE, "webhooks") as pool:
        return sum(pool.map(lambda pk: _beside(pk, at), waiting))


def ping(*, endpoint_id, by, at):
    """Send a greeting at once, whatever waits; it is not retried. Returns the Told. Refuses: NotPermitted."""
    require(by, May.MANAGE_CONNECTIONS)
    endpoint = Endpoint.objects.kept().get(pk=endpoint_id)
    greeting = Delivery.objects.create(
        endpoint=endpoint, topic=PING, key=f"{PING}:{uuid.uuid4()}", fact={"endpoint": endpoint.pk}, happened_at=at,
        next_attempt_at=at, given_up_at=at,
    )  # fmt: skip
    told = _attempt(endpoint, greeting, at)
    with transaction.atomic(durable=True):
        endpoint, greeting = _lock(endpoint.pk, greeting.pk)
        _note(greeting, told, at)
        if told.is_fine:
            _is_well(endpoint)
            greeting.delivered_at, greeting.given_up_at = at, None
        _save(endpoint, greeting)
    return told


def pause(failures):
    """How long an endpoint is left alone that has not answered so many times in a row."""
    return min(FIRST_PAUSE * 4 ** min(failures - 1, 9), LONGEST_PAUSE)


def _beside(endpoint_id, at):
    """As _serve, in a thread of its own, which leaves no connection behind."""
    try:
        return _serve(endpoint_id, at)
    finally:
        connection.close()


def _serve(endpoint_id, at):
    """Claim the endpoint and send what is due for it, one after the other; returns how many were tried."""
    free = Endpoint.objects.with_something_due(at=at).filter(pk=endpoint_id)
    if not free.update(claimed_until=at + CLAIM):
        return 0
    began, tried = time.monotonic(), 0
    try:
        while time.monotonic() - began < A_RUN and tried < MOST_IN_A_RUN and _send_next(endpoint_id, at):
            tried += 1
    finally:
        Endpoint.objects.filter(pk=endpoint_id).update(claimed_until=None)
    return tried


def _send_next(endpoint_id, at):
    """One attempt at the oldest due delivery; False where nothing is due, or the endpoint is left alone."""
    endpoint = Endpoint.objects.working(at=at).filter(pk=endpoint_id).first()
    delivery = endpoint and Delivery.objects.due(at=at).filter(endpoint=endpoint).first()
    if not delivery:
        return False
    told = _attempt(endpoint, delivery, at)
    with transaction.atomic(durable=True):
        endpoint, delivery = _lock(endpoint.pk, delivery.pk)
        if endpoint.retired_at or delivery.delivered_at or delivery.given_up_at:
            return False
        _note(delivery, told, at)
        if told.is_fine:
            _is_well(endpoint)
        elif not told.ours:
            _is_ill(endpoint, told, at)
        _move_on(delivery, told, at)
        _save(endpoint, delivery)
    return True


def _attempt(endpoint, delivery, at):
    """Write the body where it is not written yet, sign and post it, with no transaction open. Returns the Told."""
    began = time.monotonic()
    try:
        body, headers = _written(endpoint, delivery, at)
    except Exception as reason:
        log.exception("webhook_not_written", delivery=delivery.pk, topic=delivery.topic)
        why = str(reason) if isinstance(reason, SealBroken) else f"({type(reason).__name__})"
        return Told(None, f"The message could not be written. {why}", _since(began), ours=True)
    if not connection.in_atomic_block:
        connection.close()  # while the receiver thinks, others use it
    try:
        private = settings.WEBHOOK_PRIVATE_ADDRESSES
        return Told(outward.post(endpoint.address, body, headers, private=private, within=WITHIN), "", _since(began))
    except outward.NotPosted as reason:
        return Told(None, str(reason), _since(began))


def _written(endpoint, delivery, at):
    """(body, headers) of an attempt; the body of the first one stays."""
    if not delivery.body:
        delivery.body = payload.body(delivery)
        Delivery.objects.filter(pk=delivery.pk, body="").update(body=delivery.body)
    body = delivery.body.encode()
    signed = signing.headers(secrets_of(endpoint, at), delivery.webhook_id, int(at.timestamp()), body)
    return body, {"Content-Type": "application/json", "User-Agent": "Handoff-Webhooks/1"} | signed


def _since(began):
    return round((time.monotonic() - began) * 1000)


def secrets_of(endpoint, at):
    """The secrets that sign at `at`, the newest first: two while one replaces the other."""
    live = [endpoint.secret]
    if endpoint.previous_until and at < endpoint.previous_until:
        live.append(endpoint.previous_secret)
    return [unseal(secret) for secret in live]


def _lock(endpoint_id, delivery_id):
    endpoint = Endpoint.objects.select_for_update().get(pk=endpoint_id)
    return endpoint, Delivery.objects.select_for_update().get(pk=delivery_id)


def _note(delivery, told, at):
    Attempt.objects.create(
        delivery=delivery, made_at=at, status=told.status, answer=told.answer.text if told.answer else "",
        problem=told.problem[:300], took_ms=told.took_ms,
    )  # fmt: skip


def _is_well(endpoint):
    endpoint.failing_since, endpoint.failures, endpoint.paused_until = None, 0, None


def _is_ill(endpoint, told, at):
    """One failure more; a receiver that is away or overloaded is left alone, one that fails for a day is disabled."""
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or at
    if told.status is None or told.status in OVERLOADED:
        asked = ((told.answer and told.answer.retry_after) or 0) * SECOND
        endpoint.paused_until = at + max(pause(endpoint.failures), min(asked, HOUR))
    if told.status == GONE:
        _disable(endpoint, "The receiver answered 410: it wants no more webhooks.", at)
    elif at - endpoint.failing_since >= FAILED_FOR_TOO_LONG:
        _disable(endpoint, "It failed for 24 hours.", at)


def _disable(endpoint, why, at):
    endpoint.disabled_at, endpoint.disabled_why = at, why
    log.error("endpoint_disabled", endpoint=endpoint.pk, why=why)
    said = {"endpoint": endpoint.pk, "why": why}
    for admin in User.objects.active().holding(Role.ADMIN):
        tell("webhook.disabled", key=f"{endpoint.pk}:{at.isoformat()}:{admin.pk}", at=at, to=admin, payload=said)


def _move_on(delivery, told, at):
    """Delivered; or to be tried again when the schedule says; or given up after its last attempt."""
    delivery.attempts_made += 1
    delivery.first_attempt_at = delivery.first_attempt_at or at
    if told.is_fine:
        delivery.delivered_at = at
    elif delivery.attempts_made >= len(SCHEDULE):
        delivery.given_up_at = at
    else:
        planned = delivery.first_attempt_at + SCHEDULE[delivery.attempts_made]
        delivery.next_attempt_at = max(planned, at + SCHEDULE[1])


def _save(endpoint, delivery):
    endpoint.save(
        update_fields=["failing_since", "failures", "paused_until", "disabled_at", "disabled_by", "disabled_why"]
    )
    delivery.save(
        update_fields=["attempts_made", "first_attempt_at", "next_attempt_at", "delivered_at", "given_up_at"]
    )


def forget_old(*, at, days):
    """Delete deliveries that happened more than `days` ago, with their attempts. Returns how many."""
    old = Delivery.objects.filter(happened_at__lt=at - dt.timedelta(days=days))
    return old.delete()[1].get("connectors.Delivery", 0)

"""Delivery after the commit: each message in a transaction of its own, retried with longer and longer pauses."""

import datetime as dt
import time

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from portal.outbox.mail import WRITERS, one_line
from portal.outbox.models import Message

log = structlog.get_logger(__name__)
MOST_ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=30), dt.timedelta(hours=1)
A_RUN = 8.0  # seconds: the beat asks again every ten
AT_ONCE = 1000


def deliver_due(*, at):
    """Deliver what is due at `at` until none is left or the run's time is up; returns how many were handled.

    Several workers may run it at once: a row that another one holds is skipped.
    """
    handled, began = _announce(at), time.monotonic()
    while time.monotonic() - began < A_RUN and _deliver_one(at):
        handled += 1
    return handled


def pause(attempts):
    """How long to wait after that many attempts in vain."""
    return min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)


@transaction.atomic
def _announce(at):
    """Messages for nobody in particular wait for subscribers of their topic; there are none, so they are done."""
    due = Message.objects.due(at=at).filter(recipient=None).select_for_update(skip_locked=True)
    keys = list(due.values_list("pk", flat=True)[:AT_ONCE])
    return Message.objects.filter(pk__in=keys).update(delivered_at=at)


@transaction.atomic
def _deliver_one(at):
    due = Message.objects.due(at=at).filter(recipient__isnull=False).select_for_update(skip_locked=True, of=("self",))
    message = due.select_related("recipient").first()
    if message is None:
        return False
    message.attempts += 1
    try:
        with transaction.atomic():
            _send(message)
    except Exception as problem:  # noqa: BLE001, RUF100 (whatever went wrong is noted, and tried again)
        _not_delivered(message, problem, at)
    else:
        message.delivered_at = at
    message.save(update_fields=["attempts", "delivered_at", "dead_at", "next_attempt_at", "last_error"])
    return True


def _send(message):
    """The e-mail of its topic; nothing for topics without one and for people who left."""
    writer = WRITERS.get(message.topic)
    if writer is None or not message.recipient.is_active:
        return
    mail = writer(message.payload)
    if mail is None:
        return
    body = f"{mail.body}\n\n{settings.PORTAL_URL.rstrip('/')}{mail.path}\n"
    send_mail(one_line(mail.subject), body, settings.DEFAULT_FROM_EMAIL, [message.recipient.email])


def _not_delivered(message, problem, at):
    message.last_error = f"{type(problem).__name__}: {problem}"[:1000]
    if message.attempts >= MOST_ATTEMPTS:
        message.dead_at = at
        log.error("message_dead", message=message.pk, topic=message.topic, error=message.last_error)
    else:
        message.next_attempt_at = at + pause(message.attempts)
        log.warning("message_retried", message=message.pk, topic=message.topic, error=message.last_error)

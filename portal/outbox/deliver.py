"""Delivery after the commit: each message in a transaction of its own, retried with longer and longer pauses."""

import datetime as dt
import time

import structlog
from django.db import transaction
from django.utils import timezone

from portal.outbox.letter import letter
from portal.outbox.mail import BELL, MAIL, TOPICS, one_line
from portal.outbox.models import Message, Notice, Room
from portal.outbox.post import post
from portal.outbox.preferences import quiet_until, ways_of

log = structlog.get_logger(__name__)
MOST_ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=30), dt.timedelta(hours=1)
A_RUN = 8.0  # seconds: the beat asks again every ten
AT_ONCE = 1000
OUTCOME = ("attempts", "delivered_at", "dead_at", "next_attempt_at", "last_error")


def deliver_due(*, at):
    """Deliver what is due at `at` until none is left or the run's time is up; returns how many were handled.

    Several workers may run it at once: a row that another one holds is skipped.
    """
    began, handled = time.monotonic(), 0
    while time.monotonic() - began < A_RUN and (announced := _announce(at)):
        handled += announced
    while time.monotonic() - began < A_RUN and _deliver_one(at):
        handled += 1
    return handled


def pause(attempts):
    """How long to wait after that many attempts in vain."""
    return min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)


@transaction.atomic
def _announce(at):
    """Facts addressed to nobody are passed on to the chat rooms that listen; then they are done."""
    due = Message.objects.due(at=at).filter(recipient=None, room=None).select_for_update(skip_locked=True)
    facts = list(due[:AT_ONCE])
    _pass_on([fact for fact in facts if _is_for_chat(fact)], at)
    return Message.objects.filter(pk__in=[fact.pk for fact in facts]).update(delivered_at=at)


def _is_for_chat(message):
    topic = TOPICS.get(message.topic)
    return bool(topic and topic.chat) and not message.payload.get("silent")


def _pass_on(facts, at):
    """One message for each room that listens to the fact's kind and team; the key keeps it at one."""
    rooms = list(Room.objects.active()) if facts else []
    posts = [
        Message(
            topic=fact.topic, key=f"room{room.pk}:{fact.key}"[:120], payload=fact.payload, room=room, created_at=at,
            next_attempt_at=at,
        )
        for fact in facts
        for room in rooms
        if TOPICS[fact.topic].kind.key in room.kinds and room.team_id in (None, _team(fact))
    ]  # fmt: skip
    Message.objects.bulk_create(posts, ignore_conflicts=True)


def _team(fact):
    return fact.recipient.team_id if fact.recipient_id else fact.payload.get("team")


@transaction.atomic
def _deliver_one(at):
    due = Message.objects.due(at=at).exclude(recipient=None, room=None)
    message = due.select_for_update(skip_locked=True, of=("self",)).select_related("recipient", "room").first()
    if message is None:
        return False
    try:
        waits_until = _deliver(message, at)
    except Exception as problem:  # noqa: BLE001, RUF100 (whatever went wrong is noted, and tried again)
        _not_delivered(message, problem, at)
    else:
        _delivered(message, at, waits_until)
    message.save(update_fields=OUTCOME)
    return True


def _deliver(message, at):
    """Hand the message over. Returns the end of the quiet hours it has to wait for, or None when it is done."""
    with transaction.atomic():  # what is written here stays, even when the mail server does not answer
        mail = _written(message)
        if mail is None:
            return None
        if message.room:
            ways, waits_until = frozenset(), None
        else:
            ways, waits_until = (
                ways_of(message.recipient, TOPICS[message.topic].kind),
                quiet_until(message.recipient, at),
            )
            _ring(message, mail, ways, at)
    if message.room:
        post(message.room, mail)
    elif MAIL in ways and waits_until:
        return waits_until
    elif MAIL in ways:
        letter(message, mail).send()
    return None


def _written(message):
    """What the message says; None for topics without words, for people who left and for rooms that were retired."""
    topic, person, room = TOPICS.get(message.topic), message.recipient, message.room
    if topic is None or (person and not person.is_active) or (room and room.retired_at):
        return None
    with timezone.override(person.zone if person else timezone.get_default_timezone()):
        return topic.write(message.payload)


def _ring(message, mail, ways, at):
    """Show it at the bell, and pass it on to the rooms that listen: each once, whatever happens to the mail."""
    if _is_for_chat(message):
        _pass_on([message], at)
    if BELL in ways:
        notice = Notice(
            person=message.recipient, message=message, title=one_line(mail.subject), text=mail.body, path=mail.path,
            created_at=at,
        )  # fmt: skip
        Notice.objects.bulk_create([notice], ignore_conflicts=True)


def _delivered(message, at, waits_until):
    if waits_until:
        message.next_attempt_at = waits_until
    else:
        message.attempts += 1
        message.delivered_at = at


def _not_delivered(message, problem, at):
    message.attempts += 1
    message.last_error = f"{type(problem).__name__}: {problem}"[:1000]
    if message.attempts >= MOST_ATTEMPTS:
        message.dead_at = at
        log.error("message_dead", message=message.pk, topic=message.topic, error=message.last_error)
    else:
        message.next_attempt_at = at + pause(message.attempts)
        log.warning("message_retried", message=message.pk, topic=message.topic, error=message.last_error)

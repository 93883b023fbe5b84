"""The outbox's verbs: tell, try a dead letter again, read what the bell shows."""

import datetime as dt
import json
from typing import NamedTuple

import structlog
from django.db import connection, transaction

from portal.accounts.permissions import May, require
from portal.outbox.models import Message, Notice

log = structlog.get_logger(__name__)
TELL_MANY = """
INSERT INTO outbox_message (topic, key, payload, recipient_id, created_at, next_attempt_at, attempts, last_error)
SELECT topic, key, payload, recipient_id, told.at, coalesce(after, told.at), 0, ''
FROM (SELECT %s::timestamptz AS at) AS told,
    json_to_recordset(%s) AS m(topic text, key text, payload jsonb, recipient_id bigint, after timestamptz)
ON CONFLICT (key) DO NOTHING
"""


def tell(topic, *, key, payload, at, to=None):
    """Write a message in the caller's transaction; `key` repeats are ignored, so a fact is told once.

    topic: event name such as "handoff.rejected". payload: JSON-able dict. at: aware datetime.
    to: the user it is addressed to, or None for rooms and subscribers of the topic.
    """
    tell_many([Told(topic, key, payload, to and to.pk, at)], at=at)


class Told(NamedTuple):
    """One of many messages: the payload as a dict, `to` the id of a user or None, `after` when it may go out."""

    topic: str
    key: str
    payload: dict
    to: int | None
    after: dt.datetime


def tell_many(messages, *, at):
    """As `tell`, for many Told in one statement."""
    rows = [
        {
            "topic": each.topic,
            "key": f"{each.topic}:{each.key}",
            "payload": each.payload,
            "recipient_id": each.to,
            "after": each.after.isoformat() if each.after != at else None,
        }
        for each in messages
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(TELL_MANY, [at, json.dumps(rows)])


@transaction.atomic(durable=True)
def retry_messages(*, message_ids, by, at):
    """Let dead messages be tried again from the start; None: all. Returns how many. Refuses: NotPermitted."""
    require(by, May.MANAGE_MESSAGES)
    dead = Message.objects.dead()
    if message_ids is not None:
        dead = dead.filter(pk__in=message_ids)
    count = dead.order_by().update(dead_at=None, attempts=0, next_attempt_at=at)
    log.info("messages_retried", count=count, by=by.pk)
    return count


@transaction.atomic(durable=True)
def read_notice(*, notice_id, by, at):
    """The person opened one of their own notices. Returns it. Raises Notice.DoesNotExist for anyone else's."""
    notice = Notice.objects.select_for_update().get(pk=notice_id, person=by)
    if notice.read_at is None:
        notice.read_at = at
        notice.save(update_fields=["read_at"])
    return notice


@transaction.atomic(durable=True)
def read_all_notices(*, by, at, up_to):
    """The person has seen their notices up to the one with id `up_to`: later ones stay unread. Returns how many."""
    return Notice.objects.unread().filter(person=by, pk__lte=up_to).update(read_at=at)

"""The outbox's one verb for others: tell."""

from portal.outbox.models import Message


def tell(topic, *, key, payload, at, to=None):
    """Write a message in the caller's transaction; `key` repeats are ignored, so a fact is told once.

    topic: event name such as "handoff.rejected". payload: JSON-able dict. at: aware datetime.
    to: the user it is addressed to, or None for subscribers of the topic.
    """
    Message.objects.bulk_create(
        [Message(topic=topic, key=f"{topic}:{key}", payload=payload, recipient=to, created_at=at, next_attempt_at=at)],
        ignore_conflicts=True,
    )

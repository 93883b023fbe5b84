"""What messages, notices and answers to programs hold of a person."""

import datetime as dt
import json

from django.db.models import Q

from leads.services.privacy.holders import holds
from portal.keys.models import KeptAnswer
from portal.outbox.models import FORGOTTEN, Message, Notice

# of a payload: what ids and codes it may hold; anything else may be words about the person
PLAIN = {
    "handoff", "lead", "decision", "touch", "dispute", "clock", "owner", "team", "kind", "outcome", "reason", "by",
    "silent", "version", "party", "closing", "month", "fingerprint", "items", "count", "person", "at", "connection",
    "item", "endpoint", "deal",
}  # fmt: skip


def messages_of(person, *, at):
    """Payloads keep ids and codes; notices that tell of the person, or name them, are blanked."""
    mine = _messages(person)
    stripped = [message for message in Message.objects.filter(mine) if set(message.payload) - PLAIN] if mine else []
    for message in stripped:
        message.payload = {name: value for name, value in message.payload.items() if name in PLAIN}
        message.save(update_fields=["payload"])
    told = Q(message__in=Message.objects.filter(mine)) if mine else Q(pk=None)
    for word in person.words:
        told |= Q(title__icontains=word) | Q(text__icontains=word)
    blanked = Notice.objects.filter(told).exclude(title=FORGOTTEN, text="").update(title=FORGOTTEN, text="")
    return len(stripped) + blanked


def messages_given(person):
    mine = _messages(person)
    return list(Message.objects.filter(mine).values("topic", "created_at", "delivered_at")) if mine else []


def answers_of(person, *, at):
    """Answers that are kept for a day, should a program ask again."""
    if person.lead is None:
        return 0
    kept = KeptAnswer.objects.filter(kept_at__gt=at - dt.timedelta(days=30))
    named = [Q(body__contains=json.dumps(word)[1:-1]) for word in person.words]
    found = Q(body__contains=f'"lead": {person.lead.pk},')
    for each in named:
        found |= each
    return kept.filter(found).delete()[0]


def answers_given(person):
    return []


def _messages(person):
    """A filter of the messages about the person, or None."""
    if person.lead is None:
        return None
    about = Q(payload__contains={"lead": person.lead.pk})
    for handoff in person.handoffs:
        about |= Q(payload__contains={"handoff": handoff})
    return about


holds("Messages", erase=messages_of, give=messages_given)
holds("Answers to programs", erase=answers_of, give=answers_given)

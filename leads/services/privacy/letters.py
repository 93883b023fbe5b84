"""What messages, notices and answers to programs hold of a person."""

import datetime as dt
import json

from django.db.models import Q

from leads.models.erasure import ERASED
from leads.services.privacy.holders import holds
from leads.services.privacy.spellings import holds_one
from portal.keys.models import KeptAnswer
from portal.outbox.models import FORGOTTEN, Message, Notice

# of a payload: texts that are codes, times or colleagues; any other text may be words about the person
PLAIN = {"clock", "kind", "outcome", "reason", "by", "party", "month", "fingerprint", "at", "due"}


def messages_of(person, *, at):
    """Payloads keep ids and codes; notices that tell of the person, or name them, are blanked."""
    mine = _messages(person)
    told = holds_one("title", person) | holds_one("text", person)
    return (forget(Message.objects.filter(mine)) if mine else 0) + _blank(Notice.objects.filter(told))


def forget(messages):
    """A step: take the words out of the payloads of messages, and blank the notices of them. Returns how many rows."""
    found = list(messages)  # once: without its words a message may no longer be what was asked for
    worded = [message for message in found if message.payload != _without_words(message.payload)]
    for message in worded:
        message.payload = _without_words(message.payload)
        message.save(update_fields=["payload"])
    return len(worded) + _blank(Notice.objects.filter(message__in=[message.pk for message in found]))


def _without_words(payload):
    return {name: ERASED if isinstance(value, str) and name not in PLAIN else value for name, value in payload.items()}


def _blank(notices):
    return notices.exclude(title=FORGOTTEN, text="").update(title=FORGOTTEN, text="")


def messages_given(person):
    mine = _messages(person)
    return list(Message.objects.filter(mine).values("topic", "created_at", "delivered_at")) if mine else []


def answers_of(person, *, at):
    """Answers that are kept for a day, should a program ask again."""
    if person.lead is None:
        return 0
    kept = KeptAnswer.objects.filter(kept_at__gt=at - dt.timedelta(days=30))
    found = Q(body__contains=f'"lead": {person.lead.pk},') | holds_one("body", person)
    for word in person.words:
        found |= Q(body__icontains=json.dumps(word)[1:-1])
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

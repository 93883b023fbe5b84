"""What connections hold of a person: what came in, what was sent, and what was not taken; importing it registers both.

Which lead a sender's person is stays: without it, the sender's next message would bring back who was forgotten.
"""

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from leads.connectors.models import Attempt, Conflict, Delivery, Item, Said
from leads.services.privacy.holders import holds
from leads.services.privacy.spellings import holds_one


def erase_what_came(person, *, at):
    """Contents of items go; that they came, when, and what became of them stays."""
    if person.lead:
        Said.objects.filter(lead=person.lead).delete()
        Conflict.objects.filter(lead=person.lead).delete()
    open_ones = _items(person).filter(outcome__in=[Item.Outcome.HELD, Item.Outcome.WAITING])
    open_ones.update(outcome=Item.Outcome.IGNORED, why="The person was forgotten.", done_at=at)
    return _items(person).filter(content__isnull=False).update(content=None)


def erase_what_was_sent(person, *, at):
    """Bodies and answers go; one that still waits is written anew when it is sent."""
    sent = _deliveries(person)
    Attempt.objects.filter(delivery__in=sent).exclude(answer="").update(answer="")
    return sent.exclude(body="").update(body="")


def what_came(person):
    columns = ("connection__name", "origin_id", "occurred_at", "received_at", "content", "outcome")
    return list(_items(person).order_by("received_at", "id").values(*columns))


def what_was_sent(person):
    columns = ("endpoint__name", "topic", "happened_at", "delivered_at", "body")
    return list(_deliveries(person).order_by("happened_at", "id").values(*columns))


def _items(person):
    about = Q(lead=person.lead) if person.lead else Q(pk=None)
    rows = Item.objects.annotate(written=Cast("content", TextField()))
    return rows.filter(about | holds_one("written", person))


def _deliveries(person):
    about = Q(fact__contains={"lead": person.lead.pk}) if person.lead else Q(pk=None)
    for handoff in person.handoffs:
        about |= Q(fact__contains={"handoff": handoff})
    return Delivery.objects.filter(about)


holds("Inbound connections", erase=erase_what_came, give=what_came)
holds("Webhooks", erase=erase_what_was_sent, give=what_was_sent)

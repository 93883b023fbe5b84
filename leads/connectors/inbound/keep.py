"""Writing down what came, before anything is done with it: each item once, however often it comes."""

import datetime as dt
import json
import uuid

from django.db import connection as database
from django.db import transaction

from leads.connectors.inbound.message import Arrival, short
from leads.connectors.models import Connection, Delivery, Item

Outcome = Item.Outcome
SHOWN = 500  # characters of a message that could not be read
# as take_in_lead does with events: the sender's id makes it once, and a repeat is only counted
KEEP = """
INSERT INTO connectors_item (connection_id, origin_id, person, content, occurred_at, received_at, times, tries,
    outcome, why, done_at)
VALUES (%s, %s, %s, %s, %s, %s, 1, 0, %s, %s, %s)
ON CONFLICT (connection_id, origin_id) DO UPDATE SET times = connectors_item.times + 1
RETURNING id, outcome, times
"""


@transaction.atomic(durable=True)
def keep(*, connection_id, arrivals, at, webhook_id=""):
    """Keep the Arrivals of a message. Returns the ids of the items that came for the first time and wait.

    webhook_id: the message's header; one that we sent ourselves, and that came back, changes nothing.
    """
    Connection.objects.filter(pk=connection_id).update(received_at=at)
    ours = _is_ours(webhook_id)
    kept = [_keep(connection_id, one, at, ours) for one in arrivals]
    return [item_id for item_id, outcome, times in kept if outcome == Outcome.WAITING and times == 1]


def keep_unreadable(*, connection_id, body, why, at):
    """A message in which nothing can be read, as one refused item with its beginning."""
    beginning = body[:SHOWN].decode("utf-8", "replace").replace("\0", "")
    one = Arrival(short(f"unreadable:{uuid.uuid4()}"), "", at, {"beginning": beginning}, why)
    keep(connection_id=connection_id, arrivals=[one], at=at)


@transaction.atomic(durable=True)
def note_turned_away(*, connection_id, why, at):
    """A message that was not believed: nothing of it is kept but that it came."""
    Connection.objects.filter(pk=connection_id).update(turned_away_at=at, turned_away_why=why[:200])


def forget_old(*, at, days):
    """Delete items that came more than `days` ago, with their conflicts. Returns how many."""
    old = Item.objects.filter(received_at__lt=at - dt.timedelta(days=days))
    return old.delete()[1].get("connectors.Item", 0)


def _is_ours(webhook_id):
    try:
        number = uuid.UUID(hex=webhook_id.removeprefix("msg_"))
    except ValueError:
        return False
    return Delivery.objects.filter(number=number).exists()


def _keep(connection_id, one, at, ours):
    """(id, outcome, how often it came) of the item."""
    outcome, why = Outcome.WAITING, one.problem
    if ours:
        outcome, why = Outcome.OURS, "We sent this message ourselves."
    elif one.problem:
        outcome = Outcome.REFUSED
    row = [connection_id, one.origin_id, one.person, json.dumps(one.content), one.occurred_at, at]
    with database.cursor() as cursor:
        cursor.execute(KEEP, [*row, outcome, why, None if outcome == Outcome.WAITING else at])
        return cursor.fetchone()

"""Telling what a sweep found: each thing to whom it matters, and one summary instead of a storm."""

import datetime as dt
from collections import defaultdict
from typing import NamedTuple

from django.db import connection

from leads.escalation import moment
from portal.outbox.models import Message
from portal.outbox.services import Told, tell_many

LATE = dt.timedelta(minutes=15)  # what is told so much later than it was due is told in a summary
MOST_AT_ONCE = 3  # messages that one person gets from one batch
LISTED = 30  # leads that a summary names; the rest it counts
GATHERING = dt.timedelta(minutes=1)  # a summary waits for the batches that follow
SUMMARY = "clock.summary"
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('clock.summary', 0))"


class Note(NamedTuple):
    """Something a sweep has to tell: what was asked for (a sweep's Asked), and the id of the person; None: rooms."""

    topic: str
    asked: NamedTuple
    to: int | None

    @property
    def key(self):
        person = f":{self.to}" if self.to else ""
        return f"{self.asked.case.id}:{self.asked.entry[1]}:{self.asked.entry[2]}{person}"

    def told(self, at, *, silent=False):
        case, clock = self.asked.case, self.asked.entry[1]
        payload = {"handoff": case.id, "clock": clock, "owner": case.owner, "team": case.team}
        return Told(self.topic, self.key, payload | {"silent": True} if silent else payload, self.to, at)


def tell_all(notes, *, at):
    """Write the messages of one batch. Facts are always told as such; what is too much for a reader is summed up."""
    by_reader = defaultdict(list)
    for note in notes:
        by_reader[note.to, None if note.to else note.asked.case.team].append(note)
    messages, summaries = [], []
    for (person, team), told in by_reader.items():
        if not _too_much(told, at):
            messages += [note.told(at) for note in told]
            continue
        if person is None:
            messages += [note.told(at, silent=True) for note in told]
            told = [note for note in told if note.asked.case.ended is None]
        if told:
            summaries.append((person, team, told))
    tell_many(messages, at=at)
    for person, team, told in summaries:
        _sum_up(person, team, told, at)


def _too_much(notes, at):
    """More than a few at once, or what should have been told long ago: then others follow."""
    return len(notes) > MOST_AT_ONCE or any(at - moment(note.asked.entry[0]) > LATE for note in notes)


def _sum_up(person, team, notes, at):
    """Add the notes to the summary that still waits for this reader, or begin one."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
    to_come = Message.objects.waiting().filter(next_attempt_at__gt=at)  # few, whatever else waits
    rows = to_come.filter(topic=SUMMARY, recipient=person, attempts=0, payload__team=team)
    waiting = rows.select_for_update(skip_locked=True).order_by("id").first()
    payload = waiting.payload if waiting else {"team": team, "count": 0, "items": []}
    payload["count"] += len(notes)
    room = LISTED - len(payload["items"])
    payload["items"] += [[note.asked.case.id, note.asked.entry[1], note.topic] for note in notes[: max(room, 0)]]
    if waiting:
        waiting.save(update_fields=["payload"])
    else:
        tell_many([Told(SUMMARY, notes[0].key, payload, person, at + GATHERING)], at=at)

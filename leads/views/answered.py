"""What a lead answered in forms, as the inbox and the handoff's page show it; the forms app tells how it is read."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import JSONField, Value
from django.db.models.expressions import RawSQL


@dataclass(frozen=True)
class Answered:
    """One submission in words. answers: (question, answer) in the order in which the form asked."""

    form: str
    version: int
    at: dt.datetime
    answers: list


# sql: a JSON column about the lead {lead}; read: what that column holds → [Answered], the newest first
SOURCE = {}


def with_answers(rows, lead="leads_handoff.lead_id"):
    """The queryset of handoffs (or of leads, lead="leads_lead.id") with what `answers_of` needs, in the same query."""
    told = RawSQL(SOURCE["sql"].format(lead=lead), ()) if SOURCE else Value([], JSONField())  # noqa: S611 (no input in it)
    return rows.annotate(answered=told)


def answers_of(row):
    """[Answered] of a handoff or a lead read `with_answers`."""
    return SOURCE["read"](row.answered) if SOURCE and row.answered else []

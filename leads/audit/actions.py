"""Actions that an audit decides: add, change, close; every change stays as a revision."""

from django.db import connection, transaction
from django.http import Http404
from django.shortcuts import get_object_or_404

from leads.audit.closed import require_open
from leads.audit.models import Action, ActionRevision
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.refusal import Refusal

AGREED = ("text", "owner", "due_on", "measure", "expected", "definition")


class ActionIncomplete(Refusal):
    code = "action_incomplete"
    sentence = "An action says what is done. Nothing was saved."
    field = "text"


class ActionChanged(Refusal):
    code = "action_changed"
    sentence = "Somebody changed this action meanwhile: read it once more. Nothing was saved."


class ActionClosed(Refusal):
    code = "action_closed"
    sentence = "This action is closed. Nothing was changed."


class WhatWasDone(Refusal):
    code = "what_was_done"
    sentence = "Say what was done: it stays beside the measured effect. Nothing was saved."
    field = "note"


@transaction.atomic(durable=True)
def add_action(*, month, text, owner, due_on, measure, expected, by, at, definition=None):
    """Decide an action in the audit of a figures.Month. Returns the first ActionRevision; its owner is told.

    measure: "rate" or a reason's code. expected: percentage points for the better. definition: the draft it leads to.
    Refuses: NotPermitted, MonthClosed, ActionIncomplete.
    """
    require(by, May.DECIDE_ACTIONS)
    require_open(month)
    if not text.strip():
        raise ActionIncomplete
    action = Action.objects.create(month=month.first, added_at=at, added_by=by)
    revision = ActionRevision.objects.create(
        action=action, number=1, text=text.strip(), owner=owner, due_on=due_on, measure=measure, expected=expected,
        definition=definition, written_at=at, written_by=by,
    )  # fmt: skip
    _tell_owner(revision, by, at)
    return revision


@transaction.atomic(durable=True)
def change_action(*, action_id, seen, text, owner, due_on, measure, expected, by, at, definition=None):
    """Agree anew on an action whose revision `seen` was shown. Returns the new ActionRevision; a new owner is told.

    What a closed audit decided stays as it was in its record; what became of it stands in the next one.

    Refuses: NotPermitted, ActionClosed, ActionChanged, ActionIncomplete.
    """
    require(by, May.DECIDE_ACTIONS)
    last = _last(action_id, seen)
    if not text.strip():
        raise ActionIncomplete
    said = {"text": text.strip(), "owner": owner, "due_on": due_on, "measure": measure, "expected": expected}
    said["definition"] = definition
    if all(getattr(last, name) == value for name, value in said.items()):
        return last
    revision = ActionRevision.objects.create(
        action_id=action_id, number=last.number + 1, written_at=at, written_by=by, **said
    )
    if owner != last.owner:
        _tell_owner(revision, by, at)
    return revision


@transaction.atomic(durable=True)
def close_action(*, action_id, seen, note, by, at):
    """Close an action, saying what was done. Its effect is still measured. Returns the last ActionRevision.

    Refuses: NotPermitted (its owner may always), ActionClosed, ActionChanged, WhatWasDone.
    """
    last = get_object_or_404(ActionRevision.objects.order_by("-number"), action=action_id, number=seen)
    if last.owner_id != by.pk:
        require(by, May.DECIDE_ACTIONS)
    last = _last(action_id, seen)
    if not note.strip():
        raise WhatWasDone
    return ActionRevision.objects.create(
        action_id=action_id, number=last.number + 1, note=note.strip(), is_closed=True, written_at=at, written_by=by,
        **{name: getattr(last, name) for name in AGREED},
    )  # fmt: skip


def _last(action_id, seen):
    with connection.cursor() as cursor:  # append-only rows cannot be locked
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('audit.action', %s))", [action_id])
    revisions = ActionRevision.objects.select_related("owner", "definition").filter(action=action_id)
    last = revisions.order_by("-number").first()
    if last is None:
        raise Http404("There is no such action.")
    if last.is_closed:
        raise ActionClosed
    if last.number != seen:
        raise ActionChanged
    return last


def _tell_owner(revision, by, at):
    if revision.owner_id != by.pk:
        payload = {"month": f"{revision.action.month:%Y-%m}", "text": revision.text, "due": str(revision.due_on)}
        tell("audit.action", key=revision.pk, at=at, to=revision.owner, payload=payload)

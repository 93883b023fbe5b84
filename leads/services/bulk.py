"""Bulk: a verb over many handoffs, each in its own transaction, with a result per row; one bad row stops no other."""

import uuid
from dataclasses import dataclass

from django.http import Http404

from leads.models import Decision, Handoff, Touch
from leads.services.assign import reassign_handoff
from leads.services.decide import Detail, accept_handoff, reject_handoff, reopen_handoff
from leads.services.refusals import NothingToUndo, NoVersionInForce
from leads.services.touch import log_touch
from portal.accounts.permissions import May, require
from portal.shared.refusal import Refusal
from sla.models import SLAVersion

NO_DETAIL = Detail()


class BulkLimit(Refusal):
    code = "bulk_limit"
    sentence = "That is more leads at once than the agreement allows. Nothing was changed."


class NothingSelected(Refusal):
    code = "nothing_selected"
    sentence = "No lead is selected. Tick the leads in the inbox first."


class NoSuchLead(Refusal):
    code = "no_such_lead"
    sentence = "There is no such lead."


@dataclass(frozen=True)
class Row:
    """What became of one handoff: `refusal` is None where it was done."""

    handoff_id: int
    name: str
    refusal: Refusal | None = None

    @property
    def ok(self):
        return self.refusal is None


@dataclass(frozen=True)
class Result:
    """The rows in the order they were given; `batch` is the mark that the decisions share (None: nothing to undo)."""

    rows: tuple[Row, ...]
    batch: uuid.UUID | None = None

    @property
    def done(self):
        return [row for row in self.rows if row.ok]

    @property
    def refused(self):
        return [row for row in self.rows if not row.ok]


def accept_many(*, handoff_ids, by, at, note=""):
    """Accept each; see accept_handoff. Refuses as a whole: NotPermitted, NothingSelected, BulkLimit."""
    mark = {"via": Decision.Via.BULK, "batch": uuid.uuid4()}
    ids = check_selection(handoff_ids, by=by, at=at)
    rows = _each(ids, by, lambda pk: accept_handoff(handoff_id=pk, by=by, at=at, note=note, **mark))
    return Result(rows, mark["batch"])


def reject_many(*, handoff_ids, by, at, reason="", reasons=None, detail=NO_DETAIL, note=""):
    """Reject each with its own code in `reasons` {id: code}, else with `reason`; see reject_handoff.

    Detail and note are the same for all. Refuses as a whole as accept_many does.
    """
    mark = {"via": Decision.Via.BULK, "batch": uuid.uuid4()}
    ids = check_selection(handoff_ids, by=by, at=at)
    own, answers = reasons or {}, {"detail": detail, "note": note, **mark}
    rows = _each(
        ids, by, lambda pk: reject_handoff(handoff_id=pk, by=by, at=at, reason=own.get(pk) or reason, **answers)
    )  # fmt: skip
    return Result(rows, mark["batch"])


def log_touch_many(*, handoff_ids, by, at, kind, outcome, note=""):
    """Log the same contact attempt with each; see log_touch. Refuses as a whole as accept_many does."""
    mark = {"via": Touch.Via.BULK, "batch": uuid.uuid4()}
    ids = check_selection(handoff_ids, by=by, at=at)
    told = {"kind": kind, "outcome": outcome, "note": note, **mark}
    return Result(_each(ids, by, lambda pk: log_touch(handoff_id=pk, by=by, at=at, **told)))


def reassign_many(*, handoff_ids, by, at, to, why=""):
    """Give each to `to`; see reassign_handoff. Refuses as a whole as accept_many does."""
    require(by, May.REASSIGN_LEADS)
    ids = check_selection(handoff_ids, by=by, at=at)
    return Result(_each(ids, by, lambda pk: reassign_handoff(handoff_id=pk, to=to, by=by, at=at, why=why)))


def undo_many(*, batch, by, at):
    """Reopen every handoff that `by` decided in this batch; one that was decided anew since is left alone.

    Refuses as a whole: NotPermitted, NothingToUndo (no such batch of theirs).
    """
    require(by, May.WORK_INBOX)
    made = Decision.objects.filter(batch=batch, decided_by=by).order_by("pk").select_related("handoff")
    stands = {decision.handoff_id: decision.handoff.standing_decision_id == decision.pk for decision in made}
    if not stands:
        raise NothingToUndo("There is no such batch of yours to undo.")

    def undo(pk):
        if not stands[pk]:
            raise NothingToUndo("This lead was reopened or decided anew since, so there is nothing to undo.")
        reopen_handoff(handoff_id=pk, by=by, at=at, via=Decision.Via.BULK)

    return Result(_each(stands, by, undo))


def check_selection(handoff_ids, *, by, at):
    """The ids, each once. Refuses: NotPermitted, NothingSelected, NoVersionInForce, BulkLimit."""
    require(by, May.WORK_INBOX)
    ids = tuple(dict.fromkeys(handoff_ids))
    if not ids:
        raise NothingSelected
    version = SLAVersion.objects.in_force(at=at)
    if version is None:
        raise NoVersionInForce
    if len(ids) > version.bulk_limit:
        raise BulkLimit(
            f"{len(ids)} leads are selected; the agreement allows {version.bulk_limit} at once. Nothing was changed."
        )
    return ids


def _each(ids, by, verb):
    """A Row per id. Names of leads that `by` may not see stay hidden."""
    seen = Handoff.objects.visible_to(by).filter(pk__in=list(ids)).select_related("lead").defer("breakdown")
    names = {handoff.pk: handoff.lead.name for handoff in seen}
    return tuple(Row(pk, names.get(pk) or f"Lead {pk}", _try(verb, pk)) for pk in ids)


def _try(verb, pk):
    """None, or the refusal that the verb answered with."""
    try:
        verb(pk)
    except Refusal as refusal:
        return refusal
    except Http404:
        return NoSuchLead()
    return None

"""Decisions: accept, reject with a reason code, reopen within the undo window."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from leads.models import Decision, Lead
from leads.services._steps import check_clocks_run, check_works, lock, write_decision
from leads.services.refusals import (
    AlreadyDecided,
    AttemptsMissing,
    DetailRequired,
    NoteRequired,
    NothingToUndo,
    ReasonRequired,
    ReasonUnknown,
    UndoWindowPassed,
)
from portal.shared.prepared import A_TEXT, AN_ID, Prepared
from portal.shared.refusal import NotPermitted
from sla.models import ReasonCode


@dataclass(frozen=True)
class Detail:
    """What a reason asks beside its code: fit an attribute, timing a date, data a field, scoring a signal."""

    attribute: str = ""
    recycle_on: dt.date | None = None
    field: str = ""
    signal: str = ""
    duplicate_of: int | None = None


@transaction.atomic(durable=True)
def accept_handoff(*, handoff_id, by, at, note="", via=Decision.Via.PAGE, batch=None):
    """Sales accepts the lead: it is an SQL. Returns the Decision.

    Refuses: NotPermitted, ClocksNotRunning, AlreadyDecided.
    """
    handoff = _undecided(handoff_id, by)
    return write_decision(
        handoff, outcome=Decision.Outcome.ACCEPTED, note=note.strip(), **_stamp(by=by, at=at, via=via, batch=batch)
    )


@transaction.atomic(durable=True)
def reject_handoff(*, handoff_id, by, at, reason, detail=Detail(), note="", via=Decision.Via.PAGE, batch=None):
    """Sales rejects the lead with a reason code of the version the handoff was made under. Returns the Decision.

    A detail that is not given takes the reason's own default; a reason that recycles sets the lead's recycle date.
    Refuses: NotPermitted, ClocksNotRunning, AlreadyDecided, ReasonRequired, ReasonUnknown, DetailRequired,
    NoteRequired, AttemptsMissing.
    """
    handoff = _undecided(handoff_id, by)
    code = _reason(handoff, reason)
    note = note.strip()
    if code.note_required and not note:
        raise NoteRequired
    if code.unreachable:
        _check_attempts(handoff)
    answers = _detail(handoff, code, detail, at)
    decision = write_decision(
        handoff,
        outcome=Decision.Outcome.REJECTED,
        reason=code,
        note=note,
        **answers,
        **_stamp(by=by, at=at, via=via, batch=batch),
    )
    if decision.recycle_on:
        Lead.objects.filter(pk=handoff.lead_id).update(recycle_on=decision.recycle_on, updated_at=at)
    return decision


@transaction.atomic(durable=True)
def reopen_handoff(*, handoff_id, by, at, via=Decision.Via.PAGE):
    """Take the standing decision back within the version's undo window; both decisions stay. Returns the new one.

    Refuses: NotPermitted (someone else's decision), NothingToUndo, UndoWindowPassed, AlreadyDecided (the lead has
    come back as a new handoff meanwhile).
    """
    handoff = lock(handoff_id)
    check_works(handoff, by)
    standing = handoff.standing_decision
    if handoff.is_open or standing is None:
        raise NothingToUndo
    if standing.decided_by_id != by.pk:
        raise NotPermitted("Only the person who decided can undo it.")
    if at - standing.recorded_at > handoff.sla_version.undo_within:
        raise UndoWindowPassed
    if handoff.lead.handoffs.undecided().exists():
        raise AlreadyDecided("The lead came back as a new handoff meanwhile.")
    if standing.recycle_on:
        Lead.objects.filter(pk=handoff.lead_id).update(recycle_on=None, updated_at=at)
    return write_decision(handoff, outcome=Decision.Outcome.REOPENED, **_stamp(by=by, at=at, via=via, batch=None))


def _undecided(handoff_id, by):
    handoff = lock(handoff_id)
    check_works(handoff, by)
    check_clocks_run(handoff)
    if not handoff.is_open:
        raise AlreadyDecided
    return handoff


def _stamp(*, by, at, via, batch):
    return {"decided_at": at, "recorded_at": at, "decided_by": by, "via": via, "batch": batch}


def _reason(handoff, code):
    if not code:
        raise ReasonRequired
    reason = _offered.one(handoff.sla_version_id, code)
    if reason is None:
        raise ReasonUnknown
    return reason


@Prepared.of(AN_ID, A_TEXT)
def _offered(version, code):
    return ReasonCode.objects.offered().filter(version=version, code=code)


def _check_attempts(handoff):
    needed = handoff.sla_version.attempts_before_unreachable
    logged = handoff.touches.count()
    if logged < needed:
        raise AttemptsMissing(
            f"“Unable to reach” needs {needed} logged attempts; {logged} are logged. Nothing was saved."
        )


def _detail(handoff, code, detail, at):
    """The one answer that this reason asks for, as Decision fields; the others are dropped."""
    kind = code.detail
    if not kind:
        return {}
    value = getattr(detail, kind) or _default(code, at)
    if code.detail_required and not value:
        raise DetailRequired(
            f"{code.label} needs: {code.get_detail_display().lower()}. Nothing was saved.", field=kind
        )
    if kind == ReasonCode.Detail.RECYCLE_ON and value:
        _check_return(value, handoff.sla_version.recycle_within, at)
    if kind == ReasonCode.Detail.DUPLICATE_OF:
        return {"duplicate_of_id": _other_lead(handoff, value)}
    return {kind: value or Decision._meta.get_field(kind).get_default()}


def _default(code, at):
    if code.detail == ReasonCode.Detail.RECYCLE_ON:
        return (at + dt.timedelta(days=code.recycle_days)).date() if code.recycle_days else None
    return code.detail_default


def _check_return(value, within, at):
    farthest = (at + within).date()
    if not at.date() < value <= farthest:
        raise DetailRequired(
            f"The day to come back lies after today, at the latest on {farthest:%-d %B %Y}. Nothing was saved.",
            field="recycle_on",
        )


def _other_lead(handoff, value):
    if not value:
        return None
    if value == handoff.lead_id or not Lead.objects.filter(pk=value).exists():
        raise DetailRequired("Pick another lead that this one duplicates. Nothing was saved.", field="duplicate_of")
    return value

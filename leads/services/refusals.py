"""Why a verb on a handoff says no: the same code by page, bulk action, import and API."""

from portal.shared.refusal import Refusal


class AlreadyDecided(Refusal):
    code = "already_decided"
    sentence = "Someone decided this lead already. Nothing was changed."


class ReasonRequired(Refusal):
    code = "reason_required"
    sentence = "A rejection needs a reason code. Nothing was saved."
    field = "reason"


class ReasonUnknown(Refusal):
    code = "reason_unknown"
    sentence = "This reason is not in the catalogue that the lead was handed over under. Nothing was saved."
    field = "reason"


class DetailRequired(Refusal):
    code = "detail_required"
    sentence = "This reason needs its detail. Nothing was saved."


class NoteRequired(Refusal):
    code = "note_required"
    sentence = "This reason needs a comment: marketing reads it in the audit. Nothing was saved."
    field = "note"


class AttemptsMissing(Refusal):
    code = "attempts_missing"
    sentence = "“Unable to reach” needs the agreed attempts to be logged first. Nothing was saved."
    field = "reason"


class NothingToUndo(Refusal):
    code = "nothing_to_undo"
    sentence = "This lead is not decided, so there is nothing to undo."


class UndoWindowPassed(Refusal):
    code = "undo_window_passed"
    sentence = "The agreement's time for undoing has passed."


class ClocksNotRunning(Refusal):
    code = "not_taken_up"
    sentence = "This lead came with imported history. Take it up first; then its clocks start."


class NotInTheFuture(Refusal):
    code = "time_in_the_future"
    sentence = "A contact cannot have happened in the future. Nothing was saved."
    field = "occurred_at"


class CannotOwn(Refusal):
    code = "cannot_own"
    sentence = "Only an active sales rep or sales manager can hold a lead."
    field = "owner"


class AlreadyClaimed(Refusal):
    code = "already_claimed"
    sentence = "Someone was faster: this lead no longer waits in the queue. Nothing was changed."


class InQueueAlready(Refusal):
    code = "in_queue_already"
    sentence = "This lead waits in the default queue already."


class WhyHandedBack(Refusal):
    code = "why_required"
    sentence = "Say why you hand the lead back: whoever claims it reads it. Nothing was changed."
    field = "why"


class NothingToHandOver(Refusal):
    code = "nothing_to_hand_over"
    sentence = "There is no open lead to hand over."


class NoVersionInForce(Refusal):
    code = "no_agreement"
    sentence = "No agreement is in force, so no lead can be handed over."


class HasOpenHandoff(Refusal):
    code = "has_open_handoff"
    sentence = "This lead has an open handoff already."


class HoldsOpenHandoffs(Refusal):
    code = "holds_open_leads"
    sentence = "This person holds open leads. Hand them over first."
    field = "hand_over"


class PersonForgotten(Refusal):
    code = "person_forgotten"
    sentence = "The person behind this lead was forgotten. Nothing more is recorded of them."

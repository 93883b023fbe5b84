"""Why a verb of the agreement says no: the same code by page, command and import."""

from portal.shared.refusal import Refusal


class AlreadyProposed(Refusal):
    code = "already_proposed"
    sentence = "This version was proposed already and does not change. Start a new draft from it."


class ChangedMeanwhile(Refusal):
    code = "changed_meanwhile"
    sentence = "Somebody changed this draft at the same moment. Nothing was saved."


class NotYetProposed(Refusal):
    code = "not_yet_proposed"
    sentence = "Only a proposed version can be signed."


class SignedForTheOtherSide(Refusal):
    code = "never_for_both"
    sentence = "One person never signs for both sides."


class NoLongerWaiting(Refusal):
    code = "no_longer_waiting"
    sentence = "This proposal no longer waits for signatures. Nothing was saved."


class AlreadySigned(Refusal):
    code = "already_signed"
    sentence = "This side has signed already. Nothing was saved."


class NotTheSignatory(Refusal):
    code = "not_the_signatory"
    sentence = "Only the signatory of this side, or a deputy they appointed, signs here."


class OtherFingerprint(Refusal):
    code = "other_fingerprint"
    sentence = "The fingerprint shown to you is not the one of this version. Read it again. Nothing was saved."


class NameDiffers(Refusal):
    code = "name_differs"
    sentence = "Type your name as it is written here. Nothing was saved."
    field = "typed_name"


class BeginsTooEarly(Refusal):
    code = "begins_too_early"
    sentence = "A version begins after the one before it that both sides signed."
    field = "effective_from"


class Incomplete(Refusal):
    code = "incomplete"
    sentence = "The draft is not complete."


class CommentRequired(Refusal):
    code = "comment_required"
    sentence = "Write a comment, so that the other side knows what to change. Nothing was saved."
    field = "comment"


class CodeTaken(Refusal):
    code = "code_taken"
    sentence = "This code was used before. A code is never used again for another reason."
    field = "code"


class CodeKept(Refusal):
    code = "code_kept"
    sentence = "This code was part of a proposed version. Retire it: past rejections are told in it."


class BadMerge(Refusal):
    code = "bad_merge"
    sentence = "A code is merged into another one that is still offered."
    field = "merged_into"


class LastReason(Refusal):
    code = "last_reason"
    sentence = "A catalogue keeps at least one reason that can be chosen."


class BadDeputy(Refusal):
    code = "bad_deputy"
    sentence = "A deputy is another active person who does not lead the other side, for a time that lies ahead."
    field = "deputy"

"""Why a verb on a definition's draft says no."""

from portal.shared.refusal import Refusal


class Frozen(Refusal):
    code = "definition_proposed"
    sentence = "This definition was proposed and does not change any more. Start a draft from it instead."


class DraftChanged(Refusal):
    code = "draft_changed"
    sentence = "Somebody changed this meanwhile. Here it is as it is now; your change was not saved."


class Gone(Refusal):
    code = "draft_gone"
    sentence = "Somebody removed this meanwhile. Nothing was changed."


class Unusable(Refusal):
    code = "definition_unusable"
    sentence = "The definition cannot be used like this. Nothing was saved."


class InUse(Refusal):
    code = "definition_in_use"
    sentence = "A draft of the agreement uses this. Take it out there first."

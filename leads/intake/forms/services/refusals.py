"""Why a verb of forms says no: the same code by page, command and API."""

from portal.shared.refusal import Refusal


class FormRetired(Refusal):
    code = "form_retired"
    sentence = "This form is closed. Nothing was changed."


class NotPublished(Refusal):
    code = "form_not_published"
    sentence = "This form is not published yet. Nothing was saved."


class NoDraftOfForm(Refusal):
    code = "no_form_draft"
    sentence = "No draft of this form is open. Start one first; nothing was changed."


class DraftMoved(Refusal):
    code = "draft_moved"
    sentence = "Someone changed this draft meanwhile. Nothing was saved; here it is as it now is."


class ContentWrong(Refusal):
    """field: the place in the document, as forms.document.ContentError.place."""

    code = "content_wrong"


class HasFaults(Refusal):
    """faults: what forms.faults.Fault says, in order."""

    code = "form_has_faults"

    def __init__(self, faults):
        self.faults = faults
        super().__init__(f"{faults[0].sentence} Nothing was published.", field=faults[0].key or None)


class NothingNew(Refusal):
    code = "nothing_new"
    sentence = "This draft says what the published version says. Nothing was published."


class SettingsWrong(Refusal):
    code = "form_settings_wrong"


class AnswersIncomplete(Refusal):
    """walk: the forms.logic.Walk with what is wrong."""

    code = "answers_incomplete"
    sentence = "Some answers are missing or cannot be read. Nothing was sent."

    def __init__(self, walk):
        self.walk = walk
        super().__init__()


class AlreadySent(Refusal):
    """The page was sent before, with other answers."""

    code = "already_sent"
    sentence = "This page was sent already, with other answers. Send it once more to add these."


class NotSuspected(Refusal):
    code = "not_suspected"
    sentence = "This submission is not suspected, or somebody freed it already. Nothing was changed."


class Erased(Refusal):
    code = "erased"
    sentence = "The person behind this submission was erased; nothing is left to take in."

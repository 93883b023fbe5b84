"""Which consents of a person stand: by what was asked, to which words, and with the stricter answer where two meet."""

import datetime as dt
from dataclasses import dataclass

from leads.intake.forms.content import CONSENT
from leads.intake.forms.logic import walk
from leads.intake.forms.models import Submission

ONE_ACT = dt.timedelta(days=1)  # answers so near to each other are one act: duplicates that met in one lead


@dataclass(frozen=True)
class Standing:
    """One consent, told apart by its question's key: whether it stands, since when, to which words (None: none)."""

    key: str
    stands: bool
    since: dt.datetime
    number: int | None
    text: str


def consents_of(lead):
    """The Standings of a lead, by key. The newest answer counts; of those within a day before it the stricter wins."""
    told = {}
    sent = Submission.objects.counted().filter(lead=lead).select_related("version").prefetch_related("consents__text")
    for submission in sent.order_by("-submitted_at", "-id"):
        for key, text in _answers(submission):
            told.setdefault(key, []).append((submission.submitted_at, text))
    return [_standing(key, answers) for key, answers in sorted(told.items())]


def _answers(submission):
    """(key, the ConsentText or None for no) of each consent that the submission was asked for."""
    given = {consent.key: consent.text for consent in submission.consents.all()}
    content = submission.version.as_content()
    asked = set(walk(content, {}, known=submission.answers).asked) if submission.erased_at is None else set()
    for question in content.questions:
        if question.type == CONSENT and (question.key in given or question.key in asked):
            yield question.key, given.get(question.key)


def _standing(key, answers):
    newest = answers[0][0]
    together = [(at, text) for at, text in answers if newest - at <= ONE_ACT]
    at, text = next(((at, text) for at, text in together if text is None), together[0])
    return Standing(key, text is not None, at, text and text.number, text.text if text else "")

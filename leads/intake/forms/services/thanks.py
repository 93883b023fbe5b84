"""What a visitor reads who sent a form: it tells nothing of a lead to somebody who only typed the lead's address."""

from leads.intake.forms.answers import facts_of, scored
from leads.intake.forms.models import Submission
from leads.intake.forms.services.submit import KIND
from leads.services.qualify import HANDED_OVER, NO_VERSION, NURTURE, tier_of
from sla import scoring


def thanks_of(submission):
    """The forms.content.Thanks of it. A suspected one reads what everybody does; who typed an address that was known
    reads what somebody would whom nobody knew, with the same answers."""
    content, outcome, tier = submission.version.as_content(), submission.outcome, submission.tier
    told_alike = outcome in ("", Submission.LATER, NO_VERSION)
    if not told_alike and not submission.proves_who_it_is():
        tier = tier_of(facts_of(content.questions, submission.answers), [_event(submission, content)],
                       submission.submitted_at)  # fmt: skip
        outcome = HANDED_OVER if tier else NURTURE
    return content.thanks_for(outcome, tier or None)


def _event(submission, content):
    about = {"form": submission.version.form.slug, "version": submission.version.number}
    return scoring.Event(KIND, submission.submitted_at, about | scored(content.questions, submission.answers))

"""Freeing what a rule suspected wrongly, and erasing what a person said."""

from django.db import transaction
from django.shortcuts import get_object_or_404

from leads.intake.forms.models import Submission
from leads.intake.forms.services.refusals import Erased, NotSuspected
from leads.intake.forms.services.submit import become_lead
from portal.accounts.permissions import May, require


@transaction.atomic(durable=True)
def free_submission(*, submission_id, by, at):
    """Take a suspected submission in after all: its lead did it when it was sent, and is judged at `at`.

    Returns the Submission with its lead and outcome. Refuses: NotPermitted, NotSuspected, Erased.
    """
    require(by, May.FREE_SUBMISSIONS)
    rows = Submission.objects.select_for_update(of=("self",)).select_related("version__form")
    submission = get_object_or_404(rows, pk=submission_id)
    if not submission.suspected_by or submission.freed_at:
        raise NotSuspected
    if submission.erased_at:
        raise Erased
    submission.freed_at, submission.freed_by = at, by
    become_lead(submission, submission.version.as_content(), at=at)
    submission.save()
    return submission


def erase_answers(*, lead, mailboxes, at):
    """A step of erasing a person: empty every submission of the lead (or None), suspected ones of its mailboxes too.

    What figures count (version, times, outcome, rule) and which consent texts were given stay. Returns how many.
    """
    theirs = Submission.objects.of_person(lead, mailboxes).filter(erased_at=None)
    return theirs.update(answers={}, mailbox="", erased_at=at)

"""What forms hold of a person: answers, and consents to certain words; importing it registers both."""

from django.db.models import Q

from leads.intake.forms.consents import consents_of
from leads.intake.forms.models import Submission
from leads.intake.forms.services.free import erase_answers
from leads.services.privacy.holders import holds


def erase(person, *, at):
    """Answers go, with the address; which consent was given to which words, and every count, stays."""
    if person.lead:
        return erase_answers(lead=person.lead, at=at)
    theirs = Submission.objects.filter(mailbox=person.mailbox, lead=None, erased_at=None)
    return theirs.update(answers={}, mailbox="", erased_at=at) if person.mailbox else 0


def give(person):
    return [
        {
            "form": submission.version.form.name,
            "version": submission.version.number,
            "sent_at": submission.submitted_at,
            "answers": submission.answers,
            "consents": [{"number": c.text.number, "text": c.text.text} for c in submission.consents.all()],
        }
        for submission in _of(person)
    ]


def _of(person):
    theirs = Q(lead=person.lead) if person.lead else Q(pk=None)
    if person.mailbox:
        theirs |= Q(mailbox=person.mailbox, lead=None)
    rows = Submission.objects.filter(theirs).select_related("version__form").prefetch_related("consents__text")
    return rows.order_by("submitted_at", "id")


def consents_given(person):
    return [vars(each) for each in consents_of(person.lead)] if person.lead else []


holds("Forms", erase=erase, give=give)
holds("Consents", erase=lambda person, *, at: 0, give=consents_given)

"""What forms hold of a person: answers, and consents to certain words; importing it registers both."""

from leads.intake.forms.consents import consents_of
from leads.intake.forms.models import Submission
from leads.intake.forms.services.free import erase_answers
from leads.services.capture import mailbox
from leads.services.privacy.holders import holds
from leads.services.privacy.spellings import spellings


def erase(person, *, at):
    """Answers go, with the address; which consent was given to which words, and every count, stays."""
    return erase_answers(lead=person.lead, mailboxes=_mailboxes(person), at=at)


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
    theirs = Submission.objects.of_person(person.lead, _mailboxes(person))
    return theirs.select_related("version__form").prefetch_related("consents__text").order_by("submitted_at", "id")


def _mailboxes(person):
    """The addresses that the person has and had, in every spelling that a submission may have kept."""
    addresses = [address for address in (person.mailbox, *person.words) if "@" in address]
    return {each for address in addresses for each in (mailbox(address), *spellings(address))}


def consents_given(person):
    return [vars(each) for each in consents_of(person.lead)] if person.lead else []


holds("Forms", erase=erase, give=give)
holds("Consents", erase=lambda person, *, at: 0, give=consents_given)

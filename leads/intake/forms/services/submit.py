"""A visitor's answers: kept under the version that asked them, taken in as a lead, and handed over in one go."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction

from leads.intake.forms import content as form
from leads.intake.forms.answers import facts_of, scored
from leads.intake.forms.known import known_answers
from leads.intake.forms.logic import walk
from leads.intake.forms.models import Consent, ConsentText, Submission
from leads.intake.forms.services.progress import note_end
from leads.intake.forms.services.refusals import AlreadySent, AnswersIncomplete, FormRetired, NotPublished
from leads.models import Lead
from leads.services.capture import Happened, mailbox, overtaken, take_in
from leads.services.qualify import HANDED_OVER

KIND, ORIGIN = "form_submitted", "form"
HOUR = dt.timedelta(hours=1)
RULE = Submission.Rule


@dataclass(frozen=True)
class Sent:
    """What a door heard: the texts posted by key, the token of the page and when it was asked for.

    started_at: None for a plain form on another page. lead: whom a signed link names. suspected_by: a rule that the
    door saw broken (Submission.Rule), "" for none.
    """

    posted: dict
    token: str
    started_at: dt.datetime | None = None
    via: str = Submission.Via.HOSTED
    lead: Lead | None = None
    suspected_by: str = ""


@transaction.atomic(durable=True)
def submit_form(*, version, sent, at, evaluate=True):
    """Take a complete form in: submission, consents, lead, event, and the handoff with its clocks where it is hot.

    version: the published FormVersion that was answered. sent: Sent. evaluate: False leaves the evaluation to the
    worker. A suspected submission is kept and makes no lead. The same token and answers again change nothing.
    Returns the Submission. Refuses: FormRetired, NotPublished, AnswersIncomplete, AlreadySent.
    """
    if version.form.is_retired:
        raise FormRetired
    if not version.is_published:
        raise NotPublished
    content = version.as_content()
    walked = walk(content, sent.posted, known=known_answers(content, sent.lead))
    if not walked.is_complete:
        raise AnswersIncomplete(walked)
    with connection.cursor() as cursor:  # the second of a double submit waits for the first
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [sent.token])
    if known := Submission.objects.filter(token=sent.token).first():
        if known.answers not in (walked.kept, {}):
            raise AlreadySent
        return known
    address = mailbox(address_of(content, walked.kept))
    submission = Submission(
        version=version,
        token=sent.token,
        via=sent.via,
        answers=walked.kept,
        mailbox=address,
        known=bool(walked.known),
        started_at=sent.started_at and min(sent.started_at, at),
        submitted_at=at,
    )
    submission.suspected_by = sent.suspected_by or _suspicion(submission)
    if not submission.suspected_by:
        learnt = {key: value for key, value in walked.kept.items() if key not in walked.known}
        _take_in(submission, content, learnt, at=at, evaluate=evaluate)
    submission.save()
    _record_consents(submission, content)
    if sent.started_at:
        note_end(version=version, content=content, visit=sent.token, started_at=submission.started_at, at=at)
    return submission


def become_lead(submission, content, *, at):
    """A step: make a kept submission a lead's, as of when it was sent; the row is the caller's to save."""
    _take_in(submission, content, submission.answers, at=at, evaluate=True)


def address_of(content, kept):
    """The e-mail address among the kept answers, or ""."""
    return next((kept[each.key] for each in content.questions if each.fills == "email" and each.key in kept), "")


def _take_in(submission, content, learnt, *, at, evaluate):
    facts = facts_of(content.questions, learnt) | {"email": address_of(content, submission.answers)}
    version = submission.version
    properties = {"form": version.form.slug, "version": version.number}
    properties |= scored(content.questions, submission.answers)
    event = Happened(KIND, submission.submitted_at, ORIGIN, submission.token, properties)
    taken = overtaken(lambda: take_in(facts=facts, events=[event], at=at, evaluate=evaluate))
    submission.lead, submission.outcome = taken.lead, taken.outcome
    submission.handoff = taken.handoff if taken.outcome == HANDED_OVER else None
    submission.tier = taken.handoff.tier.key if taken.handoff and taken.handoff.tier else ""


def _suspicion(submission):
    """The rule that a submission breaks, or ""."""
    settings, at = submission.version.form, submission.submitted_at
    least = dt.timedelta(seconds=settings.minimum_seconds)
    if submission.started_at and at - submission.started_at < least:
        return RULE.TOO_FAST
    lately = Submission.objects.filter(mailbox=submission.mailbox, submitted_at__gt=at - HOUR)
    if submission.mailbox and lately.count() >= settings.most_per_mailbox:
        return RULE.MAILBOX
    return ""


def _record_consents(submission, content):
    given = [q for q in content.questions if q.type == form.CONSENT and q.key in submission.answers]
    if given:
        texts = {text.text: text for text in ConsentText.objects.filter(text__in=[q.label for q in given])}
        Consent.objects.bulk_create(Consent(submission=submission, key=q.key, text=texts[q.label]) for q in given)

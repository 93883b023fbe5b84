"""What visitors sent, what they consented to and how far they came; what was sent stays, or is erased whole."""

import datetime as dt

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from leads.intake.forms.models.form import ConsentText, FormVersion
from leads.intake.forms.models.shared import never_deleted, person
from leads.models import Handoff
from portal.shared.triggers import append_only, no_truncate, refuse

HOUR = dt.timedelta(hours=1)
# what a submission may still learn: when it is freed, and that its person was erased
KEEPS_WHAT_WAS_SENT = f"""
    IF (NEW.id, NEW.version_id, NEW.token, NEW.via, NEW.known, NEW.suspected_by, NEW.started_at, NEW.submitted_at)
        IS DISTINCT FROM
        (OLD.id, OLD.version_id, OLD.token, OLD.via, OLD.known, OLD.suspected_by, OLD.started_at, OLD.submitted_at)
    THEN {refuse("submissions keep what was sent")} END IF;
    IF (NEW.answers, NEW.mailbox) IS DISTINCT FROM (OLD.answers, OLD.mailbox)
        AND NOT (NEW.erased_at IS NOT NULL AND NEW.answers = '{{}}'::jsonb AND NEW.mailbox = '')
    THEN {refuse("answers are kept, or erased whole")} END IF;
    IF (NEW.lead_id, NEW.handoff_id, NEW.outcome, NEW.tier) IS DISTINCT FROM
        (OLD.lead_id, OLD.handoff_id, OLD.outcome, OLD.tier)
        AND NOT (OLD.freed_at IS NULL AND NEW.freed_at IS NOT NULL)
    THEN {refuse("what became of a submission is written once")} END IF;
    IF OLD.freed_at IS NOT NULL AND (NEW.freed_at, NEW.freed_by_id) IS DISTINCT FROM (OLD.freed_at, OLD.freed_by_id)
        OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at
    THEN {refuse("a submission is freed once, and erased once")} END IF;
    RETURN NEW;
"""


class SubmissionQuerySet(models.QuerySet):
    def suspected(self):
        """Marked by a rule, and freed by nobody."""
        return self.exclude(suspected_by="").filter(freed_at=None)

    def counted(self):
        """Those that became part of a lead: not suspected, or freed."""
        return self.filter(lead__isnull=False)

    def of_person(self, lead, mailboxes):
        """Those of a lead (or None), and suspected ones under addresses of the person, each spelt one way."""
        return self.filter((Q(lead=lead) if lead else Q(pk=None)) | Q(mailbox__in=mailboxes, lead=None))

    def with_mql(self):
        """Each with `is_mql`: it became a handoff at once, or by the worker where the form was under load.

        The worker's handoff is the lead's first one after the submission, at most an hour later.
        """
        after = Handoff.objects.filter(
            lead=OuterRef("lead"),
            qualified_at__gte=OuterRef("submitted_at"),
            qualified_at__lt=OuterRef("submitted_at") + models.Value(HOUR),
        )
        later = Q(outcome=Submission.LATER) & Exists(after)
        return self.annotate(is_mql=models.ExpressionWrapper(Q(handoff__isnull=False) | later, models.BooleanField()))


class Submission(models.Model):
    """What one visitor sent: the answers that were kept, under the version that asked them.

    answers: {key: value} as forms.answers keeps them; emptied when the person is erased, while everything that figures
    count stays. outcome: of leads.services.capture.TakenIn, "" while suspected.
    """

    LATER = "later"

    class Via(models.TextChoices):
        HOSTED = "hosted", "The form’s own page"
        IFRAME = "iframe", "In a frame of another page"
        SNIPPET = "snippet", "A plain form on another page"

    class Rule(models.TextChoices):
        """Why a submission is suspected."""

        HONEYPOT = "honeypot", "Filled a field that people do not see"
        TOO_FAST = "too_fast", "Sent sooner than anybody can read the form"
        ADDRESS = "rate_address", "Too many from one network address"
        MAILBOX = "rate_mailbox", "Too many for one e-mail address"

    version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="submissions", db_index=False)
    token = models.CharField(max_length=80, unique=True, help_text="of the page it was sent from: the same makes one")
    via = models.CharField(max_length=7, choices=Via, default=Via.HOSTED)
    answers = models.JSONField(default=dict)
    mailbox = models.CharField(
        max_length=254, blank=True, default="", help_text="the e-mail address, spelt one way; erased with the answers"
    )
    known = models.BooleanField(default=False, help_text="came by a link that says who it is")
    suspected_by = models.CharField(max_length=20, choices=Rule, blank=True, default="")
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, null=True, related_name="submissions")
    handoff = models.ForeignKey(
        "leads.Handoff", on_delete=models.PROTECT, null=True, related_name="submissions", db_index=False,
        help_text="the one that it opened",
    )  # fmt: skip
    outcome = models.CharField(max_length=20, blank=True, default="")
    tier = models.CharField(max_length=60, blank=True, default="", help_text="key of the tier of its open handoff")
    started_at = models.DateTimeField(null=True, help_text="when the page was asked for; null: a plain form elsewhere")
    submitted_at = models.DateTimeField()
    freed_at = models.DateTimeField(null=True)
    freed_by = person(null=True)
    erased_at = models.DateTimeField(null=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["-submitted_at", "-id"]
        indexes = [
            models.Index(fields=["version", "-submitted_at"], name="forms_submission_by_version"),
            models.Index(fields=["-submitted_at"], name="forms_submission_by_time"),
            models.Index(fields=["mailbox", "submitted_at"], condition=~Q(mailbox=""), name="forms_submission_mail"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(suspected_by="", lead__isnull=False, freed_at=None)
                | (~Q(suspected_by="") & Q(lead=None, freed_at=None))
                | (~Q(suspected_by="") & Q(lead__isnull=False, freed_at__isnull=False)),
                name="forms_submission_lead_unless_suspected",
            ),
            models.CheckConstraint(
                condition=Q(freed_at=None, freed_by=None) | Q(freed_at__isnull=False, freed_by__isnull=False),
                name="forms_submission_freed_pair",
            ),
            models.CheckConstraint(
                condition=Q(lead=None, outcome="") | (Q(lead__isnull=False) & ~Q(outcome="")),
                name="forms_submission_outcome_of_lead",
            ),
            models.CheckConstraint(
                condition=Q(via__in=["hosted", "iframe", "snippet"])
                & Q(suspected_by__in=["", "honeypot", "too_fast", "rate_address", "rate_mailbox"]),
                name="forms_submission_words_known",
            ),
            models.CheckConstraint(
                condition=Q(started_at=None) | Q(submitted_at__gte=F("started_at")),
                name="forms_submission_after_its_start",
            ),
        ]
        triggers = [
            never_deleted("submissions"),
            no_truncate("submissions"),
            pgtrigger.Trigger(
                name="keeps_what_was_sent",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=KEEPS_WHAT_WAS_SENT,
            ),
        ]

    def __str__(self):
        return f"Submission {self.pk}"

    def proves_who_it_is(self):
        """Whether its visitor is its lead as far as we can tell: by a signed link, or because nobody knew the lead."""
        return self.known or self.lead.created_at == self.submitted_at


class Consent(models.Model):
    """That a submission gave a consent, and to which words; who gave none has no row."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="consents", db_index=False)
    key = models.CharField(max_length=40, help_text="of the question")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["submission", "id"]
        constraints = [models.UniqueConstraint(fields=["submission", "key"], name="forms_consent_once")]
        triggers = append_only("consents")

    def __str__(self):
        return self.key


class Progress(models.Model):
    """How far one visit came: the page and the question that it stands before; no answer, no address, no name.

    A visit is the token of its page: it finished when a submission has that token. It begins with the first answer
    or page sent, so that who only looks at a form is in no count.
    """

    version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="progress", db_index=False)
    visit = models.CharField(max_length=80, unique=True)
    page = models.CharField(max_length=40)
    question = models.CharField(
        max_length=40, blank=True, default="", help_text='next to answer; "": the end is reached'
    )
    position = models.PositiveSmallIntegerField(help_text="of that question in the version, from 0: only ever grows")
    started_at = models.DateTimeField(help_text="when the page was asked for")
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["version", "started_at"], name="forms_progress_by_version")]

    def __str__(self):
        return self.visit

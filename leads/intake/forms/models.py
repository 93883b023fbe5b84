"""Forms, their versions, what visitors sent and how far they came; a published version never changes."""

import datetime as dt

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import MD5

from leads.intake.forms.document import read
from leads.models import Handoff
from portal.shared.triggers import append_only, frozen_once_proposed, no_truncate, refuse

HOUR = dt.timedelta(hours=1)
CONTENTS, MOST_CONTENTS = {}, 200  # published contents by fingerprint: what is asked with each page of a form
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
SLUG_STAYS = f"""
    IF NEW.slug IS DISTINCT FROM OLD.slug THEN {refuse("the address of a form does not change")} END IF;
    RETURN NEW;
"""


def person(**options):
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, **options
    )


def never_deleted(what):
    return pgtrigger.Trigger(
        name="never_deleted",
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func=refuse(f"{what} are never deleted"),
    )


class FormQuerySet(models.QuerySet):
    def live(self):
        """Those that visitors can fill: published, and not retired."""
        published = FormVersion.objects.filter(form=OuterRef("pk"), published_at__isnull=False)
        return self.filter(Exists(published), retired_at=None)


class Form(models.Model):
    """A form under its address, with the settings that are no part of a version."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True, help_text="its address: /f/<slug>/; never changes")
    embed_hosts = ArrayField(
        models.CharField(max_length=253),
        default=list,
        blank=True,
        help_text="whose pages may show it: www.tarnwick.com",
    )
    redirect_hosts = ArrayField(
        models.CharField(max_length=253), default=list, blank=True, help_text="where a thank-you may send people"
    )
    minimum_seconds = models.PositiveSmallIntegerField(default=3, help_text="who is faster is suspected")
    most_per_address = models.PositiveSmallIntegerField(default=20, help_text="submissions in ten minutes")
    most_per_mailbox = models.PositiveSmallIntegerField(default=5, help_text="submissions in an hour")
    created_at = models.DateTimeField()
    created_by = person(null=True)
    updated_at = models.DateTimeField()
    updated_by = person(null=True)
    retired_at = models.DateTimeField(null=True)
    retired_by = person(null=True)

    objects = FormQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name="") & ~Q(slug=""), name="forms_form_has_name"),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None) | Q(retired_at__isnull=False, retired_by__isnull=False),
                name="forms_form_retired_pair",
            ),
        ]
        triggers = [
            never_deleted("forms"),
            no_truncate("forms"),
            pgtrigger.Trigger(
                name="keeps_its_address", when=pgtrigger.Before, operation=pgtrigger.Update, func=SLUG_STAYS
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def is_retired(self):
        return self.retired_at is not None


class VersionQuerySet(models.QuerySet):
    def published(self):
        return self.filter(published_at__isnull=False)

    def draft(self):
        """The one that is being written, or None; ask it of one form's versions."""
        return self.filter(published_at=None).first()

    def current(self):
        """The one that visitors are given, or None; ask it of one form's versions."""
        return self.published().order_by("-number").first()


class FormVersion(models.Model):
    """One numbered version of a form: its whole content in one document (forms.document), frozen once published."""

    form = models.ForeignKey(Form, on_delete=models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    content = models.JSONField()
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the content's canonical JSON")
    created_at = models.DateTimeField()
    created_by = person(null=True)
    saved_at = models.DateTimeField()
    saved_by = person(null=True)
    published_at = models.DateTimeField(null=True)
    published_by = person(null=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["form", "number"]
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="forms_version_number_once"),
            models.UniqueConstraint(fields=["form"], condition=Q(published_at=None), name="forms_version_one_draft"),
            models.CheckConstraint(
                condition=Q(published_at=None, published_by=None)
                | Q(published_at__isnull=False, published_by__isnull=False),
                name="forms_version_published_pair",
            ),
            models.CheckConstraint(condition=Q(number__gt=0), name="forms_version_number_from_one"),
        ]
        triggers = frozen_once_proposed("form version", word="published")

    def __str__(self):
        return f"{self.form} v{self.number}"

    @property
    def is_published(self):
        return self.published_at is not None

    def as_content(self):
        """The forms.content.Content of this version; a published one is read once in a process."""
        if not self.is_published:
            return read(self.content)
        if self.fingerprint not in CONTENTS:
            if len(CONTENTS) >= MOST_CONTENTS:
                CONTENTS.clear()
            CONTENTS[self.fingerprint] = read(self.content)
        return CONTENTS[self.fingerprint]


class ConsentText(models.Model):
    """What people consent to, word for word, under a number of its own; the same words are the same number."""

    number = models.PositiveIntegerField(unique=True)
    text = models.CharField(max_length=600)
    created_at = models.DateTimeField()
    created_by = person(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(MD5("text"), name="forms_consenttext_once"),
            models.CheckConstraint(condition=~Q(text=""), name="forms_consenttext_has_text"),
        ]
        triggers = append_only("consent texts")

    def __str__(self):
        return f"Consent text {self.number}"


class SubmissionQuerySet(models.QuerySet):
    def suspected(self):
        """Marked by a rule, and freed by nobody."""
        return self.exclude(suspected_by="").filter(freed_at=None)

    def counted(self):
        """Those that became part of a lead: not suspected, or freed."""
        return self.filter(lead__isnull=False)

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

    def thanks(self):
        """The forms.content.Thanks that its visitor reads; a suspected one reads what everybody does."""
        return self.version.as_content().thanks_for(self.outcome, self.tier or None)

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

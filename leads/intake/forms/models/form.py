"""Forms, their versions and the words of consents; a published version never changes."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import MD5

from leads.intake.forms.document import read
from leads.intake.forms.models.shared import never_deleted, person
from portal.shared.triggers import append_only, frozen_once_proposed, no_truncate, refuse

CONTENTS, MOST_CONTENTS = {}, 200  # published contents by fingerprint: what is asked with each page of a form
SLUG_STAYS = f"""
    IF NEW.slug IS DISTINCT FROM OLD.slug THEN {refuse("the address of a form does not change")} END IF;
    RETURN NEW;
"""


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

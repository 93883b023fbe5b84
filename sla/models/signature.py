"""What people did with a proposed version: signed, withdrew, returned or commented on it; rows that only grow."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from portal.shared.triggers import append_only, no_truncate, refuse
from sla.models.chain import counts_the_signature, counts_the_withdrawal
from sla.models.party import Party

# Signing and withdrawing wait for each other at the version's row, so that never both happen.
WAIT = "PERFORM 1 FROM sla_slaversion v WHERE v.id = NEW.version_id FOR NO KEY UPDATE;"
SIGNED_BY_BOTH = "(SELECT count(DISTINCT s.party) FROM sla_signature s WHERE s.version_id = {0}.id) = 2"


class Signature(models.Model):
    """One party's signing of a version's fingerprint: (version, fingerprint) is a foreign key, see the migration.

    `name` and `role` are the person's as they were; what came with a later release is NULL in older signatures.
    """

    version = models.ForeignKey("sla.SLAVersion", on_delete=models.PROTECT, related_name="signatures")
    fingerprint = models.CharField(max_length=64)
    party = models.CharField(max_length=9, choices=Party)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, help_text="the role as it was")
    signed_at = models.DateTimeField()
    deputy_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", help_text="the signatory"
    )
    typed_name = models.CharField(max_length=200, null=True, help_text="as the person typed it")  # noqa: DJ001
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, null=True)  # noqa: DJ001
    digest = models.CharField(max_length=64, help_text="SHA-256 over all of the above, see sla.chain")

    class Meta:
        ordering = ["version", "signed_at"]
        constraints = [
            models.UniqueConstraint(fields=["version", "party"], name="sla_signature_one_a_party"),
            models.UniqueConstraint(fields=["version", "signed_by"], name="sla_signature_never_for_both"),
            models.CheckConstraint(condition=Q(party__in=list(Party.values)), name="sla_signature_party_known"),
            models.CheckConstraint(
                condition=Q(deputy_for=None) | ~Q(deputy_for=F("signed_by")), name="sla_signature_deputy_is_another"
            ),
        ]
        triggers = [
            *append_only("signatures"),
            pgtrigger.Trigger(
                name="only_while_it_waits",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    {WAIT}
                    IF EXISTS (SELECT 1 FROM sla_withdrawal w WHERE w.version_id = NEW.version_id) THEN
                        {refuse("a withdrawn or returned version is never signed")}
                    END IF;
                    RETURN NEW;
                """,
            ),
            counts_the_signature(
                also=f"""
                    IF EXISTS (
                        SELECT 1 FROM sla_slaversion v JOIN sla_slaversion mine ON mine.id = NEW.version_id
                         WHERE v.id <> mine.id AND {SIGNED_BY_BOTH.format("v")}
                           AND (v.number > mine.number OR v.effective_from >= mine.effective_from)
                    ) THEN
                        {refuse("what both sides signed is followed by versions that come later and begin later")}
                    END IF;
                """
            ),
        ]

    def __str__(self):
        return f"{self.name} for {self.get_party_display()}"


class Withdrawal(models.Model):
    """The end of a proposal that both sides have not signed: taken back by its side, or returned with a comment.

    The version stays in the chain, and the next proposal follows it; it can never be signed again.
    """

    class Kind(models.TextChoices):
        WITHDRAWN = "withdrawn", "Withdrawn"
        RETURNED = "returned", "Returned"

    version = models.OneToOneField("sla.SLAVersion", on_delete=models.PROTECT, related_name="withdrawal")
    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=9, choices=Kind)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField()
    comment = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64, help_text="SHA-256 over all of the above, see sla.chain")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="withdrawn") | (Q(kind="returned") & ~Q(comment="")),
                name="sla_withdrawal_returned_says_why",
            ),
        ]
        triggers = [
            *append_only("withdrawals"),
            pgtrigger.Trigger(
                name="only_while_it_waits",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    {WAIT}
                    IF EXISTS (SELECT 1 FROM sla_slaversion v WHERE v.id = NEW.version_id AND {
                    SIGNED_BY_BOTH.format("v")
                }) THEN
                        {refuse("what both sides signed is replaced, never withdrawn")}
                    END IF;
                    RETURN NEW;
                """,
            ),
            counts_the_withdrawal(),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} by {self.name}"


class Comment(models.Model):
    """A remark on one section of a version before it is signed by both; never changed, never removed."""

    version = models.ForeignKey("sla.SLAVersion", on_delete=models.CASCADE, related_name="comments")
    section = models.SlugField(max_length=20)
    text = models.TextField()
    commented_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    commented_at = models.DateTimeField()

    class Meta:
        ordering = ["commented_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="sla_comment_says_something")]
        triggers = [
            pgtrigger.Trigger(
                name="only_added",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP = 'UPDATE' OR EXISTS (
                        SELECT 1 FROM sla_slaversion v WHERE v.id = OLD.version_id AND v.proposed_at IS NOT NULL
                    ) THEN
                        {refuse("comments do not change, and go only with a draft that is discarded")}
                    END IF;
                    RETURN OLD;
                """,
            ),
            no_truncate("comments"),
        ]

    def __str__(self):
        return self.text


class DeputyQuerySet(models.QuerySet):
    def standing(self, *, at):
        """The last appointment of each signatory and party by `at` that names somebody and has not expired."""
        later = self.model.objects.filter(
            party=OuterRef("party"), appointed_by=OuterRef("appointed_by"), appointed_at__lte=at, pk__gt=OuterRef("pk")
        )
        return self.filter(
            ~Exists(later), appointed_at__lte=at, deputy__isnull=False, begins_at__lte=at, ends_at__gt=at
        )


class Deputy(models.Model):
    """A signatory's appointment of somebody who signs in their place from `begins_at` to `ends_at` (half-open).

    The last appointment counts; one that names nobody takes the last one back.
    """

    party = models.CharField(max_length=9, choices=Party)
    deputy = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    appointed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    appointed_at = models.DateTimeField()
    begins_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    objects = DeputyQuerySet.as_manager()

    class Meta:
        ordering = ["appointed_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(party__in=list(Party.values)), name="sla_deputy_party_known"),
            models.CheckConstraint(
                condition=Q(deputy=None, begins_at=None, ends_at=None)
                | (
                    Q(deputy__isnull=False, begins_at__isnull=False, ends_at__isnull=False, ends_at__gt=F("begins_at"))
                    & ~Q(deputy=F("appointed_by"))
                ),
                name="sla_deputy_is_dated_and_another",
            ),
        ]
        triggers = append_only("deputies")

    def __str__(self):
        return f"{self.deputy or 'Nobody'} for {self.get_party_display()}"

"""Keys of programs and of websites, who made and revoked them, and the answers kept for requests that come twice."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from portal.keys.scopes import SCOPES
from portal.shared.triggers import append_only, no_truncate, refuse

USER = settings.AUTH_USER_MODEL
OTHER_TERMS = """(
    (OLD.prefix, OLD.digest, OLD.name, OLD.scopes, OLD.person_id, OLD.created_at, OLD.created_by_id, OLD.expires_at)
    IS DISTINCT FROM
    (NEW.prefix, NEW.digest, NEW.name, NEW.scopes, NEW.person_id, NEW.created_at, NEW.created_by_id, NEW.expires_at)
    OR OLD.revoked_at IS NOT NULL AND (OLD.revoked_at, OLD.revoked_by_id)
        IS DISTINCT FROM (NEW.revoked_at, NEW.revoked_by_id)
)"""


def never_deleted(what):
    return pgtrigger.Trigger(
        name="never_deleted",
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func=refuse(f"{what} are revoked, never deleted"),
    )


def revoked_by_someone(name):
    return models.CheckConstraint(
        condition=Q(revoked_at=None, revoked_by=None) | Q(revoked_at__isnull=False, revoked_by__isnull=False),
        name=name,
    )


class ApiKey(models.Model):
    """A secret with which a program acts as one person. It changes only by being used and, once, by being revoked."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=11, unique=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the secret, in hexadecimal")
    scopes = ArrayField(models.CharField(max_length=20))
    person = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+", help_text="whom it acts as")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+", db_index=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="keys_apikey_keeps_a_digest"),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=list(SCOPES), scopes__len__gte=1), name="keys_apikey_scopes_known"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="keys_apikey_expires_later"),
            models.CheckConstraint(condition=~Q(name=""), name="keys_apikey_has_name"),
            revoked_by_someone("keys_apikey_revoked_by_someone"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keeps_its_terms",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(OTHER_TERMS),
                func=refuse("a key keeps its secret, its scopes and its person, and stays revoked"),
            ),
            never_deleted("keys"),
            no_truncate("keys"),
        ]

    def __str__(self):
        return f"{self.name} ({self.prefix})"

    def state(self, at):
        """ "revoked", "expired" or "live" at an instant."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at <= at else "live"


class Website(models.Model):
    """A website whose pages may tell of visits: its key is public, its origins are the ones that may send."""

    name = models.CharField(max_length=80)
    key = models.CharField(max_length=29, unique=True)
    origins = ArrayField(models.CharField(max_length=200))
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+", db_index=False)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(origins__len__gte=1), name="keys_website_has_origins"),
            models.CheckConstraint(condition=~Q(name=""), name="keys_website_has_name"),
            revoked_by_someone("keys_website_revoked_by_someone"),
        ]
        triggers = [never_deleted("websites"), no_truncate("websites")]

    def __str__(self):
        return self.name


class KeyAct(models.Model):
    """That somebody made or revoked a key, or a website's; never changed."""

    class Act(models.TextChoices):
        MADE = "made", "Made"
        REVOKED = "revoked", "Revoked"

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, related_name="acts")
    website = models.ForeignKey(Website, on_delete=models.PROTECT, null=True, related_name="acts")
    act = models.CharField(max_length=7, choices=Act)
    acted_at = models.DateTimeField()
    acted_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["-acted_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(key=None, website__isnull=False) | Q(key__isnull=False, website=None),
                name="keys_act_on_one_key",
            ),
            models.CheckConstraint(condition=Q(act__in=["made", "revoked"]), name="keys_act_known"),
        ]
        triggers = append_only("acts on keys")

    def __str__(self):
        return f"{self.get_act_display()}: {self.key or self.website}"


class KeptAnswer(models.Model):
    """The answer to a request with an Idempotency-Key, written with the work: the same request gets it again."""

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=200, help_text="the Idempotency-Key")
    request = models.CharField(max_length=64, help_text="SHA-256 of method, address, person and body")
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "name"], name="keys_answer_once")]
        indexes = [models.Index(fields=["kept_at"], name="keys_answer_old")]

    def __str__(self):
        return self.name

"""Outgoing webhooks: endpoints, one delivery for each fact that an endpoint hears of, and every attempt at it."""

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q

from leads.connectors.outgoing.topics import TOPICS
from portal.shared.triggers import refuse

USER = settings.AUTH_USER_MODEL


class EndpointQuerySet(models.QuerySet):
    def kept(self):
        return self.filter(retired_at=None)

    def working(self, *, at):
        """Those that may be sent to now: neither retired nor disabled, and not left alone for a while."""
        return self.kept().filter(Q(paused_until=None) | Q(paused_until__lte=at), disabled_at=None)

    def with_something_due(self, *, at):
        """Working ones for which something is due, and which no worker is serving."""
        due = Delivery.objects.due(at=at).filter(endpoint=OuterRef("pk")).order_by()
        return self.working(at=at).filter(Q(claimed_until=None) | Q(claimed_until__lt=at)).filter(Exists(due))


class Endpoint(models.Model):
    """A receiver of webhooks: its address, the topics it hears, the secrets that sign, and how it has been doing."""

    name = models.CharField(max_length=80)
    address = models.CharField(max_length=1000, help_text="treated as a secret: whoever knows it can post there")
    topics = ArrayField(models.CharField(max_length=30))
    secret = models.TextField(help_text="sealed: see portal.shared.sealed")
    previous_secret = models.TextField(blank=True, default="", help_text="sealed; signs too until previous_until")
    previous_until = models.DateTimeField(null=True)

    failing_since = models.DateTimeField(null=True, help_text="the first failure since the last success")
    paused_until = models.DateTimeField(null=True, help_text="it did not answer: nothing is sent before then")
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    claimed_until = models.DateTimeField(null=True, help_text="a worker serves it; a killed one's claim lapses")

    created_at = models.DateTimeField()
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+", db_index=False)
    disabled_at = models.DateTimeField(null=True)
    disabled_by = models.ForeignKey(
        USER, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, help_text="none: the portal did"
    )
    disabled_why = models.CharField(max_length=200, blank=True, default="")
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(retired_at=None), name="connectors_endpoint_name_once"
            ),
            models.CheckConstraint(
                condition=Q(topics__contained_by=list(TOPICS)), name="connectors_endpoint_topics_known"
            ),
            models.CheckConstraint(
                condition=Q(previous_secret="", previous_until=None)
                | ~Q(previous_secret="") & Q(previous_until__isnull=False),
                name="connectors_endpoint_previous_secret_ends",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_by=None, disabled_why="")
                | Q(disabled_at__isnull=False) & ~Q(disabled_why=""),
                name="connectors_endpoint_disabled_says_why",
            ),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None) & ~Q(secret="")
                | Q(retired_at__isnull=False, retired_by__isnull=False, secret="", previous_secret="", address=""),
                name="connectors_endpoint_retired_forgets",
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.name

    @property
    def masked(self):
        """Enough of the address to tell two apart, too little to post to: "hooks.example/…XyZ9"."""
        host = self.address.partition("://")[2].partition("/")[0]
        return f"{host}/…{self.address[-4:]}"


class DeliveryQuerySet(models.QuerySet):
    def waiting(self):
        """Neither delivered nor given up."""
        return self.filter(delivered_at=None, given_up_at=None)

    def due(self, *, at):
        """Waiting ones whose next attempt has come, in the order in which they happened."""
        return self.waiting().filter(next_attempt_at__lte=at).order_by("next_attempt_at", "id")

    def given_up(self):
        return self.filter(given_up_at__isnull=False)


class Delivery(models.Model):
    """One fact for one endpoint. A trigger on the outbox makes the row in the transaction of the fact.

    The id and, once it was written, the body stay the same whatever the number of attempts.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    number = models.UUIDField(unique=True, default=uuid.uuid4, editable=False, help_text="see webhook_id")
    topic = models.CharField(max_length=30)
    key = models.CharField(max_length=120, help_text="of the outbox's message")
    fact = models.JSONField(default=dict, help_text="what the outbox's message says: ids")
    body = models.TextField(blank=True, default="", help_text="written at the first attempt")
    happened_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts_made = models.PositiveSmallIntegerField(default=0)
    first_attempt_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at", "id"],
                condition=Q(delivered_at=None, given_up_at=None),
                name="connectors_delivery_due",
            ),
            models.Index(fields=["endpoint", "-id"], name="connectors_delivery_log"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "key"], name="connectors_delivery_once"),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(given_up_at=None), name="connectors_delivery_delivered_or_given_up"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="same_id_and_body",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.number, OLD.endpoint_id, OLD.topic, OLD.key, OLD.happened_at) IS DISTINCT FROM"
                    " (NEW.number, NEW.endpoint_id, NEW.topic, NEW.key, NEW.happened_at)"
                    " OR (OLD.body <> '' AND NEW.body <> '' AND NEW.body <> OLD.body))"
                ),
                func=refuse("a webhook keeps its id, its topic and its body over all attempts"),
            )
        ]

    def __str__(self):
        return f"{self.topic} {self.webhook_id}"

    @property
    def webhook_id(self):
        """The header that receivers tell repeats apart by."""
        return f"msg_{self.number.hex}"


class Attempt(models.Model):
    """One attempt at a delivery: what the receiver answered, or what went wrong before it could."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    made_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text="none: no answer")
    answer = models.TextField(blank=True, default="", help_text="its beginning")
    problem = models.CharField(max_length=300, blank=True, default="")
    took_ms = models.PositiveIntegerField()

    class Meta:
        ordering = ["made_at", "id"]

    def __str__(self):
        return str(self.status or self.problem)

"""Messages written in the transaction of the fact that they tell, and delivered by the worker afterwards."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class MessageQuerySet(models.QuerySet):
    def due(self, *, at):
        """Undelivered messages whose next attempt has come, oldest first."""
        return self.filter(delivered_at=None, dead_at=None, next_attempt_at__lte=at).order_by("next_attempt_at", "id")


class Message(models.Model):
    """One message. `key` makes it idempotent: the same fact is told once, however often the verb runs."""

    topic = models.CharField(max_length=60)
    key = models.CharField(max_length=120, unique=True)
    payload = models.JSONField(default=dict)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    delivered_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            # the worker's question, small at any table size
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=Q(delivered_at=None, dead_at=None),
                name="outbox_message_due",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(dead_at=None), name="outbox_message_delivered_or_dead"
            ),
        ]

    def __str__(self):
        return f"{self.topic} {self.key}"

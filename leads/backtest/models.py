"""What is too large for a page: a job of the worker, its progress and its result; the backtest's among them."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class WorkerJob(models.Model):
    """Something that the worker counts in steps, so that it tells how far it is and can be stopped."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting for the worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    cancel_asked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    done = models.BigIntegerField(default=0, help_text="of `total`, how far it is")
    total = models.BigIntegerField(default=0)
    leads = models.PositiveIntegerField(default=0)
    result = models.JSONField(null=True)

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "failed", "cancelled"]),
                name="%(app_label)s_job_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running"]) | Q(finished_at__isnull=False),
                name="%(app_label)s_job_finished_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | Q(result__isnull=False), name="%(app_label)s_job_done_has_result"
            ),
        ]

    @property
    def is_under_way(self):
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def is_done(self):
        return self.status == self.Status.DONE


class BacktestJob(WorkerJob):
    """One comparison of a definition with another over the leads of 90 days. `content` names what was compared."""

    definition = models.ForeignKey("sla.MQLDefinition", on_delete=models.CASCADE, related_name="+")
    against = models.ForeignKey("sla.MQLDefinition", on_delete=models.CASCADE, related_name="+")
    content = models.CharField(max_length=64, help_text="SHA-256 over both definitions as they were")

    class Meta(WorkerJob.Meta):
        indexes = [models.Index(fields=["content", "-created_at"], name="backtest_job_newest")]

    def __str__(self):
        return f"Backtest of {self.definition_id} against {self.against_id}"

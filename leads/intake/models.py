"""Imports of lead files: the job that the page follows, and mappings saved under a name."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5


class SavedMapping(models.Model):
    """A mapping document under a name, offered to every later file."""

    name = models.CharField(max_length=80, unique=True)
    document = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="intake_mapping_has_name")]

    def __str__(self):
        return self.name


class ImportQuerySet(models.QuerySet):
    def under_way(self):
        return self.filter(status__in=[ImportJob.Status.QUEUED, ImportJob.Status.RUNNING])


class ImportJob(models.Model):
    """One uploaded file on its way from upload to result. Progress is written beside the import's transaction."""

    class Status(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        QUEUED = "queued", "Waiting for the worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    file_name = models.CharField(max_length=200)
    stored_as = models.CharField(max_length=80, unique=True, help_text="its name in the folder of uploads")
    size = models.PositiveBigIntegerField(help_text="bytes")
    mapping = models.JSONField(default=dict)
    profile = models.JSONField(default=dict, help_text="what the file holds, read once; see imports/profile.py")
    is_historical = models.BooleanField(default=False)
    status = models.CharField(max_length=9, choices=Status, default=Status.UPLOADED)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)

    bytes_done = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=80, blank=True, default="", help_text="what is being done now, in words")
    failure = models.TextField(blank=True, default="")
    notes = models.JSONField(default=list, help_text="what the importer wants to be known, one sentence each")
    first_errors = models.JSONField(default=list)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["uploaded", "queued", "running", "done", "failed", "cancelled"]),
                name="intake_import_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["done", "failed", "cancelled"]) | Q(finished_at__isnull=False),
                name="intake_import_finished_has_time",
            ),
        ]

    def __str__(self):
        return self.file_name

    @property
    def is_under_way(self):
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def is_over(self):
        return self.status in (self.Status.DONE, self.Status.FAILED, self.Status.CANCELLED)

    @property
    def path(self):
        return settings.DATA_DIR / "uploads" / self.stored_as

    @property
    def beginning_path(self):
        return settings.DATA_DIR / "uploads" / f"{self.stored_as}.beginning.csv"

    @property
    def errors_path(self):
        return settings.DATA_DIR / "uploads" / f"{self.stored_as}.errors.csv"


class OutcomeColumn(models.Model):
    """A column that some import read an outcome from, by its heading and by each attribute filled from it.

    It was written when the outcome was known, so calibration refuses it whoever declares it.
    """

    attribute = models.TextField()
    field = models.CharField(max_length=20, help_text="what was read from it, as imports name it")
    file_name = models.CharField(max_length=200, help_text="of the first file that did")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            # the hash: a heading may be longer than an index takes
            models.UniqueConstraint(MD5("attribute"), "field", name="intake_outcome_column_once"),
            models.CheckConstraint(condition=~Q(attribute=""), name="intake_outcome_column_has_name"),
        ]

    def __str__(self):
        return self.attribute

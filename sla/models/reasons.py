"""The reason catalogue: stable codes with a label, a written meaning, a category and what happens next."""

from django.db import models
from django.db.models import Q

from portal.shared.triggers import frozen_with_parent


class Category(models.TextChoices):
    """The seed's four kinds of rejection; lists always read in this order."""

    FIT = "fit", "Bad fit"
    TIMING = "timing", "Bad timing"
    DATA = "data", "Bad data"
    SCORING = "scoring", "Bad scoring"


class ReasonQuerySet(models.QuerySet):
    def offered(self):
        """Codes a rep may choose: retired ones stay readable but are not offered."""
        return self.filter(retired=False)


class ReasonCode(models.Model):
    """One reason of one version's catalogue. The code is stable across versions; wording may change with a version."""

    class Detail(models.TextChoices):
        NONE = "", "Nothing"
        ATTRIBUTE = "attribute", "Which attribute does not fit"
        RECYCLE_ON = "recycle_on", "When to come back"
        FIELD = "field", "Which field is wrong"
        SIGNAL = "signal", "Which signal misled the score"
        DUPLICATE_OF = "duplicate_of", "Which record it duplicates"

    class NextStep(models.TextChoices):
        NURTURE = "nurture", "Back to nurture"
        RECYCLE = "recycle", "Comes back on a date"
        FIX_DATA = "fix_data", "Marketing corrects the data"
        DISQUALIFY = "disqualify", "Not contacted again"

    version = models.ForeignKey("sla.SLAVersion", on_delete=models.CASCADE, related_name="reasons")
    code = models.CharField(max_length=2)
    category = models.CharField(max_length=8, choices=Category)
    label = models.CharField(max_length=80)
    meaning = models.TextField()
    is_general = models.BooleanField(default=False, help_text="The category's own code, used where only it is known")
    detail = models.CharField(max_length=12, choices=Detail, default="", blank=True)
    detail_default = models.CharField(max_length=40, default="", blank=True)
    detail_required = models.BooleanField(default=False)
    note_required = models.BooleanField(default=False)
    unreachable = models.BooleanField(default=False, help_text="Refused until the agreed attempts are logged")
    next_step = models.CharField(max_length=10, choices=NextStep, default=NextStep.NURTURE)
    recycle_days = models.PositiveSmallIntegerField(null=True, blank=True)
    retired = models.BooleanField(default=False)
    # The migration has a foreign key on (version, merged_into): a code is merged into one that is there.
    merged_into = models.CharField(max_length=2, null=True, blank=True)  # noqa: DJ001

    objects = ReasonQuerySet.as_manager()

    class Meta:
        ordering = ["version", "code"]
        constraints = [
            models.UniqueConstraint(fields=["version", "code"], name="sla_reason_code_once"),
            models.UniqueConstraint(
                fields=["version", "category"], condition=Q(is_general=True), name="sla_reason_one_general"
            ),
            models.CheckConstraint(condition=Q(category__in=list(Category.values)), name="sla_reason_category_known"),
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9]{2}$"), name="sla_reason_code_two_digits"),
            models.CheckConstraint(
                condition=Q(detail_required=False) | ~Q(detail=""), name="sla_reason_required_detail_is_named"
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | (Q(retired=True) & ~Q(merged_into=models.F("code"))),
                name="sla_reason_merged_is_retired",
            ),
        ]
        triggers = frozen_with_parent("reasons", table="sla_slaversion", column="version_id")

    def __str__(self):
        return f"{self.code} {self.label}"

    @property
    def asks(self):
        """True when choosing this reason is not enough: a detail or a note must be given too."""
        return self.detail_required or self.note_required

"""Samples of a month's rejections, and what a second person coded; rows that are only added."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from portal.shared.triggers import append_only, refuse


class Sample(models.Model):
    """Rejections of one month that were drawn by chance, for a second person to code without seeing the first code."""

    month = models.DateField(help_text="its first day")
    number = models.PositiveSmallIntegerField()
    seed = models.CharField(max_length=32, help_text="with it anybody draws the same again: see audit.sampling")
    size = models.PositiveSmallIntegerField()
    population = models.PositiveIntegerField(help_text="the rejections it was drawn from")
    drawn_at = models.DateTimeField()
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["month", "number"]
        constraints = [
            models.UniqueConstraint(fields=["month", "number"], name="audit_sample_number_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="audit_sample_month_is_its_first_day"),
            models.CheckConstraint(condition=Q(size__gte=1) & Q(population__gte=models.F("size")),
                                   name="audit_sample_of_something"),
            models.CheckConstraint(condition=~Q(seed=""), name="audit_sample_shows_its_seed"),
        ]  # fmt: skip
        triggers = append_only("samples")

    def __str__(self):
        return f"Sample {self.number} of {self.month:%Y-%m}"


class SampleItem(models.Model):
    """One rejection of a sample; it is drawn once, whatever the sample."""

    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField()
    decision = models.OneToOneField("leads.Decision", on_delete=models.PROTECT, related_name="sampled")

    class Meta:
        ordering = ["sample", "position"]
        constraints = [models.UniqueConstraint(fields=["sample", "position"], name="audit_sampleitem_place_once")]
        triggers = [
            *append_only("sampled rejections"),
            pgtrigger.Trigger(
                name="is_a_rejection",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT 1 FROM leads_decision d, audit_sample s WHERE d.id = NEW.decision_id
                        AND d.outcome = 'rejected' AND s.id = NEW.sample_id AND NEW.position BETWEEN 1 AND s.size
                    ) THEN
                        {refuse("a sample holds as many rejections as it says")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return f"{self.sample_id}.{self.position}"


class Coding(models.Model):
    """The reason that a second person gave a sampled rejection, once, without seeing the first one."""

    item = models.OneToOneField(SampleItem, on_delete=models.PROTECT, related_name="coding")
    reason = models.ForeignKey("sla.ReasonCode", on_delete=models.PROTECT, related_name="+")
    coded_at = models.DateTimeField()
    coded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["coded_at", "id"]
        triggers = [
            *append_only("codings"),
            pgtrigger.Trigger(
                name="by_a_second_person",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT 1 FROM audit_sampleitem i JOIN leads_decision d ON d.id = i.decision_id
                        JOIN leads_handoff h ON h.id = d.handoff_id JOIN sla_reasoncode r ON r.id = NEW.reason_id
                        WHERE i.id = NEW.item_id AND r.version_id = h.sla_version_id
                        AND COALESCE(d.decided_by_id, h.owner_id) IS DISTINCT FROM NEW.coded_by_id
                    ) THEN
                        {refuse("a second person codes with the reasons of the lead's own agreement")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return str(self.reason)

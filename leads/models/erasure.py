"""The erasure: that a person was forgotten, when, by whom and why; and the only key to columns that never change.

A trigger notes the transaction in which the row was written. In that transaction, and in no other, the triggers of
facts let their personal columns be blanked, for the rows of that one lead. See ADR 13.
"""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from portal.shared.triggers import Erasable, append_only, refuse

ERASED = "[erased]"  # where a text must not be empty
OF_HANDOFF = "(SELECT h.lead_id FROM leads_handoff h WHERE h.id = OLD.handoff_id)"


def proof(lead):
    """The SQL that says whether this transaction erases the lead; lead: the SQL of its id."""
    return (
        f"EXISTS (SELECT 1 FROM leads_erasure e WHERE e.lead_id = {lead}"
        " AND e.in_transaction = pg_current_xact_id()::text::bigint)"
    )


def erasable(blanks, lead="OLD.lead_id"):
    """What an erasure may blank in a table of facts; lead: the SQL of whose row OLD is."""
    return Erasable(blanks, proof(lead))


class Erasure(models.Model):
    """One person was forgotten. Without a lead: only what was left of somebody who is no lead."""

    class Why(models.TextChoices):
        ASKED = "asked", "Asked to be forgotten"
        RETENTION = "retention", "Kept long enough"

    lead = models.OneToOneField("leads.Lead", on_delete=models.PROTECT, null=True, related_name="erasure")
    why = models.CharField(max_length=9, choices=Why)
    erased_at = models.DateTimeField()
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False,
        help_text="none: a command, or the retention",
    )  # fmt: skip
    in_transaction = models.BigIntegerField(default=0, editable=False, help_text="written by a trigger")

    class Meta:
        ordering = ["-erased_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(why__in=["asked", "retention"]), name="leads_erasure_why_known")
        ]
        triggers = [
            *append_only("erasures"),
            pgtrigger.Trigger(
                name="notes_its_transaction",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="NEW.in_transaction := pg_current_xact_id()::text::bigint; RETURN NEW;",
            ),
        ]

    def __str__(self):
        return f"Lead {self.lead_id}" if self.lead_id else "Leftovers"


class Retention(models.Model):
    """The one row that says after how many days leads are erased; none: never."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    unsold_days = models.PositiveIntegerField(null=True, help_text="leads that were never handed over")
    rejected_days = models.PositiveIntegerField(null=True, help_text="leads whose handoffs all ended in vain")
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="leads_retention_only_one"),
            models.CheckConstraint(
                condition=(Q(unsold_days=None) | Q(unsold_days__gte=30))
                & (Q(rejected_days=None) | Q(rejected_days__gte=30)),
                name="leads_retention_a_month_at_least",
            ),
        ]

    def __str__(self):
        return f"{self.unsold_days or 'no'} and {self.rejected_days or 'no'} days"


def erased_for_good():
    """The lead's triggers: it is erased only with an Erasure of the same transaction, and stays so for ever."""
    return [
        pgtrigger.Trigger(
            name="erased_with_a_record",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.UpdateOf("erased_at"),
            condition=pgtrigger.Condition("NEW.erased_at IS NOT NULL"),
            func=f"""
                IF NOT {proof("NEW.id")} THEN
                    {refuse("a lead is erased with an erasure of the same transaction")}
                END IF;
                RETURN NEW;
            """,
        ),
        pgtrigger.Trigger(
            name="stays_erased",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition(
                "(OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at)"
            ),
            func=refuse("a lead that was erased stays erased"),
        ),
    ]

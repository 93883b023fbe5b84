"""What a lead's facts were before they changed, so that anybody can read them as they were at a handoff.

A trigger on the lead keeps it, whatever writes. A fact written after sales had spoken to the lead (a disposition, a
mark for quality) is then known to have been absent before.
"""

import pgtrigger
from django.db import models

from leads.models.erasure import erasable
from portal.shared.triggers import append_only

# A change without a time of its own counts from the clock: it must never seem to be older than it is.
KEEPS_WHAT_WAS = """
    INSERT INTO leads_factchange (lead_id, changed_at, was)
    SELECT NEW.id, CASE WHEN NEW.updated_at > OLD.updated_at THEN NEW.updated_at ELSE clock_timestamp() END,
        jsonb_object_agg(fact.name, fact.was)
    FROM (
        SELECT o.key AS name, o.value AS was FROM jsonb_each(to_jsonb(OLD)) o
        WHERE o.key IN ({names}) AND o.value IS DISTINCT FROM to_jsonb(NEW) -> o.key
        UNION ALL
        SELECT 'attributes.' || k.key, coalesce(OLD.attributes -> k.key, 'null')
        FROM (SELECT jsonb_object_keys(OLD.attributes) AS key UNION SELECT jsonb_object_keys(NEW.attributes)) k
        WHERE OLD.attributes -> k.key IS DISTINCT FROM NEW.attributes -> k.key
    ) fact;
    RETURN NULL;
"""


class FactChange(models.Model):
    """Facts of a lead that changed together: what each was before, as {"industry": …, "attributes.<name>": …}."""

    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="fact_changes", db_index=False)
    changed_at = models.DateTimeField()
    was = models.JSONField(null=True, help_text="null: nobody knows from what: too long ago, or erased")

    class Meta:
        indexes = [models.Index(fields=["lead", "changed_at"], name="leads_factchange_by_lead")]
        triggers = append_only("changes of facts", erasable({"was": None}))

    def __str__(self):
        return ", ".join(self.was or {}) or "Something"


def keeps_what_was(facts):
    """The lead's trigger: whenever one of the columns `facts` or an attribute changes, what it was is kept."""
    old, new = (", ".join(f"{side}.{name}" for name in (*facts, "attributes")) for side in ("OLD", "NEW"))
    return pgtrigger.Trigger(
        name="keeps_what_was",
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(f"(NEW.erased_at IS NULL AND ({old}) IS DISTINCT FROM ({new}))"),
        func=KEEPS_WHAT_WAS.format(names=", ".join(f"'{name}'" for name in facts)),
    )

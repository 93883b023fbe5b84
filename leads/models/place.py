"""Where every lead is: with sales, in nurture with what it lacks, or out of both; kept beside the leads, one row each.

Triggers keep what follows from handoffs, whoever writes them; evaluations write what is missing to the nearest tier.
A lead without a row was never evaluated nor handed over: it is in nurture, and the worker comes for it. See ADR 9.
"""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from leads.models.erasure import erasable
from portal.shared.triggers import append_only

# The handoff that says where a lead is: the open one, else the latest. Reasons say who is never contacted again.
FOLLOWS_HANDOFFS = """
    PERFORM 1 FROM leads_place p WHERE p.lead_id IN (SELECT lead_id FROM {moved}) ORDER BY p.lead_id FOR UPDATE;
    INSERT INTO leads_place (lead_id, place, since, disqualified_by, handed_over)
    SELECT DISTINCT ON (h.lead_id) h.lead_id,
        CASE WHEN h.status IN ('open', 'accepted') THEN h.status
            WHEN r.next_step = 'disqualify' THEN 'disqualified' ELSE 'ended' END,
        CASE WHEN h.status = 'open' THEN h.qualified_at ELSE COALESCE(h.decided_at, h.qualified_at) END, '', true
    FROM leads_handoff h LEFT JOIN sla_reasoncode r ON r.id = h.reason_id
    WHERE h.lead_id IN (SELECT lead_id FROM {moved})
    ORDER BY h.lead_id, (h.status = 'open') DESC, h.qualified_at DESC
    ON CONFLICT (lead_id) DO UPDATE SET place = EXCLUDED.place, since = EXCLUDED.since, handed_over = true,
        disqualified_by = '', definition_id = NULL, fit = NULL, behaviour = NULL, total = NULL, missing = NULL,
        evaluated_at = NULL;
    RETURN NULL;
"""
FOLLOWS_NEW = FOLLOWS_HANDOFFS.format(moved="arrived")
# A touch or a new owner moves no lead: then nothing is locked.
FOLLOWS_CHANGES = f"""
    IF NOT EXISTS (
        SELECT 1 FROM after a JOIN before b ON b.id = a.id
        WHERE (a.status, a.reason_id, a.decided_at) IS DISTINCT FROM (b.status, b.reason_id, b.decided_at)
    ) THEN
        RETURN NULL;
    END IF;
    {FOLLOWS_HANDOFFS.format(moved="after")}
"""
COUNTS_NEW = """
    INSERT INTO leads_placecount (place, n) SELECT place, count(*) FROM arrived GROUP BY place;
    RETURN NULL;
"""
COUNTS_GONE = """
    INSERT INTO leads_placecount (place, n) SELECT place, -count(*) FROM gone GROUP BY place;
    RETURN NULL;
"""
COUNTS_CHANGES = """
    INSERT INTO leads_placecount (place, n)
    SELECT place, sum(n) FROM (
        SELECT place, 1 AS n FROM after UNION ALL SELECT place, -1 FROM before
    ) moved GROUP BY place HAVING sum(n) <> 0;
    RETURN NULL;
"""
COUNTS_LEADS = """
    INSERT INTO leads_placecount (place, n) SELECT 'all', count(*) FROM arrived HAVING count(*) > 0;
    RETURN NULL;
"""
COUNTS_LEADS_GONE = """
    DELETE FROM leads_place WHERE lead_id IN (SELECT id FROM gone);
    INSERT INTO leads_placecount (place, n) SELECT 'all', -count(*) FROM gone HAVING count(*) > 0;
    RETURN NULL;
"""


def on_statement(name, operation, func, **rows):
    """A trigger on the statement, which sees its rows under the names given."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(**rows),
        func=func,
    )


FOLLOWED_BY_PLACES = [
    on_statement("places_follow_new", pgtrigger.Insert, FOLLOWS_NEW, new="arrived"),
    on_statement("places_follow", pgtrigger.Update, FOLLOWS_CHANGES, old="before", new="after"),
]
COUNTED_AS_LEADS = [
    on_statement("counts_leads", pgtrigger.Insert, COUNTS_LEADS, new="arrived"),
    on_statement("counts_leads_gone", pgtrigger.Delete, COUNTS_LEADS_GONE, old="gone"),
]


class Place(models.Model):
    """Where a lead is, since when, and (in nurture) what its last evaluation under a definition came to."""

    class Where(models.TextChoices):
        OPEN = "open", "With sales"
        ACCEPTED = "accepted", "Accepted"
        ENDED = "ended", "Back from sales"  # cooling off, and then in nurture until it is evaluated again
        NURTURE = "nurture", "In nurture"
        DISQUALIFIED = "disqualified", "Disqualified"
        SUSPECTED = "suspected", "Suspected"
        ERASED = "erased", "Erased"

    lead = models.OneToOneField(
        "leads.Lead", on_delete=models.CASCADE, primary_key=True, related_name="place", db_constraint=False
    )
    place = models.CharField(max_length=12, choices=Where)
    since = models.DateTimeField()
    definition = models.ForeignKey(
        "sla.MQLDefinition", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    fit = models.IntegerField(null=True)
    behaviour = models.IntegerField(null=True)
    total = models.IntegerField(null=True)
    missing = models.IntegerField(null=True, help_text="points to the nearest tier; 0: reached, and not handed over")
    disqualified_by = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="the rule; empty: the reason of a rejection"
    )
    evaluated_at = models.DateTimeField(null=True)
    handed_over = models.BooleanField(default=False, db_default=False, help_text="at least once, however it ended")

    class Meta:
        indexes = [
            # who reaches a tier and was never with sales: a new definition makes some, else there are none
            models.Index(
                fields=["lead"], condition=Q(place="nurture", missing=0, handed_over=False), name="leads_place_reached"
            ),
            models.Index(fields=["missing", "lead"], condition=Q(place="nurture"), name="leads_place_nearest"),
            models.Index(fields=["place", "since", "lead"], name="leads_place_since"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    place__in=["open", "accepted", "ended", "nurture", "disqualified", "suspected", "erased"]
                ),
                name="leads_place_known",
            ),
            models.CheckConstraint(
                condition=Q(place="nurture", missing__isnull=False, missing__gte=0, evaluated_at__isnull=False,
                            disqualified_by="")
                | Q(place="disqualified", missing=None, evaluated_at__isnull=False) & ~Q(disqualified_by="")
                | Q(missing=None, evaluated_at=None, disqualified_by="") & ~Q(place="nurture"),
                name="leads_place_shape",
            ),
            models.CheckConstraint(
                condition=Q(evaluated_at=None, definition=None, fit=None, behaviour=None, total=None)
                | Q(evaluated_at__isnull=False, definition__isnull=False, fit__isnull=False,
                    behaviour__isnull=False, total=models.F("fit") + models.F("behaviour")),
                name="leads_place_evaluated_in_full",
            ),
        ]  # fmt: skip
        triggers = [
            on_statement("counts_new", pgtrigger.Insert, COUNTS_NEW, new="arrived"),
            on_statement("counts_changes", pgtrigger.Update, COUNTS_CHANGES, old="before", new="after"),
            on_statement("counts_gone", pgtrigger.Delete, COUNTS_GONE, old="gone"),
        ]

    def __str__(self):
        return self.get_place_display()


class PlaceCount(models.Model):
    """So many leads more, or fewer, in a place; "all": leads at all. The sum is the count; the worker folds them."""

    place = models.CharField(max_length=12)
    n = models.BigIntegerField()

    def __str__(self):
        return f"{self.n:+} {self.place}"


class PlaceRefresh(models.Model):
    """The one row that says how far nurture was evaluated anew: under which definition, for which day."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    definition = models.ForeignKey("sla.MQLDefinition", on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    after = models.BigIntegerField(default=0, help_text="up to this lead; null: all are done", null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="leads_placerefresh_only_one")]

    def __str__(self):
        return f"{self.definition} on {self.day}"


class RecycleChange(models.Model):
    """Marketing moved, set or took away the day on which a lead in nurture comes back."""

    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="recycle_changes")
    was = models.DateField(null=True)
    recycle_on = models.DateField(null=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    why = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["changed_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(was__isnull=False) | Q(recycle_on__isnull=False), name="leads_recyclechange_says_something"
            )
        ]
        triggers = append_only("changes of a recycle date", erasable({"why": ""}))

    def __str__(self):
        return f"{self.was or 'no day'} → {self.recycle_on or 'no day'}"

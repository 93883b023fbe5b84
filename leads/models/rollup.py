"""The roll-up of the figures: what the handoffs add up to, kept beside them, and what was not added up yet.

Triggers on leads_handoff write a RollupDelta with each fact, in its transaction, whoever writes; the worker folds
deltas into Rollup rows; a figure reads both in one statement. Exploration is in no figure. See leads/rollup.py.
"""

from django.db import models
from django.db.models import Q

COUNTED = "qualified_at, decided_at, withdrawn_at, first_touch_at, status, reason_id, source, campaign, channel"
HELD = f"{COUNTED}, owner_id, tier_id, definition_id"
# what a delta holds, and what handoffs are grouped by
KEPT = "qualified_day, decided_day, status, reason_id, source, campaign, channel, owner_id, tier_id, definition_id"

# A handoff as a delta says it: days are of the zone that the roll-up was built in.
AS_DELTA = """
    (qualified_at AT TIME ZONE zone)::date AS qualified_day, (decided_at AT TIME ZONE zone)::date AS decided_day,
    status, reason_id, source, campaign, channel, owner_id, tier_id, definition_id
"""
RECORDS_NEW = f"""
    INSERT INTO leads_rollupdelta ({KEPT}, n)
    SELECT {AS_DELTA}, count(*) FROM arrived, leads_rollupstate WHERE NOT exploration
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
    RETURN NULL;
"""
# Rows that are as before cancel out; of the others the old is taken away and the new added. A row whose first contact
# alone has moved leaves a delta of 0, which says that its month is no longer as it was.
RECORDS_CHANGES = f"""
    INSERT INTO leads_rollupdelta ({KEPT}, n)
    SELECT {AS_DELTA}, sum(sign) FROM (
        SELECT id, {HELD}, sum(sign) AS sign FROM (
            SELECT id, {HELD}, 1 AS sign FROM after WHERE NOT exploration
            UNION ALL SELECT id, {HELD}, -1 FROM before WHERE NOT exploration
        ) both_sides GROUP BY id, {HELD} HAVING sum(sign) <> 0
    ) moved, leads_rollupstate GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
    RETURN NULL;
"""


class RollupState(models.Model):
    """The one row that says in which zone the roll-up is kept; without it triggers note and figures read nothing."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    zone = models.CharField(max_length=64)
    built_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="leads_rollupstate_only_one")]

    def __str__(self):
        return self.zone


class RollupDelta(models.Model):
    """So many handoffs more, or fewer, that look like this. Deleted as it is folded."""

    qualified_day = models.DateField()
    decided_day = models.DateField(null=True)
    status = models.CharField(max_length=9)
    reason_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=120)
    campaign = models.CharField(max_length=200)
    channel = models.CharField(max_length=120)
    owner_id = models.BigIntegerField(null=True)
    tier_id = models.BigIntegerField(null=True)
    definition_id = models.BigIntegerField()
    n = models.IntegerField()

    def __str__(self):
        return f"{self.n:+} {self.status}"


class Rollup(models.Model):
    """How many handoffs were qualified (or decided) in a month, or on a day, with one value of one dimension.

    Dimension "day" has a row a day, "all" and the figures' dimensions a row a month; reasons are told apart in "day",
    "all" and "source" alone, as only these are cut by reason.
    """

    decided = models.BooleanField(help_text="by the day of the decision; else of the qualification")
    dimension = models.CharField(max_length=10)
    first = models.DateField(help_text="the day, or the first one of the month")
    key = models.CharField(max_length=200, help_text="the value, or the id of what is named; empty where unknown")
    status = models.CharField(max_length=9)
    reason_id = models.BigIntegerField(null=True)
    n = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dimension", "first", "decided", "key", "status", "reason_id"],
                nulls_distinct=False,
                name="leads_rollup_once",
            )
        ]

    def __str__(self):
        return f"{self.n} {self.status}"


class RollupContact(models.Model):
    """The first contact of a month that is over, worked out at an instant; true until a handoff of it changes."""

    first = models.DateField(primary_key=True)
    median = models.DurationField(null=True)
    n = models.BigIntegerField()
    within_5_min = models.BigIntegerField()
    as_of = models.DateTimeField()

    def __str__(self):
        return f"{self.n} of {self.first}"

"""A round: won and lost deals drawn by chance, marked by two sales people as they were at the handoff."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from leads.models.erasure import erasable
from leads.periods import Month, Months
from portal.shared.triggers import append_only, refuse

YES, NO, UNKNOWN = ANSWERS = ("yes", "no", "unknown")

OF_ITEM = (
    "(SELECT h.lead_id FROM calibration_rounditem i JOIN leads_handoff h ON h.id = i.handoff_id"
    " WHERE i.id = OLD.item_id)"
)


def person(**options):
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, **options
    )


class Round(models.Model):
    """What was drawn, with the seed that draws it again, and what is asked of each item."""

    number = models.PositiveIntegerField(unique=True)
    seed = models.CharField(max_length=32, help_text="with it anybody draws the same again: see calibration.drawing")
    won = models.PositiveSmallIntegerField()
    lost = models.PositiveSmallIntegerField()
    population_won = models.PositiveIntegerField(help_text="the won deals it was drawn from")
    population_lost = models.PositiveIntegerField()
    qualified_from = models.DateField(help_text="the first day of the first month it was drawn from")
    qualified_to = models.DateField(help_text="the first day of the last month")
    is_blind = models.BooleanField(help_text="who marks does not see whether it was won")
    shows_score = models.BooleanField(help_text="the points that the handoff was made with are shown")
    questions = models.JSONField(help_text='[{"key", "label", "about": "readiness" or "fit"}] in order')
    drawn_at = models.DateTimeField()
    drawn_by = person()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(condition=~Q(seed=""), name="calibration_round_shows_its_seed"),
            models.CheckConstraint(condition=Q(won__gte=1, lost__gte=1), name="calibration_round_compares"),
            models.CheckConstraint(
                condition=Q(population_won__gte=F("won"), population_lost__gte=F("lost")),
                name="calibration_round_of_something",
            ),
            models.CheckConstraint(
                condition=Q(qualified_to__gte=F("qualified_from")), name="calibration_round_months_in_order"
            ),
        ]
        triggers = append_only("rounds")

    def __str__(self):
        return f"Round {self.number}"

    @property
    def size(self):
        return self.won + self.lost

    @property
    def months(self):
        """The periods.Months it was drawn from."""
        return Months(self.qualified_from, Month(self.qualified_from).until(Month(self.qualified_to)) + 1)


class Annotator(models.Model):
    """One of the two people who mark the round."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="annotators", db_index=False)
    person = person()
    place = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["round", "place"]
        constraints = [
            models.UniqueConstraint(fields=["round", "place"], name="calibration_annotator_place_once"),
            models.UniqueConstraint(fields=["round", "person"], name="calibration_annotator_two_people"),
            models.CheckConstraint(condition=Q(place__in=[1, 2]), name="calibration_annotator_two"),
        ]
        triggers = append_only("annotators")

    def __str__(self):
        return f"{self.person_id} in round {self.round_id}"


class RoundItem(models.Model):
    """One handoff of a round, with what had become of it when it was drawn."""

    WON, LOST = "won", "lost"

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="items", db_index=False)
    position = models.PositiveSmallIntegerField()
    handoff = models.OneToOneField("leads.Handoff", on_delete=models.PROTECT, related_name="annotated")
    outcome = models.CharField(max_length=4, choices=[(WON, "Won"), (LOST, "Lost")])
    loss_reason = models.CharField(max_length=40, blank=True, default="")
    source = models.CharField(max_length=120, blank=True, default="", help_text="its stratum, with the segment")
    segment = models.CharField(max_length=12, blank=True, default="")

    class Meta:
        ordering = ["round", "position"]
        constraints = [
            models.UniqueConstraint(fields=["round", "position"], name="calibration_item_place_once"),
            models.CheckConstraint(condition=Q(outcome__in=["won", "lost"]), name="calibration_item_outcome_known"),
            models.CheckConstraint(
                condition=Q(loss_reason="") | Q(outcome="lost"), name="calibration_item_loss_has_the_reason"
            ),
        ]
        triggers = [
            *append_only("drawn deals"),
            pgtrigger.Trigger(
                name="as_many_as_drawn",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT 1 FROM calibration_round r WHERE r.id = NEW.round_id
                        AND NEW.position BETWEEN 1 AND r.won + r.lost
                    ) THEN
                        {refuse("a round holds as many deals as it says")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return f"{self.round_id}.{self.position}"


# the answers of the round's questions, no more and no fewer, by one of its two people; a correction is their own
BY_AN_ANNOTATOR = f"""
    IF NOT EXISTS (
        SELECT 1 FROM calibration_rounditem i JOIN calibration_annotator a ON a.round_id = i.round_id
        WHERE i.id = NEW.item_id AND a.person_id = NEW.marked_by_id
    ) THEN
        {refuse("only the two people of a round mark its deals")}
    END IF;
    IF jsonb_typeof(NEW.answers) <> 'object' OR EXISTS (
        SELECT 1 FROM jsonb_each_text(NEW.answers) e WHERE e.value NOT IN ('yes', 'no', 'unknown')
    ) OR (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(NEW.answers) k) IS DISTINCT FROM (
        SELECT array_agg(q ->> 'key' ORDER BY q ->> 'key') FROM calibration_rounditem i
        JOIN calibration_round r ON r.id = i.round_id, jsonb_array_elements(r.questions) q WHERE i.id = NEW.item_id
    ) THEN
        {refuse("a mark answers each of the round's questions with yes, no or unknown")}
    END IF;
    IF NEW.supersedes_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM calibration_mark m WHERE m.id = NEW.supersedes_id AND m.item_id = NEW.item_id
        AND m.marked_by_id = NEW.marked_by_id
    ) THEN
        {refuse("a correction supersedes one's own mark of the same deal")}
    END IF;
    RETURN NEW;
"""


class Mark(models.Model):
    """What one person saw in one deal. A correction is a new mark that supersedes; both stay."""

    item = models.ForeignKey(RoundItem, on_delete=models.PROTECT, related_name="marks")
    answers = models.JSONField(help_text='{question: "yes", "no" or "unknown"}')
    signals = ArrayField(models.CharField(max_length=80), default=list, help_text="of those shown, what mattered")
    tags = ArrayField(models.CharField(max_length=60), default=list, help_text="what mattered, in their own words")
    marked_at = models.DateTimeField()
    marked_by = person()
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")

    class Meta:
        ordering = ["marked_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "marked_by"], condition=Q(supersedes=None), name="calibration_mark_one_standing"
            ),
            models.CheckConstraint(condition=~Q(supersedes=F("id")), name="calibration_mark_supersedes_another"),
        ]
        triggers = [
            *append_only("marks", erasable({"tags": []}, OF_ITEM)),
            pgtrigger.Trigger(
                name="by_an_annotator", when=pgtrigger.Before, operation=pgtrigger.Insert, func=BY_AN_ANNOTATOR
            ),
        ]

    def __str__(self):
        return f"{self.item_id} by {self.marked_by_id}"

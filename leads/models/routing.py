"""The routing plan: numbered rules that say who gets a lead; never changed once published."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from portal.shared.triggers import frozen_once_proposed, frozen_with_parent

PUBLISHED = {"word": "published", "parent": "plan"}
OF_RULE = "(SELECT r.id, p.published_at FROM leads_routingrule r JOIN leads_routingplan p ON p.id = r.plan_id)"


class PlanQuerySet(models.QuerySet):
    def in_force(self, *, at):
        """The plan that was published last, not after `at` (aware datetime), or None."""
        return self.filter(published_at__lte=at).order_by("-published_at").first()

    def draft(self):
        """The one that is being written, or None."""
        return self.filter(published_at=None).first()


class RoutingPlan(models.Model):
    """One numbered plan. Published it is in force until a later one is; there is one draft at most."""

    number = models.PositiveIntegerField(unique=True)
    summary = models.CharField(max_length=200, blank=True, default="")
    started_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    queue_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="who answers for the leads of the default queue",
    )  # fmt: skip
    claim_within = models.DurationField(
        default=dt.timedelta(hours=1), help_text="how long a lead may wait in the default queue"
    )
    most_open = models.PositiveSmallIntegerField(
        null=True, help_text="open leads from which on nobody gets another; null: no limit"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            # NULL counts as a value: one draft at a time, and no two plans that begin at one instant
            models.UniqueConstraint(fields=["published_at"], nulls_distinct=False, name="leads_plan_one_in_force"),
            models.CheckConstraint(
                condition=Q(published_at=None, published_by=None)
                | Q(published_at__isnull=False, published_by__isnull=False),
                name="leads_plan_published_pair",
            ),
            models.CheckConstraint(condition=Q(claim_within__gt=dt.timedelta(0)), name="leads_plan_queue_has_clock"),
        ]
        triggers = frozen_once_proposed("routing plan", word="published")

    def __str__(self):
        return f"Routing plan {self.number}"


class RoutingRule(models.Model):
    """Leads for which `condition` holds go to one team or one person; the first rule that fits decides."""

    class Method(models.TextChoices):
        ROUND_ROBIN = "round_robin", "Round robin by weight"
        LEAST_LOADED = "least_loaded", "Fewest open leads"
        ACCOUNT = "account", "Owner of the account"

    plan = models.ForeignKey(RoutingPlan, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80, blank=True, default="")
    condition = models.JSONField(default=dict, blank=True, help_text="as in sla.conditions, with tier; {}: every lead")
    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    method = models.CharField(max_length=12, choices=Method, default=Method.ROUND_ROBIN)

    class Meta:
        ordering = ["plan", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "position"], deferrable=models.Deferrable.DEFERRED, name="leads_rule_position_once"
            ),
            models.CheckConstraint(
                condition=Q(team=None, person__isnull=False) | Q(team__isnull=False, person=None),
                name="leads_rule_team_or_person",
            ),
            models.CheckConstraint(
                condition=Q(method__in=["round_robin", "least_loaded", "account"]), name="leads_rule_method_known"
            ),
        ]
        triggers = frozen_with_parent("rules", table="leads_routingplan", column="plan_id", **PUBLISHED)

    def __str__(self):
        return self.name or f"Rule {self.position}"


class RoutingWeight(models.Model):
    """How many turns a person takes in one round of a rule; who is not named takes one, a weight of zero none."""

    rule = models.ForeignKey(RoutingRule, on_delete=models.CASCADE, related_name="weights", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    weight = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["rule", "person"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "person"], name="leads_weight_once"),
            models.CheckConstraint(condition=Q(weight__lte=100), name="leads_weight_at_most_100"),
        ]
        triggers = frozen_with_parent("weights", table=OF_RULE, column="rule_id", **PUBLISHED)

    def __str__(self):
        return str(self.weight)


class RoutingCapacity(models.Model):
    """How many open leads one person holds at most, where the plan says otherwise for them."""

    plan = models.ForeignKey(RoutingPlan, on_delete=models.CASCADE, related_name="capacities", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    most_open = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["plan", "person"]
        constraints = [models.UniqueConstraint(fields=["plan", "person"], name="leads_capacity_once")]
        triggers = frozen_with_parent("capacities", table="leads_routingplan", column="plan_id", **PUBLISHED)

    def __str__(self):
        return str(self.most_open)


class NamedAccount(models.Model):
    """A company, by its e-mail domain, whose leads go to one person wherever a rule asks for the account's owner."""

    plan = models.ForeignKey(RoutingPlan, on_delete=models.CASCADE, related_name="accounts", db_index=False)
    domain = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["plan", "domain"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "domain"], name="leads_account_once"),
            models.CheckConstraint(
                condition=Q(domain=Lower(F("domain"))) & ~Q(domain=""), name="leads_account_domain"
            ),
        ]
        triggers = frozen_with_parent("accounts", table="leads_routingplan", column="plan_id", **PUBLISHED)

    def __str__(self):
        return self.domain


class RoutingTurns(models.Model):
    """Where the round robins of a plan stand: {rule's id: {person's id: credit}}; see leads.turns."""

    plan = models.OneToOneField(RoutingPlan, on_delete=models.CASCADE, primary_key=True, related_name="turns")
    credits = models.JSONField(default=dict)

    def __str__(self):
        return f"Turns of {self.plan_id}"


class AccountOwner(models.Model):
    """Who looks after a company, learnt from its leads: the next lead of the domain goes to the same person."""

    domain = models.CharField(max_length=200, primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(domain=Lower(F("domain"))) & ~Q(domain=""), name="leads_accountowner_domain"
            )
        ]

    def __str__(self):
        return self.domain

"""The handoff: one cycle of one lead as an MQL, with its owners and contact attempts."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Least

from leads import clock_states, lifecycle
from leads.models.erasure import ERASED, OF_HANDOFF, erasable, proof
from leads.models.place import FOLLOWED_BY_PLACES
from leads.models.rollup import RECORDS_CHANGES, RECORDS_NEW
from leads.models.via import Via
from leads.segments import segment_sql
from portal.accounts.models import Role
from portal.accounts.permissions import May, may
from portal.shared.settled import tells_its_ids
from portal.shared.triggers import append_only, no_truncate, refuse

# Read again at commit: several updates in one transaction are one change.
TELLS_THE_STANDING_DECISION = """
    IF EXISTS (
        SELECT 1 FROM leads_handoff h WHERE h.id = NEW.id AND h.standing_decision_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM leads_decision d
            WHERE d.id = h.standing_decision_id AND d.handoff_id = h.id AND d.outcome = h.status
            AND d.reason_id IS NOT DISTINCT FROM h.reason_id
            AND (d.decided_at = h.decided_at OR h.status = 'open')
            AND NOT EXISTS (SELECT 1 FROM leads_decision later WHERE later.supersedes_id = d.id))
    ) THEN
        RAISE EXCEPTION 'handoff % does not tell what its standing decision says', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""

# Read again at commit too: owner and assignment may be written in either order.
OWNER_IS_THE_NEWEST = """
    IF EXISTS (
        SELECT 1 FROM leads_handoff h WHERE h.id = NEW.id AND h.owner_id IS DISTINCT FROM (
            SELECT a.owner_id FROM leads_assignment a WHERE a.handoff_id = h.id
            ORDER BY a.assigned_at DESC, a.id DESC LIMIT 1)
    ) THEN
        RAISE EXCEPTION 'the owner of handoff % is not whom its newest assignment names', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""
# A whole import's assignments are compared in one statement; a handoff that does not tell its newest one yet
# is asked at commit, by the trigger above.
ASKS_FOR_THE_OWNER = """
    UPDATE leads_handoff h SET owner_id = h.owner_id FROM given g
    WHERE h.id = g.handoff_id AND h.owner_id IS DISTINCT FROM g.owner_id;
    RETURN NULL;
"""

# The points of every rule stay, for figures read them; the words of what it saw of the person go.
WITHOUT_WHAT_IT_SAW = """
    jsonb_set({0}.breakdown, '{{rules}}', coalesce((
        SELECT jsonb_agg(each.rule || '{{"saw": ""}}' ORDER BY each.place)
        FROM jsonb_array_elements({0}.breakdown -> 'rules') WITH ORDINALITY AS each(rule, place)), '[]'))
"""

WATCH = """
    INSERT INTO leads_watch (handoff_id, next_at) VALUES (NEW.id, NEW.recorded_at)
    ON CONFLICT (handoff_id) DO UPDATE SET next_at = EXCLUDED.next_at, plan = NULL;
    RETURN NULL;
"""


# A word of the statement, not a parameter: only so a plan that holds for all values may use the inbox's partial index.
IS_OPEN = RawSQL(f"'{lifecycle.OPEN}'", ())  # noqa: S611 (no input in it)


class HandoffQuerySet(models.QuerySet):
    def undecided(self):
        return self.filter(status=IS_OPEN)

    def in_inbox(self):
        """Open handoffs whose clocks run: history that nobody took up is in no inbox."""
        return self.undecided().filter(decision_due_at__isnull=False)

    def in_queue(self):
        """Open handoffs that wait in the default queue for somebody to claim them."""
        return self.in_inbox().filter(queued_at__isnull=False)

    def overdue(self, *, at):
        """In an inbox with a clock that ran out before `at`, exploration apart."""
        return self.in_inbox().filter(next_due_at__lt=at, exploration=False)

    def with_clock_states(self, *, at):
        """Each with `contact_state` and `decision_state` at an instant, as leads.clock_states has them."""
        return self.annotate(
            contact_state=clock_states.contact_state_sql(at), decision_state=clock_states.decision_state_sql(at)
        )

    def by_deadline(self):
        return self.order_by("next_due_at", "id")

    def visible_to(self, user):
        """Marketing, leaders and admins see all; a manager the team's; a rep their own; sales also the queue."""
        if may(user, May.SEE_ALL_HANDOFFS):
            return self
        queue = Q(status=lifecycle.OPEN, queued_at__isnull=False)
        if user.holds(Role.SALES_MANAGER) and user.team_id:
            return self.filter(Q(owner__team=user.team_id) | Q(owner=user) | queue)
        if user.holds(Role.REP, Role.SALES_MANAGER):
            return self.filter(Q(owner=user) | queue)
        return self.none()

    def workable_by(self, user):
        """Those whose clocks `user` may stop: own ones, and the team's for a manager."""
        if not may(user, May.WORK_INBOX):
            return self.none()
        if user.holds(Role.SALES_MANAGER) and user.team_id:
            return self.filter(Q(owner__team=user.team_id) | Q(owner=user))
        return self.filter(owner=user)


class Handoff(models.Model):
    """From qualification until accepted, rejected or withdrawn. It carries the law it was made under."""

    class Status(models.TextChoices):
        OPEN = lifecycle.OPEN, "Open"
        ACCEPTED = lifecycle.ACCEPTED, "Accepted"
        REJECTED = lifecycle.REJECTED, "Rejected"
        WITHDRAWN = lifecycle.WITHDRAWN, "Withdrawn"

    # an index of its own only where it finds few: a lead's handoffs are found by their cycles
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="handoffs", db_index=False)
    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="next_cycle")
    # together one foreign key, on the version's (id, definition): see the migration
    definition = models.ForeignKey(
        "sla.MQLDefinition", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    sla_version = models.ForeignKey(
        "sla.SLAVersion", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    tier = models.ForeignKey("sla.Tier", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    fit = models.IntegerField(null=True)
    behaviour = models.IntegerField(null=True)
    total = models.IntegerField(null=True)
    breakdown = models.JSONField(null=True, help_text="the evaluation, rule by rule; null for imported history")
    # as they were at the handoff: later edits of the lead move no figure
    source = models.CharField(max_length=120, blank=True, default="")
    campaign = models.CharField(max_length=200, blank=True, default="")
    channel = models.CharField(max_length=120, blank=True, default="")
    industry = models.CharField(max_length=120, blank=True, default="", db_default="")
    employees = models.PositiveIntegerField(null=True)
    segment = models.GeneratedField(
        expression=segment_sql("employees"), output_field=models.CharField(max_length=8), db_persist=True,
        help_text="the size band of the company; empty where its size is not known",
    )  # fmt: skip

    qualified_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    is_historical = models.BooleanField(default=False)
    exploration = models.BooleanField(
        default=False, db_default=False,
        help_text="just below the lowest tier, drawn by the agreement's exploration: in no rate and no promise",
    )  # fmt: skip
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    queued_at = models.DateTimeField(
        null=True, help_text="since when it waits in the default queue, whose owner holds it"
    )
    queue_due_at = models.DateTimeField(null=True, help_text="by when somebody should have claimed it from the queue")
    calendar = models.ForeignKey(
        "sla.Calendar", on_delete=models.PROTECT, null=True, related_name="+", db_index=False,
        help_text="whose hours its clocks count; none: around the clock",
    )  # fmt: skip
    contact_due_at = models.DateTimeField(null=True)
    decision_due_at = models.DateTimeField(null=True)
    contact_warn_at = models.DateTimeField(null=True, help_text="from here little of the time is left")
    decision_warn_at = models.DateTimeField(null=True)
    first_touch_at = models.DateTimeField(null=True)
    next_due_at = models.GeneratedField(
        expression=Case(
            When(first_touch_at=None, then=Coalesce(Least("contact_due_at", "decision_due_at"), "decision_due_at")),
            default=F("decision_due_at"),
        ),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )

    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN)
    standing_decision = models.ForeignKey(
        "leads.Decision", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    reason = models.ForeignKey("sla.ReasonCode", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    withdrawn_why = models.CharField(max_length=200, blank=True, default="")

    objects = HandoffQuerySet.as_manager()

    class Meta:
        indexes = [
            # the inbox: only open rows with running clocks, in reading order
            models.Index(
                fields=["owner", "next_due_at", "id"],
                condition=Q(status="open", decision_due_at__isnull=False),
                name="leads_handoff_inbox",
            ),
            # the default queue: small whatever the table's size
            models.Index(
                fields=["queue_due_at", "id"],
                condition=Q(status="open", queued_at__isnull=False),
                name="leads_handoff_queue",
            ),
            # the audit's two questions, what was qualified and what was decided, answered from the index alone
            models.Index(
                fields=["qualified_at"],
                include=["decided_at", "withdrawn_at", "status", "reason", "exploration"],
                name="leads_handoff_qualified",
            ),
            models.Index(
                fields=["decided_at"],
                include=["qualified_at", "status", "reason", "exploration"],
                condition=Q(decided_at__isnull=False),
                name="leads_handoff_decided",
            ),
            # what exploration handed over: a few in a thousand
            models.Index(fields=["qualified_at"], condition=Q(exploration=True), name="leads_handoff_exploration"),
            # whether anything was withdrawn after a cut: few rows
            models.Index(
                fields=["withdrawn_at"], condition=Q(withdrawn_at__isnull=False), name="leads_handoff_withdrawn"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["lead"], condition=Q(status="open"), name="leads_handoff_one_open_a_lead"
            ),
            models.UniqueConstraint(fields=["lead", "qualified_at"], name="leads_handoff_cycle_once"),
            models.CheckConstraint(
                condition=Q(status="open", decided_at=None, reason=None, withdrawn_at=None)
                | Q(
                    status="accepted", decided_at__isnull=False, standing_decision__isnull=False, reason=None,
                    withdrawn_at=None,
                )
                | Q(
                    status="rejected", decided_at__isnull=False, standing_decision__isnull=False, reason__isnull=False,
                    withdrawn_at=None,
                )
                | Q(
                    status="withdrawn", decided_at=None, standing_decision=None, reason=None,
                    withdrawn_at__isnull=False,
                )
                & ~Q(withdrawn_why=""),
                name="leads_handoff_status_shape",
            ),
            models.CheckConstraint(
                condition=Q(is_historical=True) | Q(decision_due_at__isnull=False, tier__isnull=False),
                name="leads_handoff_clocks_run",
            ),
            models.CheckConstraint(
                condition=Q(exploration=False) | Q(is_historical=False), name="leads_handoff_history_explores_nothing"
            ),
            models.CheckConstraint(
                condition=Q(is_historical=True) | Q(breakdown__isnull=False), name="leads_handoff_was_evaluated"
            ),
            models.CheckConstraint(
                condition=Q(queued_at=None, queue_due_at=None)
                | Q(queued_at__isnull=False, queue_due_at__isnull=False, owner__isnull=False),
                name="leads_handoff_queue_has_owner_and_clock",
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="legal_moves",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Condition("OLD.status IS DISTINCT FROM NEW.status"),
                func=f"""
                    IF (OLD.status, NEW.status) NOT IN ({lifecycle.as_sql_values()}) THEN
                        RAISE EXCEPTION 'a handoff does not move from % to %', OLD.status, NEW.status
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="carries_its_law",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.lead_id, OLD.definition_id, OLD.sla_version_id, OLD.tier_id, OLD.total,"
                    " OLD.qualified_at, OLD.recorded_at, OLD.is_historical, OLD.exploration, OLD.previous_id)"
                    " IS DISTINCT FROM"
                    " (NEW.lead_id, NEW.definition_id, NEW.sla_version_id, NEW.tier_id, NEW.total,"
                    " NEW.qualified_at, NEW.recorded_at, NEW.is_historical, NEW.exploration, NEW.previous_id)"
                    " OR (OLD.source, OLD.campaign, OLD.channel, OLD.industry, OLD.employees) IS DISTINCT FROM"
                    " (NEW.source, NEW.campaign, NEW.channel, NEW.industry, NEW.employees)"
                    " OR (OLD.calendar_id, OLD.contact_warn_at, OLD.decision_warn_at) IS DISTINCT FROM"
                    " (NEW.calendar_id, NEW.contact_warn_at, NEW.decision_warn_at) AND OLD.decision_due_at IS NOT NULL"
                    " OR OLD.contact_due_at IS DISTINCT FROM NEW.contact_due_at AND OLD.contact_due_at IS NOT NULL"
                    " OR OLD.decision_due_at IS DISTINCT FROM NEW.decision_due_at AND OLD.decision_due_at IS NOT NULL)"
                ),
                func=refuse("a handoff keeps the lead, law, score, facts and due times it was made with"),
            ),
            pgtrigger.Trigger(
                name="keeps_its_breakdown",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("breakdown"),
                func=f"""
                    IF NEW.breakdown IS DISTINCT FROM OLD.breakdown
                        AND NOT (NEW.breakdown = {WITHOUT_WHAT_IT_SAW.format("OLD")} AND {proof("OLD.lead_id")})
                    THEN {refuse("a handoff keeps the lead, law, score, facts and due times it was made with")} END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="of_nobody_forgotten",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Condition("NEW.status = 'open'"),
                func=f"""
                    IF EXISTS (SELECT 1 FROM leads_lead l WHERE l.id = NEW.lead_id AND l.erased_at IS NOT NULL) THEN
                        {refuse("a person who was forgotten is handed over to nobody")}
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="first_touch_moves_back_only",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("first_touch_at"),
                condition=pgtrigger.Condition(
                    "OLD.first_touch_at IS NOT NULL"
                    " AND (NEW.first_touch_at IS NULL OR NEW.first_touch_at > OLD.first_touch_at)"
                ),
                func=refuse("the first touch is the earliest that is known"),
            ),
            pgtrigger.Trigger(
                name="never_deleted",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=refuse("handoffs are withdrawn, never deleted"),
            ),
            pgtrigger.Trigger(
                name="tells_the_standing_decision",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.standing_decision_id IS NOT NULL"),
                func=TELLS_THE_STANDING_DECISION,
            ),
            pgtrigger.Trigger(
                name="keeps_its_standing_decision",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("standing_decision_id"),
                condition=pgtrigger.Condition(
                    "OLD.standing_decision_id IS NOT NULL AND NEW.standing_decision_id IS NULL"
                    " AND NEW.status <> 'withdrawn'"
                ),
                func=refuse("a decided handoff keeps a standing decision"),
            ),
            pgtrigger.Trigger(
                name="owner_is_the_newest",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("owner_id"),
                timing=pgtrigger.Deferred,
                func=OWNER_IS_THE_NEWEST,
            ),
            # whatever opens a handoff or starts its clocks: the sweep looks at it at once; exploration is no promise
            pgtrigger.Trigger(
                name="is_watched",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.decision_due_at IS NOT NULL AND NOT NEW.exploration"),
                func=WATCH,
            ),
            pgtrigger.Trigger(
                name="is_watched_again",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("status", "decision_due_at"),
                condition=pgtrigger.Condition(
                    "NEW.decision_due_at IS NOT NULL AND NEW.status = 'open' AND NOT NEW.exploration"
                    " AND (OLD.decision_due_at IS NULL OR OLD.status <> 'open')"
                ),
                func=WATCH,
            ),
            # whatever moves a figure is noted in its transaction, by the statement: see leads/rollup.py
            pgtrigger.Trigger(
                name="adds_to_figures",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="arrived"),
                func=RECORDS_NEW,
            ),
            pgtrigger.Trigger(
                name="moves_figures",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),
                func=RECORDS_CHANGES,
            ),
            *FOLLOWED_BY_PLACES,
            tells_its_ids("leads_handoff"),
            no_truncate("handoffs"),
        ]

    def __str__(self):
        return f"Handoff {self.pk}"

    @property
    def is_open(self):
        return self.status == lifecycle.OPEN

    @property
    def clocks_run(self):
        return self.decision_due_at is not None

    @property
    def waits_in_queue(self):
        return self.queued_at is not None and self.is_open


class Assignment(models.Model):
    """Who was given the handoff, when, by whom and why in one line; the newest is the owner."""

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="assignments")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    assigned_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    why = models.CharField(max_length=200)
    to_queue = models.BooleanField(
        default=False, db_default=False, help_text="to the default queue, whose owner it names"
    )
    rule = models.ForeignKey(
        "leads.RoutingRule", on_delete=models.PROTECT, null=True, related_name="+", db_index=False,
        help_text="the rule of a routing plan that chose the owner",
    )  # fmt: skip

    class Meta:
        ordering = ["assigned_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(why=""), name="leads_assignment_explains_itself")]
        triggers = [
            *append_only("assignments", erasable({"why": ERASED}, OF_HANDOFF)),
            pgtrigger.Trigger(
                name="asks_for_the_owner",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="given"),
                func=ASKS_FOR_THE_OWNER,
            ),
        ]

    def __str__(self):
        return self.why


class Touch(models.Model):
    """A contact attempt by sales. The earliest one that counts under the version stops the contact clock."""

    class Kind(models.TextChoices):
        CALL = "call", "Call"
        EMAIL = "email", "E-mail"
        MEETING = "meeting", "Meeting"
        MESSAGE = "message", "Message"

    class Outcome(models.TextChoices):
        REACHED = "reached", "Reached"
        NO_ANSWER = "no_answer", "No answer"
        VOICEMAIL = "voicemail", "Left a voicemail"
        SENT = "sent", "Sent"

    Via = Via

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="touches")
    kind = models.CharField(max_length=8, choices=Kind)
    outcome = models.CharField(max_length=10, choices=Outcome)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    touched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    note = models.TextField(blank=True, default="")
    via = models.CharField(max_length=6, choices=Via, default=Via.PAGE, db_default=Via.PAGE)
    batch = models.UUIDField(null=True, help_text="touches of one bulk act share it")

    class Meta:
        ordering = ["occurred_at", "id"]
        indexes = [models.Index(fields=["occurred_at"], condition=Q(via="bulk"), name="leads_touch_in_bulk")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["call", "email", "meeting", "message"]), name="leads_touch_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["reached", "no_answer", "voicemail", "sent"]),
                name="leads_touch_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(via__in=["page", "import", "api"], batch=None) | Q(via="bulk", batch__isnull=False),
                name="leads_touch_bulk_has_batch",
            ),
        ]
        triggers = append_only("touches", erasable({"note": ""}, OF_HANDOFF))

    def __str__(self):
        return f"{self.get_kind_display()}: {self.get_outcome_display()}"

    def counts_under(self, version):
        """Whether the version names this kind with this outcome; a voicemail is an attempt, and usually no contact."""
        return f"{self.kind}:{self.outcome}" in version.touch_kinds

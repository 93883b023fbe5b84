"""Excuses: one side asks that a breach be excused, the other side's leader answers; rows that are only added."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from leads.models.erasure import ERASED, erasable
from portal.accounts.models import Role
from portal.shared.triggers import append_only, refuse
from sla.models import Party
from sla.models.party import LEADER

PROPOSERS = {  # who may propose for each side
    Party.MARKETING: (Role.MARKETER, Role.MARKETING_LEADER),
    Party.SALES: (Role.SALES_MANAGER, Role.SALES_LEADER),
}
OF_BREACH = (
    "(SELECT h.lead_id FROM leads_breach b JOIN leads_handoff h ON h.id = b.handoff_id WHERE b.id = OLD.breach_id)"
)
OF_EXCUSE = (
    "(SELECT h.lead_id FROM audit_excuse e JOIN leads_breach b ON b.id = e.breach_id"
    " JOIN leads_handoff h ON h.id = b.handoff_id WHERE e.id = OLD.excuse_id)"
)
HOLDS_ROLE = """
    IF NOT EXISTS (
        SELECT 1 FROM accounts_user u WHERE u.id = NEW.{by} AND u.is_active AND NEW.role = ANY (u.roles)
    ) THEN
        {refusal}
    END IF;
"""
# a breach, or a commitment of one month: whatever names the same one
SAME = "e.breach_id IS NOT DISTINCT FROM NEW.breach_id AND e.commitment_id IS NOT DISTINCT FROM NEW.commitment_id" \
    " AND e.month IS NOT DISTINCT FROM NEW.month"  # fmt: skip


class ExcuseQuerySet(models.QuerySet):
    def agreed(self, *, as_of):
        """Those that the other side had co-signed by then."""
        return self.filter(answer__agreed=True, answer__answered_at__lte=as_of)

    def waiting(self):
        return self.filter(answer=None)


class Excuse(models.Model):
    """One side's wish that a breach of a clock, or of a commitment in one month, be excused, with its reason."""

    breach = models.ForeignKey("leads.Breach", on_delete=models.PROTECT, null=True, related_name="excuses")
    commitment = models.ForeignKey("sla.Commitment", on_delete=models.PROTECT, null=True, related_name="+")
    month = models.DateField(null=True, help_text="of the commitment: its first day")
    number = models.PositiveSmallIntegerField(help_text="1, and one more each time after the other side declined")
    party = models.CharField(max_length=9, choices=Party, help_text="the side that proposes it")
    role = models.CharField(max_length=20, help_text="the role as it was")
    why = models.TextField()
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = ExcuseQuerySet.as_manager()

    class Meta:
        ordering = ["proposed_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(breach__isnull=False, commitment=None, month=None)
                | Q(breach=None, commitment__isnull=False, month__isnull=False, month__day=1),
                name="audit_excuse_of_one_breach",
            ),
            models.UniqueConstraint(
                fields=["breach", "commitment", "month", "number"], nulls_distinct=False, name="audit_excuse_once"
            ),
            models.CheckConstraint(condition=~Q(why=""), name="audit_excuse_says_why"),
            models.CheckConstraint(
                condition=Q(party="marketing", role__in=["marketer", "marketing_leader"])
                | Q(party="sales", role__in=["sales_manager", "sales_leader"]),
                name="audit_excuse_role_of_its_side",
            ),
        ]
        triggers = [
            *append_only("excuses", erasable({"why": ERASED}, OF_BREACH)),
            pgtrigger.Trigger(
                name="follows_a_declined_one",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=HOLDS_ROLE.format(by="proposed_by_id", refusal=refuse("who proposes holds the named role"))
                + f"""
                    IF NEW.number <> 1 + (SELECT count(*) FROM audit_excuse e WHERE {SAME}) THEN
                        {refuse("an excuse follows the one before it")}
                    END IF;
                    IF EXISTS (
                        SELECT 1 FROM audit_excuse e LEFT JOIN audit_excuseanswer a ON a.excuse_id = e.id
                        WHERE {SAME} AND a.agreed IS NOT FALSE
                    ) THEN
                        {refuse("a breach is proposed again only after the other side declined")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return f"Excuse {self.pk}"


class ExcuseAnswer(models.Model):
    """The other side's leader co-signs an excuse, or declines it with a word; once."""

    excuse = models.OneToOneField(Excuse, on_delete=models.PROTECT, related_name="answer")
    agreed = models.BooleanField(help_text="the breach is excused")
    party = models.CharField(max_length=9, choices=Party)
    role = models.CharField(max_length=20, help_text="the role as it was")
    name = models.CharField(max_length=200)
    note = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["answered_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(party="marketing", role=LEADER[Party.MARKETING])
                | Q(party="sales", role=LEADER[Party.SALES]),
                name="audit_excuseanswer_by_a_leader",
            ),
            models.CheckConstraint(condition=Q(agreed=True) | ~Q(note=""), name="audit_excuseanswer_says_why_not"),
        ]
        triggers = [
            *append_only("answers to excuses", erasable({"note": ERASED}, OF_EXCUSE)),
            pgtrigger.Trigger(
                name="of_the_other_side",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=HOLDS_ROLE.format(by="answered_by_id", refusal=refuse("who answers holds the named role"))
                + f"""
                    IF EXISTS (
                        SELECT 1 FROM audit_excuse e WHERE e.id = NEW.excuse_id
                        AND (e.party = NEW.party OR e.proposed_by_id = NEW.answered_by_id)
                    ) THEN
                        {refuse("nobody co-signs the proposal of their own side")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return "agreed" if self.agreed else "declined"

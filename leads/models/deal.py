"""The deal: what became of an accepted lead in the end; rows that are only added, the last one of a deal stands."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from leads.models.erasure import erasable
from leads.models.handoff import Handoff
from leads.models.lead import Lead
from leads.models.via import Via
from portal.accounts.permissions import May, may
from portal.shared.settled import tells_its_ids
from portal.shared.triggers import append_only, refuse

TIMING = "timing"  # bad timing is no evidence against fit
LOSS_REASONS = {
    TIMING: "Bad timing", "fit": "No fit", "price": "Price", "competitor": "Lost to a competitor",
    "no_decision": "No decision", "other": "Other",
}  # fmt: skip
# the deals of one lead are compared by one writer at a time; a whole import's in one statement
ONE_STANDS = f"""
    PERFORM 1 FROM leads_lead l WHERE l.id IN (SELECT g.lead_id FROM given g) ORDER BY l.id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM given g JOIN leads_handoff h ON h.id = g.handoff_id WHERE h.lead_id <> g.lead_id
    ) THEN
        {refuse("a deal belongs to a handoff of its own lead")}
    END IF;
    IF EXISTS (
        SELECT 1 FROM given g JOIN leads_deal b ON b.id = g.supersedes_id
        WHERE (b.lead_id, b.external_id) IS DISTINCT FROM (g.lead_id, g.external_id)
        OR b.external_id IS NULL AND b.handoff_id IS NOT NULL AND b.handoff_id IS DISTINCT FROM g.handoff_id
    ) THEN
        {refuse("a correction tells of the same deal")}
    END IF;
    IF EXISTS (
        SELECT 1 FROM leads_deal d WHERE d.lead_id IN (SELECT g.lead_id FROM given g)
        AND NOT EXISTS (SELECT 1 FROM leads_deal n WHERE n.supersedes_id = d.id)
        GROUP BY d.lead_id, d.external_id, CASE WHEN d.external_id IS NULL THEN d.handoff_id END HAVING count(*) > 1
    ) THEN
        {refuse("one row stands for a deal: a correction supersedes the one before")}
    END IF;
    RETURN NULL;
"""


_KEPT_FROM = []


def keeps_outcomes(kept_from):
    """Register what keeps outcomes from people: kept_from(user) → handoffs (a queryset); an app does so when ready."""
    _KEPT_FROM.append(kept_from)


def outcomes_known_to(user, rows, handoff="pk"):
    """Of a queryset those rows whose outcome this person may look up for now; handoff: the path to their handoff."""
    for kept_from in _KEPT_FROM:
        rows = rows.exclude(**{f"{handoff}__in": kept_from(user).values("pk")})
    return rows


def are_outcomes_kept(user, handoff=None):
    """Whether the outcome of a handoff, or else of any that this person sees, is kept from them for now."""
    seen = Handoff.objects.visible_to(user).filter(**{"pk": handoff.pk} if handoff else {})
    return any(seen.filter(pk__in=kept_from(user).values("pk")).exists() for kept_from in _KEPT_FROM)


class DealQuerySet(models.QuerySet):
    def standing(self):
        """The last row of each deal, without those that were recorded by mistake."""
        return self.filter(superseded_by=None).exclude(outcome=Deal.Outcome.VOID)

    def visible_to(self, user):
        """Those of handoffs that `user` sees; deals of no handoff only for those who see all. Kept outcomes apart."""
        found = outcomes_known_to(user, self, "handoff")
        return found if may(user, May.SEE_ALL_HANDOFFS) else found.filter(handoff__in=Handoff.objects.visible_to(user))


class Deal(models.Model):
    """What was known of a deal from one moment on. A deal is told apart by its lead and outside id, else handoff."""

    class Outcome(models.TextChoices):
        WON = "won", "Won"
        LOST = "lost", "Lost"
        OPEN = "open", "Open"
        VOID = "void", "Recorded by mistake"

    Via = Via

    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="deals")
    handoff = models.ForeignKey(
        Handoff, on_delete=models.PROTECT, null=True, related_name="deals",
        help_text="the cycle that led to it; none where the lead was no MQL by then",
    )  # fmt: skip
    external_id = models.CharField(max_length=120, null=True)  # noqa: DJ001
    outcome = models.CharField(max_length=4, choices=Outcome)
    amount = models.DecimalField(max_digits=17, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True, default="", help_text="ISO 4217; of the amount")
    product = models.CharField(max_length=120, blank=True, default="")
    loss_reason = models.CharField(max_length=40, blank=True, default="", help_text="a free code; see LOSS_REASONS")
    opened_at = models.DateTimeField(null=True, help_text="since when it is an opportunity")
    closed_at = models.DateTimeField(null=True, help_text="when it was won or lost; none where nobody said")
    note = models.TextField(blank=True, default="")
    via = models.CharField(max_length=6, choices=Via)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")

    objects = DealQuerySet.as_manager()

    class Meta:
        ordering = ["recorded_at", "id"]
        indexes = [models.Index(fields=["closed_at", "id"], name="leads_deal_closed")]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=["won", "lost", "open", "void"]), name="leads_deal_known"),
            models.CheckConstraint(
                condition=~Q(outcome="open") | Q(closed_at=None), name="leads_deal_open_is_not_closed"
            ),
            models.CheckConstraint(
                condition=Q(loss_reason="") | Q(outcome="lost", loss_reason__regex=r"^[a-z0-9][a-z0-9_]*$"),
                name="leads_deal_loss_has_the_reason",
            ),
            models.CheckConstraint(
                condition=Q(amount=None, currency="") | Q(amount__isnull=False, currency__regex=r"^[A-Z]{3}$"),
                name="leads_deal_amount_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(opened_at=None) | Q(closed_at=None) | Q(closed_at__gte=F("opened_at")),
                name="leads_deal_closes_after_it_opened",
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="leads_deal_external_id_null_not_empty"),
            models.CheckConstraint(
                condition=~Q(outcome="void") | Q(supersedes__isnull=False), name="leads_deal_void_takes_something_back"
            ),
            models.CheckConstraint(condition=~Q(supersedes=F("id")), name="leads_deal_supersedes_another"),
            models.CheckConstraint(condition=Q(via__in=list(Via.values)), name="leads_deal_via_known"),
        ]
        triggers = [
            *append_only("deals", erasable({"note": ""})),
            tells_its_ids("leads_deal"),
            pgtrigger.Trigger(
                name="one_stands",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="given"),
                func=ONE_STANDS,
            ),
        ]

    def __str__(self):
        return self.get_outcome_display()

    @property
    def loss_reason_words(self):
        """The label of the code, or a code of one's own as words."""
        return LOSS_REASONS.get(self.loss_reason) or self.loss_reason.replace("_", " ").capitalize()

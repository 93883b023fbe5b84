"""One handoff to read: who, what was scored, who held it, what was tried and decided."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_GET

from leads.figures import Month
from leads.models import Decision, Handoff
from leads.views import deal_form, disputes
from leads.views.answered import answers_of, with_answers
from leads.views.clock_panel import held, speed, two_clocks
from portal.accounts.permissions import May, may, require
from portal.shared import time
from portal.shared.htmx import answer
from sla.words import event

EVENTS_SHOWN = 50
FACTS = (
    ("Company", "company"), ("Title", "title"), ("E-mail", "email"), ("Phone", "phone"), ("Employees", "employees"),
    ("Industry", "industry"), ("Country", "country"), ("Region", "region"), ("Product", "product"),
    ("Outside ID", "external_id"),
)  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """One line of the history: when, what in words, a note, and whether it is one of the case's turns."""

    at: datetime
    words: str
    note: str = ""
    key: bool = False


@require_GET
def handoff(request, pk):
    """A handoff that this person may see; others do not exist for them."""
    if not may(request.user, May.WORK_INBOX):
        require(request.user, May.READ_AUDIT)
    wanted = ("lead", "owner", "tier", "reason", "definition", "sla_version", "standing_decision", "withdrawn_by")
    mine = Handoff.objects.visible_to(request.user).select_related(*wanted)
    row = get_object_or_404(with_answers(mine), pk=pk)
    now, assignments = timezone.now(), list(_all(row.assignments, "owner"))
    corrections = list(row.corrections.all())
    context = {
        "handoff": row,
        "clocks": two_clocks(row, now, tier=row.tier and row.tier.name),
        "held": held(row, assignments, now),
        "speed": speed(row, now),
        "facts": [(name, value) for name, field in FACTS if (value := getattr(row.lead, field)) not in (None, "")]
        + sorted(row.lead.attributes.items()),
        "answered": answers_of(row),
        "rules": [rule for rule in (row.breakdown or {}).get("rules", ()) if rule["fired"]],
        "history": history(row, assignments, corrections),
        "cycles": row.lead.handoffs.exclude(pk=row.pk).order_by("qualified_at").only("pk", "qualified_at"),
        "acts": _acts(request.user, row),
        "audit": may(request.user, May.READ_AUDIT) and Month.of(row.qualified_at, timezone.get_default_timezone()),
        "may_forget": may(request.user, May.FORGET_PEOPLE),
        "now": now,
        **disputes.panel(request.user, row, now),
        **deal_form.panel(request.user, row),
    }
    return answer(request, "leads/handoff.html", context)


def _acts(user, row):
    """Which acts on the owner this person may do now."""
    works = row.is_open and row.clocks_run and Handoff.objects.workable_by(user).filter(pk=row.pk).exists()
    acts = {
        "claim": row.waits_in_queue and may(user, May.CLAIM_LEADS),
        "reassign": may(user, May.REASSIGN_LEADS) and (works or row.waits_in_queue),
        "hand_back": works and not row.waits_in_queue and may(user, May.HAND_BACK_LEADS),
    }
    return acts | {"any": any(acts.values())}


def history(row, assignments, corrections):
    """What happened to the handoff and what its lead did, oldest first, as Moments."""
    moments = [Moment(row.qualified_at, "Qualified as an MQL", str(row.definition), key=True)]
    moments += [Moment(a.assigned_at, _given(a), a.why) for a in assignments]
    moments += [Moment(c.recorded_at, *_corrected(c), key=True) for c in corrections]
    moments += [
        Moment(
            t.occurred_at,
            f"{t.get_kind_display()}: {t.get_outcome_display().lower()}{_by(t.touched_by)}{_bulk(t)}",
            t.note,
        )
        for t in _all(row.touches, "touched_by")
    ]
    moments += [
        Moment(d.decided_at, f"{_decided(d)}{_by(d.decided_by)}{_bulk(d)}", d.note, key=True)
        for d in _all(row.decisions, "decided_by", "reason")
    ]
    events = row.lead.events.order_by("-occurred_at", "-pk").fetch_mode(models.FETCH_RAISE)[:EVENTS_SHOWN]
    moments += [Moment(e.occurred_at, capfirst(event(e.kind))) for e in events]
    if row.withdrawn_at:
        moments.append(Moment(row.withdrawn_at, f"Withdrawn{_by(row.withdrawn_by)}", row.withdrawn_why, key=True))
    return sorted(moments, key=lambda moment: moment.at)


def _given(assignment):
    if assignment.to_queue:
        return f"Put into the queue, which {assignment.owner.name} looks after"
    return f"Given to {assignment.owner.name}"


def _corrected(correction):
    """What a touch that was logged late put right, and what had been believed."""
    zone = timezone.get_default_timezone()
    believed = correction.believed_at and time.moment(correction.believed_at, correction.recorded_at, zone)
    words = f"First contact corrected to {time.moment(correction.stopped_at, correction.recorded_at, zone)}"
    note = f"{believed} was believed before" if believed else "No contact was known before"
    return words, f"{note}; the clock was kept after all" if correction.undoes_breach else note


def _all(related, *joined):
    return related.select_related(*joined).fetch_mode(models.FETCH_RAISE)


def _decided(decision):
    if decision.outcome == Decision.Outcome.REJECTED:
        return f"Rejected: {decision.reason.label}"
    return decision.get_outcome_display()


def _by(user):
    return f" by {user.name}" if user else ""


def _bulk(fact):
    return ", in bulk" if fact.via == Decision.Via.BULK else ""

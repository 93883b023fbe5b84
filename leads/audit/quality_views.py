"""Doors of the reasons' quality: the flags, the leads behind one, drawing a sample, coding it blind."""

import secrets

from django.db import models
from django.http import Http404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads.audit import quality, sampling
from leads.audit.closed import MonthClosed
from leads.audit.links import leads_url
from leads.audit.models import Closing, SampleItem
from leads.audit.views import asked_for, parse_month, parse_period
from leads.figures import Month
from leads.models import Handoff
from leads.views.leads_export import HEAD, lead_rows
from portal.accounts.permissions import May, may, require
from portal.shared import sheets
from portal.shared.htmx import answer, go, invalid, overtaken
from portal.shared.refusal import NotPermitted, Refusal
from sla.models.reasons import Category

PAGE, CODER = "audit/quality.html", "audit/recode.html"
SHOWN = 200
FACTS = (
    ("Company", "company"), ("Title", "title"), ("Employees", "employees"), ("Industry", "industry"),
    ("Country", "country"), ("Region", "region"), ("Product", "product"), ("E-mail", "email"), ("Phone", "phone"),
    ("Website", "domain"),
)  # fmt: skip
EVENTS_SHOWN = 12


@require_GET
def audit_quality(request, month):
    """The section of the audit, and a page of its own; of some days the flags alone."""
    require(request.user, May.READ_AUDIT)
    period, now, _ = _when(month, of_days=True)
    return answer(request, PAGE, _context(request, period, now), part="quality")


@require_GET
def audit_quality_flag(request, month, flag):
    """The leads that a flag counts, the newest first."""
    require(request.user, May.READ_AUDIT)
    if flag not in quality.FLAGS:
        raise Http404("There is no such flag.")
    month, now, zone = _when(month, of_days=True)
    found = quality.flagged(flag, _rejections(request.user, month, now, zone))
    rows = found.select_related("lead", "owner", "reason", "standing_decision").defer("breakdown", "lead__attributes")
    rows = list(rows.order_by("-decided_at", "-pk").fetch_mode(models.FETCH_RAISE)[: SHOWN + 1])
    context = {
        "month": month,
        "flag": flag,
        "title": quality.FLAGS[flag],
        "handoffs": rows[:SHOWN],
        "more": len(rows) > SHOWN,
        "now": now,
    }
    return answer(request, "audit/quality_leads.html", context | _limited(request.user))


@require_GET
def audit_quality_export(request, month, flag, form):
    """All leads that a flag counts, as a file."""
    require(request.user, May.READ_AUDIT)
    if flag not in quality.FLAGS:
        raise Http404("There is no such flag.")
    month, now, zone = _when(month, of_days=True)
    found = quality.flagged(flag, _rejections(request.user, month, now, zone))
    return sheets.download(form, f"audit-{month}-{flag}", HEAD, lead_rows(found, zone))


@require_POST
def audit_sample(request, month):
    """Draw a sample. Nobody chooses the seed: it would choose the leads."""
    require(request.user, May.DRAW_SAMPLES)
    month, now, zone = _when(month)
    try:
        sampling.draw_sample(month=month, seed=secrets.token_hex(4), by=request.user, at=now, zone=zone)
    except (sampling.SampleNotFinished, MonthClosed) as refusal:
        wrong = {"wrong": refusal.sentence}
        return overtaken(request, PAGE, _context(request, month, now) | wrong, part="quality")
    except NotPermitted:
        raise
    except Refusal as refusal:
        wrong = {"wrong": refusal.sentence}
        return invalid(request, PAGE, _context(request, month, now) | wrong, part="quality")
    if not request.htmx:
        return go(request, "audit_quality", str(month))
    return answer(request, PAGE, _context(request, month, now), part="quality")


@require_GET
def audit_recode(request, month):
    """The next sampled lead for this person, without its code; where they left off, whenever they come back."""
    require(request.user, May.RECODE_REASONS)
    month, _, _ = _when(month)
    return answer(request, CODER, _next(request.user, month), part="coder")


@require_POST
def audit_code(request, month, pk):
    require(request.user, May.RECODE_REASONS)
    month, now, _ = _when(month)
    try:
        sampling.code_item(item_id=pk, code=request.POST.get("reason", "")[:2], by=request.user, at=now)
    except (sampling.AlreadyCoded, MonthClosed) as refusal:
        return overtaken(request, CODER, _next(request.user, month) | {"wrong": refusal.sentence}, part="coder")
    except sampling.NoSuchReason as refusal:
        return invalid(request, CODER, _next(request.user, month) | {"wrong": refusal.sentence}, part="coder")
    if not request.htmx:
        return go(request, "audit_recode", str(month))
    return answer(request, CODER, _next(request.user, month), part="coder")


def _when(key, *, of_days=False):
    zone, now = timezone.get_default_timezone(), timezone.now()
    return parse_period(key, now, zone) if of_days else parse_month(key, Month.of(now, zone)), now, zone


def _rejections(user, month, now, zone):
    return quality.rejections(month, as_of=now, zone=zone, among=Handoff.objects.visible_to(user))


def _limited(user):
    return {"limited": not may(user, May.SEE_ALL_HANDOFFS) and May.SEE_ALL_HANDOFFS.refusal}


def _context(request, period, now):
    asked = asked_for(request, str(period), of_days=True)
    of_period = _coded(request.user, asked, now) if isinstance(period, Month) else _of_days(asked)
    return _flags(asked) | of_period | ({} if asked.is_signed else _limited(request.user))


def _flags(asked):
    shares, untold = asked.flags
    of = {"decided_month": asked.period, "status": "rejected"}
    return {
        "asked": asked,
        "month": asked.period,
        "now": asked.as_of,
        "flags": [(flag, quality.FLAGS[flag], share) for flag, share in shares.items()],
        "untold": untold,
        "one_reason": [
            (row, leads_url(of, owner=row.owner, reason=row.code), leads_url(of, owner=row.owner))
            for row in asked.one_reason
        ],
        "one_reason_over": quality.ONE_REASON,
        "at_least": quality.AT_LEAST,
    }


def _of_days(asked):
    """What the section says of some days: samples are a month's."""
    n = sum(share.k for share in asked.flags[0].values())
    return {"heading": quality.flagged_in_words(n, asked.period), "of_month": Month(asked.period.last.replace(day=1))}


def _coded(user, asked, now):
    """How far two people code a month alike, and what the person may do about it."""
    month, agreement = asked.period, asked.agreement
    codes, draws = (not asked.closing and may(user, what) for what in (May.RECODE_REASONS, May.DRAW_SAMPLES))
    over = month.ends(asked.zone) <= now
    return {
        "agreement": agreement,
        "apart": [(_label(a), _label(b), n) for a, b, n in agreement.apart] if agreement.coded else [],
        "samples": asked.samples,
        "waiting": codes and sampling.waiting_for(user, month).count(),
        "may_draw": over and agreement.coded == agreement.drawn and draws,
        "over": over,
        "enough": quality.ENOUGH,
        "size": sampling.SIZE,
        "heading": quality.HEADINGS[agreement.verdict],
    }


def _label(category):
    return Category(category).label


def _next(user, month):
    closed = Closing.objects.of(month)
    waiting = SampleItem.objects.none() if closed else sampling.waiting_for(user, month)
    left, drawn = waiting.count(), SampleItem.objects.filter(sample__month=month.first)
    context = {
        "month": month,
        "left": left,
        "drawn": drawn.count(),
        "coded": drawn.filter(coding__isnull=False).count(),
        "mine": drawn.filter(coding__coded_by=user).count(),
        "item": None,
        "closed": closed,
    }
    item = waiting.select_related("decision__handoff__lead", "decision__handoff__sla_version").first()
    return context | (_blind(item) if item else {})


def _blind(item):
    """What whoever rejected the lead knew of it; not what they said, and nothing that came after."""
    handoff = item.decision.handoff
    lead, before = handoff.lead, item.decision.decided_at
    reasons = list(handoff.sla_version.reasons.offered().order_by("code"))
    return {
        "item": item,
        "handoff": handoff,
        "lead": lead,
        "facts": [(name, value) for name, field in FACTS if (value := getattr(lead, field)) not in (None, "")],
        "touches": [
            (touch.occurred_at, f"{touch.get_kind_display()}: {touch.get_outcome_display().lower()}")
            for touch in handoff.touches.filter(occurred_at__lte=before)
        ],
        "events": lead.events.filter(occurred_at__lte=before).order_by("-occurred_at", "-pk")[:EVENTS_SHOWN],
        "categories": [(key, name, [r for r in reasons if r.category == key]) for key, name in Category.choices],
        "before": before,
    }

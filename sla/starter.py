"""The agreement a new company starts from: the definition, the catalogue and the terms of the seeds, as a draft."""

import datetime as dt

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import get_default_timezone

from sla.models import (
    Calendar,
    Category,
    Commitment,
    EscalationStep,
    MQLDefinition,
    Party,
    ReasonCode,
    ScoringRule,
    SLAVersion,
    Tier,
)

WEEK = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
LEADERS = "Head of|Director|Manager|Chief|COO|CEO|VP|Lead"

# ruff: noqa: E501  (tables read better whole)
# key, label, axis, condition, points, options
RULES = (
    ("size", "Company size 200–5,000", "fit", {"field": "employees", "op": "between", "min": 200, "max": 5000}, 20, {}),
    (
        "industry", "Served industry", "fit",
        {"field": "industry", "op": "in", "values": ["Food", "Packaging", "Automotive", "Logistics", "Manufacturing"]},
        15, {},
    ),
    ("role", "Operations, maintenance or plant lead", "fit", {"field": "title", "op": "matches", "value": LEADERS}, 15, {}),
    (
        "region", "Sales region", "fit",
        {"field": "country", "op": "in", "values": ["Netherlands", "Belgium", "Germany", "Denmark", "Sweden"]}, 5, {},
    ),
    ("asked_demo", "Demo requested", "behaviour", {"field": "source", "op": "equals", "value": "Demo request"}, 35, {}),
    ("roi", "ROI calculator completed", "behaviour", {"event": "roi_completed"}, 18, {"window_days": 30}),
    ("pricing", "Pricing page, 2 visits in 14 days", "behaviour", {"event": "pricing_viewed"}, 12,
     {"window_days": 14, "minimum_count": 2}),
    ("guide", "Guide downloaded", "behaviour", {"event": "guide_downloaded"}, 10, {"per_event": True, "cap": 40}),
    ("webinar", "Webinar attended", "behaviour", {"event": "webinar_attended"}, 8, {"per_event": True, "cap": 32}),
    ("email_click", "E-mail link clicked", "behaviour", {"event": "email_clicked"}, 3,
     {"per_event": True, "cap": 9, "decay_days": 60}),
    ("competitor", "Works for a competitor", "disqualifier",
     {"field": "domain", "op": "in", "values": ["rival.example"]}, 0, {}),
)  # fmt: skip

# key, name, total, fit, behaviour, first contact, decision
TIERS = (
    ("hot", "Hot", 80, 40, None, dt.timedelta(hours=1), dt.timedelta(days=1)),
    ("standard", "Standard", 50, None, None, dt.timedelta(days=1), dt.timedelta(days=5)),
)

# the same promises in working hours: a day is the ten hours of an office day
IN_BUSINESS_HOURS = {
    "clock_basis": SLAVersion.ClockBasis.CALENDAR,
    "tiers": (
        (*TIERS[0][:5], dt.timedelta(hours=1), dt.timedelta(hours=10)),
        (*TIERS[1][:5], dt.timedelta(hours=10), dt.timedelta(hours=50)),
    ),
}

FIT, TIMING, DATA, SCORING = Category
D, N = ReasonCode.Detail, ReasonCode.NextStep
# code, category, label, meaning, detail, its default, options
REASONS = (
    ("10", FIT, "Other bad fit", "The company or the person is outside the profile for another reason.", D.ATTRIBUTE, "",
     {"is_general": True, "detail_required": True, "next_step": N.DISQUALIFY}),
    ("11", FIT, "Company too small", "Fewer than 200 employees, or a single site with no maintenance team.",
     D.ATTRIBUTE, "employees", {"next_step": N.DISQUALIFY}),
    ("12", FIT, "Industry not served", "Outside manufacturing, food, packaging, automotive supply and logistics.",
     D.ATTRIBUTE, "industry", {"next_step": N.DISQUALIFY}),
    ("13", FIT, "Role without influence", "Student, consultant or a role that neither plans nor pays for maintenance.",
     D.ATTRIBUTE, "title", {"next_step": N.NURTURE}),
    ("14", FIT, "Region not served", "No site in a country where we sell and support.",
     D.ATTRIBUTE, "country", {"next_step": N.DISQUALIFY}),
    ("20", TIMING, "Other bad timing", "The right company at the wrong time, for another reason.", D.RECYCLE_ON, "",
     {"is_general": True, "detail_required": True, "next_step": N.RECYCLE}),
    ("21", TIMING, "No budget this year", "They want it, but no money is set aside before the next budget round.",
     D.RECYCLE_ON, "", {"recycle_days": 180, "next_step": N.RECYCLE}),
    ("22", TIMING, "Not in the market", "No project and no plan for one within 12 months.",
     D.RECYCLE_ON, "", {"recycle_days": 365, "next_step": N.RECYCLE}),
    ("23", TIMING, "Locked in a contract", "Bound to another system. Say when to come back: 90 days before it ends.",
     D.RECYCLE_ON, "", {"detail_required": True, "next_step": N.RECYCLE}),
    ("30", DATA, "Other bad data", "The record is wrong in another way.", D.FIELD, "",
     {"is_general": True, "detail_required": True, "next_step": N.FIX_DATA}),
    ("31", DATA, "Wrong contact details", "Phone and e-mail both fail, or belong to someone else.",
     D.FIELD, "phone", {"next_step": N.FIX_DATA}),
    ("32", DATA, "Duplicate", "The same person or project is already a lead or a customer. Pick the record.",
     D.DUPLICATE_OF, "", {"detail_required": True, "next_step": N.FIX_DATA}),
    ("33", DATA, "Test or spam", "An invented or automated submission.", D.FIELD, "email", {"next_step": N.DISQUALIFY}),
    ("34", DATA, "Unable to reach", "No answer after the attempts that the agreement names.", D.FIELD, "phone",
     {"unreachable": True, "next_step": N.NURTURE}),
    ("40", SCORING, "Other bad scoring", "The score was too generous for another reason.", D.SIGNAL, "",
     {"is_general": True, "detail_required": True}),
    ("41", SCORING, "Content-only interest", "Points come from guides or webinars; no demo, pricing or ROI action.",
     D.SIGNAL, "guide", {"note_required": True}),
    ("42", SCORING, "Old activity counted", "Most points come from activity more than 30 days old.",
     D.SIGNAL, "email_click", {}),
    ("43", SCORING, "One rule carried it", "A single rule lifted the lead over the threshold.", D.SIGNAL, "",
     {"detail_required": True}),
)  # fmt: skip

# per mille for shares, counts for MQLs
MARKETING = (("mqls", 550, 645), ("acceptance", 250, None), ("complete_facts", 950, None))
SHARE_KEPT = 900
TARGET = {"target_rate": 250, "target_accepted": 140}
# name, from per mille
BENCHMARKS = (("broken", 0), ("misaligned", 50), ("average", 130), ("good", 250), ("best-in-class", 400))
BENCHMARK_SOURCE = "MQL-to-SQL benchmarks of the handoff guide this portal was made from"
STEP, CLOCK = EscalationStep.Kind, EscalationStep.Clock
# clock, kind, percent of its time or time past the due time
STEPS = (
    (CLOCK.CONTACT, STEP.WARN_OWNER, 75),
    (CLOCK.CONTACT, STEP.TELL_MANAGER, dt.timedelta(0)),
    (CLOCK.CONTACT, STEP.TO_QUEUE, dt.timedelta(hours=4)),
    (CLOCK.DECISION, STEP.WARN_OWNER, 80),
    (CLOCK.DECISION, STEP.TELL_MANAGER, dt.timedelta(0)),
)


@transaction.atomic
def draft_version(*, by, at, rules=RULES, tiers=TIERS, reasons=REASONS, summary="", calendar=None, **terms):
    """A complete draft (definition, catalogue, calendar, commitments), next free numbers. Returns the SLAVersion.

    rules, tiers, reasons: as the tables above. calendar: an existing one, else office hours are made. terms: fields of
    SLAVersion, e.g. undo_within.
    """
    definition = MQLDefinition.objects.create(
        number=_next(MQLDefinition), created_at=at, created_by=by, summary=summary
    )
    ScoringRule.objects.bulk_create(
        ScoringRule(definition=definition, position=i, key=key, label=label, axis=axis, condition=condition,
                    points=points, **options)
        for i, (key, label, axis, condition, points, options) in enumerate(rules, 1)
    )  # fmt: skip
    if calendar is None:
        calendar = Calendar.objects.create(
            name="Office hours", zone=str(get_default_timezone()), week=WEEK, created_at=at, created_by=by
        )
    version = SLAVersion.objects.create(
        number=_next(SLAVersion), definition=definition, calendar=calendar, created_at=at, created_by=by,
        summary=summary, **_agreed() | terms,
    )  # fmt: skip
    for position, (key, name, total, fit, behaviour, contact, decision) in enumerate(tiers, 1):
        tier = Tier.objects.create(
            definition=definition, position=position, key=key, name=name, total=total, fit=fit, behaviour=behaviour
        )
        _promise(version, Commitment.Kind.FIRST_CONTACT, tier=tier, within=contact)
        _promise(version, Commitment.Kind.DECISION, tier=tier, within=decision)
    _promise(version, Commitment.Kind.SHARE_KEPT, at_least=SHARE_KEPT)
    for kind, low, high in MARKETING:
        _promise(version, kind, party=Party.MARKETING, at_least=low, at_most=high)
    ReasonCode.objects.bulk_create(
        ReasonCode(version=version, code=code, category=category, label=label, meaning=meaning, detail=detail,
                   detail_default=default, **options)
        for code, category, label, meaning, detail, default, options in reasons
    )  # fmt: skip
    for of_clock in CLOCK:
        steps = [(kind, when) for clock, kind, when in STEPS if clock == of_clock]
        EscalationStep.objects.bulk_create(
            EscalationStep(version=version, clock=of_clock, position=i, kind=kind,
                           **{"share" if kind == STEP.WARN_OWNER else "after": when})
            for i, (kind, when) in enumerate(steps, 1)
        )  # fmt: skip
    return version


def _agreed():
    bands = [{"name": name, "from_per_mille": low} for name, low in BENCHMARKS]
    return {**TARGET, "benchmarks": bands, "benchmark_source": BENCHMARK_SOURCE}


def _promise(version, kind, *, party=Party.SALES, **terms):
    Commitment.objects.create(version=version, party=party, kind=kind, **terms)


def _next(model):
    return (model.objects.aggregate(last=Max("number"))["last"] or 0) + 1

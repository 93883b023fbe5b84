"""Makes many valid handoffs of the past in a few statements: for figures that need hundreds of rows."""

import datetime as dt
import itertools
import random

from django.db import connection, transaction

from leads.models import Assignment, Decision, Handoff, Lead
from sla.models import Tier

numbers = itertools.count(1)
SOURCES = ("Webinar", "Demo request", "Trade fair", "")
SHAPE = {
    "source": "", "campaign": "", "channel": "", "industry": "", "employees": None,
    "owner": None, "tier": None, "first_touch_at": None, "fit": None,
    "behaviour": None, "total": None, "breakdown": None, "is_historical": True, "decision_due_at": None,
    "contact_due_at": None,
}  # fmt: skip

DECIDE = """
UPDATE leads_handoff h SET standing_decision_id = d.id, status = d.outcome, decided_at = d.decided_at,
    reason_id = d.reason_id
FROM leads_decision d WHERE d.handoff_id = h.id AND h.id = ANY(%s)
"""
WITHDRAW = """
UPDATE leads_handoff h SET status = 'withdrawn', withdrawn_at = w.at, withdrawn_why = 'Merged'
FROM unnest(%s::bigint[], %s::timestamptz[]) AS w(id, at) WHERE h.id = w.id
"""


@transaction.atomic
def write(version, cases):
    """Insert one historical handoff per case and return them in order.

    A case: qualified_at, and of SHAPE what matters; decided_at with `reason` (a ReasonCode) or none for an
    acceptance, `detail` (fields of the decision) and `decided_by`; or withdrawn_at. `lead`: facts of the lead;
    `assignments`: fields of each, else one to the owner at once. Company carries a running number.
    """
    cases = [{**SHAPE, **case} for case in cases]
    names = [next(numbers) for _ in cases]
    leads = Lead.objects.bulk_create(
        Lead(**{"email": f"past{n}@example.com", "first_name": "Past", "last_name": str(n), "company": f"Company {n}",
                "created_at": case["qualified_at"], "updated_at": case["qualified_at"], **case.get("lead", {})})
        for n, case in zip(names, cases, strict=True)
    )  # fmt: skip
    rows = Handoff.objects.bulk_create(
        Handoff(lead=lead, definition=version.definition, sla_version=version,
                recorded_at=case["qualified_at"], qualified_at=case["qualified_at"],
                **{name: case[name] for name in SHAPE})
        for lead, case in zip(leads, cases, strict=True)
    )  # fmt: skip
    Assignment.objects.bulk_create(
        Assignment(**{"handoff": row, "owner": row.owner, "assigned_at": row.qualified_at,
                      "recorded_at": row.qualified_at, "why": "x", **given})
        for row, case in zip(rows, cases, strict=True) if row.owner for given in case.get("assignments", [{}])
    )  # fmt: skip
    Decision.objects.bulk_create(
        Decision(handoff=row, outcome="rejected" if case.get("reason") else "accepted", reason=case.get("reason"),
                 decided_at=case["decided_at"], recorded_at=case["decided_at"], decided_by=case.get("decided_by"),
                 **{"via": Decision.Via.IMPORT, **case.get("detail", {})})
        for row, case in zip(rows, cases, strict=True) if case.get("decided_at")
    )  # fmt: skip
    withdrawn = {row.pk: c["withdrawn_at"] for row, c in zip(rows, cases, strict=True) if c.get("withdrawn_at")}
    with connection.cursor() as cursor:
        cursor.execute(DECIDE, [[row.pk for row in rows]])
        cursor.execute(WITHDRAW, [list(withdrawn), list(withdrawn.values())])
    return rows


def random_cases(n, *, seed, version, owners, start, end):
    """`n` cases between two instants, many of them on the stroke of a month in some zone."""
    chance = random.Random(seed)
    reasons, tiers = list(version.reasons.all()), [None, *Tier.objects.filter(definition=version.definition)]
    for _ in range(n):
        at = start + dt.timedelta(seconds=chance.randrange(int((end - start).total_seconds())))
        if chance.random() < 0.3:  # near a border: a zone's midnight, give or take a microsecond
            at = at.replace(day=1, hour=chance.choice((0, 7, 8, 22, 23)), minute=0, second=0, microsecond=0)
            at += dt.timedelta(microseconds=chance.choice((-1, 0, 1)))
        case = {
            "qualified_at": at,
            "source": chance.choice(SOURCES),
            "campaign": chance.choice(("Spring", "Autumn")),
            "channel": chance.choice(("Paid", "")),
            "industry": chance.choice(("Food", "Chemicals", "")),
            "employees": chance.choice((None, 0, 1, 49, 50, 199, 200, 1000, 40_000)),
            "owner": chance.choice((None, *owners)),
            "tier": chance.choice(tiers),
        }
        later = at + dt.timedelta(seconds=chance.randrange(40 * 86400))
        kind = chance.random()
        if kind < 0.25:
            case["decided_at"] = later
        elif kind < 0.75:
            case |= {"decided_at": later, "reason": chance.choice(reasons)}
        elif kind < 0.8:
            case["withdrawn_at"] = later
        if chance.random() < 0.7:
            case["first_touch_at"] = at + dt.timedelta(seconds=chance.randrange(1, 9 * 86400))
        yield case


def _rules_of(version, chance, carried):
    """Points of every rule of the definition on one lead; `carried` gets most of them."""
    found = []
    for rule in version.definition.rules.all():
        points = max(0, rule.points) * (chance.random() < (0.95 if rule.key == carried else 0.4))
        found.append({"key": rule.key, "label": rule.label, "axis": rule.axis, "points": points, "fired": points > 0})
    return found


def scored(version, chance, carried="", **case):
    """A case of 10 March 2026, decided two days later, with a score that the rule `carried` often lifted."""
    at = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)
    tier = Tier.objects.filter(definition=version.definition).order_by("-position").first()
    rules = _rules_of(version, chance, carried)
    fit, behaviour = (sum(r["points"] for r in rules if r["axis"] == axis) for axis in ("fit", "behaviour"))
    return {
        "qualified_at": at, "decided_at": at + dt.timedelta(days=2), "tier": tier, "fit": fit, "behaviour": behaviour,
        "total": fit + behaviour, "breakdown": {"rules": rules}, **case,
    }  # fmt: skip

"""Makes random histories in a few statements, around a month: clocks, touches, second thoughts, disputes, samples."""

import datetime as dt
import random
import uuid

from django.db import connection

from leads.audit.models import Coding, Sample, SampleItem
from leads.models import Breach, Decision, Dispute, Handoff, Ruling, Touch
from sla.models import Tier
from tests.history import random_cases, write

DAY, HOUR, SECOND = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(seconds=1)
INDUSTRIES, SIZES = ("Food", "Retail", ""), (None, 0, 1, 49, 50, 199, 200, 999, 1000, 40_000)
REOPEN = """
UPDATE leads_handoff SET status = 'open', standing_decision_id = %s, decided_at = NULL, reason_id = NULL WHERE id = %s
"""


def live(n, *, seed, month, zone, version, people):
    """Writes `n` handoffs around a figures.Month, and what happened to them; returns them as written."""
    chance = random.Random(seed)
    begin, end = month.begins(zone), month.ends(zone)
    cases = list(
        random_cases(
            n, seed=seed, version=version, owners=[people.rep, people.south_rep], start=begin - 40 * DAY,
            end=end + 15 * DAY,
        )
    )  # fmt: skip
    for case, border in zip(cases, (begin, end) * 3, strict=False):  # on the stroke of both borders, and beside it
        _move(case, border + chance.choice((-1, 0, 1)) * dt.timedelta(microseconds=1))
    handoffs = write(version, [_more(case, chance, version, people) for case in cases])
    for handoff in handoffs:
        handoff.refresh_from_db()
    _touch(handoffs, chance, people)
    _breach(handoffs, chance, people)
    _dispute(handoffs, chance, people)
    _sample(handoffs, chance, month, zone, people)
    _reopen(handoffs, chance, people)
    with connection.cursor() as cursor:  # nothing here is a history that the database would not have
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return handoffs


def _move(case, to):
    """The whole case by as much as its qualification moves."""
    by = to - case["qualified_at"]
    for name in ("qualified_at", "decided_at", "withdrawn_at", "first_touch_at"):
        if case.get(name):
            case[name] += by


def _more(case, chance, version, people):
    at = case["qualified_at"]
    size, industry = chance.choice(SIZES), chance.choice(INDUSTRIES)
    lead = {"employees": size, "industry": industry, "attributes": {"Team": chance.choice(("A", "B"))}}
    case |= {"industry": industry, "employees": size, "lead": lead}
    if reason := case.get("reason"):
        wanted = {"fit": ("attribute", ("industry", "Team", "")), "data": ("field", ("company", "phone"))}
        name, values = wanted.get(reason.category, ("signal", ("",)))
        case["detail"] = {name: chance.choice(values)}
    if case.get("decided_at"):
        case["decided_by"] = chance.choice((people.rep, people.other_rep))
    return case | _of_now(case, chance, version, people, at) if chance.random() < 0.6 else case


def _of_now(case, chance, version, people, at):
    """What a lead has that this portal itself took in: a score, clocks, an owner, decisions by its own doors."""
    rules = [
        {"key": r.key, "label": r.label, "axis": r.axis, "points": max(0, r.points) * chance.randrange(2)}
        for r in version.definition.rules.all()
    ]
    fit, behaviour = (sum(r["points"] for r in rules if r["axis"] == axis) for axis in ("fit", "behaviour"))
    more = {
        "is_historical": False, "tier": chance.choice(list(Tier.objects.filter(definition=version.definition))),
        "fit": fit, "behaviour": behaviour, "total": fit + behaviour, "breakdown": {"rules": rules},
        "contact_due_at": at + chance.choice((HOUR, DAY)), "decision_due_at": at + chance.choice((DAY, 5 * DAY)),
        "owner": chance.choice((people.rep, people.south_rep)),
    }  # fmt: skip
    queue = [{"to_queue": True}] if chance.random() < 0.3 else []
    more["assignments"] = [*queue, {"assigned_at": at + chance.choice((0, 1, 4000)) * SECOND}]
    if case.get("decided_at"):
        via = chance.choice(("page", "page", "bulk"))
        more["detail"] = {**case.get("detail", {}), "via": via, "batch": uuid.uuid4() if via == "bulk" else None}
        if chance.random() < 0.2:
            more["decided_at"] = at + chance.choice((5, 19, 20, 21)) * SECOND
    if chance.random() < 0.5:
        more["first_touch_at"] = at + chance.choice((0, 299, 300, 301, 3600, 86_400, 86_401)) * SECOND
    return more


def _touch(handoffs, chance, people):
    Touch.objects.bulk_create(
        Touch(
            handoff=h, kind="call", outcome="no_answer", touched_by=people.rep, recorded_at=h.qualified_at,
            occurred_at=h.qualified_at + chance.choice((1, 30, 400)) * HOUR,
        )
        for h in handoffs
        for _ in range(chance.randrange(4))
    )  # fmt: skip


def _breach(handoffs, chance, people):
    """Some of the clocks that ran out have their breach, of whoever held the lead then."""
    Breach.objects.bulk_create(
        Breach(
            handoff=h, clock=clock, due_at=due, owner=chance.choice((people.other_rep, h.owner)),
            sla_version_id=h.sla_version_id, recorded_at=due + SECOND,
        )
        for h in handoffs
        for clock, due, stopped in (
            ("contact", h.contact_due_at, h.first_touch_at), ("decision", h.decision_due_at, h.decided_at)
        )
        if due and stopped and stopped > due and chance.random() < 0.7
    )  # fmt: skip


def _dispute(handoffs, chance, people):
    """Some rejections are disputed; some of these rulings uphold them."""
    disputes = Dispute.objects.bulk_create(
        Dispute(
            decision_id=h.standing_decision_id, disputed_by=people.marketer, note="Look again.",
            disputed_at=h.decided_at + HOUR, due_at=h.decided_at + 9 * DAY,
        )
        for h in handoffs
        if h.status == "rejected" and chance.random() < 0.3
    )  # fmt: skip
    Ruling.objects.bulk_create(
        Ruling(dispute=d, outcome="upheld", ruled_by=people.manager, ruled_at=d.disputed_at + DAY)
        for d in disputes
        if chance.random() < 0.4
    )


def _reopen(handoffs, chance, people):
    """Some decisions were taken back: superseded, and the handoff open again."""
    for h in handoffs:
        if h.standing_decision_id and chance.random() < 0.15:
            at = h.decided_at + HOUR
            said = {"outcome": "open", "decided_at": at, "recorded_at": at, "decided_by": people.manager}
            later = Decision.objects.create(handoff=h, supersedes_id=h.standing_decision_id, **said)
            with connection.cursor() as cursor:
                cursor.execute(REOPEN, [later.pk, h.pk])


def _sample(handoffs, chance, month, zone, people):
    """Some of the month's rejections are coded a second time, by somebody else."""
    inside = [
        h for h in handoffs
        if h.status == "rejected" and month.begins(zone) <= h.decided_at < month.ends(zone)
    ]  # fmt: skip
    drawn = Handoff.objects.in_bulk([h.pk for h in inside[:20]])
    if not drawn:
        return
    sample = Sample.objects.create(
        month=month.first, number=Sample.objects.count() + 1, seed="aa", size=len(drawn), population=len(inside),
        drawn_by=people.marketer,
        drawn_at=month.ends(zone),
    )  # fmt: skip
    items = SampleItem.objects.bulk_create(
        SampleItem(sample=sample, position=place, decision_id=h.standing_decision_id)
        for place, h in enumerate(drawn.values(), 1)
    )
    Coding.objects.bulk_create(
        Coding(
            item=item, coded_by=people.marketer, coded_at=month.ends(zone) + HOUR,
            reason=h.reason if chance.random() < 0.6 else chance.choice(list(h.sla_version.reasons.all())),
        )
        for item, h in zip(items, drawn.values(), strict=True)
        if chance.random() < 0.8
    )  # fmt: skip

"""What goes on at Tarnwick just now: hours, an absence, leads in the queue, disputes, a proposal, a routing plan.

Every act is a real verb at its own instant, and its messages are delivered then, so that the bells ring as they would.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.db.models import F

from leads.demo.company import calendar, office_day
from leads.demo.invent import next_month
from leads.models import Handoff, RoutingRule, Ruling
from leads.services.dispute import dispute_rejection, rule_on_dispute
from leads.services.queue import hand_back_handoff
from leads.services.routing_plan import RuleTerms, add_rule, publish_plan, set_terms, start_draft
from leads.services.sweep import sweep_clocks
from portal.accounts.absences import add_absence
from portal.accounts.models import Role
from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message
from sla.models import Category, Commitment, Party, SLAVersion
from sla.services.calendars import give_calendar
from sla.services.definition import draft_definition
from sla.services.terms import change_draft, choose_definition, draft_from
from sla.services.version import propose_version, sign_version

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
SHOP_HOURS = {day: [["08:30", "12:30"], ["13:00", "17:30"]] for day in ("mon", "tue", "wed", "thu", "fri")}
CONTENT_COUNTS_LESS = (
    {"rule": "guide", "set": {"cap": 20}},
    {"rule": "webinar", "set": {"cap": 16}},
    {"tier": "standard", "set": {"total": 55}},
)
HANDED_BACK = (  # by whom, minutes ago, why
    ("Noor Belhadi", 74, "they buy through their group in Spain"),
    ("Sanna Whitlock", 21, "asks for somebody who speaks Swedish"),
)
OBJECTIONS = (  # category of the rejection, what marketing says, what the manager rules
    (Category.TIMING, "Their partner asked us for an offer this quarter. Please call once more.", ""),
    (
        Category.FIT,
        "The group is far larger than the site in the record.",
        "We sell by site, and this one is too small.",
    ),
)
ACCOUNT = "kestmark.example"


def go_on(who, *, version, at, zone):
    """Live the last days before `at` (aware) under `version`, the agreement in force."""
    _hush()
    _propose(who, version, at=at, zone=zone)
    _hours(who, at=at, zone=zone)
    _absence(who, at=at, zone=zone)
    _object(who, at=at)
    for name, minutes, why in HANDED_BACK:
        _hand_back(who.by_name[name], why=why, at=at - minutes * MINUTE)
    sweep_clocks(at=at - 5 * MINUTE)  # its summaries gather for a minute
    _route(who, at=at)
    deliver_due(at=at)


def _hush():
    """What was told until now is past: nobody is told of it again."""
    Message.objects.waiting().update(delivered_at=F("created_at"))


def _propose(who, before, *, at, zone):
    """Marketing drafted the next version, proposed and signed it; sales has not yet."""
    drafted, proposed = office_day(at - 9 * DAY), office_day(at - 5 * DAY)
    signed = office_day(proposed + DAY) + HOUR
    definition = draft_definition(
        start_from=before.definition, changes=CONTENT_COUNTS_LESS, by=who.marketer, at=drafted,
        summary="Content alone makes no MQL any more",
    )  # fmt: skip
    draft = draft_from(version_id=before.pk, by=who.marketer, at=drafted)
    choose_definition(version_id=draft.pk, definition_id=definition.pk, by=who.marketer, at=drafted + HOUR)
    change_draft(
        version_id=draft.pk, by=who.marketer, at=drafted + HOUR,
        terms={
            "summary": "Content counts less, hot leads are decided sooner, in the owner’s hours",
            "clock_basis": SLAVersion.ClockBasis.OWNER,
        },
        promises=[{"kind": Commitment.Kind.DECISION, "tier": "hot", "within": 8 * HOUR}],
    )  # fmt: skip
    begins = next_month(at + 10 * DAY, zone)
    propose_version(version_id=draft.pk, effective_from=begins, by=who.marketing_leader, at=proposed)
    deliver_due(at=proposed)
    sign_version(
        version_id=draft.pk, party=Party.MARKETING, role=Role.MARKETING_LEADER, by=who.marketing_leader, at=signed
    )
    deliver_due(at=signed)


def _hours(who, *, at, zone):
    """One team works by hours and holidays of its own."""
    shop = calendar(
        who, name="Rotterdam", country="NL", zone=ZoneInfo("Europe/Amsterdam"), week=SHOP_HOURS, now=at,
        at=office_day(at - 30 * DAY),
    )  # fmt: skip
    team = who.by_name["Maren Oduya"].team_id
    give_calendar(calendar_id=shop.pk, team_id=team, from_day=at.astimezone(zone).date(), by=who.admin, at=at)


def _absence(who, *, at, zone):
    """Somebody is away this week, whatever day it is."""
    day = at.astimezone(zone).date()
    monday = day - day.weekday() * DAY
    away = who.by_name["Callum Osterby"]
    add_absence(
        person_id=away.pk, first_day=monday, last_day=monday + 6 * DAY, by=away, note="Holiday",
        at=office_day(at - 12 * DAY),
    )  # fmt: skip


def _object(who, *, at):
    """Two rejections of late were disputed: one objection waits, one was ruled on."""
    manager, disputed = who.by_name["Tobias Renwick"], office_day(at - 4 * DAY) + 2 * HOUR
    ruled = disputed + 4 * HOUR
    recent = Handoff.objects.filter(
        status="rejected", is_historical=False, owner__team=manager.team_id, decided_at__gt=at - 11 * DAY,
        decided_at__lt=at - 5 * DAY,
    ).order_by("reason__detail_default", "decided_at")  # fmt: skip
    free = list(recent.select_related("reason"))
    for category, note, ruling in OBJECTIONS:
        if not free:
            return
        handoff = next((one for one in free if one.reason.category == category), free[0])
        free.remove(handoff)
        dispute = dispute_rejection(handoff_id=handoff.pk, by=who.marketer, at=disputed, note=note)
        deliver_due(at=disputed)
        if ruling:
            rule_on_dispute(dispute_id=dispute.pk, outcome=Ruling.Outcome.UPHELD, by=manager, at=ruled, note=ruling)
            deliver_due(at=ruled)


def _hand_back(rep, *, why, at):
    """A rep's newest lead that has time left goes to the default queue."""
    mine = Handoff.objects.in_inbox().filter(owner=rep, qualified_at__lt=at - HOUR, next_due_at__gt=at + 3 * HOUR)
    lead = mine.filter(first_touch_at=None).order_by("-next_due_at", "id").first()
    if lead:
        hand_back_handoff(handoff_id=lead.pk, by=rep, at=at, why=why)
        deliver_due(at=at)


def _route(who, *, at):
    """The first routing plan: a named account, a segment, two territories with weights; the rest is claimed."""
    manager = who.by_name["Tobias Renwick"]
    benelux, dach = manager.team_id, who.by_name["Ingrid Falkmore"].team_id
    Method = RoutingRule.Method
    start_draft(by=manager, at=at)
    for terms in (
        RuleTerms(
            "Large companies in DACH",
            {"all": [_is("region", "DACH"), {"field": "employees", "op": "between", "min": 1000, "max": None}]},
            team_id=dach,
            method=Method.ACCOUNT,
        ),
        RuleTerms("DACH", _is("region", "DACH"), team_id=dach, weights={who.by_name["Sanna Whitlock"].pk: 2}),
        RuleTerms(
            "Benelux and Nordics",
            {"field": "region", "op": "in", "values": ["Benelux", "Nordics"]},
            team_id=benelux,
            method=Method.LEAST_LOADED,
        ),
        RuleTerms("Hot leads from elsewhere", _is("tier", "hot"), person_id=manager.pk),
    ):
        add_rule(terms=terms, by=manager)
    set_terms(
        queue_owner_id=manager.pk, claim_within=HOUR, most_open=25, capacities={who.by_name["Elif Marchetti"].pk: 15},
        accounts={ACCOUNT: who.by_name["Dmitri Abara"].pk}, by=manager,
    )  # fmt: skip
    publish_plan(by=manager, at=at, summary="Territories, and one owner for each large company")


def _is(field, value):
    return {"field": field, "op": "equals", "value": value}

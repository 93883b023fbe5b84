"""The people of Tarnwick, and the two agreements that they signed."""

import datetime as dt
from types import SimpleNamespace

from django.utils.timezone import get_default_timezone

from portal.accounts.demo import DOMAIN
from portal.accounts.models import Role, Team, User
from sla.holiday_days import propose
from sla.models import Party, SLAVersion
from sla.services.calendars import add_calendar
from sla.services.version import propose_version, sign_version
from sla.starter import IN_BUSINESS_HOURS, RULES, WEEK, draft_version

PEOPLE = (  # name, role, team
    ("Maren Oduya", Role.REP, "Benelux and Nordics"),
    ("Callum Osterby", Role.REP, "Benelux and Nordics"),
    ("Noor Belhadi", Role.REP, "Benelux and Nordics"),
    ("Sanna Whitlock", Role.REP, "DACH"),
    ("Dmitri Abara", Role.REP, "DACH"),
    ("Elif Marchetti", Role.REP, "DACH"),
    ("Tobias Renwick", Role.SALES_MANAGER, "Benelux and Nordics"),
    ("Ingrid Falkmore", Role.SALES_MANAGER, "DACH"),
    ("Yuki Farrant", Role.MARKETER, "Marketing"),
    ("Adaeze Linfoot", Role.MARKETING_LEADER, "Marketing"),
    ("Joris Vantongeren", Role.SALES_LEADER, None),
    ("Hanne Ostrick", Role.ADMIN, None),
)
GUIDE_CAP_BEFORE = 20
DAY = dt.timedelta(days=1)


def people():
    """Tarnwick's people, made where they are missing: reps, managers by team name, marketer, both leaders."""
    made = {}
    for name, role, team in PEOPLE:
        email = name.lower().replace(" ", ".") + DOMAIN
        team = Team.objects.get_or_create(name=team)[0] if team else None
        known = User.objects.filter(email=email).first()
        made[name] = known or User.objects.create_user(email, name=name, roles=[role], team=team)
    of = {role: [made[name] for name, held, _ in PEOPLE if held == role] for role in Role}
    return SimpleNamespace(
        reps=of[Role.REP],
        managers={manager.team_id: manager for manager in of[Role.SALES_MANAGER]},
        marketer=of[Role.MARKETER][0],
        marketing_leader=of[Role.MARKETING_LEADER][0],
        sales_leader=of[Role.SALES_LEADER][0],
        admin=of[Role.ADMIN][0],
        by_name=made,
    )


def agreements(who, *, begins, changes, now):
    """Version 1 in force from `begins`, version 2 from `changes` (aware): since then guides count without limit."""
    if not SLAVersion.objects.exists():
        capped, uncapped = (_with_guide_cap(cap) for cap in (GUIDE_CAP_BEFORE, None))
        zone, made = get_default_timezone(), office_day(begins - 30 * DAY)
        office = calendar(who, name="Office hours", country="DE", zone=zone, week=WEEK, now=now, at=made)
        _sign(who, office, effective_from=begins, rules=capped, summary="The first agreement")
        more = "Every guide counts: marketing asked for more volume"
        _sign(who, office, effective_from=changes, rules=uncapped, summary=more)
    return list(SLAVersion.objects.select_related("definition", "calendar").order_by("number"))


def calendar(who, *, name, country, zone, week, now, at):
    """A calendar, made at `at`, with the public holidays of a country from the year before `now` to the year after."""
    days = [day for year in range(now.year - 1, now.year + 2) for day in propose(country, "", year)]
    document = {"zone": str(zone), "week": week, "exceptions": {str(each.day): [] for each in days}}
    named = {str(each.day): each.name for each in days}
    return add_calendar(name=name, document=document, day_names=named, by=who.admin, at=at)


def _with_guide_cap(cap):
    return tuple((*rule[:5], rule[5] | {"cap": cap}) if rule[0] == "guide" else rule for rule in RULES)


def _sign(who, calendar, *, effective_from, rules, summary):
    drafted, proposed = (office_day(effective_from - dt.timedelta(days=days)) for days in (24, 17))
    signatories = {"marketing_signatory": who.marketing_leader, "sales_signatory": who.sales_leader}
    version = draft_version(
        by=who.marketer,
        at=drafted,
        rules=rules,
        summary=summary,
        calendar=calendar,
        **IN_BUSINESS_HOURS,
        **signatories,
    )
    propose_version(version_id=version.pk, effective_from=effective_from, by=who.marketing_leader, at=proposed)
    for party, role, leader, days in (
        (Party.MARKETING, Role.MARKETING_LEADER, who.marketing_leader, 1),
        (Party.SALES, Role.SALES_LEADER, who.sales_leader, 4),
    ):
        signed_at = office_day(proposed + dt.timedelta(days=days)) + dt.timedelta(hours=days)
        sign_version(version_id=version.pk, party=party, role=role, by=leader, at=signed_at)


def office_day(moment):
    """The working day of the moment or the next one, in the morning as the organisation's clocks show it."""
    moment = moment.astimezone(get_default_timezone())
    while moment.weekday() >= 5:
        moment += dt.timedelta(days=1)
    return moment.replace(hour=9, minute=12, second=0, microsecond=0)

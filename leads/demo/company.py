"""The people of Tarnwick, and the two agreements that they signed."""

import datetime as dt
from types import SimpleNamespace

from django.utils.timezone import get_default_timezone

from portal.accounts.demo import DOMAIN
from portal.accounts.models import Role, Team, User
from sla.models import Party, SLAVersion
from sla.services.version import propose_version, sign_version
from sla.starter import IN_BUSINESS_HOURS, RULES, draft_version

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
    )


def agreements(who, *, begins, changes):
    """Version 1 in force from `begins`, version 2 from `changes` (aware): since then guides count without limit."""
    if not SLAVersion.objects.exists():
        capped, uncapped = (_with_guide_cap(cap) for cap in (GUIDE_CAP_BEFORE, None))
        _sign(who, effective_from=begins, rules=capped, summary="The first agreement")
        _sign(
            who, effective_from=changes, rules=uncapped, summary="Every guide counts: marketing asked for more volume"
        )
    return list(SLAVersion.objects.select_related("definition").order_by("number"))


def _with_guide_cap(cap):
    return tuple((*rule[:5], rule[5] | {"cap": cap}) if rule[0] == "guide" else rule for rule in RULES)


def _sign(who, *, effective_from, rules, summary):
    drafted, proposed = (_office_day(effective_from - dt.timedelta(days=days)) for days in (24, 17))
    signatories = {"marketing_signatory": who.marketing_leader, "sales_signatory": who.sales_leader}
    version = draft_version(
        by=who.marketer, at=drafted, rules=rules, summary=summary, **IN_BUSINESS_HOURS, **signatories
    )
    propose_version(version_id=version.pk, effective_from=effective_from, by=who.marketing_leader, at=proposed)
    for party, role, leader, days in (
        (Party.MARKETING, Role.MARKETING_LEADER, who.marketing_leader, 1),
        (Party.SALES, Role.SALES_LEADER, who.sales_leader, 4),
    ):
        signed_at = _office_day(proposed + dt.timedelta(days=days)) + dt.timedelta(hours=days)
        sign_version(version_id=version.pk, party=party, role=role, by=leader, at=signed_at)


def _office_day(moment):
    """The working day of the moment or the next one, in the morning as the organisation's clocks show it."""
    moment = moment.astimezone(get_default_timezone())
    while moment.weekday() >= 5:
        moment += dt.timedelta(days=1)
    return moment.replace(hour=9, minute=12, second=0, microsecond=0)

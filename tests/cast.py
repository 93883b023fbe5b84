"""Makes valid rows by calling the verbs: the people and papers that tests speak of."""

import datetime as dt
import itertools
from types import SimpleNamespace

from leads.services.capture import capture_lead
from leads.services.qualify import open_handoff as qualify
from portal.accounts.models import Role, Team, User
from sla.models import Party
from sla.services.version import propose_version, sign_version
from sla.starter import draft_version

numbers = itertools.count(1)


def user(name, *roles, team=None, **fields):
    email = f"{name.lower().replace(' ', '.')}@tarnwick.example"
    return User.objects.filter(email=email).first() or User.objects.create_user(
        email, "correct horse battery", name=name, roles=roles, team=team, **fields
    )


def people():
    north, south = (Team.objects.get_or_create(name=name)[0] for name in ("North", "South"))
    return SimpleNamespace(
        north=north,
        south=south,
        rep=user("Rena Rep", Role.REP, team=north),
        other_rep=user("Otto Rep", Role.REP, team=north),
        south_rep=user("Suna Rep", Role.REP, team=south),
        manager=user("Mona Manager", Role.SALES_MANAGER, team=north),
        marketer=user("Marta Marketer", Role.MARKETER),
        marketing_leader=user("Linus Leader", Role.MARKETING_LEADER),
        sales_leader=user("Sara Leader", Role.SALES_LEADER),
        admin=user("Ada Admin", Role.ADMIN),
    )


def agreement(*, at, **changes):
    """A drafted, proposed and doubly signed version in force from `at`."""
    marketing, sales = user("Linus Leader", Role.MARKETING_LEADER), user("Sara Leader", Role.SALES_LEADER)
    version = draft_version(by=marketing, at=at, **changes)
    propose_version(version_id=version.pk, effective_from=at, by=marketing, at=at)
    sign_version(version_id=version.pk, party=Party.MARKETING, role=Role.MARKETING_LEADER, by=marketing, at=at)
    sign_version(version_id=version.pk, party=Party.SALES, role=Role.SALES_LEADER, by=sales, at=at)
    version.refresh_from_db()
    return version


FACTS = {"first_name": "Henrike", "last_name": "Solvang", "title": "Head of Operations", "company": "Corvane Foods",
         "employees": 640, "industry": "Food", "country": "Netherlands", "source": "Demo request"}  # fmt: skip


def open_handoff(*, owner, at, by=None, **facts):
    """A qualified lead with an open handoff at `at`, owned by `owner`."""
    facts = {**FACTS, "email": f"lead{next(numbers)}@corvane.example", **facts}
    lead = capture_lead(facts=facts, at=at - dt.timedelta(hours=1))
    return qualify(lead_id=lead.pk, by=by, at=at, owner=owner)

"""A routing plan ready to be asked: its rules as tests over a lead's facts, read once from the rows."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from leads.models import RoutingPlan
from sla import words
from sla.conditions import compile_condition, lead_field

LONGEST_RULE = 80
# addresses that say nothing about the company
FREE_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "yahoo.de"),
        *("yahoo.co.uk", "ymail.com", "icloud.com", "me.com", "aol.com", "gmx.de", "gmx.net", "gmx.com", "web.de"),
        *("t-online.de", "freenet.de", "mail.com", "mail.ru", "proton.me", "protonmail.com", "qq.com", "163.com"),
        *("orange.fr", "free.fr", "laposte.net", "libero.it"),
    }
)


@dataclass(frozen=True)
class Rule:
    """A rule ready to be asked: `test` takes facts; `text` is its name or its condition in words."""

    pk: int
    position: int
    text: str
    test: Callable
    method: str
    team_id: int | None
    person_id: int | None
    target: str
    weights: dict


@dataclass(frozen=True)
class Law:
    """A routing plan ready to be asked. capacities: {person: open leads at most}; named: {domain: owner}."""

    pk: int
    number: int
    rules: tuple[Rule, ...]
    capacities: dict
    most_open: int | None
    named: dict
    queue_owner_id: int
    claim_within: dt.timedelta


def facts_of(lead, tier):
    """What the rules read of a lead: its facts, and its tier by key and by name."""
    return lead.facts() | {"tier": [tier.key, tier.name] if tier else []}


def rule_field(name):
    """How to read a field of `facts_of`: see sla.conditions.lead_field."""
    return (lambda facts: facts.get("tier")) if name == "tier" else lead_field(name)


def domain_of(facts):
    """The company's domain in small letters, from its website or e-mail address; "" for free mail and none."""
    domain = (facts.get("domain") or (facts.get("email") or "").rpartition("@")[2]).strip().lower()
    domain = domain.removeprefix("www.")
    return "" if domain in FREE_MAIL else domain


def law_of(plan):
    """The Law of a plan; a published one is read once in a process, for it never changes."""
    return published_law(plan.pk, plan.published_at) if plan.published_at else read_law(plan)


@lru_cache(maxsize=8)
def published_law(pk, published_at):
    """The Law of a published plan, by what never changes of it."""
    return read_law(RoutingPlan.objects.get(pk=pk))


def read_law(plan):
    """The Law of a plan as its rows stand (four queries)."""
    rules = plan.rules.select_related("team", "person").prefetch_related("weights")
    return Law(
        pk=plan.pk,
        number=plan.number,
        rules=tuple(map(_rule, rules)),
        capacities={row.person_id: row.most_open for row in plan.capacities.all()},
        most_open=plan.most_open,
        named={row.domain: row.owner_id for row in plan.accounts.all()},
        queue_owner_id=plan.queue_owner_id,
        claim_within=plan.claim_within,
    )


def _rule(row):
    return Rule(
        pk=row.pk,
        position=row.position,
        text=short(row.name or said(row.condition), LONGEST_RULE),
        test=compile_condition(row.condition, rule_field) if row.condition else _every_lead,
        method=row.method,
        team_id=row.team_id,
        person_id=row.person_id,
        target=(row.team or row.person).name,
        weights={weight.person_id: weight.weight for weight in row.weights.all()},
    )


def _every_lead(facts):
    return True


def said(condition):
    """A rule's condition in words: "country is Germany or Austria"; "every lead" where it asks nothing."""
    return words.condition(condition) if condition else "every lead"


def short(text, length):
    return text if len(text) <= length else f"{text[: length - 1]}…"

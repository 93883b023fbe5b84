"""The routing plan: start a draft, write its rules and terms, publish it. A published plan never changes."""

import datetime as dt
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import F, Max
from django.shortcuts import get_object_or_404

from leads.models import AccountOwner, NamedAccount, RoutingCapacity, RoutingPlan, RoutingRule, RoutingWeight
from leads.plan import FREE_MAIL, rule_field
from leads.routing import CLAIM_WITHIN, HOLDERS, queue_owner
from portal.accounts.models import Role, Team, User
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.refusal import Refusal
from sla.conditions import DefinitionError, compile_condition

MOST_RULES, MOST_WEIGHT, MOST_OPEN = 100, 100, 10_000


class NoDraft(Refusal):
    code = "no_draft"
    sentence = "No draft of the routing rules is open. Start one first; nothing was changed."


class RuleIncomplete(Refusal):
    code = "rule_incomplete"
    sentence = "A rule needs either a team or a person to give leads to. Nothing was saved."
    field = "target"


class ConditionWrong(Refusal):
    code = "condition_wrong"
    field = "condition"


class TermsWrong(Refusal):
    code = "terms_wrong"


class TooManyRules(Refusal):
    code = "too_many_rules"
    sentence = f"A plan has at most {MOST_RULES} rules. Nothing was saved."


@dataclass(frozen=True)
class RuleTerms:
    """What a rule says. condition: as in sla.conditions, {} for every lead; weights: {person's id: 0 to 100}."""

    name: str = ""
    condition: dict = field(default_factory=dict)
    team_id: int | None = None
    person_id: int | None = None
    method: str = RoutingRule.Method.ROUND_ROBIN
    weights: dict = field(default_factory=dict)


@transaction.atomic(durable=True)
def start_draft(*, by, at):
    """The draft, a copy of the plan in force or an empty one; an open draft is returned as it is.

    Refuses: NotPermitted, NobodyToRoute.
    """
    require(by, May.CHANGE_ROUTING)
    _wait()
    draft = RoutingPlan.objects.draft()
    return draft or _copy(RoutingPlan.objects.in_force(at=at), by=by, at=at)


@transaction.atomic(durable=True)
def add_rule(*, terms, by):
    """Append a rule to the draft. Returns the RoutingRule.

    Refuses: NotPermitted, NoDraft, RuleIncomplete, ConditionWrong, TermsWrong, TooManyRules.
    """
    draft = _draft(by)
    return _write_rule(RoutingRule(plan=draft, position=_next_place(draft)), terms)


@transaction.atomic(durable=True)
def change_rule(*, rule_id, terms, by):
    """Say anew what a rule of the draft says. Returns the RoutingRule. Refuses as add_rule does."""
    draft = _draft(by)
    return _write_rule(get_object_or_404(draft.rules, pk=rule_id), terms)


@transaction.atomic(durable=True)
def duplicate_rule(*, rule_id, by):
    """The same rule once more, right behind it. Returns the copy. Refuses: NotPermitted, NoDraft, TooManyRules."""
    draft = _draft(by)
    rule = get_object_or_404(draft.rules, pk=rule_id)
    _next_place(draft)
    draft.rules.filter(position__gt=rule.position).update(position=F("position") + 1)
    name = f"{rule.name} (copy)"[:80] if rule.name else ""
    return _copy_rule(rule, draft, position=rule.position + 1, name=name)


@transaction.atomic(durable=True)
def move_rule(*, rule_id, up, by):
    """Ask a rule one place earlier (`up`) or later; at the end of the list nothing happens.

    Refuses: NotPermitted, NoDraft.
    """
    draft = _draft(by)
    rule = get_object_or_404(draft.rules, pk=rule_id)
    others = draft.rules.filter(position__lt=rule.position) if up else draft.rules.filter(position__gt=rule.position)
    other = others.order_by("-position" if up else "position").first()
    if other:
        rule.position, other.position = other.position, rule.position
        RoutingRule.objects.bulk_update([rule, other], ["position"])


@transaction.atomic(durable=True)
def delete_rule(*, rule_id, by):
    """Take a rule out of the draft. Refuses: NotPermitted, NoDraft."""
    draft = _draft(by)
    rule = get_object_or_404(draft.rules, pk=rule_id)
    rule.delete()
    draft.rules.filter(position__gt=rule.position).update(position=F("position") - 1)


@transaction.atomic(durable=True)
def set_terms(*, queue_owner_id, claim_within, most_open, capacities, accounts, by):
    """The draft's default queue, capacities ({person's id: open leads}) and named accounts ({domain: person's id}).

    claim_within: timedelta above zero. most_open: for everybody else, None without a limit. Returns the plan.
    Refuses: NotPermitted, NoDraft, TermsWrong.
    """
    draft = _draft(by)
    holders = set(User.objects.active().filter(roles__overlap=HOLDERS).values_list("pk", flat=True))
    accounts = {domain.strip().lower().removeprefix("www."): owner for domain, owner in accounts.items()}
    if queue_owner_id not in holders:
        raise TermsWrong("The default queue needs an active rep or manager who answers for it.", field="queue_owner")
    if not dt.timedelta(0) < claim_within <= dt.timedelta(days=30):
        raise TermsWrong("A lead may wait in the queue for a minute up to 30 days.", field="claim_within")
    if not set(accounts.values()) <= holders or not all("." in domain and " " not in domain for domain in accounts):
        raise TermsWrong("An account is a domain such as corvane.example and its owner, a rep or manager.",
                         field="accounts")  # fmt: skip
    if free := FREE_MAIL & set(accounts):
        raise TermsWrong(f"{min(free)} belongs to no one company.", field="accounts")
    if any(not 0 <= most <= MOST_OPEN for most in (*capacities.values(), most_open or 0)):
        raise TermsWrong(f"A capacity is a number from 0 to {MOST_OPEN:,}.", field="most_open")
    draft.queue_owner_id, draft.claim_within, draft.most_open = queue_owner_id, claim_within, most_open
    draft.save(update_fields=["queue_owner", "claim_within", "most_open"])
    draft.capacities.all().delete()
    draft.accounts.all().delete()
    RoutingCapacity.objects.bulk_create(
        RoutingCapacity(plan=draft, person_id=pk, most_open=most) for pk, most in capacities.items() if pk in holders
    )
    NamedAccount.objects.bulk_create(
        NamedAccount(plan=draft, domain=domain, owner_id=owner) for domain, owner in sorted(accounts.items())
    )
    return draft


@transaction.atomic(durable=True)
def publish_plan(*, by, at, summary=""):
    """Put the draft in force from `at`. Where a rule asks for accounts, their owners are learnt from past handoffs.

    Returns the RoutingPlan. Refuses: NotPermitted, NoDraft.
    """
    draft = _draft(by)
    draft.summary, draft.published_at, draft.published_by = summary.strip()[:200], at, by
    draft.save(update_fields=["summary", "published_at", "published_by"])
    if draft.rules.filter(method=RoutingRule.Method.ACCOUNT).exists() and not AccountOwner.objects.exists():
        with connection.cursor() as cursor:
            cursor.execute(LEARN_ACCOUNTS, {"at": at, "free": sorted(FREE_MAIL)})
    tell("routing.published", key=draft.pk, at=at, payload={"plan": draft.number, "by": by.pk})
    return draft


@transaction.atomic(durable=True)
def discard_draft(*, by):
    """Throw the draft away; the plan in force stays as it is. Refuses: NotPermitted, NoDraft."""
    _draft(by).delete()


LEARN_ACCOUNTS = """
    INSERT INTO leads_accountowner (domain, owner_id, since)
    SELECT DISTINCT ON (l.domain) l.domain, h.owner_id, h.qualified_at
    FROM leads_handoff h JOIN (SELECT id, regexp_replace(lower(btrim(
        CASE WHEN domain <> '' THEN domain ELSE split_part(coalesce(email, ''), '@', 2) END)), '^www\\.', '') AS domain
        FROM leads_lead) l ON l.id = h.lead_id
    WHERE l.domain <> '' AND l.domain <> ALL(%(free)s) AND h.owner_id IS NOT NULL AND h.queued_at IS NULL
    ORDER BY l.domain, h.qualified_at DESC
    ON CONFLICT DO NOTHING
"""


def _wait():
    """One editor's act at a time: positions and the one draft are decided alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('leads.routing_plan', 0))")


def _draft(by):
    require(by, May.CHANGE_ROUTING)
    _wait()
    draft = RoutingPlan.objects.select_for_update().draft()
    if draft is None:
        raise NoDraft
    return draft


def _copy(plan, *, by, at):
    """A draft that says what `plan` says; without one a draft without rules."""
    draft = RoutingPlan.objects.create(
        number=(RoutingPlan.objects.aggregate(last=Max("number"))["last"] or 0) + 1,
        started_from=plan,
        queue_owner=plan.queue_owner if plan else _first_queue_owner(),
        claim_within=plan.claim_within if plan else CLAIM_WITHIN,
        most_open=plan.most_open if plan else None,
        created_at=at,
        created_by=by,
    )
    if plan:
        for rule in plan.rules.all():
            _copy_rule(rule, draft, position=rule.position, name=rule.name)
        RoutingCapacity.objects.bulk_create(
            RoutingCapacity(plan=draft, person_id=one.person_id, most_open=one.most_open)
            for one in plan.capacities.all()
        )
        NamedAccount.objects.bulk_create(
            NamedAccount(plan=draft, domain=one.domain, owner_id=one.owner_id) for one in plan.accounts.all()
        )
    return draft


def _first_queue_owner():
    """A sales manager, or else whoever would answer for the queue now."""
    return User.objects.active().holding(Role.SALES_MANAGER).order_by("id").first() or queue_owner()


def _copy_rule(rule, plan, *, position, name):
    copy = RoutingRule.objects.create(
        plan=plan, position=position, name=name, condition=rule.condition, team_id=rule.team_id,
        person_id=rule.person_id, method=rule.method,
    )  # fmt: skip
    RoutingWeight.objects.bulk_create(
        RoutingWeight(rule=copy, person_id=one.person_id, weight=one.weight) for one in rule.weights.all()
    )
    return copy


def _next_place(draft):
    places = draft.rules.count()
    if places >= MOST_RULES:
        raise TooManyRules
    return places + 1


def _write_rule(rule, terms):
    """Check what the rule is to say, then write it and its weights."""
    team = Team.objects.filter(pk=terms.team_id).first() if terms.team_id else None
    person = User.objects.active().filter(pk=terms.person_id).first() if terms.person_id else None
    if (team is None) == (person is None) or (person and not person.holds(*HOLDERS)):
        raise RuleIncomplete
    if terms.method not in RoutingRule.Method.values:
        raise RuleIncomplete("Choose how the team shares its leads. Nothing was saved.", field="method")
    try:
        if terms.condition:
            compile_condition(terms.condition, rule_field)
    except DefinitionError as wrong:
        raise ConditionWrong(f"{wrong} Nothing was saved.") from wrong
    members = set(User.objects.filter(team=team).values_list("pk", flat=True)) if team else set()
    weights = {pk: weight for pk, weight in terms.weights.items() if pk in members}
    if any(not 0 <= weight <= MOST_WEIGHT for weight in weights.values()):
        raise TermsWrong(f"A weight is a number from 0 to {MOST_WEIGHT}. Nothing was saved.", field="weights")
    rule.name, rule.condition, rule.method = terms.name.strip()[:80], terms.condition, terms.method
    rule.team, rule.person = team, person
    rule.save()
    rule.weights.all().delete()
    RoutingWeight.objects.bulk_create(
        RoutingWeight(rule=rule, person_id=pk, weight=weight) for pk, weight in weights.items()
    )
    return rule

"""Verbs of the MQL definition's drafts: begin one, change its rules piece by piece, throw it away.

Every piece carries a token of its content (`seen_of`): who changes a piece says what they saw, and where somebody was
faster the change is refused, so no update is lost.
"""

from django.db import connection, transaction
from django.db.models import F, Max, ProtectedError

from portal.accounts.permissions import May, require
from sla import definition_changes, scoring
from sla.models import MQLDefinition, ScoringRule, Tier
from sla.services._draft import (
    RULE_FIELDS,
    check,
    check_seen,
    free_key,
    keep_rule,
    lock,
    piece,
    seen_of,
    seen_of_facts,
    seen_of_summary,
    touched,
)
from sla.services.draft_refusals import InUse, Unusable

FIRST_TIER = {"key": "mql", "name": "MQL", "position": 1, "total": 50}


# --- drafts ----------------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def draft_definition(*, start_from, changes=(), by, at, summary=""):
    """A new draft with the next free number, as `start_from` (an MQLDefinition; None: one empty tier) with `changes`.

    changes: as sla.definition_changes has them. Returns the MQLDefinition. Refuses: NotPermitted, Unusable.
    """
    return begin_draft(start_from=start_from, changes=changes, by=by, at=at, summary=summary)


def begin_draft(*, start_from, changes, by, at, summary=""):
    """A step: the draft of `draft_definition`, within the transaction of a verb."""
    require(by, May.EDIT_DEFINITION)
    with connection.cursor() as cursor:  # two drafts at one moment get two numbers
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('sla.definition', 0))")
    number = (MQLDefinition.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    before = start_from.as_definition() if start_from else _empty(number)
    try:
        wanted = definition_changes.apply(before, changes, number=number)
    except scoring.DefinitionError as error:
        raise Unusable(str(error)) from error
    draft = MQLDefinition.objects.create(
        number=number, started_from=start_from, summary=summary, required_facts=list(wanted.required_facts),
        created_at=at, created_by=by, changed_at=at, changed_by=by,
    )  # fmt: skip
    _write(draft, wanted)
    return draft


@transaction.atomic(durable=True)
def delete_draft(*, number, by, at):
    """Throw a draft away with its rules and tiers. Refuses: NotPermitted, Frozen, InUse, Gone."""
    draft = lock(number, by)
    try:
        draft.delete()
    except ProtectedError:
        raise InUse("An agreement or another draft begins from this one, so it stays.") from None


@transaction.atomic(durable=True)
def describe_draft(*, number, summary, seen, by, at):
    """Say in a line what the draft is for. Returns the MQLDefinition."""
    draft = lock(number, by)
    check_seen(seen, seen_of_summary(draft))
    draft.summary = summary
    return touched(draft, by, at, "summary")


@transaction.atomic(durable=True)
def require_facts(*, number, facts, seen, by, at):
    """Set which facts a complete lead has (names as conditions use them). Returns the MQLDefinition."""
    draft = lock(number, by)
    check_seen(seen, seen_of_facts(draft))
    draft.required_facts = list(facts)
    check(draft)
    return touched(draft, by, at, "required_facts")


# --- rules -----------------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def add_rule(*, number, by, at, **fields):
    """Append a rule; fields as RULE_FIELDS. Returns the ScoringRule. Refuses: NotPermitted, Frozen, Unusable."""
    draft = lock(number, by)
    last = draft.rules.aggregate(last=Max("position"))["last"] or 0
    rule = ScoringRule(definition=draft, key=free_key(draft.rules, fields["label"]), position=last + 1, **fields)
    return keep_rule(rule, draft, by, at)


@transaction.atomic(durable=True)
def change_rule(*, number, rule_id, seen, by, at, **fields):
    """Set fields (some of RULE_FIELDS) of a rule. Returns the ScoringRule.

    Refuses: NotPermitted, Frozen, Gone, DraftChanged, Unusable.
    """
    draft = lock(number, by)
    rule = piece(draft.rules, rule_id)
    check_seen(seen, seen_of(rule))
    for name in RULE_FIELDS:
        setattr(rule, name, fields.get(name, getattr(rule, name)))
    return keep_rule(rule, draft, by, at)


@transaction.atomic(durable=True)
def move_rule(*, number, rule_id, up, by, at):
    """Let a rule change places with its neighbour on the same axis; at the end nothing happens. Returns it."""
    draft = lock(number, by)
    rule = piece(draft.rules, rule_id)
    rules = list(draft.rules.order_by("position", "id"))
    same = [other for other in rules if other.axis == rule.axis]
    place = next(i for i, other in enumerate(same) if other.pk == rule.pk) + (-1 if up else 1)
    if 0 <= place < len(same):
        a, b = (next(i for i, other in enumerate(rules) if other.pk == pk) for pk in (rule.pk, same[place].pk))
        rules[a], rules[b] = rules[b], rules[a]
        for position, other in enumerate(rules, 1):
            other.position = position
        ScoringRule.objects.bulk_update(rules, ["position"])
        touched(draft, by, at)
    return rule


@transaction.atomic(durable=True)
def copy_rule(*, number, rule_id, by, at):
    """Set a copy of a rule right behind it, under a key of its own. Returns the copy."""
    draft = lock(number, by)
    rule = piece(draft.rules, rule_id)
    draft.rules.filter(position__gt=rule.position).update(position=F("position") + 1)
    rule.key = free_key(draft.rules, rule.key)
    rule.label = f"{rule.label[:112]} (copy)"
    rule.pk, rule.position, rule._state.adding = None, rule.position + 1, True
    return keep_rule(rule, draft, by, at)


@transaction.atomic(durable=True)
def delete_rule(*, number, rule_id, seen, by, at):
    """Remove a rule. Refuses: NotPermitted, Frozen, Gone, DraftChanged."""
    draft = lock(number, by)
    rule = piece(draft.rules, rule_id)
    check_seen(seen, seen_of(rule))
    rule.delete()
    touched(draft, by, at)


def _empty(number):
    return scoring.Definition.from_json({"number": number, "rules": [], "tiers": [FIRST_TIER]})


def _write(draft, definition):
    ScoringRule.objects.bulk_create(
        ScoringRule(definition=draft, position=place, **vars(rule)) for place, rule in enumerate(definition.rules, 1)
    )
    Tier.objects.bulk_create(Tier(definition=draft, **vars(tier)) for tier in definition.tiers)

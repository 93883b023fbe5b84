"""Steps that the verbs of a definition's draft share: lock it, say what was seen, check and keep a piece."""

import hashlib

from django.utils.text import slugify

from portal.accounts.permissions import May, require
from sla import scoring
from sla.fingerprint import canonical_json
from sla.models import MQLDefinition, ScoringRule
from sla.services.draft_refusals import DraftChanged, Frozen, Gone, Unusable

RULE_FIELDS = (
    "label", "axis", "condition", "points", "window_days", "minimum_count", "per_event", "cap", "decay_days",
)  # fmt: skip
TIER_FIELDS = ("name", "total", "fit", "behaviour")


# --- what somebody saw ------------------------------------------------------------------------------
def seen_of(piece):
    """The token of a rule's or a tier's content: equal tokens, equal content."""
    names = RULE_FIELDS if isinstance(piece, ScoringRule) else TIER_FIELDS
    return _token({name: getattr(piece, name) for name in names})


def seen_of_summary(draft):
    return _token({"summary": draft.summary})


def seen_of_facts(draft):
    return _token({"required_facts": draft.required_facts})


def _token(content):
    return hashlib.sha256(canonical_json(content)).hexdigest()[:16]


def check_seen(seen, now):
    if seen != now:
        raise DraftChanged


# --- shared steps -----------------------------------------------------------------------------------
def lock(number, by):
    require(by, May.EDIT_DEFINITION)
    draft = MQLDefinition.objects.select_for_update(of=("self",)).filter(number=number).first()
    if draft is None:
        raise Gone
    if draft.proposed_at:
        raise Frozen
    return draft


def piece(pieces, pk):
    found = pieces.filter(pk=pk).first()
    if found is None:
        raise Gone
    return found


def keep_rule(rule, draft, by, at):
    try:
        rule.as_rule()
    except scoring.DefinitionError as error:
        raise Unusable(str(error).removeprefix(f"Rule {rule.key!r}: ")) from error
    rule.save()
    touched(draft, by, at)
    return rule


def keep_tier(tier, draft, by, at):
    try:
        tier.as_tier()
    except scoring.DefinitionError as error:
        raise Unusable(str(error).removeprefix(f"Tier {tier.key!r} ").capitalize()) from error
    tier.save()
    touched(draft, by, at)
    return tier


def check(draft):
    try:
        draft.as_definition()
    except scoring.DefinitionError as error:
        raise Unusable(str(error)) from error


def touched(draft, by, at, *fields):
    draft.changed_at, draft.changed_by = at, by
    draft.save(update_fields=["changed_at", "changed_by", *fields])
    return draft


def free_key(pieces, label):
    """A key made from the label that no other piece has."""
    stem = slugify(label)[:30].strip("-") or "rule"
    taken = set(pieces.values_list("key", flat=True))
    return next(key for i in range(1, 1000) if (key := stem if i == 1 else f"{stem}-{i}") not in taken)

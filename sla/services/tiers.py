"""Verbs of the tiers of a definition's draft."""

from django.db import transaction
from django.db.models import ProtectedError

from sla.models import Tier
from sla.services._draft import (
    TIER_FIELDS,
    check_seen,
    free_key,
    keep_tier,
    lock,
    piece,
    seen_of,
    touched,
)
from sla.services.draft_refusals import InUse, Unusable

PLACE_TO_PASS = 32_000  # a position that no tier has, while two change places


@transaction.atomic(durable=True)
def add_tier(*, number, by, at, name="New tier"):
    """Add a tier below the others, asking as many points as the lowest. Returns the Tier."""
    draft = lock(number, by)
    tiers = list(draft.tiers.all())
    tier = Tier(
        definition=draft, key=free_key(draft.tiers, name), name=name, total=min(t.total for t in tiers),
        position=max(t.position for t in tiers) + 1,
    )  # fmt: skip
    return keep_tier(tier, draft, by, at)


@transaction.atomic(durable=True)
def change_tier(*, number, tier_id, seen, by, at, **fields):
    """Set fields (some of TIER_FIELDS) of a tier. Returns the Tier. Refuses as change_rule does."""
    draft = lock(number, by)
    tier = piece(draft.tiers, tier_id)
    check_seen(seen, seen_of(tier))
    for name in TIER_FIELDS:
        setattr(tier, name, fields.get(name, getattr(tier, name)))
    return keep_tier(tier, draft, by, at)


@transaction.atomic(durable=True)
def move_tier(*, number, tier_id, up, by, at):
    """Let a tier change places with the one above or below it; at the end nothing happens. Returns it."""
    draft = lock(number, by)
    tier = piece(draft.tiers, tier_id)
    beyond = {"position__lt" if up else "position__gt": tier.position}
    other = draft.tiers.filter(**beyond).order_by("-position" if up else "position").first()
    if other:
        place = tier.position
        for each, position in ((tier, PLACE_TO_PASS), (other, place), (tier, other.position)):
            Tier.objects.filter(pk=each.pk).update(position=position)
        tier.refresh_from_db()
        touched(draft, by, at)
    return tier


@transaction.atomic(durable=True)
def delete_tier(*, number, tier_id, seen, by, at):
    """Remove a tier; the last one stays. Refuses: NotPermitted, Frozen, Gone, DraftChanged, Unusable, InUse."""
    draft = lock(number, by)
    tier = piece(draft.tiers, tier_id)
    check_seen(seen, seen_of(tier))
    if draft.tiers.count() == 1:
        raise Unusable("A definition needs at least one tier; without one no lead could ever qualify.")
    try:
        tier.delete()
    except ProtectedError:
        raise InUse("A draft of the agreement promises times for this tier. Take it out there first.") from None
    touched(draft, by, at)

"""Verbs of a draft's reason catalogue: add a code, change its words, retire or merge it, offer it again."""

from django.db import transaction
from django.shortcuts import get_object_or_404

from portal.accounts.permissions import May, require
from sla.models import Category, ReasonCode
from sla.services._steps import lock_draft
from sla.services.refusals import BadMerge, CodeKept, CodeTaken, LastReason

WORDS = (
    "label", "meaning", "detail", "detail_default", "detail_required", "note_required", "unreachable", "next_step",
    "recycle_days",
)  # fmt: skip
TENS = {Category.FIT: 1, Category.TIMING: 2, Category.DATA: 3, Category.SCORING: 4}
FURTHER = (5, 6, 7, 8, 9)  # where a category's own ten is full


@transaction.atomic(durable=True)
def add_reason(*, version_id, category, by, at, code=None, **words):
    """A new reason in a draft; `code` None takes the category's next free one. Returns the ReasonCode.

    Refuses: NotPermitted, AlreadyProposed, CodeTaken.
    """
    version = _draft(version_id, by)
    taken = set(ReasonCode.objects.filter(version__proposed_at__isnull=False).values_list("code", flat=True))
    taken |= set(version.reasons.values_list("code", flat=True))
    if code and code in taken:
        raise CodeTaken
    code = code or next_code(category, taken)
    reason = ReasonCode.objects.create(version=version, code=code, category=category, **_picked(words))
    return _touched(version, reason, by, at)


@transaction.atomic(durable=True)
def change_reason(*, version_id, code, by, at, **words):
    """Change the words of a reason and what it asks; its code and category stay. Returns the ReasonCode."""
    version = _draft(version_id, by)
    reason = _reason(version, code)
    for name, value in _picked(words).items():
        setattr(reason, name, value)
    reason.save()
    return _touched(version, reason, by, at)


@transaction.atomic(durable=True)
def retire_reason(*, version_id, code, by, at, merged_into=None):
    """No longer offer a code; `merged_into` is the code that took over, or None. Returns the ReasonCode.

    Codes that were merged into this one follow it. Refuses: NotPermitted, AlreadyProposed, BadMerge, LastReason.
    """
    version = _draft(version_id, by)
    reason = _reason(version, code)
    merged_into = merged_into or None
    if merged_into and (merged_into == code or not version.reasons.offered().filter(code=merged_into).exists()):
        raise BadMerge
    if not version.reasons.offered().exclude(code=code).exists():
        raise LastReason
    reason.retired, reason.merged_into = True, merged_into
    reason.save(update_fields=["retired", "merged_into"])
    version.reasons.filter(merged_into=code).update(merged_into=merged_into)
    return _touched(version, reason, by, at)


@transaction.atomic(durable=True)
def restore_reason(*, version_id, code, by, at):
    """Offer a retired code again. Returns the ReasonCode. Refuses: NotPermitted, AlreadyProposed."""
    version = _draft(version_id, by)
    reason = _reason(version, code)
    reason.retired, reason.merged_into = False, None
    reason.save(update_fields=["retired", "merged_into"])
    return _touched(version, reason, by, at)


@transaction.atomic(durable=True)
def remove_reason(*, version_id, code, by, at):
    """Take out a code that no version ever proposed. Refuses: NotPermitted, AlreadyProposed, CodeKept, LastReason."""
    version = _draft(version_id, by)
    reason = _reason(version, code)
    if ReasonCode.objects.filter(code=code, version__proposed_at__isnull=False).exists():
        raise CodeKept
    if not version.reasons.offered().exclude(code=code).exists():
        raise LastReason
    version.reasons.filter(merged_into=code).update(merged_into=None)
    reason.delete()
    _touched(version, None, by, at)


def next_code(category, taken):
    """The lowest two-digit code of the category's ten that is not in `taken`, else of the free tens.

    Raises CodeTaken where all hundred are used.
    """
    for ten in (TENS[Category(category)], *FURTHER):
        for one in range(1, 10):
            if f"{ten}{one}" not in taken:
                return f"{ten}{one}"
    raise CodeTaken("Every code is used. Retire and merge reasons in the wording of those that are there.")


def _draft(version_id, by):
    require(by, May.DRAFT_AGREEMENT)
    return lock_draft(version_id)


def _reason(version, code):
    return get_object_or_404(version.reasons, code=code)


def _picked(words):
    unknown = set(words) - set(WORDS)
    if unknown:
        raise ValueError(f"{unknown} are no words of a reason.")
    return words


def _touched(version, reason, by, at):
    version.changed_at, version.changed_by = at, by
    version.save(update_fields=["changed_at", "changed_by"])
    return reason

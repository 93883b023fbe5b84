"""Verbs of a draft of the agreement: begin one from any version, change its terms, throw it away."""

from django.db import transaction
from django.db.models import Max
from django.shortcuts import get_object_or_404

from portal.accounts.permissions import May, require
from sla.models import Commitment, EscalationStep, MQLDefinition, Party, ReasonCode, SLAVersion
from sla.services._steps import lock_draft, wait_for_the_chain
from sla.services.refusals import ChangedMeanwhile, Incomplete

TERMS = (
    "calendar", "clock_basis", "undo_within", "cool_off", "bulk_limit", "attempts_before_unreachable", "touch_kinds",
    "dispute_within", "recycle_within", "review_cadence", "sources", "campaigns", "target_rate", "target_accepted",
    "exploration_share", "exploration_reach", "benchmarks", "benchmark_source", "marketing_signatory",
    "sales_signatory",
)  # fmt: skip
WHENEVER = object()  # of a caller that has not looked at the draft before
OF_THE_DRAFT = ("summary", "effective_from")
REASON = (
    "code", "category", "label", "meaning", "is_general", "detail", "detail_default", "detail_required",
    "note_required", "unreachable", "next_step", "recycle_days", "retired", "merged_into",
)  # fmt: skip


@transaction.atomic(durable=True)
def draft_from(*, version_id, by, at):
    """A new draft with the terms of any version and the next free number. Returns the SLAVersion.

    Codes that other proposed versions have come along, retired: a code is never used again for another reason.
    Refuses: NotPermitted.
    """
    require(by, May.DRAFT_AGREEMENT)
    wait_for_the_chain()
    source = get_object_or_404(SLAVersion.objects.select_related("definition"), pk=version_id)
    number = SLAVersion.objects.aggregate(last=Max("number"))["last"] + 1
    draft = SLAVersion.objects.create(
        number=number, definition=source.definition, started_from=source, created_at=at, created_by=by,
        **{name: getattr(source, name) for name in TERMS},
    )  # fmt: skip
    Commitment.objects.bulk_create(_copies(source.commitments.all(), draft))
    EscalationStep.objects.bulk_create(_copies(source.escalation_steps.all(), draft))
    ReasonCode.objects.bulk_create([*_copies(source.reasons.all(), draft), *_codes_of_others(source, draft)])
    return draft


@transaction.atomic(durable=True)
def change_draft(*, version_id, by, at, terms=None, promises=(), steps=None, since=WHENEVER):
    """Change terms of a draft. Returns the SLAVersion.

    terms: {field of SLAVersion: value}, of TERMS and OF_THE_DRAFT. promises: dicts of kind, tier (key or None) and
    within or at_least, at_most; one whose values are all None is taken out. steps: dicts of clock, kind, share or
    after, in order, for all of them; None leaves them. since: the draft's changed_at that the change was made on.
    Refuses: NotPermitted, AlreadyProposed, ChangedMeanwhile, Incomplete.
    """
    require(by, May.DRAFT_AGREEMENT)
    version = _lock_unchanged(version_id, since)
    for name, value in (terms or {}).items():
        if name not in TERMS + OF_THE_DRAFT:
            raise ValueError(f"{name} is no term of a draft.")
        setattr(version, name, value)
    if version.marketing_signatory_id and version.marketing_signatory_id == version.sales_signatory_id:
        raise Incomplete("One person never signs for both sides. Nothing was saved.", field="sales_signatory")
    if (version.exploration_share is None) != (version.exploration_reach is None):
        raise Incomplete(
            "Exploration needs a share and how far below the lowest tier it reaches. Nothing was saved.",
            field="exploration_reach" if version.exploration_reach is None else "exploration_share",
        )
    tiers = {tier.key: tier for tier in version.definition.tiers.all()}
    for promise in promises:
        _promise(version, tiers, **promise)
    if steps is not None:
        version.escalation_steps.all().delete()
        EscalationStep.objects.bulk_create(_numbered(version, steps))
    _save(version, by, at, fields=list(terms or {}))
    return version


@transaction.atomic(durable=True)
def choose_definition(*, version_id, definition_id, by, at, since=WHENEVER):
    """Put a draft on another definition; times of tiers with the same key go along. Returns the SLAVersion.

    A tier that the draft had no times for takes those of the lowest tier that it had.
    since: as for `change_draft`. Refuses: NotPermitted, AlreadyProposed, ChangedMeanwhile.
    """
    require(by, May.DRAFT_AGREEMENT)
    version = _lock_unchanged(version_id, since)
    definition = get_object_or_404(MQLDefinition, pk=definition_id)
    timed = list(version.commitments.filter(tier__isnull=False).select_related("tier").order_by("-tier__position"))
    version.commitments.filter(tier__isnull=False).delete()
    version.definition = definition
    for tier in definition.tiers.all():
        for kind in (Commitment.Kind.FIRST_CONTACT, Commitment.Kind.DECISION):
            known = [row for row in timed if row.kind == kind]
            was = next((row for row in known if row.tier.key == tier.key), known[0] if known else None)
            if was:
                Commitment.objects.create(version=version, party=Party.SALES, kind=kind, tier=tier, within=was.within)
    _save(version, by, at, fields=["definition"])
    return version


@transaction.atomic(durable=True)
def discard_draft(*, version_id, by):
    """Throw a draft away with its rows and comments. Refuses: NotPermitted, AlreadyProposed, Incomplete."""
    require(by, May.DRAFT_AGREEMENT)
    version = lock_draft(version_id)
    if version.drafts.exists():
        raise Incomplete("Another draft was started from this one. Nothing was thrown away.")
    version.delete()


def _copies(rows, draft):
    for row in rows:
        row.pk, row._state.adding, row.version = None, True, draft
        yield row


def _codes_of_others(source, draft):
    """Every code that a proposed version has and the source has not, the newest wording, retired."""
    others = ReasonCode.objects.filter(version__proposed_at__isnull=False).exclude(version=source)
    others = others.exclude(code__in=source.reasons.values("code")).order_by("code", "-version__number")
    newest = others.distinct("code")
    return [
        ReasonCode(
            version=draft, **{name: getattr(row, name) for name in REASON}
            | {"retired": True, "is_general": False, "merged_into": None},
        )
        for row in newest
    ]  # fmt: skip


def _promise(version, tiers, *, kind, tier=None, within=None, at_least=None, at_most=None):
    """One commitment as it shall be; none where it says nothing."""
    row = tiers[tier] if tier else None
    if within is None and at_least is None:
        version.commitments.filter(kind=kind, tier=row).delete()
        return
    sales = kind in (Commitment.Kind.FIRST_CONTACT, Commitment.Kind.DECISION, Commitment.Kind.SHARE_KEPT)
    Commitment.objects.update_or_create(
        version=version, kind=kind, tier=row,
        defaults={"within": within, "at_least": at_least, "at_most": at_most},
        create_defaults={"party": Party.SALES if sales else Party.MARKETING, "within": within,
                         "at_least": at_least, "at_most": at_most},
    )  # fmt: skip


def _numbered(version, steps):
    counted = {}
    for step in steps:
        counted[step["clock"]] = counted.get(step["clock"], 0) + 1
        yield EscalationStep(version=version, position=counted[step["clock"]], **step)


def _lock_unchanged(version_id, since):
    version = lock_draft(version_id)
    if since is not WHENEVER and version.changed_at != since:
        raise ChangedMeanwhile
    return version


def _save(version, by, at, *, fields=()):
    version.changed_at, version.changed_by = at, by
    version.save(update_fields=[*fields, "changed_at", "changed_by"])

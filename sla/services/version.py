"""Verbs of a version: propose it, sign it, withdraw or return it, comment on it."""

from django.db import transaction
from django.db.models import Max
from django.shortcuts import get_object_or_404

from portal.accounts.permissions import May, may, require
from portal.outbox.services import tell
from portal.shared.refusal import NotPermitted
from sla.chain import sha256, signature_digest, signed_text, withdrawal_digest
from sla.conditions import DefinitionError
from sla.models import ChainHead, Comment, Commitment, MQLDefinition, Party, Signature, SLAVersion, Withdrawal
from sla.models.state import standing
from sla.services._steps import (
    check_signs,
    lock_draft,
    lock_waiting,
    role_as_it_is,
    signers,
    wait_for_the_chain,
)
from sla.services.refusals import (
    AlreadyProposed,
    AlreadySigned,
    BeginsTooEarly,
    CommentRequired,
    Incomplete,
    NameDiffers,
    NoLongerWaiting,
    NotTheSignatory,
    NotYetProposed,
    OtherFingerprint,
    SignedForTheOtherSide,
)

__all__ = ["AlreadyProposed", "NotYetProposed", "SignedForTheOtherSide"]
FROZEN = ["number", "effective_from", "predecessor", "proposed_at", "proposed_by", "canonical", "fingerprint"]


@transaction.atomic(durable=True)
def propose_version(*, version_id, effective_from, by, at):
    """Freeze a version and its definition and chain it to the last proposed one. Returns the SLAVersion.

    The fingerprint is SHA-256 over the canonical JSON of its content and of its predecessor's fingerprint. A draft
    whose number was passed by another proposal gets the next free one: numbers rise along the chain.
    Refuses: NotPermitted, AlreadyProposed, BeginsTooEarly, Incomplete.
    """
    if by:  # None: the portal itself, for the first import of history
        require(by, May.DRAFT_AGREEMENT)
    wait_for_the_chain()
    predecessor = SLAVersion.objects.filter(fingerprint__in=ChainHead.objects.values("fingerprint")).first()
    version = lock_draft(version_id)
    _check_begins(effective_from)
    _check_complete(version)
    if predecessor and predecessor.number > version.number:
        version.number = SLAVersion.objects.aggregate(last=Max("number"))["last"] + 1
    MQLDefinition.objects.filter(pk=version.definition_id, proposed_at=None).update(proposed_at=at, proposed_by=by)
    version.effective_from = effective_from
    version.predecessor = predecessor
    version.proposed_at, version.proposed_by = at, by
    version.canonical = signed_text(version.content(), predecessor.fingerprint if predecessor else None)
    version.fingerprint = sha256(version.canonical)
    version.save(update_fields=FROZEN)
    tell("agreement.proposed", key=version.pk, at=at, payload={"version": version.number})
    for party in Party:
        for person, _ in signers(version, party, at=at):
            if person != by:
                said = {"version": version.number, "party": party}
                tell("agreement.waits", key=f"{version.pk}:{party}:{person.pk}", at=at, to=person, payload=said)
    return version


@transaction.atomic(durable=True)
def sign_version(
    *, version_id, party, by, at, role=None, fingerprint=None, typed_name=None, address=None, user_agent=None
):
    """Sign a proposed version's fingerprint for one party. Returns the Signature.

    fingerprint: the one the person was shown; role: theirs as it is when None; typed_name, address, user_agent: what
    the page saw of the signing, None where there was no page.
    Refuses: NotYetProposed, NoLongerWaiting, AlreadySigned, SignedForTheOtherSide, NotTheSignatory, OtherFingerprint,
    NameDiffers.
    """
    version, stands = lock_waiting(version_id, at=at)
    if Party(party) in stands.signatures:
        raise AlreadySigned
    if any(row.signed_by_id == by.pk for row in stands.signatures.values()):
        raise SignedForTheOtherSide
    signatory = check_signs(version, party, by, at=at)
    if fingerprint is not None and fingerprint != version.fingerprint:
        raise OtherFingerprint
    if typed_name is not None and _plain(typed_name) != _plain(by.name):
        raise NameDiffers(f"Type your name as it is written here: {by.name}. Nothing was saved.")
    signature = _write(
        version, by, party=party, role=role or role_as_it_is(by, party), at=at, signatory=signatory,
        typed_name=typed_name, address=address, user_agent=user_agent and user_agent[:300],
    )  # fmt: skip
    tell(
        "agreement.signed",
        key=signature.pk,
        at=at,
        payload={"version": version.number, "party": party, "name": by.name},
    )
    return signature


@transaction.atomic(durable=True)
def withdraw_version(*, version_id, by, at, comment=""):
    """Take a proposal back before both have signed; it stays in the chain. Returns the Withdrawal.

    Refuses: NotPermitted (only whoever proposed it, or a leader), NotYetProposed, NoLongerWaiting.
    """
    version, _ = lock_waiting(version_id, at=at)
    if by.pk != version.proposed_by_id:
        require(by, May.RETURN_AGREEMENT)
    require(by, May.DRAFT_AGREEMENT)
    return _end(version, Withdrawal.Kind.WITHDRAWN, by=by, at=at, comment=comment.strip())


@transaction.atomic(durable=True)
def return_version(*, version_id, by, at, comment):
    """Send a proposal back with a comment instead of signing it. Returns the Withdrawal.

    Refuses: NotPermitted (leaders, signatories and deputies), NotYetProposed, NoLongerWaiting, CommentRequired.
    """
    version, _ = lock_waiting(version_id, at=at)
    if not may(by, May.RETURN_AGREEMENT):
        _check_signs_for_a_side(version, by, at)
    if not comment.strip():
        raise CommentRequired
    return _end(version, Withdrawal.Kind.RETURNED, by=by, at=at, comment=comment.strip())


@transaction.atomic(durable=True)
def comment_version(*, version_id, section, text, by, at):
    """Remark on one section of a draft or of a proposal that waits. Returns the Comment.

    Refuses: NotPermitted, NoLongerWaiting, CommentRequired.
    """
    require(by, May.DISCUSS_AGREEMENT)
    version = get_object_or_404(SLAVersion.objects.select_for_update(no_key=True), pk=version_id)
    if not standing(version, at=at).allows("comment_version"):
        raise NoLongerWaiting("Only a draft or a proposal that waits is discussed. Nothing was saved.")
    if not text.strip():
        raise CommentRequired("Write something first. Nothing was saved.", field="text")
    return Comment.objects.create(
        version=version, section=section, text=text.strip(), commented_by=by, commented_at=at
    )


def _check_begins(effective_from):
    """What both have signed is followed by what begins later, so that the order of the chain is the order in force."""
    last = SLAVersion.objects.signed().order_by("-effective_from").first()
    if last and last.effective_from >= effective_from:
        raise BeginsTooEarly(
            f"v{last.number} is signed by both and begins on {last.effective_from:%-d %B %Y, %H:%M} UTC."
            " A later version begins after it."
        )


def _check_complete(version):
    """Every tier has its two times, the catalogue a reason, and the definition can be read."""
    promised = set(version.commitments.filter(within__isnull=False).values_list("kind", "tier_id"))
    for tier in version.definition.tiers.all():
        for kind in (Commitment.Kind.FIRST_CONTACT, Commitment.Kind.DECISION):
            if (kind, tier.pk) not in promised:
                raise Incomplete(f"{kind.label} is not set for the tier {tier.name}.")
    if not version.reasons.offered().exists():
        raise Incomplete("The catalogue of reasons is empty.")
    try:
        version.definition.as_definition()
    except DefinitionError as wrong:
        raise Incomplete(f"The definition cannot be read: {wrong}") from None


def _check_signs_for_a_side(version, by, at):
    for party in Party:
        if any(person.pk == by.pk for person, _ in signers(version, party, at=at)):
            return
    raise NotPermitted(NotTheSignatory.sentence)


def _write(version, by, *, party, role, at, signatory, **seen):
    said = {"fingerprint": version.fingerprint, "party": party, "name": by.name, "role": role, "signed_at": at}
    digest = signature_digest(signed_by=by.pk, deputy_for=signatory and signatory.pk, **said, **seen)
    return Signature.objects.create(version=version, signed_by=by, deputy_for=signatory, digest=digest, **said, **seen)


def _end(version, kind, *, by, at, comment):
    said = {"kind": kind, "fingerprint": version.fingerprint, "name": by.name, "withdrawn_at": at, "comment": comment}
    row = Withdrawal.objects.create(
        version=version, withdrawn_by=by, digest=withdrawal_digest(withdrawn_by=by.pk, **said), **said
    )
    payload = {"version": version.number, "by": by.name, "comment": comment}
    tell(f"agreement.{kind}", key=version.pk, at=at, payload=payload, to=version.proposed_by)
    return row


def _plain(name):
    return " ".join(name.split()).casefold()

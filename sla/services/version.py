"""Verbs of the agreement: propose a version, sign it."""

from django.db import connection, transaction
from django.db.models import Max

from portal.outbox.services import tell
from portal.shared.refusal import Refusal
from sla.chain import sha256, signature_digest, signed_text
from sla.models import ChainHead, MQLDefinition, Signature, SLAVersion


class AlreadyProposed(Refusal):
    code = "already_proposed"
    sentence = "This version was proposed already and does not change."


class NotYetProposed(Refusal):
    code = "not_yet_proposed"
    sentence = "Only a proposed version can be signed."


class SignedForTheOtherSide(Refusal):
    code = "never_for_both"
    sentence = "One person never signs for both sides."


@transaction.atomic(durable=True)
def propose_version(*, version_id, effective_from, by, at):
    """Freeze a version and its definition and chain it to the last proposed one. Returns the SLAVersion.

    The fingerprint is SHA-256 over the canonical JSON of its content and of its predecessor's fingerprint.
    """
    _wait_for_other_proposals()
    predecessor = SLAVersion.objects.filter(fingerprint__in=ChainHead.objects.values("fingerprint")).first()
    version = (
        SLAVersion.objects.select_for_update(of=("self",)).select_related("definition", "calendar").get(pk=version_id)
    )
    if version.proposed_at:
        raise AlreadyProposed
    if predecessor and predecessor.number > version.number:  # numbers rise along the chain
        version.number = SLAVersion.objects.aggregate(last=Max("number"))["last"] + 1
    MQLDefinition.objects.filter(pk=version.definition_id, proposed_at=None).update(proposed_at=at, proposed_by=by)
    version.effective_from = effective_from
    version.predecessor = predecessor
    version.proposed_at, version.proposed_by = at, by
    version.canonical = signed_text(version.content(), predecessor.fingerprint if predecessor else None)
    version.fingerprint = sha256(version.canonical)
    version.save(
        update_fields=[
            "number",
            "effective_from",
            "predecessor",
            "proposed_at",
            "proposed_by",
            "canonical",
            "fingerprint",
        ]
    )
    tell("agreement.proposed", key=version.pk, at=at, payload={"version": version.number})
    return version


@transaction.atomic(durable=True)
def sign_version(*, version_id, party, role, by, at):
    """Sign a proposed version's fingerprint for one party. Returns the Signature."""
    # no_key: a proposal at the same moment may point to this version while it waits for the head
    version = SLAVersion.objects.select_for_update(no_key=True).get(pk=version_id)
    if not version.proposed_at:
        raise NotYetProposed
    if version.signatures.filter(signed_by=by).exclude(party=party).exists():
        raise SignedForTheOtherSide
    said = {"fingerprint": version.fingerprint, "party": party, "name": by.name, "role": role, "signed_at": at}
    signature = Signature.objects.create(
        version=version, signed_by=by, digest=signature_digest(signed_by=by.pk, **said), **said
    )
    tell("agreement.signed", key=signature.pk, at=at, payload={"version": version.number, "party": party})
    return signature


def _wait_for_other_proposals():
    """One proposal at a time: the next one finds this one at the end of the chain, and no refusal of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('sla.chain', 0))")

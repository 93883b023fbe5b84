"""Reads the chain as the database has it now, for `sla.chain` to compare, and for an outsider to compute again."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from portal.shared.text import in_words
from sla.chain import Difference, Head, Link, Signed, Withdrawn, first_difference, known
from sla.conditions import DefinitionError
from sla.fingerprint import utc_text
from sla.models import ChainHead, SLAVersion


@dataclass(frozen=True)
class Verification:
    """What was found at `at` (aware): how many proposed versions and signatures, and the first difference or None."""

    at: datetime
    versions: int
    signatures: int
    fingerprint: str | None
    difference: Difference | None

    @property
    def sentence(self):
        if self.difference:
            return self.difference.sentence
        if not self.versions:
            return "No version was proposed yet: there is nothing to verify."
        return f"{_count(self.versions, 'version')}, {_count(self.signatures, 'signature')}, no break."

    def as_json(self):
        return {
            "at": utc_text(self.at),
            "agrees": self.difference is None,
            "versions": self.versions,
            "signatures": self.signatures,
            "fingerprint": self.fingerprint,
            "difference": self.difference and self.difference.as_json(),
        }


@transaction.atomic
def verify(*, at):
    """Recompute every proposed version and signature (eleven queries for any number). Returns Verification."""
    # The lock lets no proposal and no signature in between the head and what it counts.
    head = ChainHead.objects.select_for_update().first()
    links = [_link(version) for version in _proposed()]
    counted = head and Head(head.versions, head.fingerprint, head.signatures, head.withdrawals)
    return Verification(
        at=at,
        versions=len(links),
        signatures=sum(len(link.signatures) for link in links),
        fingerprint=head and head.fingerprint,
        difference=first_difference(links, counted),
    )


def bundle(version):
    """A proposed version as plain JSON: what was signed, and all that fingerprint and digests are made of."""
    signed = json.loads(version.canonical)
    withdrawal = getattr(version, "withdrawal", None)
    return {
        "version": version.number,
        "content": signed["content"],
        "predecessor": signed["predecessor"],
        "fingerprint": version.fingerprint,
        "signatures": [_exported(row) for row in version.signatures.all()],
        "withdrawal": withdrawal
        and {
            "kind": withdrawal.kind,
            "withdrawn_by": withdrawal.withdrawn_by_id,
            "name": withdrawal.name,
            "withdrawn_at": utc_text(withdrawal.withdrawn_at),
            "comment": withdrawal.comment,
            "digest": withdrawal.digest,
        },
    }


def _exported(row):
    recorded = {
        "deputy_for": row.deputy_for_id,
        "typed_name": row.typed_name,
        "address": row.address,
        "user_agent": row.user_agent,
    }
    return {
        "party": row.party,
        "signed_by": row.signed_by_id,
        "name": row.name,
        "role": row.role,
        "signed_at": utc_text(row.signed_at),
        **known(recorded),
        "digest": row.digest,
    }


def _proposed():
    """Proposed versions with all rows of their content; prefetched, so that one whose rows are gone is still there."""
    return SLAVersion.objects.filter(proposed_at__isnull=False).prefetch_related(
        "calendar", "definition__rules", "definition__tiers", "commitments__tier", "escalation_steps", "reasons",
        "signatures", "withdrawal",
    )  # fmt: skip


def _link(version):
    return Link(
        id=version.pk,
        number=version.number,
        follows=version.predecessor_id,
        text=version.canonical,
        content=_content(version),
        fingerprint=version.fingerprint,
        signatures=[_signed(row) for row in version.signatures.all()],
        withdrawal=_withdrawn(getattr(version, "withdrawal", None)),
    )


def _content(version):
    """The content as the rows say it now; None where they say nothing that could be read."""
    try:
        return version.content()
    except (ObjectDoesNotExist, DefinitionError):
        return None


def _signed(row):
    return Signed(
        party=row.party,
        signed_by=row.signed_by_id,
        name=row.name,
        role=row.role,
        signed_at=row.signed_at,
        fingerprint=row.fingerprint,
        digest=row.digest,
        deputy_for=row.deputy_for_id,
        typed_name=row.typed_name,
        address=row.address,
        user_agent=row.user_agent,
    )


def _withdrawn(row):
    return row and Withdrawn(
        kind=row.kind,
        withdrawn_by=row.withdrawn_by_id,
        name=row.name,
        withdrawn_at=row.withdrawn_at,
        comment=row.comment,
        fingerprint=row.fingerprint,
        digest=row.digest,
    )


def _count(number, noun):
    return f"{in_words(number)} {noun}{'' if number == 1 else 's'}"

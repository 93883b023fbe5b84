"""Doors of the API to the agreement and the definition in force."""

import datetime as dt
from typing import Any

from django.utils import timezone
from ninja import Query, Router

from portal.accounts.permissions import May, require
from portal.keys.auth import Bearer
from portal.keys.problem import NotFound
from portal.keys.scopes import AGREEMENT_READ
from portal.keys.shapes import Said, Strict, digits
from sla.fingerprint import plain
from sla.models import MQLDefinition, SLAVersion

router = Router(tags=["Agreement"], auth=Bearer(AGREEMENT_READ))


class Numbered(Strict):
    number: digits(1, 2**31 - 1) | None = None


class Agreement(Said):
    number: int
    fingerprint: str | None
    begins_at: dt.datetime | None
    definition: int
    content: dict[str, Any]


class Definition(Said):
    number: int
    summary: str
    content: dict[str, Any]


@router.get("/agreement", response=Agreement, url_name="api_agreement", summary="The agreement")
def get_agreement(request, query: Query[Numbered]):
    """`content` is what both sides signed; docs/verify.md says how its fingerprint is computed again.

    Without `number` the version in force; drafts are not shown.
    """
    require(request.user, May.READ_AGREEMENT)
    versions = SLAVersion.objects.select_related("definition", "calendar")
    if query.number is None:
        version = versions.in_force(at=timezone.now())
    else:
        version = versions.filter(number=query.number, proposed_at__isnull=False).first()
    if version is None:
        raise NotFound("No agreement is in force." if query.number is None else None)
    begun = SLAVersion.objects.signed().filter(pk=version.pk).values_list("begins_at", flat=True).first()
    return Agreement(
        number=version.number, fingerprint=version.fingerprint, begins_at=begun,
        definition=version.definition.number, content=plain(version.content()),
    )  # fmt: skip


@router.get("/definition", response=Definition, url_name="api_definition", summary="The definition")
def get_definition(request, query: Query[Numbered]):
    """Rules with their points, tiers with their thresholds, and the facts that a complete lead has."""
    require(request.user, May.READ_AGREEMENT)
    if query.number is None:
        version = SLAVersion.objects.select_related("definition").in_force(at=timezone.now())
        found = version and version.definition
    else:
        found = MQLDefinition.objects.filter(number=query.number, proposed_at__isnull=False).first()
    if found is None:
        raise NotFound("No agreement is in force." if query.number is None else None)
    return Definition(number=found.number, summary=found.summary, content=found.as_definition().as_json())

"""Which agreement a row falls under, and what a reason means there; read once before the file."""

from bisect import bisect_right
from dataclasses import dataclass, field

from leads.services.refusals import NoVersionInForce
from sla import scoring
from sla.models import Category, SLAVersion
from sla.services.version import propose_version
from sla.starter import draft_version

CATEGORIES = {
    spelling: category.value
    for category in Category
    for spelling in (category.value, f"bad_{category.value}", f"bad {category.value}", f"bad-{category.value}")
}


@dataclass(frozen=True)
class Reason:
    """One code of one version's catalogue."""

    pk: int
    code: str
    note_required: bool


@dataclass
class Version:
    """What an import needs of one SLA version. reasons: by code and by category name (its general code)."""

    pk: int
    definition: int
    row: SLAVersion
    reasons: dict[str, Reason] = field(default_factory=dict)

    def reason(self, text):
        """The Reason that a code or a category's name means, or None."""
        said = text.casefold()
        return self.reasons.get(CATEGORIES.get(said, said))


class Past:
    """The versions that history names: by the moment of qualification, else the earliest proposed one."""

    def __init__(self, versions, beginnings, earliest):
        self._versions, self._beginnings, self._earliest = versions, beginnings, earliest

    def at(self, moment):
        place = bisect_right(self._beginnings, moment)
        return self._versions[place - 1] if place else self._earliest


def past():
    """The Past, or None when no version was ever proposed."""
    proposed = SLAVersion.objects.filter(proposed_at__isnull=False).select_related("definition")
    earliest = proposed.order_by("effective_from", "number").first()
    if earliest is None:
        return None
    signed = list(proposed.signed().order_by("begins_at", "number"))
    versions = [_with_reasons(version) for version in signed]
    known = {version.pk: version for version in versions}
    return Past(versions, [v.begins_at for v in signed], known.get(earliest.pk) or _with_reasons(earliest))


def propose_starter(*, at):
    """The starter agreement, proposed and unsigned: history needs a law to name where none was ever written."""
    draft = draft_version(by=None, at=at, summary="Proposed by the first import of history")
    propose_version(version_id=draft.pk, effective_from=at, by=None, at=at)


def starter_for_trial(*, at):
    """The same inside a transaction that is rolled back (a dry run): drafted, never proposed."""
    version = _with_reasons(draft_version(by=None, at=at))
    return Past([], [], version)


@dataclass
class Present:
    """The version in force, ready to score with: ids of tiers by their key."""

    version: Version
    scorer: scoring.Scorer
    tiers: dict[str, int]


def present(*, at, zone):
    """The Present at `at`. Refuses: NoVersionInForce."""
    row = SLAVersion.objects.select_related("definition").in_force(at=at)
    if row is None:
        raise NoVersionInForce
    tiers = {tier.key: tier.pk for tier in row.definition.tiers.all()}
    return Present(_with_reasons(row), scoring.compile(row.definition.as_definition(), zone=zone), tiers)


def _with_reasons(row):
    version = Version(row.pk, row.definition_id, row)
    for code in row.reasons.all():
        reason = Reason(code.pk, code.code, code.note_required)
        version.reasons[code.code] = reason
        if code.is_general:
            version.reasons[code.category] = reason
    return version

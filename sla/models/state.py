"""The state of every version at an instant, derived from versions, signatures and withdrawals: four queries."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from sla import lifecycle
from sla.models.party import Party
from sla.models.signature import Signature
from sla.models.version import SLAVersion


@dataclass
class Standing:
    """One version as it stands: `begins_at` and `ended_at` (the next one's beginning) only where both have signed."""

    version: SLAVersion
    state: str
    signatures: dict = field(default_factory=dict)
    begins_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def withdrawal(self):
        return getattr(self.version, "withdrawal", None)

    @property
    def missing(self):
        """The sides that have not signed, in order."""
        return [party for party in Party if party not in self.signatures]

    @property
    def waits(self):
        return self.state in lifecycle.WAITING

    def allows(self, verb):
        return lifecycle.allows(verb, self.state)


def standings(*, at):
    """The Standing of every version at `at` (aware), the newest first."""
    people = ("created_by", "proposed_by", "changed_by", "marketing_signatory", "sales_signatory")
    versions = SLAVersion.objects.select_related("definition", "predecessor", "started_from", "withdrawal", *people)
    versions = list(
        versions.defer("canonical", "predecessor__canonical", "started_from__canonical").order_by("number")
    )
    signatures = {}
    for row in Signature.objects.select_related("deputy_for"):
        signatures.setdefault(row.version_id, {})[Party(row.party)] = row
    begins = {v.pk: _begins(v, signatures[v.pk]) for v in versions if len(signatures.get(v.pk, ())) == len(Party)}
    order = sorted((v for v in versions if v.pk in begins), key=lambda v: (begins[v.pk], v.number))
    last = max((v.number for v in order), default=0)
    begun = [v.pk for v in order if begins[v.pk] <= at]
    ended = {one.pk: begins[following.pk] for one, following in pairwise(order)}
    return [
        Standing(
            version=v,
            state=_state(v, signatures.get(v.pk, {}), v.number < last, v.pk in begun, begun[-1:] == [v.pk]),
            signatures=signatures.get(v.pk, {}),
            begins_at=begins.get(v.pk),
            ended_at=ended.get(v.pk),
        )
        for v in reversed(versions)
    ]


def standing(version, *, at):
    """The Standing of one version at `at`."""
    return next(one for one in standings(at=at) if one.version.pk == version.pk)


def _begins(version, signed):
    return max(version.effective_from, *(row.signed_at for row in signed.values()))


def _state(version, signed, overtaken, begun, last_begun):
    withdrawal = getattr(version, "withdrawal", None)
    return lifecycle.state(
        proposed=version.proposed_at is not None,
        withdrawn=withdrawal and withdrawal.kind,
        parties=len(signed),
        overtaken=overtaken,
        begun=begun,
        last_begun=last_begun,
    )

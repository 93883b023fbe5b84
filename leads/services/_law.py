"""The law of now, ready to judge by: what never changes once it was proposed is read and compiled once a process."""

from dataclasses import dataclass
from functools import lru_cache

from django.utils.timezone import get_default_timezone

from leads.services.due import Terms
from portal.shared.prepared import A_MOMENT, Prepared
from sla import scoring
from sla.models import SLAVersion, Tier


@dataclass(frozen=True)
class Law:
    """A version that is or was in force. tiers: {key: Tier}; terms: its promised times."""

    version: SLAVersion
    scorer: scoring.Scorer
    tiers: dict[str, Tier]
    terms: Terms


def law_in_force(at):
    """The Law in force at `at` (aware), or None. One query."""
    return law_told(_in_force(at))


def asks_for_law(at):
    """(SQL, parameters) whose rows `law_told` reads."""
    return _in_force.statement(at)


def law_told(rows):
    """The Law that the rows name, or None."""
    return _law(*rows[0], get_default_timezone()) if rows else None


def law_of(version):
    """The Law of a version that was proposed."""
    return _law(version.pk, version.fingerprint, get_default_timezone())


@Prepared.of(A_MOMENT)
def _in_force(at):
    return SLAVersion.objects.begun(at=at).values_list("pk", "fingerprint")[:1]


@lru_cache(maxsize=8)
def _law(pk, fingerprint, zone):
    version = SLAVersion.objects.select_related("definition").get(pk=pk)
    definition = version.definition
    tiers = {tier.key: tier for tier in definition.tiers.all()}
    return Law(version, scoring.compile(definition.as_definition(), zone=zone), tiers, Terms(version))

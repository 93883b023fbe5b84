"""Steps that several verbs of the agreement share: wait for the chain, lock a version, find who signs for a side."""

from django.db import connection
from django.shortcuts import get_object_or_404

from portal.accounts.models import User
from sla.models import Deputy, Party, SLAVersion
from sla.models.party import LEADER
from sla.models.state import standing
from sla.services.refusals import AlreadyProposed, NoLongerWaiting, NotTheSignatory, NotYetProposed


def wait_for_the_chain():
    """One proposal or new draft at a time: the next one finds this one, and no refusal of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('sla.chain', 0))")


def lock_draft(version_id):
    """The draft's row, locked until the transaction ends. Refuses: AlreadyProposed."""
    rows = SLAVersion.objects.select_for_update(of=("self",)).select_related("definition", "calendar")
    version = get_object_or_404(rows, pk=version_id)
    if version.proposed_at:
        raise AlreadyProposed
    return version


def lock_waiting(version_id, *, at):
    """A proposed version, locked, and its Standing. Refuses: NotYetProposed, NoLongerWaiting."""
    # no_key: a proposal at the same moment may point to this version while it waits for the head
    version = get_object_or_404(SLAVersion.objects.select_for_update(no_key=True), pk=version_id)
    if not version.proposed_at:
        raise NotYetProposed
    stands = standing(version, at=at)
    if not stands.waits:
        raise NoLongerWaiting
    return version, stands


def signers(version, party, *, at):
    """Who signs for the party: [(person, the signatory they stand in for or None)], signatories first."""
    named = version.signatory_id(party)
    own = User.objects.active().filter(pk=named) if named else User.objects.active().holding(LEADER[Party(party)])
    signatories = list(own.order_by("name", "id"))
    deputies = Deputy.objects.standing(at=at).filter(party=party, deputy__is_active=True)
    deputies = deputies.filter(appointed_by__in=[named] if named else [one.pk for one in signatories])
    standing_in = [(row.deputy, row.appointed_by) for row in deputies.select_related("deputy", "appointed_by")]
    return [(one, None) for one in signatories] + standing_in


def check_signs(version, party, by, *, at):
    """The signatory whom `by` stands in for, or None where they sign for themselves. Refuses: NotTheSignatory."""
    for person, signatory in signers(version, party, at=at):
        if by and person.pk == by.pk:
            return signatory
    raise NotTheSignatory


def role_as_it_is(person, party):
    """The role under which the person signs: the side's leader, else their first one."""
    leads = LEADER[Party(party)]
    return leads if person.holds(leads) else (person.roles or ["deputy"])[0]

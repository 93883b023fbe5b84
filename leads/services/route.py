"""Routing, the simple rule of now: the active rep with the fewest open leads, oldest account first."""

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from leads.models import Handoff
from portal.accounts.models import User
from portal.shared.refusal import Refusal


class NobodyToRoute(Refusal):
    code = "nobody_to_route"
    sentence = "No active sales rep exists, so no lead can be handed over. Add one under People."


def by_load():
    """Active reps with `open_count`, the fewest open handoffs first."""
    mine = Handoff.objects.in_inbox().filter(owner=OuterRef("pk")).order_by().values("owner")
    count = Subquery(mine.annotate(n=Count("pk")).values("n"))
    return User.objects.reps().annotate(open_count=Coalesce(count, 0)).order_by("open_count", "id")


def least_loaded():
    """(owner, one line of explanation). Refuses NobodyToRoute when there is no active rep."""
    rep = by_load().first()
    if rep is None:
        raise NobodyToRoute
    return rep, f"Fewest open leads: {rep.open_count}"

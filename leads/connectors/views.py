"""The door of the admins' page of connections: what is told what happens, and what tells us of leads."""

from django.db.models import Count, Q
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads.connectors.models import Connection, Endpoint, Item
from leads.connectors.outgoing.topics import TOPICS
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer

TROUBLE = (Item.Outcome.REFUSED, Item.Outcome.FAILED)


@require_GET
def connections(request):
    """Both lists; of each inbound connection how many items wait for somebody."""
    require(request.user, May.MANAGE_CONNECTIONS)
    inbound = Connection.objects.kept().annotate(
        held=Count("items", filter=Q(items__outcome=Item.Outcome.HELD)),
        trouble=Count("items", filter=Q(items__outcome__in=TROUBLE)),
    )
    context = {"endpoints": Endpoint.objects.kept(), "topics": TOPICS, "inbound": inbound, "now": timezone.now()}
    return answer(request, "connectors/connections.html", context)

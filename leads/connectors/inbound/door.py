"""The door for other systems: a secret address, a message that is believed or not, and an answer within seconds."""

from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from leads.connectors.inbound import salesforce, senders
from leads.connectors.inbound.connections import connection_at
from leads.connectors.inbound.keep import keep, keep_unreadable, note_turned_away
from leads.connectors.inbound.message import Message, NotBelieved, Unreadable
from leads.connectors.inbound.take import AT_ONCE, take_waiting
from leads.connectors.models import Connection
from portal.keys.limits import address_of, spend
from portal.keys.problem import TooManyRequests

MOST_BYTES = 1024 * 1024
A_MINUTE = 600  # messages of one connection
UNKNOWN_A_MINUTE = 60  # messages to addresses that are none, from one network address


@login_not_required
@csrf_exempt
@require_POST
def inbound(request, kind, token):
    """Keep what came, take in what two seconds allow, and say that it came. No cookie opens anything here."""
    now = timezone.now()
    connection = connection_at(kind=kind, token=token, at=now)
    try:
        if connection is None:
            spend(f"in:unknown:{address_of(request)}", quota=UNKNOWN_A_MINUTE, at=now)
            return _said(HTTPStatus.NOT_FOUND, "There is no such address.")
        spend(f"in:{connection.pk}", quota=A_MINUTE, at=now)
    except TooManyRequests as refusal:
        return _said(HTTPStatus.TOO_MANY_REQUESTS, "Too many messages in one minute.", refusal.headers)
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length[:12]) > MOST_BYTES:
        return _said(HTTPStatus.CONTENT_TOO_LARGE, f"A message has at most {MOST_BYTES:,} bytes.")
    address = f"{settings.PORTAL_URL.rstrip('/')}{request.path}"
    return _take(Message(address, request.headers, request.body, now), connection)


def _take(message, connection):
    try:
        senders.check(message, connection)
        arrivals = senders.arrivals(message, connection, timezone.get_default_timezone())
    except NotBelieved as problem:
        note_turned_away(connection_id=connection.pk, why=str(problem), at=message.at)
        return _said(HTTPStatus.UNAUTHORIZED, "This message is not believed.")
    except Unreadable as problem:
        keep_unreadable(connection_id=connection.pk, body=message.body, why=str(problem), at=message.at)
        return _said(HTTPStatus.BAD_REQUEST, str(problem))
    webhook_id = message.headers.get("webhook-id", "")
    new = keep(connection_id=connection.pk, arrivals=arrivals, at=message.at, webhook_id=webhook_id)
    take_waiting(at=message.at, item_ids=new, within=AT_ONCE)
    if connection.kind == Connection.Kind.SALESFORCE:
        return HttpResponse(salesforce.ACKNOWLEDGED, content_type="text/xml; charset=utf-8")
    return JsonResponse({"received": len(arrivals), "new": len(new)})


def _said(status, detail, headers=None):
    return JsonResponse({"detail": detail}, status=status, headers=headers)

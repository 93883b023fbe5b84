"""Links in mails that open one read-only document without a session: for one person, until they expire.

A link is the document's own address with a signed key, which names the address, the person and the last moment. It
opens nothing but that address, and only while the person may: the document's door asks again, by the same rule as for
somebody who is signed in. Nothing is stored, so a link is taken back by deactivating the person or their role.
"""

import datetime as dt
from functools import wraps

import structlog
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.signing import BadSignature, Signer
from django.utils import timezone

from portal.accounts.models import User
from portal.shared.refusal import NotPermitted

LASTS = dt.timedelta(days=7)
KEY = "key"
SIGNER = Signer(salt="portal.accounts.links")


def signed(address, *, person, until):
    """The address of a document (path and query) with the key that opens it to `person` until an aware datetime."""
    key = SIGNER.sign_object({"address": address, "person": person.pk, "until": int(until.timestamp())})
    return f"{address}{'&' if '?' in address else '?'}{KEY}={key}"


def opens_by_link(view):
    """Let a signed link in where nobody is signed in; else ask to sign in. Only for doors that change nothing."""

    @wraps(view)
    def door(request, *args, **kwargs):
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        address, key = _asked(request)
        request.user = _person(address, key, at=timezone.now()) or AnonymousUser()
        if request.user.is_anonymous:
            return redirect_to_login(address)
        structlog.contextvars.bind_contextvars(user_id=request.user.pk, by_link=True)
        try:
            response = view(request, *args, **kwargs)
        except NotPermitted:  # the role is gone: no page that looks as if somebody were signed in
            request.user = AnonymousUser()
            return redirect_to_login(address)
        except BaseException:
            request.user = AnonymousUser()
            raise
        response["Cache-Control"] = "private, no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    door.opens_by_link = True
    return login_not_required(door)


def _asked(request):
    """The address that is asked for, without its key; and the key."""
    query = request.GET.copy()
    keys = query.pop(KEY, [""])
    return f"{request.path}{'?' if query else ''}{query.urlencode()}", keys[-1]


def _person(address, key, *, at):
    """The active person whom the key lets in to the address, or None."""
    try:
        said = SIGNER.unsign_object(key)
    except (BadSignature, ValueError):
        return None
    if said["address"] != address or said["until"] <= at.timestamp():
        return None
    return User.objects.active().filter(pk=said["person"]).first()

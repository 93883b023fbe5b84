"""The page of keys, for admins: make one for a program or a website, revoke it, and who did so."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.models import User
from portal.accounts.permissions import May, require
from portal.keys.models import ApiKey, KeyAct, Website
from portal.keys.scopes import SCOPES
from portal.keys.services import LIFETIMES, add_website, make_key, revoke_key, revoke_website
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal

PAGE = "keys/api_keys.html"
ACTS_SHOWN = 50
USUAL_DAYS = 90


@require_http_methods(["GET", "POST"])
@never_cache
def api_keys(request):
    """All keys, and the form for another one; the answer to a POST is the only page that ever shows the token."""
    require(request.user, May.MANAGE_KEYS)
    if request.method == "GET":
        return answer(request, PAGE, _context())
    values = _values(request.POST)
    try:
        key, token = make_key(by=request.user, at=timezone.now(), **values)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, PAGE, _context() | {"refusal": refusal, "new": values})
    return answer(request, PAGE, _context() | {"made": key, "token": token})


@require_POST
def api_key_revoke(request, pk):
    return _revoke(request, ApiKey, pk, lambda by, at: revoke_key(key_id=pk, by=by, at=at))


@require_POST
def website_add(request):
    require(request.user, May.MANAGE_KEYS)
    values = {name: request.POST.get(name, "") for name in ("name", "origins")}
    try:
        site = add_website(by=request.user, at=timezone.now(), **values)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, PAGE, _context() | {"site_refusal": refusal, "new_site": values})
    messages.success(request, f"{site.name} may tell of visits now. Put its line into its pages.")
    return redirect("api_keys")


@require_POST
def website_revoke(request, pk):
    return _revoke(request, Website, pk, lambda by, at: revoke_website(website_id=pk, by=by, at=at))


def _revoke(request, model, pk, verb):
    require(request.user, May.MANAGE_KEYS)
    get_object_or_404(model, pk=pk)
    try:
        gone = verb(by=request.user, at=timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, f"The key of {gone.name} opens nothing any more.")
    return redirect("api_keys")


def _values(post):
    number = lambda name: int(post[name]) if post.get(name, "").isdecimal() and len(post[name]) < 10 else None  # noqa: E731
    return {
        "name": post.get("name", ""),
        "person_id": number("person"),
        "days": number("days"),
        "scopes": post.getlist("scopes"),
    }


def _context():
    now = timezone.now()
    keys = [(key, key.state(now)) for key in ApiKey.objects.select_related("person", "created_by")]
    return {
        "live": [key for key, state in keys if state == "live"],
        "gone": [(key, state) for key, state in keys if state != "live"],
        "websites": Website.objects.filter(revoked_at=None),
        "script": f"{settings.PORTAL_URL.rstrip('/')}{settings.STATIC_URL}js/track.js",
        "acts": KeyAct.objects.select_related("key", "website", "acted_by")[:ACTS_SHOWN],
        "people": User.objects.active().order_by("name", "id"),
        "scopes": SCOPES.items(),
        "lifetimes": LIFETIMES,
        "new": {"days": USUAL_DAYS, "scopes": []},
        "now": now,
    }

"""Doors to one's own preferences."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from portal.accounts.models import Theme
from portal.accounts.services import choose_theme, switch_keys
from portal.shared.htmx import nothing, wants_part


@require_GET
def me(request):
    """One's own account: who the portal thinks one is, theme, keys, password."""
    return render(request, "accounts/me.html", {"themes": Theme})


@require_POST
def theme(request):
    value = request.POST.get("theme")
    if value not in Theme.values:
        return HttpResponse("Choose system, light or dark.", status=422)
    choose_theme(person=request.user, theme=value)
    return _back(request)


@require_POST
def keys(request):
    switch_keys(person=request.user, on=bool(request.POST.get("keys")))
    return _back(request)


def _back(request):
    """Stay on the page one came from; another site's address is not followed."""
    if wants_part(request):
        return nothing(request)
    came_from = request.headers.get("Referer", "")
    here = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    return redirect(came_from if here else "me")

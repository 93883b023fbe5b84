"""What every view can rely on: no NUL in what was sent; a lost sign-in leaves the page, a refusal the address."""

from functools import wraps
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import QueryDict
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django.views.defaults import permission_denied
from django_htmx.http import HttpResponseClientRedirect

from portal.shared import large
from portal.shared.htmx import wants_part
from portal.shared.refusal import NotPermitted


class HtmxAnswers:
    """Turns a redirect to sign-in into `HX-Redirect`, and keeps the address when the answer is an error."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not wants_part(request):
            return response
        if _leads_to_sign_in(response):
            response = _sign_in_again(request)
        elif response.status_code >= 400:
            response["HX-Push-Url"] = "false"
        return response


class NoNulls:
    """Takes the character NUL out of what was sent: no column can hold it, so that no view has to think of it.

    It stands behind the check of the form's token, which reads the form anyway.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, *view):
        request.GET = _without_nulls(request.GET)
        if request.method == "POST":
            request.POST = _without_nulls(request.POST)


class SmallBodies:
    """Refuses what is larger than a view takes before anybody reads it: 413. `at_most` says how much a view takes.

    Where one has to sign in first, a large body is left unread of whoever has not: looking for the form's token would
    read, and keep on the disk, all that somebody with a cookie of their own making sends. Who has sends a few at once.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.sender = None
        try:
            return self.get_response(request)
        finally:
            if request.sender:
                large.end(request.sender)

    def process_view(self, request, view, *arguments):
        most = getattr(view, "most_bytes", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        sent = request.META.get("CONTENT_LENGTH") or "0"
        if not sent.isdecimal() or int(sent) > most:
            return getattr(view, "too_large", _too_large)(request)
        if not large.is_large(request) or not getattr(view, "login_required", True):
            return None
        if request.user.is_anonymous:
            return redirect_to_login(request.get_full_path())
        try:
            large.begin(f"person:{request.user.pk}")
        except large.TooManyAtOnce:
            return _too_many(request)
        request.sender = f"person:{request.user.pk}"
        return None


def at_most(size):
    """Decorator of a view: its requests have bodies of at most `size` bytes, not DATA_UPLOAD_MAX_MEMORY_SIZE."""

    def limited(view):
        @wraps(view)
        def with_limit(request, *args, **kwargs):
            return view(request, *args, **kwargs)

        with_limit.most_bytes = size
        return with_limit

    return limited


class NotPermittedPages:
    """Turns `NotPermitted` that a view let through into the 403 page with its sentence.

    It stands last, so that it is asked first and the request's log does not take a refusal for a failure.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, NotPermitted):
            return permission_denied(request, PermissionDenied(exception.sentence))
        return None


def _too_many(request):
    response = render(request, "429_large.html", status=HTTPStatus(429))
    response["Retry-After"] = "60"
    return response


def _too_large(request):
    return render(request, "413.html", status=HTTPStatus(413))


def _without_nulls(values):
    """The QueryDict, or where a name or a value holds NUL a copy without."""
    if not any("\0" in text for name, texts in values.lists() for text in (name, *texts)):
        return values
    clean = QueryDict(mutable=True)
    for name, texts in values.lists():
        clean.setlist(name.replace("\0", ""), [text.replace("\0", "") for text in texts])
    clean._mutable = False
    return clean


def _leads_to_sign_in(response):
    return response.status_code == 302 and urlsplit(response["Location"]).path == resolve_url(settings.LOGIN_URL)


def _sign_in_again(request):
    """Sign in, then come back to the page the person was looking at (not to the part that was asked for)."""
    page = request.htmx.current_url_abs_path or resolve_url(settings.LOGIN_REDIRECT_URL)
    response = HttpResponseClientRedirect(redirect_to_login(page).url)
    patch_vary_headers(response, ["HX-Request", "HX-Current-URL", "Cookie"])
    return response

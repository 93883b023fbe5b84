"""The page for a fault of ours: needs no session, no database and no context, only the number to look it up by."""

import structlog
from django.http import HttpResponseServerError
from django.template import loader
from django.views.decorators.csrf import requires_csrf_token


@requires_csrf_token
def server_error(request):
    """500 with the request id of the log lines, so that what a person reports can be found."""
    incident = structlog.contextvars.get_contextvars().get("request_id")
    return HttpResponseServerError(loader.render_to_string("500.html", {"incident": incident}))

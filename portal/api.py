"""The API's entrance: routers of the apps under /api/v1/, the OpenAPI document, and a page that tells it to people."""

import json
from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from leads.api import (  # noqa: F401 (each adds its doors to the router)
    batches,
    capture,
    collect,
    deals,
    figures,
    lists,
    work,
)
from leads.api.router import router as leads
from portal.keys.api_docs import told
from portal.keys.door import Api
from portal.shared.htmx import answer
from sla.api import router as agreement

PREFIX = "/api/v1/"
api = Api(
    prefix=PREFIX,
    most_bytes=dict.fromkeys(("api_leads_batch", "api_events_batch"), batches.MOST_BYTES)
    | {"api_collect": collect.MOST_BYTES},
    title="Handoff API",
    version="1",
    description="Send leads and events, read handoffs, report contacts, decisions and deals, read figures and the"
    " agreement.",
)
api.add_router("", leads)
api.add_router("", agreement)


@cache
def document():
    """The OpenAPI document as JSON text."""
    return json.dumps(api.schema(), ensure_ascii=False)


@require_GET
@login_not_required
def api_openapi(request):
    return HttpResponse(document(), content_type="application/json")


@require_GET
@login_not_required
def api_docs(request):
    """The OpenAPI document as a page; it needs no key, for it says nothing of anybody."""
    return answer(request, "keys/api_docs.html", told(json.loads(document())))


urlpatterns = [
    path("openapi.json", api_openapi, name="api_openapi"),
    path("docs", api_docs, name="api_docs"),
    *api.patterns(),
]

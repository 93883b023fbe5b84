"""Every address of the portal; an app's own table stands in the app."""

from django.urls import include, path

from portal import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("portal.accounts.urls")),
    path("", include("portal.outbox.urls")),
    path("", include("portal.keys.urls")),
    path("api/v1/", include("portal.api")),
    path("", include("sla.urls")),
    path("", include("leads.urls")),
]

handler500 = "portal.shared.errors.server_error"

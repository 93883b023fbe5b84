"""Every address of the portal; an app's own table stands in the app."""

from django.urls import include, path

from portal import health

# found one after the other: the daily work first
urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/", include("portal.api")),
    path("", include("leads.urls")),
    path("", include("sla.urls")),
    path("", include("portal.accounts.urls")),
    path("", include("portal.outbox.urls")),
    path("", include("portal.keys.urls")),
]

handler500 = "portal.shared.errors.server_error"

"""Addresses of the connections."""

from django.urls import path

from leads.connectors.outgoing import views as outgoing

urlpatterns = [
    path("connections/", outgoing.connections, name="connections"),
    path("connections/endpoints/<int:pk>/", outgoing.endpoint, name="endpoint"),
    path("connections/endpoints/<int:pk>/ping/", outgoing.ping, name="endpoint_ping"),
    path("connections/endpoints/<int:pk>/secret/", outgoing.rotate, name="endpoint_rotate"),
    path("connections/endpoints/<int:pk>/disable/", outgoing.disable, name="endpoint_disable"),
    path("connections/endpoints/<int:pk>/enable/", outgoing.enable, name="endpoint_enable"),
    path("connections/endpoints/<int:pk>/retire/", outgoing.retire, name="endpoint_retire"),
    path("connections/endpoints/<int:pk>/resend/", outgoing.resend_all, name="endpoint_resend"),
    path("connections/deliveries/<int:pk>/", outgoing.delivery, name="delivery"),
    path("connections/deliveries/<int:pk>/resend/", outgoing.resend_one, name="delivery_resend"),
]

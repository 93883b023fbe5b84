"""Addresses of the connections."""

from django.urls import path

from leads.connectors.inbound import door
from leads.connectors.inbound import views as inbound
from leads.connectors.outgoing import views as outgoing
from leads.connectors.views import connections

urlpatterns = [
    path("in/<slug:kind>/<str:token>/", door.inbound, name="inbound"),
    path("connections/", connections, name="connections"),
    path("connections/endpoints/add/", outgoing.endpoint_add, name="endpoint_add"),
    path("connections/endpoints/<int:pk>/", outgoing.endpoint, name="endpoint"),
    path("connections/endpoints/<int:pk>/ping/", outgoing.ping, name="endpoint_ping"),
    path("connections/endpoints/<int:pk>/secret/", outgoing.rotate, name="endpoint_rotate"),
    path("connections/endpoints/<int:pk>/disable/", outgoing.disable, name="endpoint_disable"),
    path("connections/endpoints/<int:pk>/enable/", outgoing.enable, name="endpoint_enable"),
    path("connections/endpoints/<int:pk>/retire/", outgoing.retire, name="endpoint_retire"),
    path("connections/endpoints/<int:pk>/resend/", outgoing.resend_all, name="endpoint_resend"),
    path("connections/deliveries/<int:pk>/", outgoing.delivery, name="delivery"),
    path("connections/deliveries/<int:pk>/resend/", outgoing.resend_one, name="delivery_resend"),
    path("connections/in/add/", inbound.connection_add, name="connection_add"),
    path("connections/in/<int:pk>/", inbound.connection, name="connection"),
    path("connections/in/<int:pk>/reading/", inbound.reading, name="connection_reading"),
    path("connections/in/<int:pk>/sample/", inbound.sample, name="connection_sample"),
    path("connections/in/<int:pk>/address/", inbound.renew, name="connection_renew"),
    path("connections/in/<int:pk>/secret/", inbound.secret, name="connection_secret"),
    path("connections/in/<int:pk>/disable/", inbound.disable, name="connection_disable"),
    path("connections/in/<int:pk>/enable/", inbound.enable, name="connection_enable"),
    path("connections/in/<int:pk>/retire/", inbound.retire, name="connection_retire"),
    path("connections/items/<int:pk>/", inbound.item, name="item"),
    path("connections/items/<int:pk>/again/", inbound.again, name="item_again"),
]

"""The connectors app."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "leads.connectors"
    label = "connectors"

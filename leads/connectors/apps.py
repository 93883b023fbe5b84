"""The connectors app."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "leads.connectors"
    label = "connectors"

    def ready(self):
        from leads.connectors import mail, privacy  # noqa: F401 (what its e-mails say, what it holds of a person)

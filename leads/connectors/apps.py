"""The connectors app."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "leads.connectors"
    label = "connectors"

    def ready(self):
        from leads.connectors import mail  # noqa: F401 (registers what its e-mails say)

"""The sla app."""

from django.apps import AppConfig


class SLAConfig(AppConfig):
    name = "sla"
    label = "sla"

    def ready(self):
        from sla import mail  # noqa: F401 (registers what its e-mails say)

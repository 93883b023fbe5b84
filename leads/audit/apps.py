"""The audit app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "leads.audit"
    label = "audit"

    def ready(self):
        from leads.audit import privacy  # noqa: F401 (registers what it holds of a person)

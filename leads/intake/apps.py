"""The intake app."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "leads.intake"
    label = "intake"

    def ready(self):
        from leads.intake.imports import privacy  # noqa: F401 (registers what it holds of a person)

"""What every app may import: answers to htmx, times, charts, template tags."""

from django.apps import AppConfig


class SharedConfig(AppConfig):
    name = "portal.shared"
    label = "shared"

    def ready(self):
        from portal.shared import checks  # noqa: F401  (registers them)

"""The calibration app."""

from django.apps import AppConfig


class CalibrationConfig(AppConfig):
    name = "leads.calibration"
    label = "calibration"

    def ready(self):
        from leads.calibration import privacy  # noqa: F401 (registers what it holds of a person)

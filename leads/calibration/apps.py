"""The calibration app."""

from django.apps import AppConfig


class CalibrationConfig(AppConfig):
    name = "leads.calibration"
    label = "calibration"

    def ready(self):
        # they register what is held of a person, and what is kept from whom
        from leads.calibration import blind, privacy  # noqa: F401

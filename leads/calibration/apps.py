"""The calibration app."""

from django.apps import AppConfig


class CalibrationConfig(AppConfig):
    name = "leads.calibration"
    label = "calibration"

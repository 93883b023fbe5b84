"""The sla app."""

from django.apps import AppConfig


class SLAConfig(AppConfig):
    name = "sla"
    label = "sla"

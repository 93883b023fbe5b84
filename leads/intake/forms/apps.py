"""The forms app."""

from django.apps import AppConfig


class FormsConfig(AppConfig):
    name = "leads.intake.forms"
    label = "forms"

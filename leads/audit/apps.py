"""The audit app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "leads.audit"
    label = "audit"

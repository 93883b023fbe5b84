"""The outbox: what must be told, written with the fact, delivered after the commit."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "portal.outbox"
    label = "outbox"

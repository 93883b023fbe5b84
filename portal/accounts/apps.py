"""Accounts: who may sign in, and as what."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"
    verbose_name = "People"

    def ready(self):
        from portal.accounts import checks  # noqa: F401

"""The leads app."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"
    label = "leads"

    def ready(self):
        from leads import mail  # noqa: F401 (registers what its e-mails say)
        from leads.views.inbox_list import open_leads
        from portal.accounts import context

        context.COUNTS["inbox"] = open_leads

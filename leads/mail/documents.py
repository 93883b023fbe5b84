"""The audit's tables as files that a letter opens by signed links."""

from django.urls import reverse

from portal.shared.sheets import FORMS


def tables(period, *named):
    """(what it is called, address) for Mail.documents: of each (table, words) every form of its file."""
    return [
        (f"{words} ({form.upper()})", reverse("audit_table", args=[period, table, form]))
        for table, words in named
        for form in FORMS
    ]

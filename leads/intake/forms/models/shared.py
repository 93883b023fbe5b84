"""What the rows of forms share."""

import pgtrigger
from django.conf import settings
from django.db import models

from portal.shared.triggers import refuse


def person(**options):
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, **options
    )


def never_deleted(what):
    return pgtrigger.Trigger(
        name="never_deleted",
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func=refuse(f"{what} are never deleted"),
    )

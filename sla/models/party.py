"""The two sides of the agreement."""

from django.db import models


class Party(models.TextChoices):
    MARKETING = "marketing", "Marketing"
    SALES = "sales", "Sales"

    @property
    def other(self):
        return Party.SALES if self is Party.MARKETING else Party.MARKETING

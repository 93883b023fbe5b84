"""The two sides of the agreement."""

from django.db import models

from portal.accounts.models import Role


class Party(models.TextChoices):
    MARKETING = "marketing", "Marketing"
    SALES = "sales", "Sales"

    @property
    def other(self):
        return Party.SALES if self is Party.MARKETING else Party.MARKETING


LEADER = {Party.MARKETING: Role.MARKETING_LEADER, Party.SALES: Role.SALES_LEADER}  # the role that speaks for each side

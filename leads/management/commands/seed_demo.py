"""`manage.py seed_demo`: an invented company with thirteen months behind it and full inboxes now."""

import logging
import time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads.backtest.nurture import keep_places
from leads.calibration import demo as rounds
from leads.demo.business import go_on
from leads.demo.company import agreements, people
from leads.demo.deals import write_deals
from leads.demo.invent import DAY, Invention, months
from leads.demo.write import write
from leads.intake.forms.demo import fill as fill_forms
from leads.models import Handoff


class Command(BaseCommand):
    """Seeds once: a portal with handoffs is left alone."""

    help = "Fill an empty portal with Tarnwick, an invented company: 13 months, about 8,000 leads, open inboxes."

    def add_arguments(self, parser):
        parser.add_argument("--share", type=float, default=1.0, help="share of the usual volume, for a quick look")

    def handle(self, *args, share, **options):
        if settings.PRODUCTION:
            raise CommandError("Invented leads do not belong in a production portal (PRODUCTION=1). Nothing was done.")
        if Handoff.objects.exists():
            self.stdout.write("This portal holds leads already, so no company was invented.")
            return
        began = time.monotonic()
        logging.disable(logging.INFO)  # what is invented is no news
        try:
            told = seed(at=timezone.now(), share=share)
        finally:
            logging.disable(logging.NOTSET)
        self.stdout.write(f"{told} ({time.monotonic() - began:.0f} s)")


def seed(*, at, share=1.0):
    """Invent and write the company as of `at`; returns one line that sums it up."""
    zone = ZoneInfo(settings.ORGANISATION_TIME_ZONE)
    starts = [begins for begins, _ in months(at, zone)]
    who = people()
    versions = agreements(who, begins=starts[0] - 60 * DAY, changes=starts[6], now=at)
    laws = [(version.effective_from, version.definition.as_definition()) for version in versions]
    hours = versions[-1].calendar.as_document()
    invention = Invention(at=at, laws=laws, zone=zone, hours=hours, share=share).all()
    write(invention, who=who, versions=versions)
    fill_forms(who, at=at)
    deals = write_deals(at=at)
    go_on(who, version=versions[-1], at=at, zone=zone)
    rounds.go_on(who, at=at, zone=zone)
    while keep_places(at=at):
        pass
    leads = len({id(case.person) for case in invention.cases}) + len(invention.nurture)
    waiting = sum(case.outcome == "open" and not case.left for case in invention.cases)
    return (
        f"Tarnwick is here: {leads:,} leads, {len(invention.cases):,} handoffs over 13 months, {waiting} of them "
        f"open, {deals:,} deals, {len(who.reps)} reps, agreement v{versions[-1].number} in force."
    )

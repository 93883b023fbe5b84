"""`manage.py retention`: erase the leads that were kept long enough, all that are due; --dry-run only lists them."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from leads.services.privacy.retention import due, erase_due


class Command(BaseCommand):
    help = "Erase leads that came to nothing, after the days chosen under Privacy; nothing while that is off."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="write nothing, only list who is due")

    def handle(self, *, dry_run, **_):
        now = timezone.now()
        erased = erase_due(at=now, most=due(at=now).count(), dry_run=dry_run)
        self.stdout.write(f"{len(erased):,} leads {'are due' if dry_run else 'were erased'}.")
        if dry_run and erased:
            self.stdout.write("Leads " + ", ".join(map(str, erased)))

"""`manage.py convert_deals`: deals that older imports kept among the attributes of leads become deals."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from leads.services.old_deals import convert_old_deals


class Command(BaseCommand):
    help = "Make deals of the outcomes that older imports kept among attributes. Run again it changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="count only, write nothing")

    def handle(self, *, dry_run, **_):
        found = convert_old_deals(at=timezone.now(), dry_run=dry_run)
        self.stdout.write(
            f"Deals recorded: {found.recorded:,}. Leads of which one stood already: {found.known:,}."
            f" Leads left as they are: {len(found.left):,}."
        )
        for why, n in found.reasons:
            first = ", ".join(str(lead) for lead, each in found.left if each == why)
            self.stdout.write(f"  {n:,}: {why} (leads {first[:200]}{' …' if len(first) > 200 else ''})")
        if dry_run:
            self.stdout.write("This was a dry run: nothing was written.")

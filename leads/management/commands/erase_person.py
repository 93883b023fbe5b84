"""`manage.py erase_person EMAIL | --lead N`: forget a person; with --dry-run only say what would go."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads.services.privacy.erase import erase_person
from portal.shared.refusal import Refusal


class Command(BaseCommand):
    help = "Erase a person's data; counts, chains, closed audits and the agreement stay (docs/privacy.md)."

    def add_arguments(self, parser):
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("email", nargs="?", default="", help="the person's e-mail address")
        who.add_argument("--lead", type=int, help="the number of the lead")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, only say what would go")

    def handle(self, *, email, lead, dry_run, **_):
        try:
            erased = erase_person(lead_id=lead, email=email, at=timezone.now(), dry_run=dry_run)
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from None
        who = f"Lead {erased.lead_id}" if erased.lead_id else "What was left of the address"
        self.stdout.write(f"{who} {'would be' if dry_run else 'was'} erased.")
        for section, rows in erased.rows.items():
            self.stdout.write(f"  {section}: {rows:,}")
        if erased.withdrawn:
            self.stdout.write(f"  Its open handoff {erased.withdrawn} {'would be' if dry_run else 'was'} withdrawn.")

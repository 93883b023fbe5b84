"""`manage.py evaluate_leads`: evaluate again what is due, as the worker does every quarter of a minute."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from leads.services.evaluate import evaluate_due, outlook


class Command(BaseCommand):
    help = "Evaluate leads in nurture whose recycle date came or that did something new; --dry-run writes nothing."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")

    def handle(self, *args, dry_run, **options):
        told = (outlook if dry_run else evaluate_due)(at=timezone.now())
        head = "Would be" if dry_run else "Done"
        words = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in sorted(told.items()))
        self.stdout.write(f"{head}: {words or 'no lead is due'}.")

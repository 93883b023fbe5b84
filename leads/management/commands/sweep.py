"""Look at the clocks once, as the worker does every thirty seconds."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from leads.services.sweep import BATCH, sweep_clocks


class Command(BaseCommand):
    help = "Write what running clocks ask for by now: breaches, warnings, reports to managers, moves to the queue."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only count; nothing is written")
        parser.add_argument("--batch", type=int, default=BATCH, help="handoffs a transaction (default %(default)s)")

    def handle(self, *, dry_run, batch, **options):
        swept = sweep_clocks(at=timezone.now(), batch=batch, dry_run=dry_run)
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"Looked at {swept.looked_at:,} handoffs: {swept.ran_out:,} clocks ran out, {swept.warned:,} owners "
            f"{would}warned, {swept.reported:,} breaches {would}reported, {swept.queued:,} leads {would}queued."
        )

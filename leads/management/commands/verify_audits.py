"""`manage.py verify_audits`: recompute every closed audit; exit 1 with the first difference."""

from django.core.management.base import BaseCommand, CommandError

from leads.audit.closing import verify
from leads.audit.models import Closing


class Command(BaseCommand):
    help = "Verify the chain of closed audits."

    def handle(self, *args, **options):
        if wrong := verify():
            raise CommandError(wrong)
        self.stdout.write(f"{Closing.objects.count()} closed audits agree with their fingerprints and signatures.")

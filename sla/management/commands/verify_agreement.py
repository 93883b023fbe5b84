"""`manage.py verify_agreement`: recompute the chain and name the first difference; exit code 1 if there is one."""

import json
import sys

from django.core.management.base import BaseCommand
from django.utils import timezone

from sla.verification import verify


class Command(BaseCommand):
    help = "Recompute every proposed version and signature of the agreement, and name the first difference."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")

    def handle(self, **options):
        found = verify(at=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
        else:
            self.stdout.write(found.sentence)
            if found.fingerprint and not found.difference:
                self.stdout.write(f"Fingerprint of the last one: {found.fingerprint}")
        if found.difference:
            sys.exit(1)

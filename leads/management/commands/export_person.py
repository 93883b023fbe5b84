"""`manage.py export_person EMAIL | --lead N`: everything that is known of a person, as JSON on standard output."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads.services.privacy.export import export_person
from portal.shared.refusal import Refusal


class Command(BaseCommand):
    help = "Print everything that is known of a person as JSON (docs/privacy.md)."

    def add_arguments(self, parser):
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("email", nargs="?", default="", help="the person's e-mail address")
        who.add_argument("--lead", type=int, help="the number of the lead")

    def handle(self, *, email, lead, **_):
        try:
            self.stdout.write(export_person(lead_id=lead, email=email, at=timezone.now()))
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from None

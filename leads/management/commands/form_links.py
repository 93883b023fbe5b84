"""`manage.py form_links roi-check`: for each lead that no rep holds a link that asks only what is not known."""

import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads.intake.forms.known import LINKED, link_rows, reachable
from leads.intake.forms.models import Form
from portal.shared.sheets import csv_pieces


class Command(BaseCommand):
    help = "Print a CSV of e-mail addresses and personal links to a form, for leads that no rep holds."

    def add_arguments(self, parser):
        parser.add_argument("form", help="the form's address: the part behind /f/")

    def handle(self, *, form, **options):
        found = Form.objects.live().filter(slug=form).first()
        if found is None:
            raise CommandError(f"No open form has the address {form}.")
        out = getattr(self.stdout, "_out", sys.stdout)
        for piece in csv_pieces(LINKED, link_rows(found, reachable(), at=timezone.now())):
            out.write(piece.decode())

"""`manage.py form_links roi-check`: for each lead that no rep holds a link that asks only what is not known."""

import sys

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef

from leads.intake.forms.known import known_link
from leads.intake.forms.models import Form
from leads.models import Handoff, Lead
from portal.shared.sheets import csv_pieces


class Command(BaseCommand):
    help = "Print a CSV of e-mail addresses and personal links to a form, for leads that no rep holds."

    def add_arguments(self, parser):
        parser.add_argument("form", help="the form's address: the part behind /f/")

    def handle(self, *, form, **options):
        found = Form.objects.live().filter(slug=form).first()
        if found is None:
            raise CommandError(f"No open form has the address {form}.")
        held = Handoff.objects.undecided().filter(lead=OuterRef("pk"))
        leads = Lead.objects.filter(~Exists(held), email__isnull=False).order_by("pk")
        rows = ((lead.email, lead.first_name, known_link(found, lead)) for lead in leads.iterator(chunk_size=1000))
        out = getattr(self.stdout, "_out", sys.stdout)
        for piece in csv_pieces(["email", "first_name", "link"], rows):
            out.write(piece.decode())

"""`manage.py states`: write the pages of states from the tables of legal moves."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from leads import lifecycle
from sla import lifecycle as agreement


class Command(BaseCommand):
    """Each page of states has one source: leads/lifecycle.py and sla/lifecycle.py."""

    help = "Write docs/states.md and docs/agreement-states.md; --check only says whether they are current."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true")

    def handle(self, *args, check, **options):
        for name, table in (("states.md", lifecycle), ("agreement-states.md", agreement)):
            page = settings.BASE_DIR / "docs" / name
            current = page.exists() and page.read_text(encoding="utf-8") == table.as_markdown()
            if check and not current:
                raise CommandError(f"docs/{name} is behind its table. Run `manage.py states`.")
            if not current:
                page.parent.mkdir(exist_ok=True)
                page.write_text(table.as_markdown(), encoding="utf-8")
            self.stdout.write(f"docs/{name} is current.")

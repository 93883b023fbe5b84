"""`manage.py states`: write docs/states.md from the table of legal moves."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from leads import lifecycle


class Command(BaseCommand):
    """The page of states has one source, leads/lifecycle.py."""

    help = "Write docs/states.md from leads/lifecycle.py; --check only says whether it is current."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true")

    def handle(self, *args, check, **options):
        page = settings.BASE_DIR / "docs" / "states.md"
        current = page.exists() and page.read_text(encoding="utf-8") == lifecycle.as_markdown()
        if check and not current:
            raise CommandError("docs/states.md is behind leads/lifecycle.py. Run `manage.py states`.")
        if not current:
            page.parent.mkdir(exist_ok=True)
            page.write_text(lifecycle.as_markdown(), encoding="utf-8")
        self.stdout.write("docs/states.md is current.")

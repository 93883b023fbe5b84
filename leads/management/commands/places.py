"""`manage.py places`: evaluate nurture anew as the worker does; with --verify recount every lead in its place."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads import places
from leads.backtest.nurture import keep_places

SHOWN = 20


class Command(BaseCommand):
    help = "Evaluate nurture anew under the definition in force, or compare places with handoffs (--verify)."

    def add_arguments(self, parser):
        parser.add_argument(
            "--verify", action="store_true", help="recount every lead; status 1 where one is misplaced"
        )

    def handle(self, *, verify, **_):
        if verify:
            wrong = places.differences()
            if wrong:
                raise CommandError("\n  ".join([f"{len(wrong)} differences:", *wrong[:SHOWN]]))
            self.stdout.write("Every lead is in its place, and the counts say so.")
            return
        done = 0
        while found := keep_places(at=timezone.now()):
            done += found
        self.stdout.write(f"Evaluated: {done:,} leads.")

"""`manage.py stop`: the portal's processes, then its embedded services."""

from django.core.management.base import BaseCommand, CommandError

from portal import embedded
from portal.embedded.children import end_orphans
from portal.embedded.running import only_run, stop_run


class Command(BaseCommand):
    """Stop what `make run` started and the embedded services; nothing to stop is no error."""

    help = "Stop the portal and its embedded services."
    requires_system_checks = []

    def handle(self, *args, **options):
        """Stop and say so."""
        data = embedded.data_dir()
        try:
            stopped = [stop_run(data), _end_orphans(data), embedded.stop(data)]
        except embedded.CannotStart as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write("Stopped." if any(stopped) else "Nothing was running.")


def _end_orphans(data):
    """End what a killed `up` left behind."""
    if not data.is_dir():
        return False
    with only_run(data) as running:
        return end_orphans(running.before.get("children", {}))

"""`manage.py rollups`: fold the figures' roll-up; with --verify recount every handoff, with --repair build it anew."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads import figures, rollup
from leads.models import RollupContact
from leads.services.rollup import keep_rollup, rebuild_rollup

SHOWN = 20


class Command(BaseCommand):
    help = "Fold the roll-up of the figures, compare it with the handoffs (--verify) or build it anew (--repair)."

    def add_arguments(self, parser):
        parser.add_argument("--verify", action="store_true", help="recount every handoff; status 1 where it differs")
        parser.add_argument("--repair", action="store_true", help="build it anew; nobody records facts meanwhile")

    def handle(self, *, verify, repair, **_):
        zone, now = timezone.get_default_timezone(), timezone.now()
        if repair and not rebuild_rollup(at=now, zone=zone):
            raise CommandError("Somebody is writing many handoffs just now. Nothing was changed; try again later.")
        if repair or not verify:
            keep_rollup(at=now, zone=zone)
            self.stdout.write(f"The roll-up is kept in {zone}.")
        if verify:
            self._verify(zone, now)

    def _verify(self, zone, now):
        if rollup.zone_kept() != str(zone):
            raise CommandError(f"There is no roll-up in {zone}: the figures count the handoffs themselves.")
        wrong = [*map(_in_words, rollup.differences(zone=zone)), *_contacts(zone, now)]
        if wrong:
            more = [f"and {len(wrong) - SHOWN:,} more"] if len(wrong) > SHOWN else []
            sentence = f"The roll-up differs from the handoffs in {len(wrong):,} places; --repair builds it anew:"
            raise CommandError("\n  ".join([sentence, *wrong[:SHOWN], *more]))
        self.stdout.write("The roll-up is exactly what the handoffs add up to.")


def _in_words(cell):
    dimension, first, decided, key, status, _, handoffs, kept = cell
    side = "decided" if decided else "qualified"
    return f"{side} {first}, {dimension} {key or '–'}, {status}: {handoffs:,} handoffs, {kept:,} in the roll-up"


def _contacts(zone, now):
    for first in RollupContact.objects.order_by("first").values_list("first", flat=True):
        month = figures.Month(first)
        kept = figures.first_contact(month, as_of=now, zone=zone)
        if kept != figures.first_contact(month, as_of=now, zone=zone, recount=True):
            yield f"first contact of {month}: not what its handoffs say"

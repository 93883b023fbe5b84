"""What calibration holds of a person: what people marked in their own words; importing it registers that."""

from leads.calibration.models import Mark
from leads.services.privacy.holders import holds


def erase(person, *, at):
    """The tags that people typed; their answers to what was asked stay, for they are counted."""
    return _marks(person).exclude(tags=[]).update(tags=[])


def give(person):
    return list(_marks(person).values("marked_at", "answers", "signals", "tags"))


def _marks(person):
    return Mark.objects.filter(item__handoff__lead=person.lead)


holds("Marks", erase=erase, give=give)

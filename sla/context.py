"""What the page's frame shows of the agreement: the numbers in force."""

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.shared.prepared import A_MOMENT, Prepared
from sla import words
from sla.models import SLAVersion

SHOWN = ("number", "definition__number", "clock_basis", "calendar__week", "calendar__zone")


def in_force(request):
    """Template context `in_force`, one query where it is shown; None, or sla_number, definition_number, url, hours."""
    return {"in_force": SimpleLazyObject(_in_force)}


def _in_force():
    found = _shown.one(timezone.now())
    if found is None:
        return None
    number, definition, *hours = found
    return {
        "sla_number": number, "definition_number": definition, "url": reverse("agreement"), "hours": _hours(*hours)
    }  # fmt: skip


def _hours(basis, week, zone):
    """When clocks run, in words that follow "Clocks run"."""
    if basis == SLAVersion.ClockBasis.ELAPSED:
        return "around the clock"
    if basis == SLAVersion.ClockBasis.OWNER:
        return "in the owner’s business hours"
    return words.week(week, zone)


@Prepared.of(A_MOMENT)
def _shown(now):
    return SLAVersion.objects.begun(at=now).values_list(*SHOWN)[:1]

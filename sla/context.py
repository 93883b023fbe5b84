"""What the page's frame shows of the agreement: the numbers in force."""

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from sla.models import SLAVersion


def in_force(request):
    """Template context `in_force`, one query where a page shows it: sla_number, definition_number, url; or None."""
    return {"in_force": SimpleLazyObject(_in_force)}


def _in_force():
    version = SLAVersion.objects.select_related("definition").in_force(at=timezone.now())
    if version is None:
        return None
    return {
        "sla_number": version.number,
        "definition_number": version.definition.number,
        "url": reverse("agreement"),
    }

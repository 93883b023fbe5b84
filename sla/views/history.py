"""All versions over time: what each was, who signed it when, what it changed; and who signs in whose place."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.accounts.permissions import May, may, require
from sla import comparison
from sla.models import SLAVersion
from sla.models.state import standings
from sla.views import _version as shown


@require_GET
def agreement_history(request):
    """The timeline of versions, the newest first; the trend of the rate is loaded from the cases."""
    require(request.user, May.READ_AGREEMENT)
    now = timezone.now()
    found = standings(at=now)
    contents, people = _contents(found), shown.names()
    context = {
        "rows": [_row(one, contents, people) for one in found],
        "now": now,
        "may_draft": may(request.user, May.DRAFT_AGREEMENT),
        "may_audit": may(request.user, May.READ_AUDIT),
        "deputies": shown.deputies(request.user, at=now),
        "today": timezone.localdate(now),
    }
    return render(request, "sla/agreement_history.html", context)


def _contents(found):
    """What each version says, by its primary key: signed text where there is one, else the draft's rows."""
    signed = SLAVersion.objects.filter(proposed_at__isnull=False)
    drafts = SLAVersion.objects.filter(proposed_at=None).select_related("definition", "calendar")
    drafts = drafts.prefetch_related(
        "definition__rules", "definition__tiers", "commitments__tier", "escalation_steps", "reasons"
    )
    return {version.pk: shown.said_by(version) for version in [*signed, *drafts]}


def _row(stands, contents, people):
    version = stands.version
    before = version.predecessor or version.started_from
    changes = []
    if before and before.pk in contents:
        changes = comparison.compare(contents[before.pk], contents[version.pk], people=people).changes
    return {"stands": stands, "chip": shown.chip(stands), "before": before, "changes": changes}

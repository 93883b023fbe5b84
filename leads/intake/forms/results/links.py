"""Personal links for leads that no rep holds: chosen for a form and taken as a file, or all forms' for one lead."""

import structlog
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from leads.intake.forms.known import LINKED, VALID, known_link, link_rows, reachable
from leads.intake.forms.models import Form, Submission
from leads.models import Lead
from portal.accounts.permissions import May, require
from portal.shared import sheets
from portal.shared.htmx import answer

log = structlog.get_logger(__name__)
SHOWN, NEAR, LONGEST = 100, (5, 10, 20), 200
EXACT = {"source": "source__iexact", "campaign": "campaign__iexact"}


@require_GET
def form_links(request, slug):
    """Whom a link may be sent to, narrowed by filters: how many, and the first ones to tick."""
    found, filters = _form(request, slug), _filters(request.GET)
    leads, now = _chosen(found, filters), timezone.now()
    context = {
        "form": found, "rows": leads[:SHOWN], "count": leads.count(), "shown": SHOWN, "filters": filters,
        "near": NEAR, "days": VALID.days, "until": now + VALID, "now": now,
    }  # fmt: skip
    return answer(request, "intake/form_links.html", context)


@require_GET
@never_cache
def form_links_file(request, slug):
    """The CSV for a mail tool: of the leads that were ticked, else of all that the filters leave."""
    found, filters, now = _form(request, slug), _filters(request.GET), timezone.now()
    leads, ticked = _chosen(found, filters), request.GET.getlist("lead")
    if ticked:
        leads = leads.filter(pk__in=[int(pk) for pk in ticked if pk.isascii() and pk.isdigit() and len(pk) < 19])
    log.info("form_links_taken", form=found.pk, by=request.user.pk, filters=sorted(filters), ticked=len(ticked))
    return sheets.download(sheets.CSV, f"links-{found.slug}", LINKED, link_rows(found, leads, at=now))


@require_GET
@never_cache
def lead_form_links(request, pk):
    """One lead's links to every open form; none while sales holds it."""
    require(request.user, May.WORK_NURTURE)
    lead, now = get_object_or_404(Lead, pk=pk), timezone.now()
    is_reachable = reachable().filter(pk=pk).exists()
    forms = Form.objects.live().order_by("name") if is_reachable else ()
    links = [(form, known_link(form, lead)) for form in forms]
    context = {"lead": lead, "links": links, "reachable": is_reachable, "until": now + VALID, "days": VALID.days}
    return answer(request, "intake/lead_links.html", context | {"now": now})


def _form(request, slug):
    require(request.user, May.WORK_NURTURE)
    return get_object_or_404(Form.objects.live(), slug=slug)


def _filters(query):
    """The filters of an address. No page for other values."""
    filters = {name: query[name].strip() for name in EXACT if query.get(name, "").strip()}
    if within := query.get("within", ""):
        filters["within"] = int(within) if within.isascii() and within.isdigit() and len(within) < 5 else None
    if query.get("unsent"):
        filters["unsent"] = "1"
    if filters.get("within", 0) is None or any(len(str(each)) > LONGEST for each in filters.values()):
        raise Http404("There is no such list of leads.")
    return filters


def _chosen(form, filters):
    leads = reachable().filter(**{look: filters[name] for name, look in EXACT.items() if name in filters})
    if "within" in filters:
        leads = leads.filter(place__place="nurture", place__missing__lte=filters["within"])
    if "unsent" in filters:
        leads = leads.exclude(pk__in=Submission.objects.filter(version__form=form, lead__isnull=False).values("lead"))
    return leads

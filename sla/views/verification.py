"""Doors for whoever doubts the agreement: verify the chain here, or take a version along, as a file or on paper."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from portal.accounts.permissions import May, require
from portal.shared.htmx import answer
from sla.models import SLAVersion
from sla.paper import pdf
from sla.verification import bundle, verify


@require_http_methods(["GET", "HEAD", "POST"])
def agreement_verify(request):
    """GET: what is verified; POST: recompute everything now. A difference found is an answer (200), not an error."""
    require(request.user, May.READ_AGREEMENT)
    now = timezone.now()
    proposed = SLAVersion.objects.filter(proposed_at__isnull=False).defer("canonical").order_by("-number")
    context = {"versions": proposed.prefetch_related("signatures"), "now": now, "verification": None}
    if request.method == "POST":
        context["verification"] = verify(at=now)
    return answer(request, "sla/verify.html", context, part="result")


@require_GET
def agreement_bundle(request, number):
    """The signed content of one proposed version with its fingerprint and signatures, as a file."""
    require(request.user, May.READ_AGREEMENT)
    version = get_object_or_404(SLAVersion, number=number, proposed_at__isnull=False)
    response = JsonResponse(bundle(version), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="agreement-v{number}.json"'
    return response


@require_GET
def agreement_pdf(request, number):
    """One version as a contract on paper; a draft too, which says that nobody has signed it."""
    require(request.user, May.READ_AGREEMENT)
    papers = SLAVersion.objects.select_related("definition", "calendar", "predecessor", "proposed_by")
    version = get_object_or_404(papers, number=number)
    response = HttpResponse(pdf(version), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="agreement-v{number}.pdf"'
    return response

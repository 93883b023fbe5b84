"""The conversion review: the audit's parts over the last 7 or 14 days, with an agenda and the worst-aging leads."""

from django import forms
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures, figures_pairs
from leads.audit.heat import SMALL, heat_of
from leads.audit.review import agenda, review
from leads.audit.views import one_of
from leads.periods import DAY, EARLIEST, FORTNIGHT, WEEK, Month, Span
from leads.services.digests import REVIEW_DAYS
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, invalid
from sla.models import SLAVersion

LENGTHS = ((WEEK, "7 days"), (FORTNIGHT, "14 days"))


class ReviewForm(forms.Form):
    """Which days: how many, and the last of them."""

    days = forms.TypedChoiceField(choices=LENGTHS, coerce=int, required=False, label="Days")
    until = forms.DateField(required=False, label="Last day", error_messages={"invalid": "Give a day."})

    def __init__(self, data, today):
        super().__init__(data)
        self.today = today
        self.fields["until"].widget = forms.DateInput({"type": "date", "max": today.isoformat()}, "%Y-%m-%d")

    def clean_until(self):
        until = self.cleaned_data["until"]
        if until and not EARLIEST <= until <= self.today:
            raise forms.ValidationError("Give a day that is not still to come.")
        return until


@require_GET
def audit_review(request):
    """The span of `days` days up to `until`; without them, of the agreement's cadence up to yesterday."""
    require(request.user, May.READ_AUDIT)
    zone, now = timezone.get_default_timezone(), timezone.now()
    today, version = now.astimezone(zone).date(), SLAVersion.objects.in_force(at=now)
    form = ReviewForm(request.GET, today)
    asked = form.cleaned_data if form.is_valid() else {}
    usual = REVIEW_DAYS.get(version and version.review_cadence)
    span = Span.until(asked.get("until") or today - DAY, asked.get("days") or usual or WEEK)
    page = review(span, one_of(request.GET.get("basis") or figures.PERIOD, figures.BASES), as_of=now, zone=zone)
    context = {
        "page": page,
        "of_month": Month(span.last.replace(day=1)),
        "heat": heat_of(page, figures_pairs.REASON, "source"),
        "small": SMALL,
        "agenda": agenda(page, person=request.user),
        "form": form,
        "lengths": LENGTHS,
        "previous": span.plus(-1),
        "next": span.plus(1) if span.plus(1).last <= today else None,
        "bases": figures.BASES,
        "few_below": figures.FEW,
        "version": version,
        "usual": usual,
        "limited": not may(request.user, May.SEE_ALL_HANDOFFS) and May.SEE_ALL_HANDOFFS.refusal,
        "now": now,
    }
    return (answer if form.is_valid() else invalid)(request, "audit/review.html", context)

"""The page of absences: one's own, and those of the people one plans for."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from portal.accounts.absences import add_absence, end_absence, plannable_by
from portal.accounts.models import Absence
from portal.accounts.permissions import May, may
from portal.shared.htmx import invalid
from portal.shared.refusal import NotPermitted, Refusal

PAST_SHOWN = 20


@require_GET
def absences(request):
    """Who is away and will be, with the form to enter more; everybody has at least their own."""
    return render(request, "accounts/absences.html", _page(request.user))


@require_POST
def absence_add(request):
    given = request.POST
    person = given.get("person", "") or str(request.user.pk)
    try:
        known = person.isdecimal() and len(person) < 19
        if not known or not plannable_by(request.user).filter(pk=person).exists():
            raise NotPermitted(May.PLAN_ABSENCES.refusal)
        absence = add_absence(
            person_id=int(person), first_day=_day(given, "first_day"), last_day=_day(given, "last_day"),
            note=given.get("note", "")[:120], by=request.user, at=timezone.now(),
        )  # fmt: skip
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, "accounts/absences.html", _page(request.user) | {"refusal": refusal, "given": given})
    whose = "You get" if absence.person_id == request.user.pk else f"{absence.person.name} gets"
    messages.success(request, f"{whose} no new leads on these days.")
    return redirect("absences")


@require_POST
def absence_end(request, pk):
    """Back today, or called off before it began."""
    absence = get_object_or_404(Absence.objects.filter(person__in=plannable_by(request.user)), pk=pk)
    try:
        end_absence(absence_id=absence.pk, by=request.user, at=timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, "The absence was ended. New leads may come from today on.")
    return redirect("absences")


def _page(user):
    today = timezone.localdate()
    people = plannable_by(user).select_related("team").order_by("name")
    rows = Absence.objects.filter(person__in=people).select_related("person", "person__team", "created_by")
    coming = list(rows.not_over(on=today))
    past = rows.exclude(pk__in=[row.pk for row in coming]).order_by("-first_day", "-pk")[:PAST_SHOWN]
    away = [row for row in coming if row.first_day <= today]
    return {
        "people": people,
        "plans": may(user, May.PLAN_ABSENCES),
        "calendars": may(user, May.MANAGE_CALENDARS),
        "away": away,
        "coming": [row for row in coming if row.first_day > today],
        "past": past,
        "today": today,
        "now": timezone.now(),
    }


def _day(values, name):
    try:
        return parse_date(values.get(name, ""))
    except ValueError:
        return None

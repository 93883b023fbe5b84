"""Deactivating a person stands here, not with accounts: it has to know the leads that the person holds."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from leads.services.leave import deactivate_person, holds_sentence, open_count
from portal.accounts.models import User
from portal.accounts.permissions import May, require
from portal.shared.htmx import invalid
from portal.shared.refusal import NotPermitted, Refusal


@require_http_methods(["GET", "POST"])
def deactivate(request, pk):
    """Ask, with the open leads in sight; then close the sign-in."""
    require(request.user, May.MANAGE_PEOPLE)
    person = get_object_or_404(User, pk=pk, is_active=True)
    held = open_count(person)
    context = {"person": person, "held": held, "holds": holds_sentence(person, held)}
    if request.method == "GET":
        return render(request, "leads/deactivate.html", context)
    try:
        moved = deactivate_person(
            person_id=pk, by=request.user, at=timezone.now(), hand_over=bool(request.POST.get("hand_over"))
        )
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, "leads/deactivate.html", context | {"refusal": refusal})
    said = f" {moved} open leads went to others." if moved else ""
    messages.success(request, f"{person.name} can no longer sign in.{said}")
    return redirect("people")

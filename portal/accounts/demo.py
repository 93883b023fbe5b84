"""One-click sign-in as each role of the invented company: only in the demo, 404 everywhere else."""

from functools import wraps

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from portal.accounts.models import Role, User

# only invented people: this domain belongs to nobody (RFC 2606)
DOMAIN = "@tarnwick.example"
WORK = {
    Role.REP: "Clears an inbox: accept, or reject with a reason",
    Role.SALES_MANAGER: "Sees the team’s inbox, reassigns, reads the audit",
    Role.MARKETER: "Opens the monthly audit and drills into the leads",
    Role.MARKETING_LEADER: "Reads the audit and signed the agreement for marketing",
    Role.SALES_LEADER: "Reads the audit and signed the agreement for sales",
    Role.ADMIN: "Looks after people and imports lead files",
}


def is_on():
    """True where one-click sign-in exists: asked twice, so that no single setting opens a real portal."""
    return bool(settings.DEMO) and not settings.PRODUCTION


def demo_only(view):
    """The view, for anybody, in the demo; elsewhere it does not exist."""

    @wraps(view)
    def only(request, *args, **kwargs):
        if not is_on():
            raise Http404
        return view(request, *args, **kwargs)

    return login_not_required(only)


@demo_only
@require_GET
def demo(request):
    """One person of each role, one button each."""
    people = {role: _person(role) for role in Role}
    roles = [
        {"role": role.value, "label": role.label, "name": person.name, "what": WORK[role]}
        for role, person in people.items()
        if person
    ]
    return render(request, "accounts/demo.html", {"demo_roles": roles})


@demo_only
@require_POST
def sign_in(request, role):
    person = _person(role) if role in Role.values else None
    if person is None:
        raise Http404
    login(request, person)
    return redirect("home")


def _person(role):
    """The first invented person who works in this role."""
    return User.objects.active().holding(role).filter(email__endswith=DOMAIN).order_by("id").first()

"""The page of people and teams, for admins."""

from allauth.account.forms import ResetPasswordForm
from django.contrib import messages
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.accounts.models import Role, Team, User
from portal.accounts.permissions import May, require
from portal.accounts.services import add_person, add_team, change_person, reactivate_person, rename_team
from portal.shared.htmx import invalid
from portal.shared.refusal import NotPermitted, Refusal

ROLE_WORK = {
    Role.REP: "works own leads in the inbox",
    Role.SALES_MANAGER: "works and reassigns the team’s leads, reads the audit",
    Role.MARKETER: "reads every lead and the audit, imports leads",
    Role.MARKETING_LEADER: "signs the agreement for marketing",
    Role.SALES_LEADER: "signs the agreement for sales",
    Role.ADMIN: "manages people and teams, imports leads",
}


@require_GET
def people(request):
    require(request.user, May.MANAGE_PEOPLE)
    return render(request, "accounts/people.html", _lists())


@require_POST
def add(request):
    """Add a person and send the link to set a password."""
    require(request.user, May.MANAGE_PEOPLE)
    values = _values(request.POST)
    try:
        person = add_person(by=request.user, **values)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return invalid(request, "accounts/people.html", _lists() | {"new": values, "refusal": refusal})
    _send_link(request, person)
    messages.success(request, f"{person.name} was added. A link to set a password went to {person.email}.")
    return redirect("people")


@require_http_methods(["GET", "POST"])
def person(request, pk):
    """One person: name, roles, team; deactivate or let in again."""
    require(request.user, May.MANAGE_PEOPLE)
    someone = get_object_or_404(User.objects.select_related("team"), pk=pk)
    context = {
        "person": someone,
        "values": someone,
        "roles": _roles(someone.roles),
        "teams": Team.objects.order_by("name"),
    }
    if request.method == "GET":
        return render(request, "accounts/person.html", context)
    values = _values(request.POST)
    try:
        change_person(person_id=pk, by=request.user, **values)
    except NotPermitted:
        raise
    except Refusal as refusal:
        context |= {"values": values, "roles": _roles(values["roles"]), "refusal": refusal}
        return invalid(request, "accounts/person.html", context)
    messages.success(request, f"{values['name'].strip()} was changed.")
    return redirect("people")


@require_POST
def send_link(request, pk):
    """Send the link to set a password once more."""
    require(request.user, May.MANAGE_PEOPLE)
    someone = get_object_or_404(User, pk=pk, is_active=True)
    _send_link(request, someone)
    messages.success(request, f"A link to set a password went to {someone.email}.")
    return redirect("person", pk)


@require_POST
def reactivate(request, pk):
    require(request.user, May.MANAGE_PEOPLE)
    get_object_or_404(User, pk=pk)
    try:
        someone = reactivate_person(person_id=pk, by=request.user)
    except NotPermitted:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
        return redirect("person", pk)
    messages.success(request, f"{someone.name} can sign in again.")
    return redirect("people")


@require_POST
def team_add(request):
    return _team(request, lambda name: add_team(name=name, by=request.user), "Team {} was added.")


@require_POST
def team(request, pk):
    get_object_or_404(Team, pk=pk)
    return _team(request, lambda name: rename_team(team_id=pk, name=name, by=request.user), "The team is now {}.", pk)


def _team(request, verb, said, pk=None):
    require(request.user, May.MANAGE_PEOPLE)
    name = request.POST.get("name", "")
    try:
        changed = verb(name)
    except NotPermitted:
        raise
    except Refusal as refusal:
        wrong = {"team_refusal": refusal, "team_at_fault": pk, "team_name": name}
        return invalid(request, "accounts/people.html", _lists() | wrong)
    messages.success(request, said.format(changed.name))
    return redirect("people")


def _lists():
    """What the page lists: active people, those who left, teams with their members."""
    everybody = list(User.objects.select_related("team").order_by("name", "id"))
    members = Prefetch("members", User.objects.active().order_by("name"))
    return {
        "active": [one for one in everybody if one.is_active],
        "inactive": [one for one in everybody if not one.is_active],
        "teams": Team.objects.prefetch_related(members).order_by("name"),
        "roles": _roles(()),
        "now": timezone.now(),
    }


def _roles(held):
    return [{"value": r.value, "label": r.label, "work": ROLE_WORK[r], "held": r.value in held} for r in Role]


def _values(post):
    team = post.get("team", "")
    known = team.isdecimal() and len(team) < 19
    return {
        "name": post.get("name", ""),
        "email": post.get("email", ""),
        "roles": post.getlist("roles"),
        "team": Team.objects.filter(pk=team).first() if known else None,
    }


def _send_link(request, someone):
    """allauth's own mail for setting a forgotten password does for the first one too."""
    form = ResetPasswordForm(data={"email": someone.email})
    if form.is_valid():
        form.save(request)

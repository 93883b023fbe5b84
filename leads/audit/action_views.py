"""Doors of the actions: the section, and add, change and close in place."""

from django.http import Http404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.audit import actions as verbs
from leads.audit.action_forms import ActionForm, ClosingNote
from leads.audit.closed import MonthClosed
from leads.audit.models import ActionRevision, Closing
from leads.audit.signed import answers
from leads.audit.views import any_month
from leads.figures import PERIOD
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, go, invalid, overtaken
from portal.shared.refusal import NotPermitted, Refusal

PAGE = "audit/actions.html"
FASTER = (verbs.ActionChanged, verbs.ActionClosed, MonthClosed)


@require_GET
def audit_actions(request, month):
    """What earlier actions moved, and what this audit decided."""
    require(request.user, May.READ_AUDIT)
    return answer(request, PAGE, _context(request, any_month(month)), part="actions")


@require_http_methods(["GET", "HEAD", "POST"])
def audit_action_new(request, month):
    """The form of a new action, in place; its answer is the section."""
    require(request.user, May.DECIDE_ACTIONS)
    found = any_month(month)
    if Closing.objects.of(found):
        return _again(request, overtaken, found, MonthClosed.sentence)
    form = ActionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _act(request, found, lambda: verbs.add_action(month=found, **_said(request, form)), form=form)
    return _form(request, found, form)


@require_http_methods(["GET", "HEAD", "POST"])
def audit_action(request, month, pk):
    """The form of an action as it stands, in place; its answer is the section."""
    require(request.user, May.DECIDE_ACTIONS)
    found, revision = any_month(month), _standing(pk)
    if Closing.objects.of(found):
        return _again(request, overtaken, found, MonthClosed.sentence)
    if request.method != "POST":
        now = {name: getattr(revision, name) for name in verbs.AGREED}
        return _form(request, found, ActionForm(initial=now, revision=revision), revision)
    form, seen = ActionForm(request.POST, revision=revision), ClosingNote(request.POST)
    if not (form.is_valid() and seen.is_valid()):
        return _form(request, found, form, revision)
    said = _said(request, form) | {"seen": seen.cleaned_data["seen"]}
    return _act(request, found, lambda: verbs.change_action(action_id=pk, **said), form=form, revision=revision)


@require_POST
def audit_action_close(request, month, pk):
    """Close it, saying what was done; its owner may, too."""
    require(request.user, May.READ_AUDIT)
    found, form = any_month(month), ClosingNote(request.POST)
    _standing(pk)
    if Closing.objects.of(found):
        return _again(request, overtaken, found, MonthClosed.sentence)
    if not form.is_valid():
        return _again(request, invalid, found, verbs.ActionChanged.sentence)
    said = {"by": request.user, "at": timezone.now(), **form.cleaned_data}
    return _act(request, found, lambda: verbs.close_action(action_id=pk, **said))


def _said(request, form):
    return {"by": request.user, "at": timezone.now(), **form.cleaned_data}


def _form(request, month, form, revision=None):
    context = _context(request, month) | {"form": form, "editing": revision, "adding": revision is None}
    return (invalid if form.is_bound else answer)(request, PAGE, context, part="actions")


def _act(request, month, verb, form=None, revision=None):
    try:
        verb()
    except NotPermitted:
        raise
    except FASTER as refusal:
        return _again(request, overtaken, month, refusal.sentence)
    except Refusal as refusal:
        if form is None:
            return _again(request, invalid, month, refusal.sentence)
        form.add_error(refusal.field, refusal.sentence)
        return _form(request, month, form, revision)
    if not request.htmx:
        return go(request, "audit_actions", str(month))
    return answer(request, PAGE, _context(request, month) | {"saved": True}, part="actions")


def _again(request, how, month, wrong):
    return how(request, PAGE, _context(request, month) | {"wrong": wrong}, part="actions")


def _context(request, month):
    now, zone = timezone.now(), timezone.get_default_timezone()
    asked = answers(month, basis=PERIOD, by="source", as_of=now, zone=zone, person=request.user)
    return {
        "asked": asked,
        "month": month,
        "next": month.plus(1),
        "now": now,
        "today": timezone.localdate(asked.as_of, zone),
        "actions": asked.actions,
        "closing": asked.closing,
        "may_decide": not asked.closing and may(request.user, May.DECIDE_ACTIONS),
    }


def _standing(pk):
    rows = ActionRevision.objects.select_related("owner", "definition").filter(action=pk)
    found = rows.order_by("-number").first()
    if found is None:
        raise Http404("There is no such action.")
    return found

"""The editor of a draft: sections that save themselves, and the catalogue of reasons."""

import hashlib
import json

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, go, invalid, overtaken, wants_part
from portal.shared.refusal import NotPermitted, Refusal
from sla import comparison
from sla.forms.reason import NewReasonForm, ReasonForm
from sla.forms.version import SECTIONS
from sla.models import Category, ReasonCode, SLAVersion
from sla.services.reasons import add_reason, change_reason, remove_reason, restore_reason, retire_reason
from sla.services.refusals import AlreadyProposed, ChangedMeanwhile
from sla.services.terms import change_draft, choose_definition
from sla.views import _version as shown

TEMPLATE = "sla/agreement_edit.html"
OF_SECTION = {"definition": "mql"}  # where the contract's section has another key than the form's


@require_GET
def agreement_edit(request, number):
    """The whole draft to edit; what is no draft any more is only to be read."""
    version = _draft(request, number)
    if version.proposed_at:
        return redirect("agreement_version", number)
    return render(request, TEMPLATE, _page(version))


@require_POST
def agreement_section(request, number, section):
    """Save one section: htmx gets the section in words and a line a field, a plain form the page again."""
    version = _draft(request, number)
    form = form_of(section)(request.POST, version=version)
    if version.proposed_at:
        return _too_late(request, version)
    seen, was = request.POST.get("seen", ""), seen_of(form)
    if not form.is_valid():
        return _section(request, version, form, invalid)
    if seen and seen != was:
        return _section(request, version, form, overtaken, faster=version.changed_by)
    try:
        version = _save(version, form, by=request.user, at=timezone.now())
    except AlreadyProposed:
        return _too_late(request, version)
    except ChangedMeanwhile:  # in this section, or in another one: look again
        return agreement_section(request, number, section)
    except NotPermitted:
        raise
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
        return _section(request, version, form, invalid)
    if section == "definition" or not wants_part(request):  # other tiers need other fields: the page anew
        return go(request, f"{reverse('agreement_edit', args=[number])}#{section}")
    return _section(request, version, form, answer, saved=True)


@require_POST
def agreement_reason_add(request, number):
    version = _draft(request, number)
    form = NewReasonForm(request.POST)
    if not form.is_valid():
        return _reasons(request, version, invalid, adding=form)
    return _reason_act(request, version, lambda by, at: add_reason(
        version_id=version.pk, by=by, at=at, **form.cleaned_data), adding=form)  # fmt: skip


@require_POST
def agreement_reason(request, number, code):
    """Save, retire (and merge), offer again or take out one reason: the button pressed says which."""
    version = _draft(request, number)
    reason = get_object_or_404(version.reasons, code=code)
    act, which = request.POST.get("act", "save"), {"version_id": version.pk, "code": code}
    if act == "save":
        form = ReasonForm(request.POST, reason=reason)
        if not form.is_valid():
            return _reasons(request, version, invalid, wrong={code: form})
        return _reason_act(request, version, lambda by, at: change_reason(
            **which, by=by, at=at, **form.cleaned_data), code)  # fmt: skip
    into = request.POST.get("merged_into")
    verbs = {
        "retire": lambda by, at: retire_reason(**which, by=by, at=at, merged_into=into),
        "restore": lambda by, at: restore_reason(**which, by=by, at=at),
        "remove": lambda by, at: remove_reason(**which, by=by, at=at),
    }
    return _reason_act(request, version, verbs.get(act, verbs["restore"]), code)


def form_of(section):
    if section not in SECTIONS:
        raise Http404
    return SECTIONS[section]


def seen_of(form):
    """A token of what the draft says in the section, so that a change nobody saw is not overwritten."""
    said = json.dumps(form.current(), default=str, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _draft(request, number):
    require(request.user, May.DRAFT_AGREEMENT)
    return get_object_or_404(SLAVersion.objects.select_related("definition", "calendar", "changed_by"), number=number)


def _save(version, form, *, by, at):
    if form.key == "definition":
        definition = form.cleaned_data["definition"]
        which = {"definition_id": definition.pk}
        return choose_definition(version_id=version.pk, by=by, at=at, since=version.changed_at, **which)
    return change_draft(version_id=version.pk, by=by, at=at, since=version.changed_at, **form.change())


def _page(version, **more):
    now, terms = timezone.now(), _terms(version)
    forms = [form(version=version) for form in SECTIONS.values()]
    sections = [_shown(form, terms) for form in forms]
    return {
        "version": version,
        "now": now,
        "sections": sections,
        **_catalogue(version),
        **_state(version, now),
        **more,
    }


def _terms(version):
    found = {}
    for term in comparison.terms(shown.said_by(version), people=shown.names()):
        found.setdefault(term.section, []).append(term)
    return found


def _shown(form, terms):
    said = terms.get(OF_SECTION.get(form.key, form.key), [])
    return {"form": form, "key": form.key, "seen": seen_of(form), "said": said}


def _state(version, now):
    return {"changed_at": version.changed_at or version.created_at, "changed_by": version.changed_by, "now": now}


def _section(request, version, form, reply, **more):
    version = SLAVersion.objects.select_related("definition", "calendar", "changed_by").get(pk=version.pk)
    form.version = version
    section = _shown(form, _terms(version))
    if not wants_part(request):
        context = _page(version, **more)
        context["sections"] = [section if one["key"] == form.key else one for one in context["sections"]]
        return reply(request, TEMPLATE, context)
    context = {"version": version, "section": section, "now": timezone.now(), **more}
    return reply(request, TEMPLATE, context | _state(version, timezone.now()), part="said", also=("errors",))


def _too_late(request, version):
    """Proposed meanwhile: nothing is saved any more, the page of the proposal says why."""
    messages.error(request, AlreadyProposed.sentence)
    return go(request, "agreement_version", version.number)


def _catalogue(version, *, wrong=None, adding=None, opened=None, refusal=None):
    wrong, reasons = wrong or {}, list(version.reasons.all())
    kept = set(ReasonCode.objects.filter(version__proposed_at__isnull=False).values_list("code", flat=True))
    rows = {category: [] for category in Category}
    for reason in reasons:
        form = wrong.get(reason.code) or ReasonForm(reason=reason)
        opens = reason.code in wrong or reason.code == opened
        rows[Category(reason.category)].append(
            {"reason": reason, "form": form, "kept": reason.code in kept, "open": opens}
        )
    return {
        "catalogue": [(category.value, category.label, found) for category, found in rows.items()],
        "offered": [reason for reason in reasons if not reason.retired],
        "adding": adding or NewReasonForm(),
        "reason_refusal": refusal,
        "opened": opened,
    }


def _reason_act(request, version, verb, code=None, *, adding=None):
    try:
        done = verb(request.user, timezone.now())
    except AlreadyProposed:
        return _too_late(request, version)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _reasons(request, version, invalid, refusal=refusal, opened=code, adding=adding)
    return _reasons(request, version, answer, opened=done.code if done else None, saved=True)


def _reasons(request, version, reply, *, saved=False, **catalogue):
    if saved and not wants_part(request):
        return redirect(f"{reverse('agreement_edit', args=[version.number])}#reasons")
    version = SLAVersion.objects.select_related("definition", "calendar", "changed_by").get(pk=version.pk)
    context = _page(version) | _catalogue(version, **catalogue)
    return reply(request, TEMPLATE, context, part="reasons")

"""The list of forms, a form's page with its figures, and the submissions behind every number."""

import datetime as dt
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from leads.intake.forms import content as form_content
from leads.intake.forms import figures, tell
from leads.intake.forms.builder import mapping, said
from leads.intake.forms.models import Form, Submission
from leads.intake.forms.public import embed
from leads.intake.forms.services.free import free_submission
from portal.accounts.permissions import May, may, require
from portal.shared.htmx import answer, invalid
from portal.shared.refusal import NotPermitted, Refusal

PAGE = 50
WHICH = {
    "": "All that count",
    "finished": "Sent on the form’s own page or in a frame",
    "mql": "Became an MQL",
    "other": "Did not become an MQL",
    "suspected": "Suspected",
    "freed": "Freed",
}


@require_GET
def form_list(request):
    """Every form: whether it is live, how many finish it, how many become MQLs; and what no form asks."""
    require(request.user, May.SEE_FORMS)
    now = timezone.now()
    told = figures.by_version(at=now)
    newest = figures.newest_versions()
    drafts = set(Form.objects.filter(versions__published_at=None).values_list("pk", flat=True))
    rows = [
        (form, newest.get(form.pk), form.pk in drafts, _sum(told, form.pk)) for form in Form.objects.order_by("name")
    ]
    known = mapping.terms(at=now)
    context = {
        "live": [row for row in rows if row[1] and not row[0].is_retired],
        "others": [row for row in rows if not (row[1] and not row[0].is_retired)],
        "unasked": mapping.unasked(known) if known.definition else [],
        "terms": known,
        "builds": may(request.user, May.BUILD_FORMS),
        "now": now,
    }
    return answer(request, "intake/form_list.html", context)


@require_GET
def form(request, slug):
    """One form: its figures by version, where visitors leave, its versions, and how to embed it."""
    require(request.user, May.SEE_FORMS)
    found, now = get_object_or_404(Form, slug=slug), timezone.now()
    versions = list(found.versions.select_related("published_by", "saved_by").order_by("-number"))
    published = [version for version in versions if version.is_published]
    told = figures.by_version(at=now, forms=[found.pk])
    shown = _shown(request.GET.get("version", ""), published)
    context = {
        "form": found,
        "versions": [(v, told.get((found.pk, v.number), figures.Figures())) for v in versions],
        "total": _sum(told, found.pk),
        "current": published[0] if published else None,
        "draft": next((version for version in versions if not version.is_published), None),
        "shown": shown,
        "drop_off": shown and figures.drop_off(shown, at=now),
        "snippets": _snippets(found, published[0]) if published and not found.is_retired else None,
        "builds": may(request.user, May.BUILD_FORMS),
        "reads": may(request.user, May.SEE_SUBMISSIONS),
        "links": may(request.user, May.WORK_NURTURE),
        "days": figures.SPAN.days,
        "now": now,
    }
    return answer(request, "intake/form.html", context)


@require_GET
def form_submissions(request, slug):
    """What visitors sent, newest first: all that count, those that became MQLs, or those that a rule suspects."""
    require(request.user, May.SEE_SUBMISSIONS)
    found, filters = get_object_or_404(Form, slug=slug), _filters(request.GET)
    rows = _cut(_narrow(found, filters, timezone.now()), request.GET.get("after", ""))
    shown, more = rows[:PAGE], len(rows) > PAGE and _cursor(rows[PAGE - 1])
    for row in shown:
        row.outcome_said = said.OUTCOMES.get(row.outcome, row.outcome)
    context = {
        "form": found, "rows": shown, "filters": filters, "which": WHICH.items(), "title": WHICH[filters["which"]],
        "versions": list(found.versions.published().order_by("-number").values_list("number", flat=True)),
        "next_url": more and f"?{urlencode({**filters, 'after': more})}",
        "first_url": "after" in request.GET and f"?{urlencode(filters)}",
        "frees": may(request.user, May.FREE_SUBMISSIONS), "now": timezone.now(),
    }  # fmt: skip
    return answer(request, "intake/form_submissions.html", context)


@require_GET
def form_submission(request, slug, pk):
    """One submission: its answers as the version asked them, its consents word for word, and what became of it."""
    require(request.user, May.SEE_SUBMISSIONS)
    return answer(request, "intake/form_submission.html", _submission(request, slug, pk))


@require_POST
def form_submission_free(request, slug, pk):
    """Take a suspected submission in after all."""
    require(request.user, May.FREE_SUBMISSIONS)
    get_object_or_404(Submission, pk=pk, version__form__slug=slug)
    try:
        freed = free_submission(submission_id=pk, by=request.user, at=timezone.now())
    except NotPermitted:
        raise
    except Refusal as refusal:
        context = _submission(request, slug, pk) | {"refusal": refusal}
        return invalid(request, "intake/form_submission.html", context)
    handed = " and is with sales now" if freed.handoff_id else ""
    messages.success(request, f"Freed: {freed.lead.name} is a lead{handed}.")
    return redirect("form_submission", slug, pk)


def _submission(request, slug, pk):
    rows = Submission.objects.select_related("version__form", "lead", "handoff", "freed_by").with_mql()
    row = get_object_or_404(rows, pk=pk, version__form__slug=slug)
    content = row.version.as_content()
    row.outcome_said = said.OUTCOMES.get(row.outcome, row.outcome)
    hidden = [
        (question.label or question.key, row.answers[question.key])
        for question in content.questions
        if question.type == form_content.HIDDEN and question.key in row.answers
    ]
    return {
        "form": row.version.form,
        "row": row,
        "answers": tell.in_words(content, row.answers),
        "hidden": hidden,
        "consents": row.consents.select_related("text"),
        "frees": may(request.user, May.FREE_SUBMISSIONS)
        and row.suspected_by
        and not row.freed_at
        and not row.erased_at,
        "sees_nurture": may(request.user, May.SEE_NURTURE),
        "now": timezone.now(),
    }


def _sum(told, form_id):
    mine = [found for (form, _), found in told.items() if form == form_id]
    return sum(mine, figures.Figures())


def _shown(number, published):
    """The version whose drop-off is shown: the one asked for, else the newest."""
    if not number:
        return published[0] if published else None
    found = next((version for version in published if str(version.number) == number), None)
    if found is None:
        raise Http404("There is no such version.")
    return found


def _snippets(found, version):
    """What to paste into a page."""
    return {"frame": embed.frame_snippet(found), "plain": embed.plain_snippet(version).strip()}


def _filters(query):
    """The filters of an address. No page for other values."""
    filters = {name: query.get(name, "") for name in ("which", "version", "days")}
    numbers = filters["version"] + filters["days"] or "0"
    if filters["which"] not in WHICH or not (numbers.isascii() and numbers.isdigit() and len(numbers) < 9):
        raise Http404("There is no such list of submissions.")
    return filters


def _narrow(found, filters, now):
    rows = Submission.objects.filter(version__form=found).with_mql().select_related("version", "lead", "handoff")
    if filters["version"]:
        rows = rows.filter(version__number=filters["version"])
    if filters["days"]:
        rows = rows.filter(submitted_at__gt=now - dt.timedelta(days=int(filters["days"][:5])), submitted_at__lte=now)
    return {
        "": rows.counted(),
        "finished": rows.counted().filter(via__in=figures.SENDS),
        "mql": rows.counted().filter(is_mql=True),
        "other": rows.counted().filter(is_mql=False),
        "suspected": rows.suspected(),
        "freed": rows.filter(freed_at__isnull=False),
    }[filters["which"]]


def _cursor(row):
    return f"{row.submitted_at.astimezone(dt.UTC).replace(tzinfo=None).isoformat()}_{row.pk}"


def _cut(rows, after):
    if after:
        at, _, pk = after.rpartition("_")
        try:
            at, pk = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC), int(pk)
        except ValueError:
            raise Http404("There is no such page of the list.") from None
        rows = rows.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, pk__lt=pk))
    return list(rows.order_by("-submitted_at", "-pk")[: PAGE + 1])

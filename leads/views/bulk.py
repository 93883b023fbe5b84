"""Several leads at once: what is ticked in the inbox is asked about in its right pane, then a result per lead.

Without htmx the same panel stands on a page of its own.
"""

import datetime as dt

from django.core.exceptions import BadRequest
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from leads.models import Handoff, Touch
from leads.models.lead import FACTS
from leads.services import bulk as many
from leads.services.decide import Detail
from leads.services.refusals import CannotOwn, DetailRequired, NoteRequired, ReasonRequired, ReasonUnknown
from leads.views import inbox_list as left
from leads.views.inbox import listing, team_of
from portal.accounts.models import Role
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid, wants_part
from portal.shared.refusal import NotPermitted, Refusal
from sla.models import Category, ReasonCode, SLAVersion

TEMPLATE = "leads/bulk.html"
BESIDE = ("leads/inbox.html#list", "leads/inbox_toast.html#toasts")
LONGEST_NOTE = 2000
ANSWERS = ("kind", "outcome", "note", "reason", "attribute", "recycle_on", "field", "signal", "duplicate_of", "owner")
PAST = {"accept": "accepted", "contact": "logged", "reject": "rejected", "reassign": "reassigned", "undo": "reopened"}
NAMED_FACTS = [(name, name.replace("_", " ").capitalize()) for name in FACTS]


class NotConfirmed(Refusal):
    code = "not_confirmed"
    sentence = "Confirm that the one reason holds for every lead. Nothing was saved."
    field = "confirm"


class ContactIncomplete(Refusal):
    code = "contact_incomplete"
    sentence = "Say what kind of contact it was and what came of it. Nothing was saved."
    field = "kind"


@require_POST
def bulk(request):
    """`act` on every ticked `lead`: without `go` the panel that asks, with it a result per lead."""
    require(request.user, May.WORK_INBOX)
    act, now = request.POST.get("act"), timezone.now()
    if act not in ACTS:
        raise BadRequest("There is no such act.")
    if act == "reassign":
        require(request.user, May.REASSIGN_LEADS)
    values = {name: _text(request, name) for name in ANSWERS}
    ids = list(dict.fromkeys(filter(None, map(_number, request.POST.getlist("lead")))))
    try:
        many.check_selection(ids, by=request.user, at=now)
        if "go" in request.POST:
            return _done(request, act, ACTS[act](request, values, ids, now), now)
    except NotPermitted:
        raise
    except (many.BulkLimit, many.NothingSelected) as refusal:
        return _refused(request, act, refusal)
    except Refusal as refusal:
        return invalid(request, TEMPLATE, _asked(request, act, ids, values, now) | {"refusal": refusal}, part="panel")
    return answer(request, TEMPLATE, _asked(request, act, ids, values, now), part="panel")


@require_POST
def undo(request, batch):
    """Take a whole batch back, with a result per lead."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    try:
        return _done(request, "undo", many.undo_many(batch=batch, by=request.user, at=now), now)
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _refused(request, "undo", refusal)


def _accept(request, values, ids, now):
    return many.accept_many(handoff_ids=ids, by=request.user, at=now, note=values["note"])


def _contact(request, values, ids, now):
    kind, outcome = values["kind"], values["outcome"]
    if kind not in Touch.Kind.values or outcome not in Touch.Outcome.values:
        raise ContactIncomplete
    told = {"kind": kind, "outcome": outcome, "note": values["note"]}
    return many.log_touch_many(handoff_ids=ids, by=request.user, at=now, **told)


def _reassign(request, values, ids, now):
    owner = _number(values["owner"])
    to = next((person for person in team_of(request.user) if person.pk == owner), None)
    if to is None:
        raise CannotOwn
    return many.reassign_many(handoff_ids=ids, by=request.user, at=now, to=to, why=values["note"][:200])


def _reject(request, values, ids, now):
    """Check what holds for several against the version in force; each lead's own version is asked by the verb."""
    version = SLAVersion.objects.in_force(at=now)
    detail, own = _detail(version, values), _own_reasons(request, ids)
    if len(own) < len(ids):
        _check_shared(version, values, detail)
        if not request.POST.get("confirm"):
            raise NotConfirmed
    told = {"reason": values["reason"], "reasons": own, "detail": detail, "note": values["note"]}
    return many.reject_many(handoff_ids=ids, by=request.user, at=now, **told)


ACTS = {"accept": _accept, "reject": _reject, "contact": _contact, "reassign": _reassign}


def _check_shared(version, values, detail):
    """Refuse the reason that several leads share as the verb would refuse it for each."""
    code = _reason(version, values["reason"])
    if code.note_required and not values["note"]:
        raise NoteRequired
    if code.detail_required and not getattr(detail, code.detail):
        words = code.get_detail_display().lower()
        raise DetailRequired(f"{code.label} needs: {words}. Nothing was saved.", field=code.detail)


def _reason(version, code):
    if not code:
        raise ReasonRequired
    found = ReasonCode.objects.offered().filter(version=version, code=code).first()
    if found is None:
        raise ReasonUnknown
    return found


def _own_reasons(request, ids):
    """{id: code} of the leads that were given a reason of their own."""
    return {pk: code for pk in ids if (code := _text(request, f"reason-{pk}"))}


def _detail(version, values):
    """The answers as a Detail; one that is not among the choices, or no date or number, is refused."""
    choices = {"attribute": NAMED_FACTS, "field": NAMED_FACTS, "signal": _signals(version)}
    for name, known in choices.items():
        if values[name] and values[name] not in dict(known):
            raise DetailRequired("Choose the detail from the list. Nothing was saved.", field=name)
    if values["duplicate_of"] and not _number(values["duplicate_of"]):
        raise DetailRequired("Write the number of the other lead. Nothing was saved.", field="duplicate_of")
    return Detail(
        **{name: values[name] for name in choices},
        recycle_on=_day(values["recycle_on"]),
        duplicate_of=_number(values["duplicate_of"]),
    )


def _text(request, name):
    return request.POST.get(name, "").replace("\0", "").strip()[:LONGEST_NOTE]


def _day(text):
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise DetailRequired("Write the day as 2026-12-31. Nothing was saved.", field="recycle_on") from None


def _number(text):
    """A record's number that the database can hold, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _asked(request, act, ids, values, now):
    """What the panel that asks shows. Leads that are not this person's are counted, not named."""
    mine = Handoff.objects.workable_by(request.user).filter(pk__in=ids).select_related("lead", "owner", "tier")
    own = _own_reasons(request, ids)
    context = {
        "act": act,
        "ids": ids,
        "values": values,
        "chosen": [(row, own.get(row.pk, "")) for row in mine.defer("breakdown").by_deadline()],
        "manages": request.user.holds(Role.SALES_MANAGER),
        "query": left.Filters.of(request.GET).query(),
    }
    if act == "contact":
        return context | {"kinds": Touch.Kind.choices, "outcomes": Touch.Outcome.choices}
    if act == "reassign":
        return context | {"takers": team_of(request.user)}
    return context | (_palette(now) if act == "reject" else {})


def _palette(now):
    """The reasons of the version in force by category, and what their details choose from."""
    version = SLAVersion.objects.in_force(at=now)
    reasons = list(ReasonCode.objects.offered().filter(version=version))
    return {
        "categories": [(key, name, [one for one in reasons if one.category == key]) for key, name in Category.choices],
        "facts": NAMED_FACTS,
        "signals": _signals(version),
    }


def _signals(version):
    return list(version.definition.rules.values_list("key", "label")) if version else []


def _refused(request, act, refusal):
    """Nothing was asked of any lead: the sentence alone."""
    context = {"act": act, "refusal": refusal, "query": left.Filters.of(request.GET).query()}
    return invalid(request, TEMPLATE, context, part="panel")


def _done(request, act, result, now):
    """A result per lead; to htmx also the list as it now is, and the toast that undoes the batch."""
    query = left.Filters.of(request.GET).query()
    undo_url = reverse("inbox_bulk_undo", args=[result.batch]) + query if result.batch and result.done else ""
    context = {"act": act, "result": result, "past": PAST[act], "undo_url": undo_url, "query": query}
    if wants_part(request):
        leads = f"{len(result.done)} lead{'' if len(result.done) == 1 else 's'}"
        title = f"Contact logged with {leads}." if act == "contact" else f"{leads} {PAST[act]}."
        toast = {"title": title, "text": "", "undo_url": undo_url, "undo_target": "#lead"}
        context |= listing(request, now) | {"toast": toast if result.done else None}
    return answer(request, TEMPLATE, context, part="panel", also=BESIDE)

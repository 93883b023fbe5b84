"""Doors that look at leads for a definition: facts and values that occur, and a lead scored under two definitions."""

import datetime as dt

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from leads.backtest import facts
from leads.backtest.forms import FactsForm
from leads.backtest.views import other_than
from leads.models import Lead
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, invalid
from sla import scoring, words
from sla.models import MQLDefinition

FOUND = 12
FACTS = "backtest/facts.html"
SCORE = "backtest/score.html"


@require_GET
def definition_facts(request):
    """Every fact that the newest leads have, and how many of them."""
    require(request.user, May.BACKTEST_DEFINITION)
    context = {"facts": facts.facts(), "kinds": facts.kinds(), "sampled": facts.SAMPLED}
    return answer(request, FACTS, context, part="options")


@require_GET
def definition_kinds(request):
    """The kinds of events that occur: options for htmx, else the page of facts."""
    require(request.user, May.BACKTEST_DEFINITION)
    if not request.htmx:
        return definition_facts(request)
    return answer(request, FACTS, {"kinds": facts.kinds()}, part="kinds")


@require_GET
def definition_values(request):
    """The values of one fact (`?fact=`): a page, options (`list`), or boxes to tick inside a rule's form (`name`)."""
    require(request.user, May.BACKTEST_DEFINITION)
    fact, chosen = request.GET.get("fact", ""), request.GET.getlist("chosen")
    found = [] if "\0" in fact else facts.values(fact)
    ticked = {value.casefold() for value in chosen}
    shown = [(value, value.name.casefold() in ticked) for value in found]
    known = {value.name.casefold() for value in found}
    context = {
        "fact": fact, "said": words.field(fact), "values": shown, "sampled": facts.SAMPLED,
        "name": request.GET.get("name", ""), "list": request.GET.get("list", ""),
        "others": "\n".join(value for value in chosen if value.casefold() not in known),
    }  # fmt: skip
    return answer(request, "backtest/values.html", context, part="choices" if context["name"] else "listed")


@require_http_methods(["GET", "HEAD", "POST"])
def definition_score(request, number):
    """One lead, picked (`?lead=`, found by `?q=`) or typed, under this definition and the one in force."""
    require(request.user, May.BACKTEST_DEFINITION)
    draft = get_object_or_404(MQLDefinition.objects.select_related("started_from"), number=number)
    against = other_than(draft)
    pair = [each.as_definition() for each in (draft, against) if each]
    typed = FactsForm(request.POST if request.method == "POST" else None, pair)
    context = {
        "definition": draft,
        "against": against,
        "form": typed,
        "asked": typed.asked(),
        "q": request.GET.get("q", "").strip(),
    }
    if request.method == "POST":
        if not typed.is_valid():
            return invalid(request, SCORE, context, part="scored")
        given, happened = typed.lead()
        now = timezone.now()
        events = [scoring.Event(k, now - dt.timedelta(days=days)) for k, n, days in happened for _ in range(n)]
        return answer(request, SCORE, context | _scored(pair, given, events, now) | {"typed": True}, part="scored")
    if picked := request.GET.get("lead", ""):
        context |= _picked(picked, pair)
    return answer(request, SCORE, context | {"found": _search(context["q"])}, part="scored")


def _picked(picked, pair):
    lead = get_object_or_404(Lead, pk=int(picked) if picked.isascii() and picked.isdigit() and len(picked) < 18 else 0)
    now = timezone.now()
    rows = lead.events.filter(occurred_at__lte=now)
    events = [scoring.Event(e.kind, e.occurred_at, e.properties, bool(e.suspected_by)) for e in rows]
    return {"lead": lead} | _scored(pair, lead.facts(), events, now)


def _scored(pair, given, events, now):
    """The evaluations side by side, rule by rule."""
    zone = timezone.get_default_timezone()
    done = [scoring.evaluate(definition, given, events, now, zone=zone) for definition in pair]
    by_key = [{result.key: result for result in evaluation.rules} for evaluation in done]
    keys = dict.fromkeys(key for results in by_key for key in results)
    rows = []
    for key in keys:
        sides = [results.get(key) for results in by_key]
        one = next(side for side in sides if side)
        rows.append({"label": one.label, "axis": one.axis, "saw": one.saw, "sides": sides,
                     "differs": len({side and (side.points, side.fired) for side in sides}) > 1})  # fmt: skip
    names = [{tier.key: tier.name for tier in definition.tiers} for definition in pair]
    tiers = [names[i].get(evaluation.tier) for i, evaluation in enumerate(done)]
    return {"evaluations": list(zip(done, tiers, strict=True)), "rows": rows, "lacks": _lacks(pair[0], given)}


def _lacks(definition, given):
    return [words.field(name) for name in definition.lacks(given)]


def _search(q):
    """Leads whose name, company or address begins with what was typed, or with that number."""
    if not q or "\0" in q:
        return []
    found = Q(last_name__istartswith=q) | Q(first_name__istartswith=q) | Q(company__istartswith=q)
    found |= Q(email__istartswith=q)
    if q.isascii() and q.isdigit() and len(q) < 18:
        found |= Q(pk=int(q))
    return list(Lead.objects.filter(found).defer("attributes").order_by("-pk")[:FOUND])

"""What the page of one lead in nurture shows: its evaluation now, what lifts it, its facts, and its story."""

from django.db import models
from django.shortcuts import get_object_or_404
from django.utils.text import capfirst
from django.utils.timezone import get_default_timezone

from leads import places
from leads.models import Lead, Place
from leads.services.nurture import comes_back
from leads.services.qualify import evaluation_of
from leads.views.answered import answers_of, with_answers
from leads.views.handoff import EVENTS_SHOWN, FACTS, Moment
from leads.views.nurture_rows import Row, tell
from portal.accounts.permissions import May, may
from portal.shared.charts import score_bar
from sla import words
from sla.models import SLAVersion


def lead_page(request, pk, now):
    """The context of the page. 404 without such a lead."""
    leads = with_answers(Lead.objects.select_related("place"), lead="leads_lead.id")
    lead = get_object_or_404(leads, pk=pk)
    version = SLAVersion.objects.select_related("definition").in_force(at=now)
    place = getattr(lead, "place", None)
    works = may(request.user, May.WORK_NURTURE)
    context = {
        "lead": lead,
        "place": place,
        "where": _where(place, version, now),
        "facts": [(name, value) for name, key in FACTS if (value := getattr(lead, key)) not in (None, "")]
        + sorted(lead.attributes.items()),
        "cycles": list(lead.handoffs.select_related("reason", "tier").order_by("-qualified_at").defer("breakdown")),
        "history": _history(lead),
        "answered": answers_of(lead),
        "version": version,
        "may_recycle": works and version and comes_back(lead),
        "may_evaluate": works and version and not (place and place.place == "open"),
        "may_link": works,
        "may_forget": may(request.user, May.FORGET_PEOPLE),
        "now": now,
    }
    return context | (_evaluated(lead, version, now) if version else {})


def _where(place, version, now):
    """The place in words, with when it ends where it does."""
    if place is None:
        return "In nurture, not evaluated yet"
    if place.place == Place.Where.ENDED:
        ends = place.since + (version.cool_off if version else places.NO_TIME)
        return "Cooling off" if ends > now else "In nurture"
    return place.get_place_display()


def _evaluated(lead, version, now):
    definition = version.definition.as_definition()
    evaluation, row = evaluation_of(lead, version, now), Row(lead, places.NURTURE)
    tell(row, definition, evaluation, lead.facts())
    steps = [(tier.name, tier.total) for tier in sorted(definition.tiers, key=lambda tier: tier.total)]
    return {
        "evaluation": evaluation,
        "row": row,
        "bar": score_bar(evaluation.fit, evaluation.behaviour, steps),
        "lifts": [(each, words.when(each.rule)) for each in row.lifts],
        "fired": [rule for rule in evaluation.rules if rule.fired],
        "lacks": [words.field(name) for name in definition.lacks(lead.facts())],
    }


def _history(lead):
    events = lead.events.order_by("-occurred_at", "-pk").fetch_mode(models.FETCH_RAISE)[:EVENTS_SHOWN]
    moments = [Moment(lead.created_at, "Captured", key=True)]
    moments += [Moment(e.occurred_at, _happened(e)) for e in events]
    moments += [
        Moment(c.changed_at, f"{_moved(c)} by {c.changed_by.name}", c.why, key=True)
        for c in lead.recycle_changes.select_related("changed_by")
    ]
    zone = get_default_timezone()
    return sorted(moments, key=lambda moment: moment.at.astimezone(zone), reverse=True)


def _happened(event):
    suspected = f" (suspected: {event.suspected_by.replace('_', ' ')})" if event.suspected_by else ""
    return capfirst(words.event(event.kind)) + suspected


def _moved(change):
    if change.recycle_on is None:
        return f"Recycle date of {change.was:%-d %B %Y} taken away"
    was = f" from {change.was:%-d %B %Y}" if change.was else ""
    return f"Recycle date {'moved' if was else 'set'}{was} to {change.recycle_on:%-d %B %Y}"

"""The rows of the nurture page: leads of one place, a page at a time, with what each lacks and what would lift it."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import F, Q
from django.http import Http404
from django.utils.timezone import get_default_timezone

from leads import places
from leads.models import Event, Handoff, Lead, Place
from sla import lift, scoring, words

SIZE = 50
SEARCHED = 1000  # leads that a search looks among
# lists beside the places: who in nurture lacks nothing, and who has a day to come back
READY, RETURNS = "ready", "returns"
SCORED = (places.NURTURE, READY, RETURNS, places.COOLING)


@dataclass
class Row:
    """One lead of the list. total, missing: under the definition in force, now; None where it is not evaluated.

    tier: the nearest one. lifts: all of sla.lift. unknown: facts that rules read and nobody knows, in words.
    handoff: the latest one, with its reason.
    """

    lead: Lead
    place: str
    since: object = None
    total: int | None = None
    missing: int | None = None
    tier: object = None
    rule: str = ""
    lifts: list = field(default_factory=list)
    unknown: list = field(default_factory=list)
    handoff: Handoff | None = None


def page(show, filters, after, *, at, version):
    """(Rows, the cursor of the next page or None). Keyset: a page costs the same wherever it is in the list."""
    found, order = _listed(show, at, version)
    found = _cut(_narrow(found, filters, show), after, order)
    rows = list(found.select_related("lead") if show != RETURNS else found.select_related("place"))
    more = len(rows) > SIZE
    shown = [_row(each, show) for each in rows[:SIZE]]
    judge(shown, version, at)
    _link(shown)
    return shown, _cursor(rows[SIZE - 1], order) if more else None


def judge(rows, version, at):
    """Score the rows that are in nurture, now: points, what is missing, what would lift them."""
    rows = [row for row in rows if row.place in SCORED]
    if not (rows and version):
        return
    definition = version.definition.as_definition()
    scorer, events = scoring.compile(definition, zone=get_default_timezone()), _events(rows, at)
    for row in rows:
        facts = row.lead.facts()
        evaluation = scorer.evaluate(facts, events[row.lead.pk], at)
        tell(row, definition, evaluation, facts)


def tell(row, definition, evaluation, facts):
    """Put into a row what an evaluation came to."""
    sums = evaluation.fit, evaluation.behaviour
    row.total, row.missing = evaluation.total, lift.missing(definition.tiers, *sums)
    row.tier = lift.nearest(definition.tiers, *sums)
    row.rule = next((r.label for r in evaluation.rules if r.key == evaluation.disqualified_by), "")
    row.lifts = lift.lifts(definition, evaluation, facts)
    unknown = dict.fromkeys(name for each in row.lifts for name in each.unknown)
    row.unknown = [words.field(name) for name in unknown]


def _listed(show, at, version):
    """(the rows of a list, the fields that order it)."""
    if show == RETURNS:
        waits = Lead.objects.filter(recycle_on__isnull=False).exclude(place__place__in=("open", "accepted"))
        return waits, ("recycle_on", "pk")
    if show in (places.NURTURE, READY):
        lacks = Q(missing__gt=0) if show == places.NURTURE else Q(missing=0)
        return Place.objects.filter(lacks, place=places.NURTURE), ("missing", "lead_id")
    found = places.of(show, at=at, cool_off=version.cool_off if version else places.NO_TIME)
    return found, ("since", "lead_id")


def _narrow(found, filters, show):
    to = "" if show == RETURNS else "lead__"
    if (within := filters.get("within")) is not None:
        found = found.filter(**{("place__" if show == RETURNS else "") + "missing__lte": within})
    if source := filters.get("source"):
        found = found.filter(**{f"{to}source": source})
    if q := filters.get("q"):
        found = found.filter(**{f"{to}pk__in": search(q)})
    return found


def search(q):
    """Ids of up to SEARCHED leads by the beginning of a name, company or address, or by their number.

    Asked first and apart: joined, the planner would walk the whole list to find a page of them.
    """
    asked = Q()
    for name in ("last_name", "first_name", "company", "email"):
        asked |= Q(**{f"{name}__istartswith": q})
    if q.isascii() and q.isdigit() and len(q) < 18:
        asked |= Q(pk=int(q))
    return list(Lead.objects.filter(asked).order_by().values_list("pk", flat=True)[:SEARCHED])


def _cut(found, after, order):
    first, second = order
    down = first == "since"  # who came to a place last stands first; who lacks least, or comes back first
    found = found.order_by(F(first).desc() if down else first, f"-{second}" if down else second)
    if after:
        value, _, pk = after.rpartition("_")
        try:
            at = Place._meta.get_field(first) if first != "recycle_on" else Lead._meta.get_field(first)
            value, pk = at.to_python(value), int(pk)
        except Exception:
            raise Http404("There is no such page of the list.") from None
        beyond = "lt" if down else "gt"
        found = found.filter(
            Q(**{f"{first}__{beyond}": value}) | Q(**{first: value, f"{second}__{beyond}": pk}),
            **{f"{first}__{beyond}e": value},
        )
    return found[: SIZE + 1]


def _cursor(row, order):
    value = getattr(row, order[0])
    return f"{value.isoformat() if hasattr(value, 'isoformat') else value}_{row.pk}"


def _row(each, show):
    if show == RETURNS:
        place = getattr(each, "place", None)
        return Row(each, show, place and place.since)
    return Row(each.lead, show, each.since)


def _events(rows, at):
    """{lead: its events until `at`, as scoring takes them}."""
    found = defaultdict(list)
    told = Event.objects.filter(lead__in=[row.lead.pk for row in rows], occurred_at__lte=at)
    for pk, kind, when, properties, suspected in told.values_list(
        "lead", "kind", "occurred_at", "properties", "suspected_by"
    ):
        found[pk].append(scoring.Event(kind, when, properties, bool(suspected)))
    return found


def _link(rows):
    """The latest handoff of each, with its reason, for those that have one."""
    pks = [row.lead.pk for row in rows]
    latest = Handoff.objects.filter(lead__in=pks).order_by("lead", "qualified_at").select_related("reason")
    known = {handoff.lead_id: handoff for handoff in latest.defer("breakdown")}
    for row in rows:
        row.handoff = known.get(row.lead.pk)

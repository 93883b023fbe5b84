"""What the right pane of the inbox reads: one handoff with its clocks, its score and its history, in one query."""

from datetime import datetime

from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.text import capfirst

from leads.models import Decision, Touch
from leads.views import clock_panel
from leads.views.answered import answers_of, with_answers
from leads.views.named import named
from portal.shared import charts, time
from sla.words import event

EVENTS_SHOWN = 40
FACTS = (
    ("Region", "region"), ("Product", "product"), ("Website", "domain"), ("Outside ID", "external_id"),
)  # fmt: skip
# the whole history of the handoff as JSON: arrays of kind, at, words, detail, who, note, id and via
HISTORY = f"""
    SELECT coalesce(json_agg(json_build_array(kind, at, words, detail, who, note, id, via)), '[]') FROM (
    SELECT 'touch', t.occurred_at, t.kind, t.outcome, u.name, t.note, NULL::bigint, t.via
    FROM leads_touch t LEFT JOIN accounts_user u ON u.id = t.touched_by_id WHERE t.handoff_id = leads_handoff.id
    UNION ALL SELECT 'assigned', a.assigned_at, a.why, '', u.name, '', NULL, ''
    FROM leads_assignment a JOIN accounts_user u ON u.id = a.owner_id WHERE a.handoff_id = leads_handoff.id
    UNION ALL SELECT 'decided', d.decided_at, d.outcome, coalesce(r.label, ''), u.name, d.note, NULL, d.via
    FROM leads_decision d LEFT JOIN accounts_user u ON u.id = d.decided_by_id
    LEFT JOIN sla_reasoncode r ON r.id = d.reason_id WHERE d.handoff_id = leads_handoff.id
    UNION ALL SELECT 'cycle', c.qualified_at, c.status, coalesce(r.label, ''), '', '', c.id, ''
    FROM leads_handoff c LEFT JOIN sla_reasoncode r ON r.id = c.reason_id
    WHERE c.lead_id = leads_handoff.lead_id AND c.id <> leads_handoff.id
    UNION ALL (SELECT 'event', e.occurred_at, e.kind, e.suspected_by, '', '', NULL, ''
    FROM leads_event e WHERE e.lead_id = leads_handoff.lead_id ORDER BY e.occurred_at DESC LIMIT {EVENTS_SHOWN})
    ) AS moment (kind, at, words, detail, who, note, id, via)
"""


def with_pane(rows):
    """The queryset with everything `pane` needs; whatever else is asked of a row raises."""
    told = RawSQL(HISTORY, ())  # noqa: S611 (no input in it)
    rows = with_answers(rows.select_related("lead"))
    return rows.annotate(**named(), told=told).fetch_mode(models.FETCH_RAISE)


def pane(handoff, now):
    """Template context of one handoff's pane."""
    lead, moments = handoff.lead, history(handoff)
    return {
        "handoff": handoff,
        "lead": lead,
        "clocks": two_clocks(handoff, now),
        "score": score(handoff),
        "about": ", ".join(str(p) for p in (
            lead.industry, f"{lead.employees:,} employees" if lead.employees else "", lead.country) if p),
        "facts": [(name, value) for name, field in FACTS if (value := getattr(lead, field))]
        + [(name.replace("_", " ").capitalize(), value) for name, value in sorted(lead.attributes.items())],
        "answered": answers_of(handoff),
        "moments": [moment | {"when": short(moment["at"], now)} for moment in moments if moment["kind"] != "cycle"],
        "cycles": [moment for moment in moments if moment["kind"] == "cycle"],
        "now": now,
    }  # fmt: skip


def two_clocks(handoff, now):
    """First contact and decision; none for history that nobody took up."""
    return clock_panel.two_clocks(handoff, now, tier=handoff.tier_name)


def short(at, now):
    """ "09:51" of today, else "5 Nov": what fits the timeline's margin; the exact time stands in the title."""
    zone = timezone.get_default_timezone()
    same = at.astimezone(zone).date() == now.astimezone(zone).date()
    return f"Today {time.clock_time(at, zone)}" if same else time.day(at, now, zone)


def score(handoff):
    """The stored evaluation for the table: rules that fired by axis, silent ones, the bar; None when never scored."""
    if not handoff.breakdown:
        return None
    rules = handoff.breakdown["rules"]
    return {
        "bar": charts.score_bar(handoff.fit, handoff.behaviour, [tuple(step) for step in handoff.tier_steps]),
        "groups": [
            {"name": name, "points": points, "rules": [r for r in rules if r["axis"] == axis and r["fired"]]}
            for name, axis, points in (("Fit", "fit", handoff.fit), ("Behaviour", "behaviour", handoff.behaviour))
        ],
        "silent": [rule for rule in rules if not rule["fired"]],
    }


def fired(handoff):
    """(key, label) of the rules that gave points: what a bad score can be blamed on."""
    rules = (handoff.breakdown or {}).get("rules", ())
    return [(rule["key"], rule["label"]) for rule in rules if rule["fired"] and rule["axis"] != "disqualifier"]


def history(handoff):
    """Everything that happened, newest first, from what `with_pane` read."""
    found = [_moment(kind, datetime.fromisoformat(at), *more) for kind, at, *more in handoff.told]
    reached = f"Reached {handoff.total} points" if handoff.total is not None else "Came with imported history"
    found.append(
        {"kind": "qualified", "at": handoff.qualified_at, "words": reached, "note": "", "key": True, "pk": None}
    )
    return sorted(found, key=lambda moment: moment["at"], reverse=True)


def _moment(kind, at, words, detail, who, note, pk, via):
    by = (f" by {who}" if who else "") + (", in bulk" if via == Touch.Via.BULK else "")
    said = {
        "touch": lambda: f"{Touch.Kind(words).label}: {Touch.Outcome(detail).label.lower()}{by}",
        "assigned": lambda: f"Given to {who}: {words}",
        "decided": lambda: f"{Decision.Outcome(words).label}{f': {detail}' if detail else ''}{by}",
        "cycle": lambda: f"{words.capitalize()}{f': {detail}' if detail else ''}",
        "event": lambda: capfirst(event(words)) + (" (suspected bot)" if detail else ""),
    }[kind]()
    return {"kind": kind, "at": at, "words": said, "note": note, "key": kind in ("touch", "decided"), "pk": pk}

"""What the definition's editor shows: the draft's pieces with their words, and how a refusal is answered in place."""

from django.shortcuts import get_object_or_404
from django.utils import timezone

from portal.shared.htmx import answer, go, invalid, overtaken, wants_part
from sla import condition_tree, matrix, words
from sla.conditions import LEAD_FIELDS
from sla.forms.definition import ABOUT, EVENTS, FACTS
from sla.models import MQLDefinition, ScoringRule, SLAVersion
from sla.services import definition as verbs
from sla.services.draft_refusals import DraftChanged, Frozen, Gone

PAGE = "sla/definition_edit.html"
AXES = (
    (ScoringRule.Axis.FIT, "Fit: who they are", "Add a fit rule"),
    (ScoringRule.Axis.BEHAVIOUR, "Behaviour: what they did", "Add a behaviour rule"),
    (ScoringRule.Axis.DISQUALIFIER, "Disqualifiers: never an MQL", "Add a disqualifier"),
)
TOO_LATE = (DraftChanged, Gone, Frozen)


def page(number, *, open_rule=None, refusal=None, form=None):
    """The context of the whole editor. form: a RuleForm that was refused, for `open_rule`."""
    now = timezone.now()
    draft = get_object_or_404(MQLDefinition.objects.select_related("started_from", "changed_by"), number=number)
    context = {"definition": draft, "now": now, "refusal": refusal, "frozen": draft.proposed_at is not None}
    if context["frozen"]:
        return context
    rules, definition = list(draft.rules.all()), draft.as_definition()
    shown = [rule_shown(rule, draft, opened=rule.pk == open_rule, form=form) for rule in rules]
    in_force = SLAVersion.objects.select_related("definition").in_force(at=now)
    return context | {
        "axes": [section(axis, draft, shown) for axis, _, _ in AXES],
        "tiers": tiers_shown(draft),
        "matrix": matrix_shown(definition),
        "facts": facts_shown(draft),
        "seen_summary": verbs.seen_of_summary(draft),
        "agreement_draft": SLAVersion.objects.filter(definition=draft, proposed_at=None).order_by("-number").first(),
        "against": draft.started_from or (in_force and in_force.definition),
    }


def section(axis, draft, shown):
    title, add = next((title, add) for value, title, add in AXES if value == axis)
    own = [rule for rule in shown if rule["axis"] == axis]
    return {"axis": axis, "title": title, "add": add, "rules": own, "definition": draft}


def rule_shown(rule, draft, *, opened=False, form=None, refusal=None):
    """A rule as a row, opened with its form; a refused form shows what was sent."""
    shown = {
        "pk": rule.pk, "key": rule.key, "label": rule.label, "axis": rule.axis, "points": rule.points,
        "is_disqualifier": rule.axis == ScoringRule.Axis.DISQUALIFIER, "said": words.rule(rule),
        "seen": verbs.seen_of(rule), "opened": opened, "refusal": refusal, "number": draft.number,
    }  # fmt: skip
    return shown | (_parts(rule, form) if opened or form is not None else {})


def _parts(rule, form):
    """The fields of an opened rule: as sent where a form was refused, else as kept."""
    if form is not None:
        about, tree = form.about, form.tree
        values = {name: form[name].value() for name in form.fields}
        errors = [error for found in form.errors.values() for error in found]
    else:
        about = EVENTS if "event" in rule.condition else FACTS
        tree = condition_tree.draw(rule.condition.get("where") if about == EVENTS else rule.condition)
        values, errors = vars(rule) | {"event": rule.condition.get("event", "")}, []
    disqualifies = values["axis"] == ScoringRule.Axis.DISQUALIFIER
    return {
        "about": about, "abouts": ABOUT, "axes": ScoringRule.Axis.choices, "tree": tree, "values": values,
        "errors": errors, "of_events": about == EVENTS, "gives_points": not disqualifies,
        "groups": condition_tree.GROUPS.items(), "ops": condition_tree.OPS.items(),
        "shape": f"{about} {disqualifies} {tree.shape() if tree else ''}",
    }  # fmt: skip


def tiers_shown(draft):
    return [tier_shown(tier, draft) for tier in draft.tiers.all()]


def tier_shown(tier, draft, refusal=None):
    return {
        "pk": tier.pk, "key": tier.key, "name": tier.name, "total": tier.total, "fit": tier.fit, "refusal": refusal,
        "behaviour": tier.behaviour, "seen": verbs.seen_of(tier), "said": words.tier(tier), "number": draft.number,
    }  # fmt: skip


def matrix_shown(definition):
    behaviours, rows = matrix.matrix(definition)
    return {"behaviours": behaviours, "rows": rows, "hottest": min(definition.tiers, key=lambda t: t.position).name}


def facts_shown(draft):
    names = dict.fromkeys([*LEAD_FIELDS, *draft.required_facts])
    choices = [(name, words.field(name), name in draft.required_facts) for name in names]
    return {"choices": choices, "seen": verbs.seen_of_facts(draft), "count": len(draft.required_facts)}


def refused(request, number, refusal, **shown):
    """The whole page with the refusal for a plain form; for htmx the editor as it now is, in its place."""
    reply = overtaken if isinstance(refusal, TOO_LATE) else invalid
    found = MQLDefinition.objects.filter(number=number).exists()
    if not found:
        return go(request, "definition")
    context = page(number, refusal=refusal.sentence, **shown)
    return reply(request, PAGE, context, part="editor", HX_Retarget="#editor", HX_Reswap="outerHTML")


def changed(request, number, context, *, part, also=(), rule=None, status=None):
    """Saved: the part for htmx, which then asks for the figures again; else back to the page."""
    if not wants_part(request):
        url = go(request, "definition_edit", number)
        if rule:
            url["Location"] += f"?rule={rule}#rule-{rule}"
        return url
    return answer(request, PAGE, context, part=part, also=also, HX_Trigger="draft-changed")

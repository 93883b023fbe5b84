"""Forms of the definition's editor: a rule with its condition, points alone, a tier, required facts, the summary."""

from django import forms

from sla import condition_tree
from sla.conditions import LEAD_FIELDS
from sla.models import ScoringRule

FACTS, EVENTS = "facts", "events"
ABOUT = ((FACTS, "who they are: a fact"), (EVENTS, "what they did: events"))
NEW_FACT = {"field": "company", "op": "present"}
NEW_PROPERTY = {"field": "page", "op": "present"}
ONCE = {"window_days": None, "minimum_count": 1, "per_event": False, "cap": None, "decay_days": None}
NO_POINTS = {"points": 0, "per_event": False, "cap": None, "decay_days": None}


class PointsForm(forms.Form):
    points = forms.IntegerField(
        min_value=-10_000, max_value=10_000, error_messages={"required": "Say how many points."}
    )


class RuleForm(PointsForm):
    """A whole rule. `tree` is its condition drawn, after the act ("and:PATH" …) that a button asked for."""

    label = forms.CharField(max_length=120, error_messages={"required": "A rule needs a name."})
    axis = forms.ChoiceField(choices=ScoringRule.Axis)
    about = forms.ChoiceField(choices=ABOUT)
    points = forms.IntegerField(required=False, min_value=-10_000, max_value=10_000)
    event = forms.CharField(max_length=60, required=False)
    minimum_count = forms.IntegerField(required=False, min_value=1, max_value=10_000)
    window_days = forms.IntegerField(required=False, min_value=1, max_value=30_000)
    per_event = forms.BooleanField(required=False)
    cap = forms.IntegerField(required=False, min_value=1, max_value=30_000)
    decay_days = forms.IntegerField(required=False, min_value=1, max_value=30_000)

    def __init__(self, data):
        super().__init__(data)
        of = data.get("of")
        self.about = data.get("about") if data.get("about") in (FACTS, EVENTS) else FACTS
        self.tree = condition_tree.read(data, of_lead=of == FACTS) if of == self.about else None
        new = NEW_FACT if self.about == FACTS else NEW_PROPERTY
        if act := data.get("act", ""):
            self.tree = condition_tree.act(self.tree, act, new)
        if self.about == FACTS and self.tree is None:
            self.tree = condition_tree.draw(NEW_FACT)

    def clean(self):
        data = super().clean()
        if lacks := condition_tree.lacking(self.tree):
            name = lacks.said or "the condition"
            raise forms.ValidationError(f"Not saved yet: say what {name} is compared with.")
        if self.about == EVENTS and not data.get("event"):
            raise forms.ValidationError("Not saved yet: say which kind of event counts.")
        return data

    def rule(self):
        """The fields of the rule, as change_rule takes them."""
        data = self.cleaned_data
        condition = condition_tree.condition(self.tree)
        if self.about == EVENTS:
            condition = {"event": data["event"].strip()} | ({"where": condition} if condition else {})
        fields = {name: data[name] for name in ("label", "axis", "points", *ONCE)} | {"condition": condition}
        fields |= {"points": fields["points"] or 0, "minimum_count": fields["minimum_count"] or 1}
        if self.about == FACTS:
            fields |= ONCE
        if fields["axis"] == ScoringRule.Axis.DISQUALIFIER:
            fields |= NO_POINTS
        return fields if fields["per_event"] else fields | {"cap": None}


class TierForm(forms.Form):
    name = forms.CharField(max_length=60, error_messages={"required": "A tier needs a name."})
    total = forms.IntegerField(
        min_value=-30_000, max_value=30_000, error_messages={"required": "Say how many points in all."}
    )
    fit = forms.IntegerField(required=False, min_value=-30_000, max_value=30_000)
    behaviour = forms.IntegerField(required=False, min_value=-30_000, max_value=30_000)


class SummaryForm(forms.Form):
    summary = forms.CharField(max_length=200, required=False)


class RequiredFactsForm(forms.Form):
    """The facts ticked, and one more by name."""

    facts = forms.MultipleChoiceField(required=False)
    other = forms.CharField(max_length=200, required=False)

    def __init__(self, data, known):
        super().__init__(data)
        self.fields["facts"].choices = [(name, name) for name in (*LEAD_FIELDS, *known)]

    def clean(self):
        data = super().clean()
        other = condition_tree.field_named((data.get("other") or "").strip())
        data["names"] = list(dict.fromkeys([*data.get("facts", []), *([other] if other else [])]))
        return data


class StartForm(forms.Form):
    """Which definition a draft begins as; none: from nothing."""

    start_from = forms.IntegerField(required=False, min_value=1)

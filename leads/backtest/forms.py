"""A lead typed in by hand: the facts and events that two definitions read."""

from django import forms
from django.utils.text import capfirst

from leads.backtest.columns import needed
from sla.conditions import ATTRIBUTE
from sla.words import event, field

MOST_EVENTS = 1000


class FactsForm(forms.Form):
    """A field for each fact that the definitions read; for each kind of event how many, and how long ago the last."""

    def __init__(self, data, definitions):
        super().__init__(data)
        facts, kinds = needed(definitions)
        self.facts, self.kinds = sorted(facts), sorted(kinds)
        for place, name in enumerate(self.facts):
            self.fields[f"fact-{place}"] = forms.CharField(
                label=field(name).capitalize(), required=False, max_length=500
            )
        for place, kind in enumerate(self.kinds):
            label = capfirst(event(kind))
            self.fields[f"count-{place}"] = forms.IntegerField(
                label=f"{label}: how often", required=False, min_value=0, max_value=MOST_EVENTS
            )
            self.fields[f"days-{place}"] = forms.IntegerField(
                label=f"{label}: the last one, days ago", required=False, min_value=0, max_value=36_500
            )

    def asked(self):
        """(the facts' fields, [(kind in words, its count's field, its days' field), …]) to draw."""
        kinds = [
            (capfirst(event(kind)), self[f"count-{place}"], self[f"days-{place}"])
            for place, kind in enumerate(self.kinds)
        ]
        return [self[f"fact-{place}"] for place in range(len(self.facts))], kinds

    def lead(self):
        """(facts as scoring takes them, [(kind, how many, days ago), …])."""
        data = self.cleaned_data
        typed = {name: data[f"fact-{place}"] or None for place, name in enumerate(self.facts)}
        attributes = {n.removeprefix(ATTRIBUTE): v for n, v in typed.items() if n.startswith(ATTRIBUTE)}
        facts = {n: v for n, v in typed.items() if not n.startswith(ATTRIBUTE)} | {"attributes": attributes}
        happened = [(kind, data[f"count-{i}"] or 0, data[f"days-{i}"] or 0) for i, kind in enumerate(self.kinds)]
        return facts, happened

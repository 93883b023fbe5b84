"""What somebody asks of the past: a question, a span, whose rules, their signs, and what was known at the handoff."""

import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.text import capfirst

from leads.calibration.activations import in_full
from leads.calibration.jobs import scale_of, sign_of
from leads.calibration.models import Calibration
from leads.calibration.provenance import said, sources_of
from leads.forms import LocalDate
from sla import words
from sla.models import MQLDefinition

SIGNS = ((1, "never fewer points than none"), (-1, "never more points than none"), (0, "either"))


class Definition(forms.ModelChoiceField):
    def label_from_instance(self, definition):
        return f"v{definition.number}{'' if definition.proposed_at else ', draft'}"


class CalibrationForm(forms.Form):
    """A calibration of the rules of `definition`; `arguments()` are those of the verb."""

    question = forms.ChoiceField(
        label="What is learnt from", choices=Calibration.Question.choices, widget=forms.RadioSelect
    )
    since = forms.DateField(label="Leads handed over from", widget=LocalDate)
    until = forms.DateField(label="to", widget=LocalDate)
    definition = Definition(
        label="Whose rules are weighed", queryset=MQLDefinition.objects.order_by("-number"), to_field_name="number",
        empty_label=None,
        help_text="Disqualifiers stay as they are. A draft may hold rules that nobody has tried yet.",
    )  # fmt: skip
    most = forms.IntegerField(
        label="Points of the strongest rule", min_value=1, max_value=1000,
        help_text="The others get their share of it.",
    )  # fmt: skip
    seed = forms.CharField(
        label="Seed", max_length=40, required=False,
        help_text="Draws the leads held out where all are of one month. The same seed draws the same.",
    )  # fmt: skip
    with_files = forms.BooleanField(label="Also leads that came later, with a file of the past", required=False)

    def __init__(self, data, *, definition, at, begins):
        self.rules = [rule for rule in definition.as_definition().rules if rule.axis != "disqualifier"]
        self.at, self.sources = at, sorted({source for rule in self.rules for source in sources_of(rule)})
        today = timezone.localdate(at, timezone.get_default_timezone())
        super().__init__(data, initial={
            "question": Calibration.Question.WON, "since": begins, "until": today, "definition": definition.number,
            "most": scale_of(self.rules) if self.rules else 20, "seed": f"{today:%Y-%m-%d}",
        })  # fmt: skip
        for place, rule in enumerate(self.rules):
            self.fields[f"sign-{place}"] = forms.TypedChoiceField(
                label=f"{rule.label} may get", choices=SIGNS, coerce=int, initial=sign_of(rule)
            )
        for place, source in enumerate(self.sources):
            self.fields[f"known-{place}"] = forms.BooleanField(label=capfirst(said(source)), required=False)

    def signs(self):
        """[(the rule, in words, its points in full, the field of its sign), …] to draw."""
        return [
            (rule, words.rule(rule), in_full(rule), self[f"sign-{place}"]) for place, rule in enumerate(self.rules)
        ]

    def known(self):
        """The fields of what was known before the contact, to draw."""
        return [self[f"known-{place}"] for place in range(len(self.sources))]

    def clean(self):
        data = super().clean()
        if data.get("since") and data.get("until") and data["until"] < data["since"]:
            self.add_error("until", "The last day is before the first one.")
        return data

    def arguments(self):
        """What jobs.start takes; the span in aware instants, the last day with all its hours but none to come."""
        data, zone = self.cleaned_data, timezone.get_default_timezone()
        since, after = (dt.datetime.combine(day, dt.time(), tzinfo=zone) for day in self._days())
        return {
            **{name: data[name] for name in ("question", "definition", "most", "seed", "with_files")},
            "since": since, "until": max(min(after, self.at), since + dt.timedelta(microseconds=1)),
            "signs": {rule.key: data[f"sign-{place}"] for place, rule in enumerate(self.rules)},
            "declared": [source for place, source in enumerate(self.sources) if data[f"known-{place}"]],
        }  # fmt: skip

    def _days(self):
        return self.cleaned_data["since"], self.cleaned_data["until"] + dt.timedelta(days=1)


class ProposalForm(forms.Form):
    """How a calibration becomes a draft."""

    AS_MANY, TARGET = "as_many", "target"

    thresholds = forms.ChoiceField(
        label="Where the tiers begin", widget=forms.RadioSelect, initial=AS_MANY,
        choices=((AS_MANY, "as many leads as now"), (TARGET, "where the joint target is reached")),
    )  # fmt: skip
    hours = forms.DecimalField(
        label="Hours to work one lead", min_value=0.05, max_value=100, max_digits=5, decimal_places=2, initial=1,
        help_text="An assumption of yours; it is stored with the proposal.",
    )  # fmt: skip

    def __init__(self, *args, reachable=True, **kwargs):
        super().__init__(*args, **kwargs)
        if not reachable:
            self.fields["thresholds"].choices = self.fields["thresholds"].choices[:1]

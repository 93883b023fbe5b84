"""What people type into a draft of the agreement, a form a section; what may be agreed is asked of the verbs."""

import datetime as dt
import re

from django import forms
from django.utils import timezone

from portal.accounts.models import Role, User
from sla import words
from sla.models import MOST_EXPLORED, TOUCHES, Calendar, Commitment, EscalationStep, MQLDefinition, SLAVersion

UNITS = {
    "m": dt.timedelta(minutes=1),
    "h": dt.timedelta(hours=1),
    "d": dt.timedelta(days=1),
    "w": dt.timedelta(weeks=1),
    "y": dt.timedelta(days=365),
}
SPAN = re.compile(r"(\d{1,5})\s*(m|min|mins|minutes?|h|hrs?|hours?|d|days?|w|weeks?|y|years?)", re.IGNORECASE)
BAND = re.compile(r"(.{1,40}?)[\s,:]+(\d{1,3}(?:\.\d)?)\s*%?")
LONGEST = dt.timedelta(days=3660)
KIND, CLOCK = EscalationStep.Kind, EscalationStep.Clock


class Span(forms.CharField):
    """A length of time as one says it: "15 minutes", "4 h", "2 days"; "at once" where zero makes sense."""

    def __init__(self, *, zero=False, **kwargs):
        super().__init__(max_length=30, **kwargs)
        self.zero = zero

    def prepare_value(self, value):
        if isinstance(value, dt.timedelta):
            return words.span(value) if value else "at once"
        return value

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        if self.zero and text.casefold() in ("at once", "0"):
            return dt.timedelta(0)
        found = SPAN.fullmatch(text)
        if not found or not (length := int(found[1]) * UNITS[found[2][0].lower()]) or length > LONGEST:
            example = (
                "“at once” or a time like “4 hours”" if self.zero else "a time like “15 minutes”, “4 h” or “2 days”"
            )
            raise forms.ValidationError(f"Write {example}.")
        return length


class Share(forms.DecimalField):
    """Per cent with one digit, kept in per mille."""

    def __init__(self, **kwargs):
        super().__init__(min_value=0, max_value=100, decimal_places=1, max_digits=4, **kwargs)

    def prepare_value(self, value):
        if isinstance(value, int):
            return words.percent(value).rstrip("%")
        return value

    def clean(self, value):
        number = super().clean(value)
        return None if number is None else int(number * 10)


class Lines(forms.CharField):
    """One a line; empty lines fall away."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value):
        found = list(dict.fromkeys(line.strip() for line in super().clean(value).splitlines() if line.strip()))
        if any(len(line) > 120 for line in found):
            raise forms.ValidationError("A name has at most 120 characters.")
        return found


class Section(forms.Form):
    """One section of the draft. `promises` and `terms` name what its fields become."""

    key = title = intro = ""
    terms = ()

    def __init__(self, data=None, *, version):
        self.version = version
        super().__init__(data, auto_id=f"{self.key}-%s", label_suffix="")
        self.build()
        for name, value in self.current().items():
            self.initial[name] = value

    def build(self):
        """Fields that depend on the version."""

    def current(self):
        """What the draft says now, by field."""
        return {name: getattr(self.version, name) for name in self.terms}

    def change(self):
        """Keyword arguments of `change_draft`."""
        return {"terms": {name: self.cleaned_data[name] for name in self.terms}}

    def promised(self):
        return {(row.kind, row.tier and row.tier.key): row for row in self.version.commitments.select_related("tier")}


class Basics(Section):
    key, title = "basics", "Name and beginning"
    intro = "What changes, in one line, and from when."
    summary = forms.CharField(label="What it is about", max_length=200, required=False)
    effective_from = forms.DateTimeField(
        label="Begins", required=False, help_text="local time; empty means as soon as both have signed",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    terms = ("summary", "effective_from")

    def clean_effective_from(self):
        begins = self.cleaned_data["effective_from"]
        if begins and begins < timezone.now():
            raise forms.ValidationError("This moment has passed. Leave it empty to begin as soon as both have signed.")
        return begins


class DefinitionSection(Section):
    key, title = "definition", "What counts as an MQL"
    intro = "A definition that is still a draft is frozen together with this agreement."
    definition = forms.ModelChoiceField(MQLDefinition.objects.none(), label="Definition", empty_label=None)

    def build(self):
        self.fields["definition"].queryset = MQLDefinition.objects.order_by("-number")
        self.fields["definition"].label_from_instance = _definition_label

    def current(self):
        return {"definition": self.version.definition_id}


class Marketing(Section):
    key, title = "marketing", "Marketing’s commitments"
    intro = "How many leads, how good, and from where."
    mqls_from = forms.IntegerField(label="MQLs a month, from", min_value=1, max_value=1_000_000)
    mqls_to = forms.IntegerField(label="MQLs a month, to", min_value=1, max_value=1_000_000, required=False)
    acceptance = Share(label="Accepted by sales, at least", help_text="per cent")
    complete_facts = Share(label="With complete facts, at least", help_text="per cent")
    sources = Lines(label="Sources covered", required=False, help_text="one a line; empty means all")
    campaigns = Lines(label="Campaigns covered", required=False, help_text="one a line; empty means all")
    terms = ("sources", "campaigns")

    def current(self):
        promised, kinds = self.promised(), Commitment.Kind
        mqls = promised.get((kinds.MQLS, None))
        found = {"mqls_from": mqls and mqls.at_least, "mqls_to": mqls and mqls.at_most}
        for kind in (kinds.ACCEPTANCE, kinds.COMPLETE_FACTS):
            row = promised.get((kind, None))
            found[kind.value] = row and row.at_least
        return super().current() | found

    def clean(self):
        low, high = self.cleaned_data.get("mqls_from"), self.cleaned_data.get("mqls_to")
        if low and high and high < low:
            self.add_error("mqls_to", "The upper end lies above the lower one.")

    def change(self):
        given, kinds = self.cleaned_data, Commitment.Kind
        shares = [{"kind": kind, "at_least": given[kind.value]} for kind in (kinds.ACCEPTANCE, kinds.COMPLETE_FACTS)]
        mqls = {"kind": kinds.MQLS, "at_least": given["mqls_from"], "at_most": given["mqls_to"]}
        return super().change() | {"promises": [mqls, *shares]}


class Sales(Section):
    key, title = "sales", "Sales’s commitments"
    intro = "How soon a lead is contacted and decided, tier by tier."
    share_kept = Share(label="Share of clocks kept, at least", help_text="per cent")
    attempts_before_unreachable = forms.IntegerField(
        label="Attempts before “unable to reach”", min_value=1, max_value=50
    )
    terms = ("attempts_before_unreachable",)

    def build(self):
        self.tiers = list(self.version.definition.tiers.all())
        times = {}
        for tier in self.tiers:
            times[f"contact_{tier.key}"] = Span(label=f"First contact, {tier.name}, within")
            times[f"decision_{tier.key}"] = Span(label=f"Decision, {tier.name}, within")
        self.fields = times | self.fields

    def current(self):
        promised, kinds, found = self.promised(), Commitment.Kind, {}
        for tier in self.tiers:
            for name, kind in (("contact", kinds.FIRST_CONTACT), ("decision", kinds.DECISION)):
                row = promised.get((kind, tier.key))
                found[f"{name}_{tier.key}"] = row and row.within
        kept = promised.get((kinds.SHARE_KEPT, None))
        return super().current() | found | {"share_kept": kept and kept.at_least}

    def clean(self):
        for tier in self.tiers:
            contact, decision = (self.cleaned_data.get(f"{name}_{tier.key}") for name in ("contact", "decision"))
            if contact and decision and decision < contact:
                self.add_error(f"decision_{tier.key}", "A decision does not come before the first contact.")

    def change(self):
        given, kinds = self.cleaned_data, Commitment.Kind
        times = [
            {"kind": kind, "tier": tier.key, "within": given[f"{name}_{tier.key}"]}
            for tier in self.tiers
            for name, kind in (("contact", kinds.FIRST_CONTACT), ("decision", kinds.DECISION))
        ]
        return super().change() | {"promises": [*times, {"kind": kinds.SHARE_KEPT, "at_least": given["share_kept"]}]}


class Target(Section):
    key, title = "target", "The joint target"
    intro = "Reached together: the lowest of volume, rate and accepted leads counts."
    target_rate = Share(label="Rate of accepted MQLs, at least", required=False, help_text="per cent; empty: none")
    target_accepted = forms.IntegerField(
        label="Accepted leads a month, at least", min_value=1, max_value=1_000_000, required=False
    )
    exploration_share = Share(
        label="Exploration: share of the leads just below the lowest tier that go to sales", required=False,
        help_text="per cent, at most 20; empty: none. They count in no rate and no promise; they show what a lower"
        " threshold would bring.",
    )  # fmt: skip
    exploration_reach = forms.IntegerField(
        label="How many points below the lowest tier", min_value=1, max_value=1000, required=False
    )
    terms = ("target_rate", "target_accepted", "exploration_share", "exploration_reach")

    def clean_exploration_share(self):
        share = self.cleaned_data["exploration_share"]
        if share is not None and not 1 <= share <= MOST_EXPLORED:
            raise forms.ValidationError("A share from 0.1 to 20 per cent, or empty for none.")
        return share

    def clean(self):
        """One without the other: how far is ten points unless somebody says so, and none without a share."""
        data = super().clean()
        if "exploration_share" in data:
            data["exploration_reach"] = (data.get("exploration_reach") or 10) if data["exploration_share"] else None
        return data


class Clocks(Section):
    key, title = "clocks", "Clocks and contacts"
    intro = "Whose hours count, and what stops the contact clock."
    clock_basis = forms.ChoiceField(label="Clocks run in", choices=SLAVersion.ClockBasis.choices)
    calendar = forms.ModelChoiceField(Calendar.objects.none(), label="Business hours", empty_label=None)
    touch_kinds = forms.MultipleChoiceField(
        label="What counts as a contact", choices=list(TOUCHES.items()), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "At least one thing counts as a contact."},
    )  # fmt: skip
    terms = ("clock_basis", "calendar", "touch_kinds")

    def build(self):
        offered = Calendar.objects.newest() | Calendar.objects.filter(pk=self.version.calendar_id)
        self.fields["calendar"].queryset = offered.order_by("name", "-version")
        self.fields["calendar"].label_from_instance = _calendar_label


class Escalation(Section):
    key, title = "escalation", "When time runs out"
    intro = "Empty means that it does not happen."

    def build(self):
        for clock in CLOCK:
            for number in (1, 2):
                self.fields[f"{clock}_warn_{number}"] = forms.IntegerField(
                    label=f"{clock.label}: {'warn' if number == 1 else 'warn again'} the owner after", required=False,
                    min_value=1, max_value=99, help_text="per cent of the time",
                )  # fmt: skip
            for kind in (KIND.TELL_MANAGER, KIND.TO_QUEUE):
                self.fields[f"{clock}_{kind}"] = Span(
                    label=f"{clock.label} missed: {kind.label.lower()} after", zero=True, required=False
                )

    def current(self):
        found, warned = {}, {}
        for step in self.version.escalation_steps.all():
            if step.kind == KIND.WARN_OWNER:
                warned[step.clock] = warned.get(step.clock, 0) + 1
                found[f"{step.clock}_warn_{warned[step.clock]}"] = step.share
            else:
                found[f"{step.clock}_{step.kind}"] = step.after
        return found

    def change(self):
        steps = []
        for clock in CLOCK:
            shares = {self.cleaned_data[f"{clock}_warn_{number}"] for number in (1, 2)} - {None}
            steps += [{"clock": clock, "kind": KIND.WARN_OWNER, "share": share} for share in sorted(shares)]
            later = [(self.cleaned_data[f"{clock}_{kind}"], kind) for kind in (KIND.TELL_MANAGER, KIND.TO_QUEUE)]
            told = sorted((after, kind) for after, kind in later if after is not None)
            steps += [{"clock": clock, "kind": kind, "after": after} for after, kind in told]
        return {"steps": steps}


class Windows(Section):
    key, title = "windows", "Windows"
    intro = "How long things stay open."
    undo_within = Span(label="A decision is taken back within")
    dispute_within = Span(label="Marketing disputes a rejection within")
    cool_off = Span(label="A decided lead comes back at the earliest after")
    recycle_within = Span(label="A day to come back lies within")
    bulk_limit = forms.IntegerField(label="Leads decided in one step, at most", min_value=1, max_value=500)
    terms = ("undo_within", "dispute_within", "cool_off", "recycle_within", "bulk_limit")


class Review(Section):
    key, title = "review", "Review and signatories"
    intro = "How often both read the result, on what scale, and who signs."
    review_cadence = forms.ChoiceField(label="Both read the audit", choices=SLAVersion.Cadence.choices)
    marketing_signatory = forms.ModelChoiceField(User.objects.none(), label="Signs for marketing", required=False)
    sales_signatory = forms.ModelChoiceField(User.objects.none(), label="Signs for sales", required=False)
    benchmarks = Lines(label="Benchmark bands", required=False, help_text="a band a line: good 25%")
    benchmark_source = forms.CharField(label="Source of the benchmarks", max_length=200, required=False)
    terms = ("review_cadence", "marketing_signatory", "sales_signatory", "benchmarks", "benchmark_source")

    def build(self):
        for side, role in (("marketing", Role.MARKETING_LEADER), ("sales", Role.SALES_LEADER)):
            field = self.fields[f"{side}_signatory"]
            named = User.objects.filter(pk=self.version.signatory_id(side))
            field.queryset = (User.objects.active().holding(role) | named).order_by("name")
            field.empty_label = f"Any leader of {side}"

    def current(self):
        bands = [f"{band['name']} {words.percent(band['from_per_mille'])}" for band in self.version.benchmarks]
        return super().current() | {"benchmarks": bands}

    def clean_benchmarks(self):
        bands = []
        for line in self.cleaned_data["benchmarks"]:
            found = BAND.fullmatch(line)
            if not found or float(found[2]) > 100:
                raise forms.ValidationError(f"“{line}” is no band. Write a name and a share: good 25%.")
            bands.append({"name": found[1], "from_per_mille": round(float(found[2]) * 10)})
        if bands != sorted(bands, key=lambda band: band["from_per_mille"]):
            raise forms.ValidationError("Bands stand in order, the lowest first.")
        return bands

    def clean(self):
        given = self.cleaned_data
        if given.get("benchmarks") and not given.get("benchmark_source"):
            self.add_error("benchmark_source", "Name where these benchmarks come from.")
        if given.get("sales_signatory") and given["sales_signatory"] == given.get("marketing_signatory"):
            self.add_error("sales_signatory", "One person never signs for both sides.")


SECTIONS = {
    form.key: form
    for form in (Basics, DefinitionSection, Marketing, Sales, Target, Clocks, Escalation, Windows, Review)
}


def _definition_label(definition):
    state = "" if definition.proposed_at else ", draft"
    return f"v{definition.number}{state}{f': {definition.summary}' if definition.summary else ''}"


def _calendar_label(calendar):
    return f"{calendar.name}: {words.week(calendar.week, calendar.zone)}"

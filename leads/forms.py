"""What people type about a handoff; what is allowed is asked of the verbs, not here."""

import datetime as dt

from django import forms
from django.utils import timezone

from leads.models import Ruling, Touch
from leads.services.decide import Detail


class LocalDateTime(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


class ContactForm(forms.Form):
    """A contact attempt. `occurred_at` is local time in the organisation's zone; empty means now."""

    kind = forms.ChoiceField(label="How", choices=Touch.Kind.choices, initial=Touch.Kind.CALL)
    outcome = forms.ChoiceField(label="Outcome", choices=Touch.Outcome.choices, initial=Touch.Outcome.REACHED)
    occurred_at = forms.DateTimeField(
        label="When", required=False, widget=LocalDateTime(), help_text="empty means now"
    )
    note = forms.CharField(label="Note", required=False, max_length=2000)

    def facts(self):
        """Keyword arguments of `log_touch`."""
        return {name: self.cleaned_data[name] for name in ("kind", "outcome", "occurred_at", "note")}


class RejectForm(forms.Form):
    """A rejection: one reason code and what it asks; empty answers are for the verb to judge."""

    reason = forms.CharField(required=False, max_length=4)
    attribute = forms.CharField(required=False, max_length=60)
    recycle_on = forms.DateField(required=False, error_messages={"invalid": "Give the day as a date."})
    field = forms.CharField(required=False, max_length=60)
    signal = forms.CharField(required=False, max_length=60)
    duplicate_of = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    note = forms.CharField(required=False, max_length=2000)

    def facts(self):
        """Keyword arguments of `reject_handoff`."""
        given = self.cleaned_data
        detail = Detail(
            attribute=given["attribute"],
            recycle_on=given["recycle_on"],
            field=given["field"],
            signal=given["signal"],
            duplicate_of=given["duplicate_of"],
        )
        return {"reason": given["reason"], "detail": detail, "note": given["note"]}


class DisputeForm(forms.Form):
    """Marketing's objection; an empty one is for the verb to judge."""

    note = forms.CharField(required=False, max_length=2000)


class RulingForm(forms.Form):
    """A manager's ruling. `cleaned_data` are arguments of `rule_on_dispute`."""

    outcome = forms.ChoiceField(choices=Ruling.Outcome.choices)
    note = forms.CharField(required=False, max_length=2000)


def earliest_return(now):
    """The first day that may be given to come back on: tomorrow, a date in the organisation's zone."""
    return timezone.localdate(now) + dt.timedelta(days=1)

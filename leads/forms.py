"""What people type about a handoff; what is allowed is asked of the verbs, not here."""

import datetime as dt

from django import forms
from django.utils import timezone

from leads.models import Deal, Ruling, Touch
from leads.services.decide import Detail


class LocalDateTime(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


class LocalDate(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


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


class DealForm(forms.Form):
    """What is known of a deal. Days are of the organisation's zone; one that was not changed keeps its time of day."""

    outcome = forms.ChoiceField(
        label="Outcome", choices=Deal.Outcome.choices, error_messages={"required": "Say what became of the deal."}
    )
    amount = forms.DecimalField(label="Amount", required=False, max_digits=17, decimal_places=2)
    currency = forms.CharField(label="Currency", required=False, max_length=3)
    opened_on = forms.DateField(label="Opportunity since", required=False, widget=LocalDate())
    closed_on = forms.DateField(label="Closed on", required=False, widget=LocalDate())
    product = forms.CharField(label="Product", required=False, max_length=120)
    loss_reason = forms.CharField(label="Why it was lost", required=False, max_length=40)
    deal_id = forms.CharField(label="Deal ID", required=False, max_length=120)
    note = forms.CharField(label="Note", required=False, max_length=2000)
    days = {"opened_on": "opened_at", "closed_on": "closed_at"}

    def __init__(self, data=None, *, deal=None):
        self.deal = deal
        kept = ("outcome", "amount", "currency", "product", "loss_reason", "note")
        initial = {name: getattr(deal, name) for name in kept} if deal else {"outcome": ""}
        super().__init__(data, initial=initial | {day: self._day(name) for day, name in self.days.items()})
        if deal:
            del self.fields["deal_id"]
        else:
            known = [choice for choice in Deal.Outcome.choices if choice[0] != Deal.Outcome.VOID]
            self.fields["outcome"].choices = [("", "choose"), *known]

    def clean(self):
        given = super().clean()
        if given.get("outcome") in (Deal.Outcome.WON, Deal.Outcome.LOST) and not given.get("closed_on"):
            self.add_error("closed_on", "Say when it was closed. Nothing was saved.")
        return given

    def facts(self):
        """Keyword arguments of `record_deal` beside which deal it is."""
        names = ("outcome", "amount", "currency", "product", "loss_reason", "note")
        return {name: self.cleaned_data[name] for name in names} | {
            name: self._moment(self.cleaned_data[day], name) for day, name in self.days.items()
        }

    def _day(self, name):
        moment = getattr(self.deal, name, None)
        return moment and timezone.localdate(moment)

    def _moment(self, day, name):
        if day is None or day == self._day(name):
            return day and getattr(self.deal, name)
        return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def earliest_return(now):
    """The first day that may be given to come back on: tomorrow, a date in the organisation's zone."""
    return timezone.localdate(now) + dt.timedelta(days=1)

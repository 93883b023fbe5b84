"""What people type about one reason of a draft's catalogue."""

from django import forms

from sla.models import Category, ReasonCode


class ReasonForm(forms.Form):
    """The words of a reason and what it asks; its code and category are not for changing."""

    label = forms.CharField(label="Reason", max_length=80)
    meaning = forms.CharField(label="Both teams mean", max_length=400, widget=forms.Textarea(attrs={"rows": 2}))
    next_step = forms.ChoiceField(label="What happens next", choices=ReasonCode.NextStep.choices)
    recycle_days = forms.IntegerField(
        label="Comes back after", min_value=1, max_value=3650, required=False, help_text="days, where no day is given"
    )
    detail = forms.ChoiceField(label="Asks", choices=ReasonCode.Detail.choices, required=False)
    detail_default = forms.CharField(label="Answer where none is given", max_length=40, required=False)
    detail_required = forms.BooleanField(label="The answer is required", required=False)
    note_required = forms.BooleanField(label="A comment is required", required=False)
    unreachable = forms.BooleanField(label="Only after the agreed attempts", required=False)

    def __init__(self, data=None, *, reason=None):
        prefix = reason.code if reason else "new"
        initial = {name: getattr(reason, name) for name in self.base_fields} if reason else None
        super().__init__(data, initial=initial, auto_id=f"reason-{prefix}-%s", label_suffix="")

    def clean(self):
        if self.cleaned_data.get("detail_required") and not self.cleaned_data.get("detail"):
            self.add_error("detail", "Say what is asked, or do not require an answer.")


class NewReasonForm(ReasonForm):
    """A new reason: the category gives it its code."""

    field_order = ("category",)
    category = forms.ChoiceField(label="Category", choices=Category.choices)

"""What people send to a round: how to draw one, and what somebody saw in one of its deals."""

from django import forms

from leads.calibration.annotation import SIZE
from portal.accounts.models import User
from portal.accounts.permissions import May

MONTHS = (3, 6, 12, 24, 36)


class RoundForm(forms.Form):
    """A round to draw; numbers beyond what there is take all."""

    won = forms.IntegerField(label="Won deals", min_value=1, max_value=500, initial=SIZE)
    lost = forms.IntegerField(label="Lost deals", min_value=1, max_value=500, initial=SIZE)
    months = forms.TypedChoiceField(
        label="Qualified in the last", coerce=int, choices=[(n, f"{n} months") for n in MONTHS], initial=12
    )
    first = forms.ModelChoiceField(User.objects.none(), label="Who marks them", empty_label="choose")
    second = forms.ModelChoiceField(User.objects.none(), label="and who else", empty_label="choose")
    is_blind = forms.BooleanField(
        label="Without the outcome", required=False, initial=True,
        help_text="Who marks does not see whether it was won; leads that they hold themselves are left out.",
    )  # fmt: skip
    shows_score = forms.BooleanField(
        label="With the score", required=False, help_text="The rules that fired at the handoff, to say which mattered."
    )
    fitting = forms.CharField(
        label="Further questions of fit", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line, to be answered with yes, no or unknown. Readiness, size, industry, role and region are"
        " asked anyway.",
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        sales = User.objects.filter(is_active=True, roles__overlap=list(May.ANNOTATE.roles)).order_by("name")
        self.fields["first"].queryset = self.fields["second"].queryset = sales

    def arguments(self):
        """Keyword arguments of `start_round` beside the months."""
        given = self.cleaned_data
        return {
            **{name: given[name] for name in ("won", "lost", "is_blind", "shows_score")},
            "annotators": [given["first"], given["second"]],
            "fitting": given["fitting"].splitlines(),
        }

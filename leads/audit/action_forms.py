"""What people type about an action."""

from django import forms
from django.db.models import Max

from leads.audit.models import ActionRevision
from portal.accounts.models import Role, User
from sla.models import MQLDefinition, ReasonCode

OWNERS = (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.SALES_MANAGER, Role.ADMIN)


class Person(forms.ModelChoiceField):
    def label_from_instance(self, person):
        return person.name


class ActionForm(forms.Form):
    """An action: its cleaned data are the verbs' arguments."""

    text = forms.CharField(label="What is done", max_length=300, error_messages={"required": "Say what is done."})
    owner = Person(label="Owner", queryset=User.objects.none(), error_messages={"required": "Name its owner."})
    due_on = forms.DateField(
        label="Due", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Give the day it is due.", "invalid": "Give the day as a date."},
    )  # fmt: skip
    measure = forms.ChoiceField(label="Moves")
    expected = forms.DecimalField(
        label="Expected effect", min_value=0.1, max_value=100, max_digits=4, decimal_places=1,
        help_text="percentage points for the better",
        error_messages={"required": "Say how many points for the better you expect."},
    )  # fmt: skip
    definition = forms.ModelChoiceField(
        label="Draft definition", queryset=MQLDefinition.objects.none(), required=False, empty_label="none"
    )

    def __init__(self, *args, revision=None, **kwargs):
        super().__init__(*args, **kwargs)
        people = User.objects.active().filter(roles__overlap=list(OWNERS))
        drafts = MQLDefinition.objects.drafts()
        if revision:
            people = people | User.objects.filter(pk=revision.owner_id)
            drafts = drafts | MQLDefinition.objects.filter(pk=revision.definition_id)
        self.fields["owner"].queryset = people
        self.fields["definition"].queryset = drafts
        self.fields["measure"].choices = measures()


def measures():
    """[(measure, words)]: the rate, then every reason that any agreement named, by code and in its newest words."""
    newest = ReasonCode.objects.values("code").annotate(last=Max("pk")).values("last")
    reasons = ReasonCode.objects.filter(pk__in=newest).order_by("code").values_list("code", "label")
    return [
        (ActionRevision.RATE, "MQL to SQL, upwards"),
        *((code, f"{label}, its share downwards") for code, label in reasons),
    ]


class ClosingNote(forms.Form):
    """What was done; an empty one is for the verb to judge."""

    note = forms.CharField(required=False, max_length=300)
    seen = forms.IntegerField(min_value=1)

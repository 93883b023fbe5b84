"""What the import's pages send: a file, the matching of columns with its values and defaults, a document, a name."""

import json

from django import forms
from django.forms.fields import InvalidJSONInput
from django.utils import timezone

from leads.intake.imports import fields, values
from leads.intake.models import SavedMapping

AS_ATTRIBUTE, LEAVE_OUT = "attribute", ""


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Lead file (CSV)", help_text="Any delimiter, UTF-8 preferred; the heading in the first row."
    )
    saved = forms.ModelChoiceField(
        SavedMapping.objects.all(), required=False, label="Matching", empty_label="Propose one from the headings"
    )


class SaveForm(forms.Form):
    name = forms.CharField(max_length=80, label="Save this matching as")


class RenameForm(forms.Form):
    name = forms.CharField(max_length=80, label="Name")


class DeleteForm(forms.Form):
    confirm = forms.BooleanField(
        label="Delete it for everybody", error_messages={"required": "Tick this to confirm. Nothing was deleted."}
    )


class DocumentField(forms.JSONField):
    """JSON that the database can keep: no number of thousands of digits, no NUL, no half of a character, no abyss."""

    def to_python(self, value):
        try:
            found = super().to_python(value)
            kept = "\\u0000" not in json.dumps(found) and json.dumps(found, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            kept = False
        if not kept:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value})
        return found

    def bound_data(self, data, initial):
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)


class DocumentForm(forms.Form):
    saved = forms.ModelChoiceField(
        SavedMapping.objects.all(), required=False, label="Use a saved matching", empty_label="choose"
    )
    document = DocumentField(
        required=False, label="The mapping as a document", widget=forms.Textarea(attrs={"rows": 12})
    )

    def clean(self):
        data = super().clean()
        if data.get("saved"):
            data["document"] = data["saved"].document
        if not self.errors and not data.get("document"):
            raise forms.ValidationError("Choose a saved matching, or write the document.")
        return data


class DefaultsForm(forms.Form):
    """What stands where the file says nothing: in an empty cell, or in every row of a field without a column."""

    prefix = "default"
    qualified_at = forms.DateField(
        required=False,
        label="Became an MQL on",
        help_text="For history. Needed where no column tells it.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    source = forms.CharField(required=False, label="Source", max_length=fields.FIELDS["source"].longest)
    campaign = forms.CharField(required=False, label="Campaign", max_length=fields.FIELDS["campaign"].longest)
    channel = forms.CharField(required=False, label="Channel", max_length=fields.FIELDS["channel"].longest)
    owner = forms.CharField(required=False, label="Owner", max_length=200, help_text="E-mail or name.")
    decision = forms.ChoiceField(
        required=False, label="Decision", choices=[("", "Not decided"), *values.OURS["decision"]]
    )
    reason = forms.ChoiceField(required=False, label="Reason for rejection")

    def __init__(self, *args, reasons, columns=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.columns = columns
        self.fields["reason"].choices = [("", "None"), *((label, codes) for _, label, codes in reasons)]

    def clean_qualified_at(self):
        day = self.cleaned_data["qualified_at"]
        if day and day > timezone.localdate():
            raise forms.ValidationError("This day lies in the future; history has happened.")
        return day

    def clean(self):
        data = super().clean()
        rejects = data.get("decision") == "rejected"
        if rejects and not data.get("reason") and "reason" not in self.columns and "reason" not in self.errors:
            self.add_error("reason", "A rejection needs a reason code.")
        return data

    def document(self, before):
        """The document's defaults: those of this form, and whatever else `before` holds."""
        said = {name: value for name, value in self.cleaned_data.items() if value}
        if day := said.get("qualified_at"):
            said["qualified_at"] = day.isoformat()
        return {name: value for name, value in before.items() if name not in self.fields} | said


def document_of(post, profile, before, reasons):
    """The mapping document that the matching form tells of; what the form does not show of `before` is kept."""
    old = before.get("columns", {})
    known = {}
    for name, value in old.items():
        known.setdefault(profile.place(values.column_of(value)), []).append(name)
    chosen = _chosen(post, profile, known)
    columns, fresh = {}, []
    for name, place in chosen.items():
        here = known.get(place, [])
        columns[name] = old[name] if name in here else profile.header[place]
        if main_of(here) == name:  # fields beside the one that the page shows stay with their column
            columns |= {other: old[other] for other in here if other not in chosen}
        if name in values.CLOSED and post.get(f"values-of-{place}") == name:
            _translate(columns, name, post, place, takes_reason=name == "decision" and "reason" not in chosen)
        elif name in values.CLOSED and name not in here:
            fresh.append(name)
    columns = values.proposed(profile, columns, fresh, reasons)
    dates = {name: post.get(f"dates-{name}") for name in fields.MOMENTS if _same(name, columns, old)}
    dates = {name: pattern for name, pattern in dates.items() if pattern}
    return {**before, "columns": columns, "format": {**before.get("format", {}), "dates": dates}}


def main_of(names):
    """Of the fields that one column fills, the one that the page shows: the first of the table, so a decision
    before its reason."""
    order = [name for name in fields.FIELDS if name in names]
    return order[0] if order else min(names, default="")


def _chosen(post, profile, known):
    """{field: place} as the selects have it; a field goes to the first column that claims it."""
    chosen = {}
    for place, column in enumerate(profile.header):
        name = post.get(f"becomes-{place}", LEAVE_OUT)
        if name == AS_ATTRIBUTE:
            kept = (field for field in known.get(place, []) if field.startswith(fields.ATTRIBUTE))
            name = next(kept, fields.ATTRIBUTE + column)
        if name and fields.is_field(name):
            chosen.setdefault(name, place)
    return chosen


def _translate(columns, name, post, place, *, takes_reason):
    """Put the chosen words of one column into `columns`; a rejection's reason goes to the reason of that column."""
    column = values.column_of(columns[name])
    reason = columns.get("reason", "") if takes_reason else ""
    words, because = values.chosen(post, place, values.values_of(columns[name]), values.values_of(reason))
    columns[name] = values.written(column, words)
    if takes_reason:
        columns.pop("reason", None)
        if because:
            columns["reason"] = values.written(column, because)


def _same(name, columns, old):
    """True when a moment is read from the column it was read from before, so that its format still counts."""
    return name in columns and values.column_of(columns[name]) == values.column_of(old.get(name, columns[name]))

"""A lead's submissions in words, for who works the lead: the questions as that version asked them."""

import datetime as dt
from functools import lru_cache

from leads.intake.forms import content as form
from leads.intake.forms.models import FormVersion
from leads.views.answered import Answered
from sla.conditions import number

SHOWN = 3
# the lead's newest submissions as JSON: name of the form, number, id and fingerprint of the version, when, answers
SQL = f"""
    SELECT coalesce(json_agg(json_build_array(name, number, version_id, fingerprint, submitted_at, answers)), '[]')
    FROM (
    SELECT f.name, v.number, s.version_id, v.fingerprint, s.submitted_at, s.answers
    FROM forms_submission s JOIN forms_formversion v ON v.id = s.version_id JOIN forms_form f ON f.id = v.form_id
    WHERE s.lead_id = {{lead}} AND s.erased_at IS NULL
    ORDER BY s.submitted_at DESC, s.id DESC LIMIT {SHOWN}) newest
"""


def read(told):
    """[Answered] of what SQL read."""
    return [
        Answered(name, number_, dt.datetime.fromisoformat(at), in_words(published(version, fingerprint), kept))
        for name, number_, version, fingerprint, at, kept in told
    ]


def in_words(content, kept):
    """[(question, answer)] of kept answers, in the order in which the form asks."""
    return [
        (question.label, words(question, kept[question.key]))
        for question in content.questions
        if question.key in kept and question.type != form.HIDDEN
    ]


def words(question, value):
    """An answer as a person reads it."""
    if question.type == form.CONSENT:
        return "Yes"
    if isinstance(value, list):
        return ", ".join(words(question, each) for each in value)
    labels = {choice.value: choice.label for choice in question.choices}
    if question.type in (form.NUMBER, form.RANGE) and number(value) is not None:
        return f"{number(value):,}"
    return labels.get(value, value)


@lru_cache(maxsize=64)
def published(version_id, fingerprint):
    """The Content of a published version, which never changes: read once in a process."""
    return FormVersion.objects.published().get(pk=version_id).as_content()

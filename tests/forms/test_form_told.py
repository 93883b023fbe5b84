"""The rep sees the lead with what it answered, in the words of the version that asked, and the score."""

import pytest
from django.urls import reverse

from leads.intake.forms.services.build import FormSettings, change_settings
from leads.intake.forms.services.free import erase_answers
from leads.models import Handoff, Lead
from tests.form_cast import CONSENT, HOT


@pytest.fixture
def handed_over(agreement, publish, send, people):
    """A hot submission, in its owner's inbox."""
    send(publish(), HOT | {"how": "other", "contract_end": "2027-03", "more": "Line one.\nLine <b>two</b>."})
    return Handoff.objects.select_related("owner").get()


def signed_in(client, person):
    client.force_login(person)
    return client


def test_the_inbox_shows_the_answers_in_the_words_of_the_form(client, handed_over):
    html = signed_in(client, handed_over.owner).get(reverse("inbox_lead", args=[handed_over.pk])).content.decode()
    assert "What they answered" in html
    for question, answer in (
        ("People in the company", "200–5,000"),
        ("How do you plan maintenance today?", "Another maintenance system"),
        ("When does that contract end?", "2027-03"),
        ("Unplanned stops in a month", "12"),
        ("Anything else?", "Line one.<br>Line &lt;b&gt;two&lt;/b&gt;."),
        (CONSENT, "Yes"),
    ):
        assert f"<dt>{question}</dt><dd>{answer}</dd>" in html
    assert f"<b>{handed_over.total}</b><span>points</span>" in html
    assert "<dt>source</dt>" not in html


def test_the_page_of_the_handoff_shows_them_too(client, handed_over, people):
    html = signed_in(client, people.marketer).get(reverse("handoff", args=[handed_over.pk])).content.decode()
    assert "<dt>People in the company</dt><dd>200–5,000</dd>" in html


def test_the_newest_answers_stand_first_and_the_form_has_its_name_of_now(client, handed_over, send, people, now):
    version = handed_over.submissions.get().version
    settings = FormSettings("Stops, 2026")
    change_settings(form_id=version.form_id, settings=settings, by=people.marketer, at=now)
    send(version, HOT | {"stops": "99"}, token="t2")
    html = signed_in(client, handed_over.owner).get(reverse("inbox_lead", args=[handed_over.pk])).content.decode()
    assert html.index("<dd>99</dd>") < html.index("Before that") < html.index("<dd>12</dd>")
    assert "“Stops, 2026”, version 1" in html


def test_a_lead_without_a_form_has_no_such_part(client, open_lead):
    handoff = open_lead()
    html = signed_in(client, handoff.owner).get(reverse("inbox_lead", args=[handoff.pk])).content.decode()
    assert "What they answered" not in html


def test_an_erased_person_answered_nothing(client, handed_over, now):
    erase_answers(lead=Lead.objects.get(), mailboxes=[], at=now)
    html = signed_in(client, handed_over.owner).get(reverse("inbox_lead", args=[handed_over.pk])).content.decode()
    assert "What they answered" not in html

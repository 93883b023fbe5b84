"""The agreement on paper says what was signed, and is the same paper each time."""

import io

import pytest
from django.urls import reverse
from pypdf import PdfReader

from sla import paper
from sla.models import SLAVersion
from sla.starter import draft_version


def words(content):
    """The text of a PDF in one line of single spaces."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def test_the_paper_says_what_both_sides_agreed(agreement):
    said = words(paper.pdf(agreement))
    assert f"Agreement v{agreement.number}" in said
    assert agreement.fingerprint in said.replace(" ", "")
    for reason in agreement.reasons.filter(retired=False):
        assert reason.label in said
    for rule in agreement.definition.rules.all():
        assert rule.label in said
    assert "Linus Leader, marketing leader" in said
    assert "Sara Leader, sales leader" in said


def test_every_term_of_the_signed_content_has_its_place_on_the_paper(agreement):
    """A new term of the agreement has to be written on the paper too: this list is what content() holds today."""
    assert sorted(agreement.content()) == [
        "attempts_before_unreachable", "benchmarks", "bulk_limit", "calendar", "clock_basis", "commitments",
        "cool_off_seconds", "covers", "definition", "dispute_within_seconds", "effective_from", "escalation_steps",
        "number", "reasons", "recycle_within_seconds", "review_cadence", "signatories", "summary", "target", "touches",
        "undo_within_seconds",
    ]  # fmt: skip


def test_the_facts_that_a_complete_lead_has_are_named(people, now):
    version = draft_version(by=people.marketer, at=now)
    version.definition.required_facts = ["company", "employees"]
    assert "A complete lead has: company and company size." in words(paper.pdf(version))


def test_the_same_version_is_the_same_paper_to_the_byte(agreement):
    assert paper.pdf(agreement) == paper.pdf(SLAVersion.objects.get(pk=agreement.pk))


def test_it_is_tagged_for_screen_readers_and_names_its_language(agreement):
    root = PdfReader(io.BytesIO(paper.pdf(agreement))).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].lower().startswith("en")


def test_a_draft_on_paper_has_open_places_for_signatures(people, now):
    version = draft_version(by=people.marketer, at=now)
    said = words(paper.pdf(version))
    assert said.count("not signed") == 2
    assert "SHA-256)" not in said


def test_words_of_people_are_printed_and_not_run(people, now):
    version = draft_version(by=people.marketer, at=now, summary='#panic("no") *star* $x$ \\ "quote" <label>')
    assert '#panic("no") *star* $x$' in words(paper.pdf(version)).replace("“", '"').replace("”", '"')


def test_the_page_gives_the_paper_as_a_file(client, agreement, people):
    client.force_login(people.rep)
    response = client.get(reverse("agreement_pdf", args=[agreement.number]))
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    assert reverse("agreement_pdf", args=[agreement.number]) in client.get(reverse("agreement")).text


@pytest.mark.django_db
def test_there_is_no_paper_of_a_version_that_is_not_there(client, people):
    client.force_login(people.rep)
    assert client.get(reverse("agreement_pdf", args=[99])).status_code == 404

"""The audit on paper: an open month is a draft as of an instant, a closed one its frozen record and nothing else."""

import datetime as dt
import io
import re

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from leads import figures
from leads.audit import closing as verbs
from leads.audit import paper
from leads.audit.actions import add_action
from leads.audit.asked import Asked
from leads.audit.closing import close_audit, sign_audit
from leads.audit.models import Closing
from leads.figures import Month
from leads.periods import Span
from portal.shared import charts
from portal.shared.paper import chart
from tests import cast, kept
from tests.history import random_cases, write

UTC = dt.UTC
MARCH = Month(dt.date(2026, 3, 1))
AT = dt.datetime(2026, 4, 12, 8, tzinfo=UTC)


def zone():
    return timezone.get_default_timezone()


@pytest.fixture
def past(agreement, people):
    owners = [people.rep, people.south_rep]
    start, end = dt.datetime(2026, 1, 20, tzinfo=UTC), dt.datetime(2026, 4, 10, tzinfo=UTC)
    cases = random_cases(300, seed=5, version=agreement, owners=owners, start=start, end=end)
    return kept.once(
        lambda: write(agreement, cases), "past of the paper", agreement.pk, people.rep.pk, empty="leads_lead"
    )


def month_pdf(person, *, at=AT, basis=figures.PERIOD):
    return paper.month_pdf(Asked(MARCH, basis, "source", at, zone(), person))


def pages(content):
    return PdfReader(io.BytesIO(content)).pages


def words(content):
    """The text of a PDF in one line of single spaces."""
    return " ".join(" ".join(page.extract_text() for page in pages(content)).split())


@pytest.mark.parametrize("basis", figures.BASES)
def test_an_open_month_is_a_draft_with_its_figures_as_of_an_instant(past, people, basis):
    said = words(month_pdf(people.sales_leader, basis=basis))
    (month,) = figures.series(MARCH, 1, basis=basis, as_of=AT, zone=zone())
    counts = month.counts
    assert "Draft: this month is not closed, and its figures may still move." in said
    assert "As of Sunday 12 April 2026, 10:00, Europe/Berlin." in said
    assert f"{counts.sqls}" in said
    assert f"{counts.mqls}" in said
    for reason in month.reasons:
        assert re.search(rf"{re.escape(reason.label)} {reason.n} {100 * reason.share:.1f}%", said), reason
    for row in figures.slices(MARCH, "source", basis=basis, as_of=AT, zone=zone()).rows:
        numbers = (row.counts.mqls, row.counts.sqls, row.counts.rejected, row.counts.undecided, row.counts.withdrawn)
        assert f"{row.label or 'none'} {' '.join(map(str, numbers))}" in said
    assert "Fingerprint" not in said


def test_the_draft_has_every_part_of_the_page(past, people):
    add_action(
        month=MARCH, text="Cap the guides", owner=people.marketer, due_on=dt.date(2026, 4, 1), measure="rate",
        expected=2, by=people.sales_leader, at=AT,
    )  # fmt: skip
    said = words(month_pdf(people.sales_leader))
    for part in (
        "Result", "Left out of some figures", "op reason", "What the top reason", "Rejected leads by reason",
        "with control limits", "Reason by source",
        "Breakdown by source", "Speed to first contact", "Still without a contact", "disputed",
        "Joint target attained", "Both sides’ promises", "Cap the guides", "Flags on the rejections",
    ):  # fmt: skip
        assert part in said, part


def test_the_same_question_is_the_same_paper_to_the_byte(past, people):
    assert month_pdf(people.sales_leader) == month_pdf(people.sales_leader)
    assert month_pdf(people.sales_leader) != month_pdf(people.sales_leader, at=AT + dt.timedelta(minutes=1))


def test_it_is_tagged_for_screen_readers_and_each_chart_says_what_it_shows(past, people):
    content = month_pdf(people.sales_leader)
    root = PdfReader(io.BytesIO(content)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].lower().startswith("en")
    assert sum("/Alt" in str(element) for element in _structure(root["/StructTreeRoot"])) >= 6


def _structure(element, depth=0):
    """Every structure element below one, as its keys."""
    kids = element.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        found = kid.get_object() if hasattr(kid, "get_object") else kid
        if isinstance(found, dict):
            yield list(found.keys())
            yield from _structure(found, depth + 1)


def test_charts_are_drawn_not_pictured(past, people):
    assert not [image for page in pages(month_pdf(people.sales_leader)) for image in page.images]


def test_a_chart_on_paper_stands_by_itself():
    months = [charts.MonthReasons(dt.date(2026, m, 1), {"fit": 3, "data": 2}) for m in (1, 2)]
    drawn = chart(charts.reasons_by_month(months, label="A & B", href=lambda *_: "/leads/?a=1&b=2"), 400)
    assert drawn["alt"] == "A & B"
    assert drawn["svg"].startswith('<svg xmlns="http://www.w3.org/2000/svg" width="400"')
    assert not re.search(r'"[\d.]+%"', drawn["svg"]), "a percentage has nothing to be a part of"
    assert "var(--" not in drawn["svg"]


@pytest.fixture
def closed(past, people):
    return close_audit(month=MARCH, by=people.sales_leader, at=AT, zone=zone())


def sign(closing, people):
    for party, person in (("marketing", people.marketing_leader), ("sales", people.sales_leader)):
        sign_audit(closing_id=closing.pk, party=party, fingerprint=closing.fingerprint, by=person, at=AT)


def test_a_closed_month_is_printed_from_its_frozen_record_with_fingerprint_and_signatures(closed, people):
    assert words(month_pdf(people.marketer)).count("not signed") == 2
    sign(closed, people)
    said = words(month_pdf(people.marketer))
    kept = verbs.read(closed)
    assert "Draft" not in said
    assert (
        "Closed on Sunday 12 April 2026, 10:00, Europe/Berlin, and frozen. In force in this month: agreement v1."
        in said
    )
    assert closed.fingerprint in said.replace(" ", "")
    assert "Linus Leader, marketing leader. Sunday 12 April 2026, 10:00" in said
    assert "Sara Leader, sales leader." in said
    for basis in figures.BASES:
        for reason in kept["bases"][basis]["reasons"]:
            share = 100 * float(reason["share"])
            assert re.search(rf"{reason['label']} {reason['n']} {share:.1f}%", said), reason
    for by, rows in kept["breakdowns"]["period"].items():
        assert f"The same figures by {by}" in said
        for row in rows:
            assert f"{row['key'] or 'none'} {row['mqls']} {row['undecided']} {row['sqls']} " in said, row


def test_a_closed_month_has_the_parts_and_charts_of_its_page_out_of_the_record(closed, agreement, people):
    write(agreement, [{"qualified_at": dt.datetime(2026, 3, 9, 9, tzinfo=UTC), "source": "Brand new"}] * 20)
    content = month_pdf(people.sales_leader)
    said = words(content)
    for part in (
        "Rejected leads by reason", "with control limits", "Reason by source", "Still without a contact",
        "Joint target attained", "Both sides’ promises", "Flags on the rejections",
    ):  # fmt: skip
        assert part in said, part
    assert "Brand new" not in said
    assert not [image for page in pages(content) for image in page.images]
    root = PdfReader(io.BytesIO(content)).trailer["/Root"]
    assert sum("/Alt" in str(element) for element in _structure(root["/StructTreeRoot"])) >= 6


def test_whatever_happens_after_closing_the_paper_stays_the_same_to_the_byte(closed, agreement, people):
    sign(closed, people)
    before = month_pdf(people.sales_leader)
    at = dt.datetime(2026, 3, 9, 9, tzinfo=UTC)
    write(agreement, [{"qualified_at": at, "decided_at": at, "source": "Webinar"}] * 20)
    cast.agreement(at=dt.datetime(2026, 5, 1, tzinfo=UTC))
    later = AT + dt.timedelta(days=90)
    assert month_pdf(people.marketer, at=later, basis=figures.COHORT) == before
    with override_settings(TIME_ZONE="Europe/Berlin"):
        assert month_pdf(people.sales_leader, at=later) == before


def test_the_first_audit_closed_after_another_names_its_fingerprint(closed, people):
    second = close_audit(month=MARCH.plus(-1), by=people.sales_leader, at=AT, zone=zone())
    content = paper.month_pdf(Asked(MARCH.plus(-1), "period", "source", AT, zone(), people.marketer))
    said = words(content)
    assert "of the audit of March 2026, closed before" in said
    assert {closed.fingerprint, second.fingerprint} <= set(re.findall(r"[0-9a-f]{64}", said))


def test_the_review_of_some_days_is_printed_with_its_agenda(past, people):
    span = Span(dt.date(2026, 3, 16), 14)
    content = paper.review_pdf(Asked(span, "period", "source", AT, zone(), people.sales_leader))
    said = words(content)
    assert "Conversion review 16 to 29 March 2026" in said
    for part in (
        "Agenda",
        "Noise: no need to explain it",
        "From 16 to 29 March sales accepted",
        "Rejected leads by reason",
        "on the rejections from 16 to 29 March",
        "No change proposed: these rejections have no stored score.",
        "Both sides’ promises",
        "Promised for the whole month",
        "March 2026",
    ):
        assert part in said, part
    assert "Joint target attained" not in said


def test_a_manager_prints_what_the_page_shows_them(past, people):
    said = words(month_pdf(people.manager))
    assert "You see only the leads that you or your team hold." in said
    assert "Suna Rep" not in said


def test_words_of_people_are_printed_and_not_run(agreement, people):
    at = dt.datetime(2026, 3, 9, 9, tzinfo=UTC)
    write(agreement, [{"qualified_at": at, "decided_at": at, "source": '#panic("no") *star* $x$ <label>'}])
    assert "*star* $x$ <label>" in words(month_pdf(people.sales_leader))


def test_the_pages_give_the_papers_as_files(client, past, people):
    client.force_login(people.marketer)
    address = reverse("audit_pdf", args=["2026-03"])
    assert address in client.get(reverse("audit", args=["2026-03"])).text
    answer = client.get(address)
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert Closing.objects.count() == 0
    address = reverse("audit_review_pdf", args=["2026-03-16--2026-03-29"])
    assert address in client.get(reverse("audit_review"), {"days": 14, "until": "2026-03-29"}).text
    assert client.get(address).content.startswith(b"%PDF-")


@pytest.mark.parametrize("address", ["/audit/2026-13/audit.pdf", "/audit/2226-01/audit.pdf", "/audit/x/review.pdf"])
def test_there_is_no_paper_of_a_month_that_is_none(client, agreement, people, address):
    client.force_login(people.marketer)
    assert client.get(address).status_code == 404


def test_a_rep_gets_no_audit_on_paper(client, agreement, people):
    client.force_login(people.rep)
    for address in ("/audit/2026-03/audit.pdf", "/audit/2026-03-16--2026-03-29/review.pdf"):
        assert client.get(address).status_code == 403

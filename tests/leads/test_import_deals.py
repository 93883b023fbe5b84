"""Deals by import: with history, with leads of now, or alone for leads that exist; the same file changes nothing."""

from collections import Counter
from decimal import Decimal

import pytest
from django.utils import timezone

from leads.intake.imports.problems import MappingRefused
from leads.intake.imports.propose import propose
from leads.models import Deal, Decision, Handoff, Lead
from leads.services.deal import record_deal
from tests.leads.test_edtech import imported, run  # noqa: F401 (a fixture)
from tests.leads.test_import import codes
from tests.leads.test_import import run as run_text  # noqa: F401 (a fixture)

HEAD = "id,mql,outcome,opened,closed,amount,currency,loss,deal\n"
ALONE = {"external_id": "id", "outcome": "outcome", "opened_at": "opened", "closed_at": "closed", "amount": "amount",
         "currency": "currency", "loss_reason": "loss"}  # fmt: skip
PAST = ALONE | {"qualified_at": "mql"}


@pytest.fixture
def bring(run_text, agreement):  # noqa: F811
    def bring(rows, columns=PAST, **options):
        return run_text(HEAD + rows, columns, **options)

    return bring


def standing():
    deals = Deal.objects.standing().select_related("lead").order_by("lead__external_id", "id")
    return [(d.lead.external_id, d.outcome, d.amount, d.currency, d.loss_reason) for d in deals]


def told(report):
    return next(note for note in report.notes if note.startswith("Deals"))


def test_history_brings_handoffs_with_their_deals_and_keeps_no_deal_in_the_attributes(bring):
    report = bring(
        "1,2024-05-06,won,2024-05-10,2024-06-01,1200.5,usd,,\n2,2024-05-06,Lost,,2024-06-02,,,Bad timing,\n"
        "3,2024-05-06,open,2024-05-09,2024-06-01,50,,,\n4,2024-05-06,,,,,,,\n"
    )
    assert (report.created, told(report)) == (4, "Deals: 3 recorded, 0 corrected.")
    assert standing() == [
        ("1", "won", Decimal("1200.50"), "USD", ""), ("2", "lost", None, "", "bad_timing"),
        ("3", "open", Decimal("50.00"), "EUR", ""),
    ]  # fmt: skip
    won, _, still_open = Deal.objects.order_by("lead__external_id")
    assert (won.handoff.qualified_at < won.opened_at, won.via, still_open.closed_at) == (True, "import", None)
    assert (won.handoff.status, still_open.handoff.status) == ("accepted", "open")
    assert all(lead.attributes == {} for lead in Lead.objects.all())


@pytest.mark.parametrize("columns", [PAST, ALONE])
@pytest.mark.parametrize("historical", [True, False])
def test_the_same_file_again_changes_nothing(bring, columns, historical):
    rows = "1,2024-05-06,won,,2024-06-01,1200.5,,,\n2,2024-05-06,lost,,2024-06-02,7,,price,\n2,2024-05-06,open,,,,,,\n"
    bring(rows, columns, historical=historical)
    before = list(Deal.objects.values_list())
    again = bring(rows, columns, historical=historical)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    assert told(again) == "Deals: 0 recorded, 0 corrected."
    assert list(Deal.objects.values_list()) == before


@pytest.mark.parametrize("historical", [True, False])
def test_a_file_of_outcomes_alone_finds_the_handoffs_of_leads_that_exist(bring, historical):
    rows = "1,2024-05-06,,,,,,accepted,\n1,2024-09-06,,,,,,,\n2,2024-05-06,,,,,,,\n"
    bring(rows, {"external_id": "id", "qualified_at": "mql", "decision": "loss"})
    outcomes = "1,,won,,2024-07-01,10,,,\n2,,lost,,2024-05-06,,,price,\n9,,won,,2024-05-06,3,,,\n"
    report = bring(outcomes, ALONE, historical=historical)
    assert (report.created, report.updated, report.refused) == (1, 2, 0)
    found = {
        d.lead.external_id: d.handoff and str(timezone.localdate(d.handoff.qualified_at)) for d in Deal.objects.all()
    }
    assert found == {"1": "2024-05-06", "2": "2024-05-06", "9": None}
    assert (Handoff.objects.count(), Decision.objects.count()) == (3, 1)


def test_a_later_file_corrects_and_an_empty_cell_overwrites_nothing(bring):
    bring("1,2024-05-06,open,2024-05-10,,900,,,\n")
    report = bring("1,2024-05-06,won,,2024-06-01,,,,\n")
    assert (report.updated, told(report)) == (1, "Deals: 0 recorded, 1 corrected.")
    deal = Deal.objects.standing().get()
    assert (deal.amount, deal.opened_at is not None, deal.supersedes.outcome) == (Decimal(900), True, "open")


def test_what_a_person_corrected_is_not_undone_by_the_same_file(bring, people):
    rows = "1,2024-05-06,won,,2024-06-01,900,,,\n"
    bring(rows)
    first = Deal.objects.get()
    record_deal(corrects=first.pk, outcome="lost", loss_reason="price", by=people.admin, at=timezone.now())
    assert told(bring(rows)) == "Deals: 0 recorded, 0 corrected."
    assert Deal.objects.standing().get().outcome == "lost"
    assert told(bring("1,2024-05-06,won,,2024-06-03,950,,,\n")) == "Deals: 0 recorded, 1 corrected."


def test_a_deal_of_a_lead_without_a_handoff_gets_the_one_that_comes_later(bring):
    bring("1,,won,,2024-06-01,5,,,\n", ALONE)
    assert Deal.objects.get().handoff is None
    bring("1,2024-05-06,won,,2024-06-01,5,,,\n")
    assert Deal.objects.standing().get().handoff == Handoff.objects.get()


def test_deals_with_outside_ids_are_told_apart(bring):
    columns = PAST | {"deal_id": "deal"}
    rows = "1,2024-05-06,won,,2024-06-01,5,,,D1\n1,2024-05-06,lost,,2024-06-01,6,,,D2\n"
    bring(rows, columns)
    assert told(bring(rows, columns)) == "Deals: 0 recorded, 0 corrected."
    assert sorted(Deal.objects.standing().values_list("external_id", "outcome")) == [("D1", "won"), ("D2", "lost")]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("1,2024-05-06,perhaps,,,,,,", "bad_outcome"),
        ("1,2024-05-06,won,,,1k,,,", "bad_amount"),
        ("1,2024-05-06,won,,,1,Euro,,", "bad_currency"),
        ("1,2024-05-06,won,2024-06-02,2024-06-01,,,,", "deal_dates"),
        ("1,2024-05-06,won,,2999-06-01,,,,", "time_in_the_future"),
        ("1,,,,,,,,", "qualified_at_required"),
    ],
)
def test_a_bad_deal_refuses_its_row_and_no_other(bring, row, code):
    report = bring(f"{row}\n5,2024-05-06,won,,,,,,\n")
    assert codes(report) == [(2, code)]
    assert standing() == [("5", "won", None, "", "")]


def test_who_has_a_deal_is_not_handed_to_sales_by_the_same_file(run_text, agreement, people):  # noqa: F811
    columns = {"external_id": "id", "title": "title", "source": "source", "outcome": "outcome"}
    head, hot = "id,title,source,outcome\n", "Director,Demo request"
    run_text(f"{head}1,{hot},won\n2,{hot},\n", columns, historical=False)
    assert [h.lead.external_id for h in Handoff.objects.all()] == ["2"]
    run_text(f"{head}3,Clerk,Guide,\n", columns, historical=False)
    run_text(f"{head}3,{hot},open\n", columns, historical=False)
    assert Handoff.objects.count() == 1
    assert Deal.objects.standing().count() == 2


def test_an_amount_without_an_outcome_is_refused_and_not_proposed(bring):
    with pytest.raises(MappingRefused):
        bring("1,2024-05-06,,,,5,,,\n", {"external_id": "id", "qualified_at": "mql", "amount": "amount"})
    assert "amount" not in propose(["Record ID", "Amount", "Close Date"])
    assert propose(["Record ID", "Deal Stage", "Amount", "Close Date"])["closed_at"] == "Close Date"


def test_a_file_of_thousands_is_recorded_as_a_small_one(bring):
    rows = "".join(f"{n},2024-05-06,{'won' if n % 3 else 'lost'},,2024-06-01,{n},,,\n" for n in range(3_000))
    assert told(bring(rows)) == "Deals: 3,000 recorded, 0 corrected."
    assert told(bring(rows)) == "Deals: 0 recorded, 0 corrected."
    assert Deal.objects.exclude(handoff=None).count() == 3_000


def test_the_ed_tech_funnel_won_what_it_won(imported, tmp_path):  # noqa: F811
    figures = imported[2]
    assert Deal.objects.standing().filter(outcome="won").count() == figures["overall"]["won"] == 64
    by_source = Counter(Deal.objects.standing().values_list("handoff__source", flat=True))
    assert dict(by_source) == {name: row["won"] for name, row in figures["by_source"].items()}
    again = run(imported[0], tmp_path)
    assert (again.unchanged, Deal.objects.count()) == (360, 64)

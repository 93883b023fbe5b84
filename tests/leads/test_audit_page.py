"""The audit's page, and that each of its figures leads to exactly the leads it counts."""

import datetime as dt
import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import get_default_timezone

from leads import figures
from leads.views import leads as leads_view
from sla.models import ReasonCode
from tests import kept
from tests.history import random_cases, write

UTC = dt.UTC
FIGURE = re.compile(r'<a class="figure" href="([^"]+)">([\d,]+)</a>')
CELL = re.compile(r'<td data-heat="\d"[^>]*><a href="([^"]+)"[^>]*>([\d,]+)</a>')
SEGMENT = re.compile(r'<a href="([^"]+)" aria-label="[^"]*: ([\d,]+) leads?">')


@pytest.fixture
def sign_in(people):
    def client(who):
        browser = Client()
        browser.force_login(getattr(people, who))
        return browser

    return client


@pytest.fixture
def past(agreement, people):
    """The first five months of 2026, with every kind of handoff."""
    owners = [people.rep, people.south_rep]
    cases = random_cases(
        250, seed=3, version=agreement, owners=owners,
        start=dt.datetime(2026, 1, 5, tzinfo=UTC), end=dt.datetime(2026, 6, 1, tzinfo=UTC),
    )  # fmt: skip
    return kept.once(
        lambda: write(agreement, cases), "past of the audit", agreement.pk, people.rep.pk, empty="leads_lead"
    )


def page(browser, address="/audit/2026-03/"):
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def listed(browser, address):
    """How many leads the list behind `address` holds, following its pages."""
    n, seen = 0, set()
    while address:
        answer = browser.get(html.unescape(address))
        ids = [row.pk for row in answer.context["handoffs"]]
        assert not seen & set(ids)
        seen |= set(ids)
        n += len(ids)
        address = answer.context["next_url"] and f"/leads/{answer.context['next_url']}"
    assert answer.context["count"] == n
    return n


@pytest.mark.parametrize("basis", figures.BASES)
@pytest.mark.parametrize("by", ["source", "owner", "tier"])
def test_each_figure_on_the_page_opens_exactly_the_leads_it_counts(past, sign_in, basis, by, monkeypatch):
    monkeypatch.setattr(leads_view, "PAGE", 20)
    browser = sign_in("marketer")
    text = page(browser, f"/audit/2026-03/?basis={basis}&by={by}")
    links = set(FIGURE.findall(text) + CELL.findall(text) + SEGMENT.findall(text))
    assert len(links) > 60
    for address, number in sorted(links)[:: 1 if by == "source" else 3]:
        assert listed(browser, address) == int(number.replace(",", "")), address


def test_a_heat_cell_opens_its_leads_without_leaving_the_page(past, sign_in):
    browser = sign_in("marketer")
    address, number = CELL.search(page(browser)).groups()
    answer = browser.get(html.unescape(address), headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert "<html" not in text
    assert "HX-Request" in answer["Vary"]
    assert f"Open the list of {number} lead" in text
    assert text.count('<tr><th scope="row">') == min(int(number), leads_view.DRILL)


@pytest.mark.parametrize(
    "address", ["/audit/2026-03/", "/audit/2026-03/?by=owner&basis=cohort", "/leads/?status=rejected"]
)
def test_the_page_asks_as_many_questions_for_two_thousand_leads_as_for_fifty(agreement, people, sign_in, address):
    browser = sign_in("marketer")
    begin, end = dt.datetime(2026, 2, 1, tzinfo=UTC), dt.datetime(2026, 4, 20, tzinfo=UTC)

    def asked(n, seed):
        write(agreement, random_cases(n, seed=seed, version=agreement, owners=[people.rep], start=begin, end=end))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(browser, address)
        return len(queries)

    few, many = asked(60, 1), asked(1940, 2)
    assert few == many
    assert many <= 8


def test_the_latest_audit_is_the_last_full_month_with_data(agreement, sign_in):
    this_month = figures.Month.of(dt.datetime.now(UTC), get_default_timezone())
    march = dt.datetime(2026, 3, 10, tzinfo=UTC)
    write(agreement, [{"qualified_at": march, "decided_at": march + dt.timedelta(days=30)}])
    browser = sign_in("marketer")
    assert browser.get("/audit/")["Location"] == "/audit/2026-04/", "a decision is data too"
    write(agreement, [{"qualified_at": this_month.begins(get_default_timezone())}])
    assert browser.get("/audit/")["Location"] == "/audit/2026-04/", "this month is not over"


def test_the_month_picker_keeps_the_basis(past, sign_in):
    answer = sign_in("marketer").get("/audit/?month=2026-02&basis=cohort&by=tier")
    assert answer["Location"] == "/audit/2026-02/?basis=cohort&by=tier"


def test_before_the_first_lead_the_page_says_that_there_is_nothing_to_audit(agreement, sign_in):
    assert "nothing to audit yet" in page(sign_in("marketer"), "/audit/")


def test_a_month_without_mqls_shows_no_rate_instead_of_zero(agreement, sign_in):
    text = page(sign_in("marketer"))
    assert "In March marketing delivered no MQLs" in text
    assert "0.0%" not in text


def test_few_mqls_are_grey_and_not_ranked(agreement, sign_in):
    at = dt.datetime(2026, 3, 10, tzinfo=UTC)
    write(agreement, [{"qualified_at": at, "decided_at": at}] * 10 + [{"qualified_at": at}] * 25)
    text = page(sign_in("marketer"))
    assert 'b class="is-few">28.6%' in text
    assert "too few MQLs to rank" in text


def test_more_acceptances_than_mqls_are_explained(agreement, sign_in):
    earlier, at = dt.datetime(2026, 2, 20, tzinfo=UTC), dt.datetime(2026, 3, 4, tzinfo=UTC)
    write(agreement, [{"qualified_at": earlier, "decided_at": at}] * 3 + [{"qualified_at": at}])
    text = page(sign_in("marketer"))
    assert "More leads were accepted in March than were delivered in that time" in text


def test_two_reasons_that_cannot_be_told_apart_are_two_candidates(agreement, sign_in):
    at = dt.datetime(2026, 3, 10, tzinfo=UTC)
    code = {r.code: r for r in ReasonCode.objects.filter(version=agreement)}
    rejected = [code["11"]] * 12 + [code["21"]] * 11
    write(agreement, [{"qualified_at": at, "decided_at": at, "reason": reason} for reason in rejected])
    assert "Two candidates: Company too small and No budget this year" in page(sign_in("marketer"))


def test_the_change_says_noise_or_real(agreement, sign_in):
    def cases(month, accepted, n):
        at = dt.datetime(2026, month, 10, tzinfo=UTC)
        return [{"qualified_at": at, "decided_at": at}] * accepted + [{"qualified_at": at}] * (n - accepted)

    write(agreement, cases(1, 40, 200) + cases(2, 45, 200) + cases(3, 90, 200))
    browser = sign_in("marketer")
    assert "up 2.5 points on January: within noise." in page(browser, "/audit/2026-02/")
    assert "up 22.5 points on February: a real change." in page(browser, "/audit/2026-03/")


def test_a_month_that_is_not_over_is_not_compared(agreement, sign_in):
    zone = get_default_timezone()
    this_month = figures.Month.of(dt.datetime.now(UTC), zone)
    at, before = this_month.begins(zone), this_month.plus(-1).begins(zone)
    write(agreement, [{"qualified_at": before, "decided_at": before}] * 80 + [{"qualified_at": at}] * 80)
    text = page(sign_in("marketer"), f"/audit/{this_month}/")
    assert "So far in" in text
    assert "before the month is over" in text
    assert "a real change" not in text


NOWHERE = [
    "/audit/2026-13/",
    "/audit/soon/",
    "/audit/2226-01/",
    "/audit/2026-03/?by=age",
    "/audit/2026-03/?basis=best",
    "/leads/?status=won",
    "/leads/?owner=me",
    "/leads/?qualified_month=May",
    "/leads/?qualified_month=9999-12",
    "/deals/?closed_month=9999-12",
    "/audit/9999-12/breaches/",
    "/leads/?after=x",
]


@pytest.mark.parametrize("address", NOWHERE)
def test_an_address_that_names_nothing_is_not_found(agreement, sign_in, address):
    assert sign_in("marketer").get(address).status_code == 404


@pytest.mark.parametrize(
    ("who", "audit", "leads"),
    [("rep", 403, 200), ("manager", 200, 200), ("marketer", 200, 200), ("marketing_leader", 200, 200),
     ("sales_leader", 200, 200), ("admin", 200, 200)],
)  # fmt: skip
def test_who_reads_the_audit_and_who_only_their_own_leads(past, sign_in, who, audit, leads):
    browser = sign_in(who)
    assert browser.get("/audit/2026-03/").status_code == audit
    assert browser.get("/leads/").status_code == leads


def test_a_rep_sees_only_their_own_leads(past, people, sign_in):
    browser = sign_in("rep")
    own = sum(row.owner_id == people.rep.pk for row in past)
    assert listed(browser, "/leads/") == own
    assert "You see only the leads that you or your team hold." in page(browser, "/leads/")
    theirs = next(row for row in past if row.owner_id == people.south_rep.pk)
    assert browser.get(f"/leads/{theirs.pk}/").status_code == 404


def test_a_long_list_is_counted_no_further_than_a_thousand(past, sign_in, monkeypatch):
    monkeypatch.setattr(leads_view, "COUNTED", 100)
    assert "100+" in page(sign_in("marketer"), "/leads/")


def test_what_a_lead_is_called_is_shown_and_never_run(agreement, sign_in):
    at = dt.datetime(2026, 3, 10, tzinfo=UTC)
    nasty = "<script>alert(1)</script>"
    reason = ReasonCode.objects.get(version=agreement, code="41")
    write(agreement, [{"qualified_at": at, "decided_at": at, "reason": reason, "source": nasty}])
    browser = sign_in("marketer")
    for address in ("/audit/2026-03/", "/audit/2026-03/?by=source", "/leads/"):
        assert nasty not in page(browser, address)
    (address, _), *_ = CELL.findall(page(browser))
    assert listed(browser, address) == 1


def test_a_handoff_tells_its_score_and_its_history(open_lead, people, sign_in, now):
    from leads.services.decide import reject_handoff

    lead = open_lead()
    reject_handoff(handoff_id=lead.pk, by=people.rep, at=now, reason="41", note="Attended for a study group.")
    text = page(sign_in("marketer"), f"/leads/{lead.pk}/")
    for words in ("Demo requested", "Rejected: Content-only interest by Rena Rep", "Attended for a study group."):
        assert words in text

"""Disputes in the audit, recounted from the raw rows; and the rate with and without those still open."""

import datetime as dt
import html
import re
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from leads import figures, figures_disputes
from leads.figures import COHORT, PERIOD, Month
from leads.models import Dispute
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.dispute import dispute_rejection, rule_on_dispute

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
OCTOBER = Month(dt.date(2026, 10, 1))
FIGURE = re.compile(r'<a class="figure" href="([^"]+)">([\d,]+)</a>')


@pytest.fixture
def disputed(open_lead, people, now):
    """Six rejections, of which five are disputed: upheld, overturned, taken back, and two that wait; an acceptance."""
    sales = people.manager
    for i, (reason, end) in enumerate(
        [("11", "upheld"), ("12", "overturned"), ("11", "taken back"), ("11", ""), ("12", ""), ("11", None)]
    ):
        rep = people.other_rep if i == 3 else people.rep
        lead = open_lead(owner=rep)
        reject_handoff(handoff_id=lead.pk, by=rep, at=now + MINUTE, reason=reason)
        if end is not None:
            dispute = dispute_rejection(
                handoff_id=lead.pk, by=people.marketer, at=now + 2 * MINUTE, note="Look again."
            )
        if end in ("upheld", "overturned"):
            rule_on_dispute(dispute_id=dispute.pk, outcome=end, by=sales, at=now + DAY)
        if end == "taken back":
            reopen_handoff(handoff_id=lead.pk, by=rep, at=now + 3 * MINUTE)
    accepted = open_lead()
    accept_handoff(handoff_id=accepted.pk, by=people.rep, at=now + MINUTE)


def asked(as_of, basis=PERIOD):
    return figures_disputes.disputes(OCTOBER, basis=basis, as_of=as_of, zone=BERLIN)


def recount(as_of):
    """(state, code, rep) of each dispute, one row at a time."""
    for d in Dispute.objects.all():
        ruling = getattr(d, "ruling", None)
        later = getattr(d.decision, "superseded_by", None)
        state = "settled" if later and later.recorded_at <= as_of else "waiting"
        if ruling and ruling.ruled_at <= as_of:
            state = ruling.outcome
        yield state, d.decision.reason.code, d.decision.decided_by.name


@pytest.mark.parametrize("later", [dt.timedelta(hours=1), 5 * DAY], ids=["before the rulings", "after"])
def test_disputes_by_reason_and_rep_equal_a_recount_and_sum_to_all(disputed, now, later):
    rows, found = list(recount(now + later)), asked(now + later)
    assert found.all.counts == Counter(state for state, _, _ in rows)
    for each in found.reasons:
        assert each.counts == Counter(state for state, code, _ in rows if code == each.key)
    for each in found.reps:
        assert each.counts == Counter(state for state, _, rep in rows if rep == each.label)
    assert sum((e.counts for e in found.reasons), Counter()) == found.all.counts
    assert sum((e.counts for e in found.reps), Counter()) == found.all.counts
    assert found.all.opened == 5


def test_what_waits_for_a_ruling_is_counted_at_the_cut_off(disputed, now):
    assert (asked(now + 5 * DAY).open_now, asked(now + 5 * DAY, COHORT).open_mqls) == (2, 2)
    assert asked(now + dt.timedelta(minutes=1.5)).open_now == 0, "nothing was disputed yet"


def test_the_rate_without_open_disputes_leaves_their_leads_out(disputed, people, now):
    reader = Client()
    reader.force_login(people.marketer)
    part = reader.get("/audit/2026-10/disputes/?basis=cohort").context["part"]
    (month,) = figures.series(OCTOBER, 1, basis=COHORT, as_of=now + 5 * DAY, zone=BERLIN)
    assert (part.rate.value, part.rate.n) == (month.counts.sqls / month.counts.mqls, 7)
    assert (part.rate_without.value, part.rate_without.n) == (1 / 5, 5)


def test_each_number_opens_its_leads_and_the_audit_loads_the_part(disputed, people):
    reader = Client()
    reader.force_login(people.marketer)
    assert 'hx-get="/audit/2026-10/disputes/?basis=period"' in reader.get("/audit/2026-10/").content.decode()
    part = reader.get("/audit/2026-10/disputes/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<section class="section" id="disputes"')
    assert "Marketing disputed 5 rejections in October: 1 overturned" in part
    links = FIGURE.findall(part)
    states = ("any", "upheld", "overturned", "waiting", "settled")
    assert {state for state in states if any(f"disputed={state}" in address for address, _ in links)} == set(states)
    assert sum("rejected_by=" in address for address, _ in links) > 3 < sum("disputed_reason=" in a for a, _ in links)
    for address, number in links:
        assert reader.get(html.unescape(address)).context["count"] == int(number), address


@pytest.mark.parametrize("query", ["disputed=perhaps", "rejected_by=Rena", "answered_by=1", "contact_clock=ok",
                                   "disputed_month=October"])  # fmt: skip
def test_there_is_no_other_list_of_disputes_and_clocks(people, query):
    reader = Client()
    reader.force_login(people.marketer)
    assert reader.get(f"/leads/?{query}").status_code == 404


def test_a_month_without_disputes_says_so(agreement, people):
    reader = Client()
    reader.force_login(people.marketer)
    assert "Marketing disputed no rejection in October" in reader.get("/audit/2026-10/disputes/").content.decode()

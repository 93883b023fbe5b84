"""The promises over the days of a review: clocks of their own leads, and the month's numbers of the whole month."""

import csv
import datetime as dt
import html
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import get_default_timezone

from leads.audit import paper
from leads.audit.asked import Asked
from leads.audit.by_month import EXCUSED, OPEN, by_month
from leads.audit.closing import close_audit
from leads.audit.excuses import answer_excuses, propose_commitment
from leads.audit.models import Excuse
from leads.audit.promises import kept_in_words
from leads.audit.scorecard import BREACHED, by_person, scorecard
from leads.figures import Month
from leads.models import Touch
from leads.periods import Span
from leads.services.decide import accept_handoff
from leads.services.sweep import sweep_clocks
from leads.services.touch import log_touch
from portal.accounts.models import User
from sla.models import Party

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ZONE, OCTOBER = get_default_timezone(), Month.parse("2026-10")
WEEK = Span(dt.date(2026, 10, 5), 7)
FIRST_WEEK = Span(dt.date(2026, 10, 1), 7)
NOVEMBER = dt.datetime(2026, 11, 6, 9, tzinfo=dt.UTC)
FIGURE = re.compile(r'<a class="figure" href="([^"]+answered_by[^"]+)">([\d,]+)</a>')


@pytest.fixture
def work(open_lead, people):
    """Of each week of October four leads: Rena's and Suna's, called in time and too late; every fourth accepted."""
    begin = dt.datetime(2026, 10, 5, 7, tzinfo=dt.UTC)
    for n in range(16):
        owner, at = (people.rep, people.south_rep)[n % 2], begin + n // 4 * 7 * DAY + n % 4 * DAY
        row = open_lead(owner=owner, at=at)
        after = HOUR / 60 if n % 4 < 2 else 2 * DAY
        log_touch(handoff_id=row.pk, by=owner, at=at + after, kind=Touch.Kind.CALL, outcome=Touch.Outcome.REACHED)
        if n % 4 == 0:
            accept_handoff(handoff_id=row.pk, by=owner, at=at + HOUR)
    sweep_clocks(at=NOVEMBER)


def asked(period=WEEK, at=NOVEMBER, person=None):
    return Asked(period, "period", "source", at, ZONE, person)


def file(client, name, period=WEEK):
    answer = client.get(reverse("audit_table", args=[period, name, "csv"]))
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body, newline="")))


def test_the_clocks_are_of_the_leads_of_these_days(work, people):
    card = scorecard(WEEK, as_of=NOVEMBER, zone=ZONE)
    contact = [(p.k, p.n) for p in card.promises if p.kind == "first_contact" and p.n]
    assert (contact, card.mqls, card.accepted) == ([(2, 4)], 4, 1)
    assert not any(promise.is_volume for promise in card.promises), "no month's volume stands against seven days"
    found = by_person(WEEK, people=User.objects.all(), as_of=NOVEMBER, zone=ZONE)
    assert {one.person: one.contact for one in found} == {people.rep: (1, 2, 0), people.south_rep: (1, 2, 0)}
    weeks = [scorecard(WEEK.plus(n), as_of=NOVEMBER, zone=ZONE) for n in range(4)]
    month = scorecard(OCTOBER, as_of=NOVEMBER, zone=ZONE)
    for kind in ("first_contact", "decision", "share_kept"):
        for place in ("k", "n"):
            of_weeks = sum(getattr(p, place) for card in weeks for p in card.promises if p.kind == kind)
            assert of_weeks == sum(getattr(p, place) for p in month.promises if p.kind == kind)


def test_what_is_promised_for_a_month_is_all_of_the_named_month(work):
    month, found = scorecard(OCTOBER, as_of=NOVEMBER, zone=ZONE), by_month(asked())
    assert found.title == "October 2026"
    volume, joint = found.rows
    assert (volume.name, volume.n, volume.verdict) == ("Volume", 16, BREACHED)
    assert volume.terms.endswith("MQLs a month")
    assert (joint.said, joint.verdict) == (f"{month.accepted} of 16 accepted", BREACHED)
    assert joint.terms == "≥ 25% of the MQLs and ≥ 140 leads a month accepted"
    assert by_month(asked(OCTOBER)) == found


def test_a_month_that_is_not_over_has_no_verdict(work):
    at = dt.datetime(2026, 10, 12, 12, tzinfo=dt.UTC)
    found = by_month(asked(at=at))
    assert found.title == "October 2026 so far"
    assert [(row.n, row.verdict) for row in found.rows] == [(5, OPEN)] * 2
    over_the_turn = by_month(asked(Span(dt.date(2026, 10, 29), 7)))
    assert (over_the_turn.title, over_the_turn.rows) == ("November 2026 so far", ())


def test_a_commitment_excused_for_the_month_is_not_excused_of_its_first_days(open_lead, people):
    open_lead(at=dt.datetime(2026, 10, 2, 7, tzinfo=dt.UTC))
    promises = [p for p in scorecard(OCTOBER, as_of=NOVEMBER, zone=ZONE).promises if p.kind in ("mqls", "acceptance")]
    said = {"month": OCTOBER, "party": Party.MARKETING, "why": "The fair was called off.", "at": NOVEMBER}
    for promise in promises:
        propose_commitment(commitment_id=promise.commitment.pk, by=people.marketing_leader, **said)
    answer_excuses(
        excuse_ids=list(Excuse.objects.values_list("pk", flat=True)), party=Party.SALES, agreed=True, note="",
        by=people.sales_leader, at=NOVEMBER, zone=ZONE,
    )  # fmt: skip
    excused = [p.kind for p in scorecard(OCTOBER, as_of=NOVEMBER, zone=ZONE).promises if p.is_excused]
    assert excused == [p.kind for p in promises]
    assert not any(p.is_excused for p in scorecard(FIRST_WEEK, as_of=NOVEMBER, zone=ZONE).promises)
    assert by_month(asked(FIRST_WEEK)).rows[0].verdict == EXCUSED


def test_a_closed_month_is_told_as_it_was_signed(work, open_lead, people):
    close_audit(month=OCTOBER, by=people.sales_leader, at=NOVEMBER, zone=ZONE)
    signed = by_month(asked(person=people.sales_leader))
    open_lead(at=dt.datetime(2026, 10, 20, 7, tzinfo=dt.UTC), email="late@corvane.example")
    assert by_month(asked(person=people.sales_leader)).rows == signed.rows
    assert scorecard(OCTOBER, as_of=NOVEMBER, zone=ZONE).mqls == 17


def test_each_number_of_a_person_opens_their_leads_of_these_days(client, work, people):
    client.force_login(people.sales_leader)
    part = client.get(reverse("audit_scorecard", args=[WEEK])).text
    links = FIGURE.findall(part)
    assert len(links) >= 4
    for address, number in links:
        assert client.get(html.unescape(address)).context["count"] == int(number), address


@pytest.mark.parametrize(
    ("who", "sees", "not_these"),
    [
        ("rep", ["Rena Rep", "Your clocks"], ["Suna Rep", "Marketing promised", "Joint target"]),
        ("manager", ["Rena Rep", "Marketing promised", "Joint target"], ["Suna Rep"]),
        ("marketer", ["Rena Rep", "Suna Rep", "whole month: October 2026"], ["Joint target attained"]),
    ],
)
def test_reps_see_their_own_and_managers_their_team(client, work, people, who, sees, not_these):
    client.force_login(getattr(people, who))
    text = client.get(reverse("audit_scorecard", args=[WEEK])).text
    assert [name for name in sees if name not in text] == []
    assert [name for name in not_these if name in text] == []
    shown = {name for name in ("Rena Rep", "Suna Rep") if name in text}
    assert {row["Person"] for row in file(client, "clocks")} == shown


def test_a_rep_finds_the_last_days_beside_the_month(client, work, people):
    client.force_login(people.rep)
    page = client.get(reverse("audit_scorecard", args=["2026-10"])).text
    yesterday = timezone.now().astimezone(ZONE).date() - DAY
    for days in (7, 14):
        where = reverse("audit_scorecard", args=[Span.until(yesterday, days)])
        assert f'href="{where}"' in page
        assert client.get(where).status_code == 200
    for name in ("scorecard", "by-month"):
        assert client.get(reverse("audit_table", args=[WEEK, name, "csv"])).status_code == 403


def test_the_review_leads_to_them_on_the_page_in_files_and_on_paper(client, work, people):
    client.force_login(people.marketer)
    page = client.get(reverse("audit_review"), {"days": 7, "until": "2026-10-11"}).text
    assert f'hx-get="{reverse("audit_scorecard", args=[WEEK])}"' in page
    of_days = {(row["Promise"], row["Kept"], row["Not kept"]) for row in file(client, "scorecard")}
    assert not any(name == "Volume" for name, *_ in of_days)
    assert sum(int(kept) for name, kept, _ in of_days if name.startswith("First contact")) == 2
    rows = file(client, "by-month")
    assert [(row["Month"], row["Promise"], row["MQLs"], row["Accepted"]) for row in rows] == [
        ("October 2026", "Volume", "16", ""), ("October 2026", "Joint target", "16", "4"),
    ]  # fmt: skip
    assert paper.review_pdf(asked(person=people.marketer)).startswith(b"%PDF-")


def test_a_side_without_a_clock_that_ended_had_nothing_to_keep(open_lead):
    at = dt.datetime(2026, 10, 5, 7, tzinfo=dt.UTC)
    open_lead(at=at)
    words = kept_in_words(scorecard(WEEK, as_of=at + HOUR / 60, zone=ZONE), WEEK)
    assert words.endswith("sales had nothing to keep")


def test_days_still_to_come_are_not_found(client, agreement, people):
    client.force_login(people.marketer)
    assert client.get(reverse("audit_scorecard", args=["2226-01-01--2226-01-07"])).status_code == 404


def test_it_asks_as_many_questions_for_many_leads_as_for_few(client, open_lead, work, people):
    client.force_login(people.marketer)

    def asked_of_the_database():
        with CaptureQueriesContext(connection) as found:
            client.get(reverse("audit_scorecard", args=[WEEK]), headers={"HX-Request": "true"})
        return len(found)

    few = asked_of_the_database()
    for n in range(40):
        open_lead(at=dt.datetime(2026, 10, 6, 7, tzinfo=dt.UTC), email=f"more{n}@corvane.example")
    assert asked_of_the_database() <= few <= 30

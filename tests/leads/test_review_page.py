"""The conversion review: the audit's figures over some days, an agenda, and the leads longest past their clock."""

import datetime as dt
import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from leads import figures
from leads.audit.actions import add_action
from leads.audit.review import agenda, review
from leads.figures import Month
from leads.periods import Span
from leads.services.decide import reject_handoff
from leads.services.dispute import dispute_rejection
from leads.services.sweep import sweep_clocks
from sla.models import ReasonCode
from tests import cast, kept
from tests.history import random_cases, write

UTC = dt.UTC
DAY = dt.timedelta(days=1)
FIGURE = re.compile(r'<a class="figure" href="([^"]+)">([\d,]+)</a>')
CELL = re.compile(r'<td data-heat="\d"><a href="([^"]+)"[^>]*>([\d,]+)</a>')
SEGMENT = re.compile(r'<a href="([^"]+)" aria-label="[^"]*: ([\d,]+) leads?">')
DAYS = {"days": 14, "until": "2026-03-29"}


def zone():
    return timezone.get_default_timezone()


@pytest.fixture
def past(agreement, people):
    cases = random_cases(
        250, seed=3, version=agreement, owners=[people.rep, people.south_rep],
        start=dt.datetime(2026, 1, 25, tzinfo=UTC), end=dt.datetime(2026, 4, 10, tzinfo=UTC),
    )  # fmt: skip
    return kept.once(
        lambda: write(agreement, cases), "past of the review", agreement.pk, people.rep.pk, empty="leads_lead"
    )


def told(people, at, span):
    return agenda(review(span, figures.PERIOD, as_of=at, zone=zone()), person=people.sales_leader)


def said(items):
    return " ".join(item.text for item in items)


@pytest.mark.parametrize("basis", figures.BASES)
def test_each_figure_of_the_review_opens_exactly_the_leads_it_counts(client, past, people, basis):
    client.force_login(people.marketer)
    text = client.get(reverse("audit_review"), DAYS | {"basis": basis}).text
    for part in ("audit_speed", "audit_disputes", "audit_fix", "audit_quality", "audit_scorecard"):
        span = Span(dt.date(2026, 3, 16), 14)
        where = f"{reverse(part, args=[span])}?basis={basis}"
        assert html.escape(where) in text or reverse(part, args=[span]) in text
        text += client.get(where).text
    links = set(FIGURE.findall(text) + CELL.findall(text) + SEGMENT.findall(text))
    assert len(links) > 60
    flags = [each for each in links if "/quality/" in each[0]]
    for address, number in (*sorted(links)[::3], *flags):
        found = client.get(html.unescape(address)).context
        assert found.get("count", len(found.get("handoffs"))) == int(number.replace(",", "")), address


def test_it_loads_the_fix_the_flags_and_the_months_trend_for_context(client, past, people):
    client.force_login(people.marketer)
    page = client.get(reverse("audit_review"), DAYS | {"basis": "cohort"}).text
    for where in (
        "2026-03-16--2026-03-29/fix/?basis=cohort",
        "2026-03-16--2026-03-29/quality/",
        "2026-03/trend/?basis=cohort",
    ):
        assert f'hx-get="/audit/{where}"' in page
    assert "the months up to March 2026" in page
    fix = client.get("/audit/2026-03-16--2026-03-29/fix/").text
    assert "Conversion review, 16 to 29 March 2026" in fix
    flags = client.get("/audit/2026-03-16--2026-03-29/quality/", headers={"HX-Request": "true"}).text
    assert "on the rejections from 16 to 29 March" in flags
    assert 'href="/audit/2026-03/quality/"' in flags
    assert "Draw a sample" not in flags
    for refused in ("quality/sample/", "quality/recode/", "trend/"):
        assert client.get(f"/audit/2026-03-16--2026-03-29/{refused}").status_code in (404, 405)


def test_it_counts_what_the_handoffs_of_its_days_say_over_the_change_of_clocks(client, past, people):
    client.force_login(people.marketer)
    page = client.get(reverse("audit_review"), DAYS).context["page"]
    begin, end = (dt.datetime(2026, 3, day, tzinfo=zone()) for day in (16, 30))
    inside = [row for row in past if begin <= row.qualified_at < end]
    for row in past:
        row.refresh_from_db()
    decided = [row.status for row in past if row.decided_at and begin <= row.decided_at < end]
    counts = page.series[-1].counts
    assert (counts.mqls, counts.sqls, counts.rejected) == (
        len(inside), decided.count("accepted"), decided.count("rejected"),
    )  # fmt: skip
    assert page.series[-2].month == Span(dt.date(2026, 3, 2), 14)


def test_the_worst_aging_leads_come_first_and_link_to_their_pages(client, open_lead, people, now):
    late = [open_lead(at=now - days * DAY, first_name=f"Late{days}") for days in (9, 12, 10)]
    open_lead(at=now)
    found = told(people, now, Span(dt.date(2026, 10, 8), 7))
    assert [row.pk for row in found.worst] == [late[1].pk, late[2].pk, late[0].pk]
    assert "3 open leads are past a clock; the longest is Late12 Solvang, Corvane Foods: " in said(found.waits)
    assert found.over_url == "/leads/?clock=over"
    client.force_login(people.marketer)
    page = client.get(reverse("audit_review"))
    assert reverse("handoff", args=[late[1].pk]) in page.text
    listed = client.get(found.over_url)
    assert listed.context["count"] == page.context["agenda"].overdue


def test_a_manager_is_told_of_the_leads_of_the_team_alone(client, open_lead, people, now):
    mine, theirs = open_lead(at=now - 9 * DAY), open_lead(at=now - 9 * DAY, owner=people.south_rep)
    client.force_login(people.manager)
    page = client.get(reverse("audit_review"))
    shown = {row.pk for row in page.context["agenda"].worst}
    assert mine.pk in shown
    assert theirs.pk not in shown
    assert "You see only the leads that you or your team hold." in page.text


def test_open_disputes_and_late_actions_wait_for_somebody(open_lead, people, now):
    lead = open_lead(at=now - 2 * DAY)
    reject_handoff(handoff_id=lead.pk, by=people.rep, at=now - 2 * DAY, reason="11")
    dispute_rejection(handoff_id=lead.pk, note="They have 900 people.", by=people.marketer, at=now - DAY)
    for text, due in (("Cap the guides", now - 3 * DAY), ("Ask twice", now)):
        add_action(
            month=Month(dt.date(2026, 9, 1)), text=text, owner=people.marketer, due_on=due.date(), measure="rate",
            expected=2, by=people.sales_leader, at=now - 9 * DAY,
        )  # fmt: skip
    found = told(people, now, Span(dt.date(2026, 10, 8), 7))
    assert "1 dispute waits for a ruling." in said(found.waits)
    assert "The action “Cap the guides” is 3 days overdue, with Marta Marketer." in said(found.waits)
    assert "Ask twice" not in said(found.waits)
    links = {url for item in found.waits for _, url in item.links}
    assert links >= {
        reverse("handoff", args=[lead.pk]),
        reverse("disputes"),
        reverse("audit_actions", args=["2026-09"]),
    }


def test_what_moved_beyond_chance_is_told_apart_from_noise(agreement, people):
    code = {reason.code: reason for reason in ReasonCode.objects.filter(version=agreement)}

    def cases(day, mqls, accepted, rejected):
        at = dt.datetime(2026, 3, day, 9, tzinfo=UTC)
        fates = [{"decided_at": at}] * accepted + [{"decided_at": at, "reason": code["11"]}] * rejected
        fates += [{}] * (mqls - len(fates))
        return [{"qualified_at": at, "source": "Webinar", **fate} for fate in fates]

    write(agreement, cases(5, 100, 20, 30) + cases(12, 104, 60, 20))
    found = told(people, dt.datetime(2026, 4, 1, tzinfo=UTC), Span(dt.date(2026, 3, 9), 7))
    assert "Of the MQLs 57.7% were accepted (48.1–66.7): +37.7 points on the 7 days before (" in said(found.real)
    assert "Marketing delivered 104 MQLs, against 100 in the 7 days before." in said(found.noise)
    assert "is the top reason: 20 of 20 rejections" in said(found.noise)
    assert not found.waits


def test_days_that_are_not_over_are_not_compared(client, open_lead, people):
    client.force_login(people.sales_leader)
    today = timezone.now().astimezone(zone()).date()
    cast.open_handoff(owner=people.rep, at=timezone.now() - dt.timedelta(minutes=1))
    text = client.get(reverse("audit_review"), {"days": 7, "until": str(today)}).text
    assert "Nothing is compared before these days are over." in text
    assert "So far from " in text


def test_without_an_answer_it_is_as_long_as_the_agreement_says_and_ends_yesterday(client, people):
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=UTC), review_cadence="fortnightly")
    client.force_login(people.marketer)
    page = client.get(reverse("audit_review"))
    yesterday = timezone.now().astimezone(zone()).date() - DAY
    assert page.context["page"].month == Span.until(yesterday, 14)
    assert "Both leaders get this review by mail" in page.text


@pytest.mark.parametrize("query", [{"days": "8"}, {"until": "2226-01-01"}, {"until": "x"}, {"until": "0001-01-02"}])
def test_days_that_cannot_be_are_refused_with_a_word(client, agreement, people, query):
    client.force_login(people.marketer)
    page = client.get(reverse("audit_review"), query)
    assert page.status_code == 422
    assert "Shown are the days up to yesterday." in page.text


@pytest.mark.parametrize("key", ["2226-01-01--2226-01-07", "2026-03-16--2026-03-01", "2026-03-16--x"])
def test_parts_of_days_that_cannot_be_are_not_found(client, agreement, people, key):
    client.force_login(people.marketer)
    for part in ("audit_speed", "audit_disputes", "audit_fix", "audit_quality"):
        assert client.get(reverse(part, args=[key])).status_code == 404
    assert client.get(reverse("leads"), {"decided_month": "2026-03-16--x"}).status_code == 404


def test_it_asks_as_many_questions_for_a_thousand_leads_as_for_fifty(
    client, agreement, people, django_assert_max_num_queries
):
    client.force_login(people.marketer)
    start, end = dt.datetime(2026, 3, 1, tzinfo=UTC), dt.datetime(2026, 3, 29, tzinfo=UTC)
    write(agreement, random_cases(900, seed=1, version=agreement, owners=[people.rep], start=start, end=end))
    sweep_clocks(at=end)
    with django_assert_max_num_queries(20):
        client.get(reverse("audit_review"), DAYS)


def test_the_audit_leads_to_the_review(client, past, people):
    client.force_login(people.marketer)
    assert f'href="{reverse("audit_review")}"' in client.get(reverse("audit", args=["2026-03"])).text

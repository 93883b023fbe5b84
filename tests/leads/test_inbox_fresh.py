"""An inbox that stays open stays true: who arrives, who goes, what the navigation counts, and what it all costs."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff

MINUTE = dt.timedelta(minutes=1)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def now():
    """The page asks the real clock, so these leads are of today."""
    return dt.datetime.now(dt.UTC) - 2 * MINUTE


@pytest.fixture
def rep(client, people):
    client.force_login(people.rep)
    return client


def drawn(page):
    """Ids of the rows that stand in the answer, as the page's poll names them."""
    return re.findall(r'name="drawn" value="(\d+)"', page.content.decode())


def poll(client, ids, **asked):
    return client.get(reverse("inbox_clocks"), {"drawn": ids, **asked}, headers=HTMX)


def nav_count(response):
    return int(re.search(r'id="nav-count-inbox"[^>]*>(\d+)', response.content.decode())[1])


def test_a_lead_that_arrives_waits_behind_a_button_and_moves_no_row(open_lead, rep, now):
    ids = drawn(rep.get(reverse("inbox"))) or [str(open_lead(at=now - MINUTE).pk)]
    new = open_lead(at=now)
    said = poll(rep, ids).content.decode()
    assert "1 new: show it" in said
    assert f"lead-row-{new.pk}" not in said
    assert f"chip-{new.pk}" not in said, "its chip has no place on the page yet"


def test_showing_what_arrived_keeps_the_ticks_and_reads_no_lead(open_lead, rep, now):
    one, two = open_lead(at=now - MINUTE), open_lead(at=now)
    answer = rep.get(reverse("inbox"), {"part": "list", "lead": [one.pk]}, headers=HTMX)
    text = answer.content.decode()
    assert drawn(answer) == [str(one.pk), str(two.pk)]
    assert [bool(re.search(rf'value="{h.pk}"[^>]* checked', text)) for h in (one, two)] == [True, False]
    assert 'lead-name" tabindex' not in text


def test_a_lead_handed_over_from_elsewhere_arrives_though_it_is_old(open_lead, rep, people, now):
    mine, others = open_lead(at=now), open_lead(at=now - 90 * MINUTE, owner=people.other_rep)
    ids = drawn(rep.get(reverse("inbox")))
    reassign_handoff(handoff_id=others.pk, to=people.rep, by=people.manager, at=now)
    assert "1 new: show it" in poll(rep, ids).content.decode()
    assert ids == [str(mine.pk)]


def test_a_row_whose_lead_was_decided_elsewhere_stays_and_says_so(open_lead, rep, people, now):
    handoff = open_lead(at=now)
    ids = drawn(rep.get(reverse("inbox")))
    accept_handoff(handoff_id=handoff.pk, by=people.manager, at=now)
    said = poll(rep, ids).content.decode()
    assert re.search(rf'id="chip-{handoff.pk}" data-state="idle" hx-swap-oob="true">.*gone</span>', said)


def test_what_lies_behind_the_pages_last_row_has_not_arrived_on_it(open_lead, rep, now):
    for i in range(52):
        open_lead(at=now - i * dt.timedelta(seconds=1))
    first = rep.get(reverse("inbox"))
    assert "new: show" not in poll(rep, drawn(first), upto=first.context["more"]).content.decode()


def test_an_unchanged_inbox_of_many_rows_costs_one_query_and_answers_nothing(open_lead, rep, now):
    for i in range(3):
        open_lead(at=now - dt.timedelta(days=10 + i))
    ids = drawn(rep.get(reverse("inbox")))
    seen = re.search(r"seen=([0-9a-f]+)", poll(rep, ids).content.decode())[1]
    with CaptureQueriesContext(connection) as queries:
        again = poll(rep, ids, seen=seen)
    assert again.status_code == 204
    assert len([q for q in queries if "leads_" in q["sql"]]) == 1


def test_the_navigation_counts_the_open_leads_on_every_page_and_after_every_decision(open_lead, rep, people, now):
    first, _ = open_lead(at=now - MINUTE), open_lead(at=now)
    open_lead(owner=people.other_rep)
    assert nav_count(rep.get(reverse("agreement"))) == nav_count(rep.get(reverse("inbox"))) == 2
    assert nav_count(rep.get(reverse("inbox"), {"q": "nobody"})) == 2, "a filter hides rows, not work"
    assert nav_count(rep.post(reverse("inbox_accept", args=[first.pk]), headers=HTMX)) == 1
    assert nav_count(poll(rep, [])) == 1


def test_who_works_no_inbox_sees_no_count(open_lead, client, people):
    open_lead()
    client.force_login(people.marketer)
    assert "nav-count-inbox" not in client.get(reverse("agreement")).content.decode()


def test_a_row_weighs_less_than_a_kilobyte(open_lead, rep, now):
    for i in range(3):
        open_lead(
            at=now - i * dt.timedelta(hours=9), title="Head of Operations and Supply", company="Corvane Foods BV"
        )
    text = rep.get(reverse("inbox")).content.decode()
    rows = re.findall(r'<li class="lead-row".*?</li>', text, re.DOTALL)
    assert len(rows) == 3
    assert max(len(row.encode()) for row in rows) <= 1024

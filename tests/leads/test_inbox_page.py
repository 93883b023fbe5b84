"""The inbox page: who sees which leads in what order, every act with and without htmx, and what each costs."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from leads.models import Decision, Handoff, Touch
from leads.services.decide import accept_handoff, reopen_handoff
from leads.services.touch import log_touch
from tests import history

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


def at(name, handoff):
    return reverse(f"inbox_{name}", args=[handoff.pk])


def test_the_next_deadline_comes_first_and_groups_say_how_near_it_is(open_lead, rep, now):
    hot_late = open_lead(at=now - dt.timedelta(hours=2), last_name="Late")
    soon = open_lead(at=now - 30 * MINUTE, last_name="Soon")
    page = rep.get(reverse("inbox"))
    assert [row["id"] for row in page.context["rows"]] == [hot_late.pk, soon.pk]
    assert [group["title"] for group in page.context["groups"] if group["rows"]] == ["Overdue", "Within the hour"]
    assert "One clock has run out; one more runs out within the hour." in page.content.decode()


def test_a_rep_sees_only_own_leads_and_a_manager_the_teams(open_lead, client, people):
    mine, others, south = open_lead(), open_lead(owner=people.other_rep), open_lead(owner=people.south_rep)
    client.force_login(people.rep)
    assert {row["id"] for row in client.get(reverse("inbox")).context["rows"]} == {mine.pk}
    assert client.get(at("lead", others)).status_code == 404
    client.force_login(people.manager)
    assert {row["id"] for row in client.get(reverse("inbox")).context["rows"]} == {mine.pk, others.pk}
    assert client.get(at("lead", south)).status_code == 404


@pytest.mark.parametrize("who", ["marketer", "marketing_leader", "sales_leader", "admin"])
def test_who_does_not_work_the_inbox_is_told_so(client, people, agreement, who):
    client.force_login(getattr(people, who))
    page = client.get(reverse("inbox"))
    assert page.status_code == 403
    assert "Only sales reps and sales managers work the inbox." in page.content.decode()


def test_search_finds_name_company_and_mail_and_only_in_the_own_inbox(open_lead, rep, people):
    mine = open_lead(last_name="Quintero", company="Aldermoss", email="rafael@alder.example")
    open_lead(last_name="Other")
    open_lead(owner=people.other_rep, last_name="Quintero")
    for words in ("quintero", "Henrike Quin", "alderm", "rafael@"):
        assert [row["id"] for row in rep.get(reverse("inbox"), {"q": words}).context["rows"]] == [mine.pk]


def test_the_list_goes_on_by_keyset_without_losing_a_lead(open_lead, rep, now):
    made = {open_lead(at=now - i * dt.timedelta(seconds=1)).pk for i in range(53)}
    first = rep.get(reverse("inbox"))
    second = rep.get(reverse("inbox"), {"after": first.context["more"]})
    ids = [row["id"] for page in (first, second) for row in page.context["rows"]]
    assert (len(ids), set(ids), second.context["more"]) == (53, made, "")


def test_accepting_without_javascript_leads_to_the_next_lead(open_lead, rep, now):
    first, second = open_lead(at=now - MINUTE), open_lead(at=now)
    answer = rep.post(at("accept", first))
    assert (answer.status_code, answer["Location"]) == (302, at("lead", second))
    assert Handoff.objects.get(pk=first.pk).status == "accepted"
    assert "is now an SQL" in rep.get(answer["Location"]).content.decode()


def test_accepting_with_htmx_brings_the_next_lead_and_takes_the_row_away(open_lead, rep, now):
    first, second = open_lead(at=now - MINUTE), open_lead(at=now)
    answer = rep.post(at("accept", first), headers=HTMX)
    text = answer.content.decode()
    assert (answer.status_code, answer["HX-Push-Url"]) == (200, at("lead", second))
    assert f'data-lead="{second.pk}"' in text
    assert f'id="lead-row-{first.pk}" hx-swap-oob="delete"' in text
    assert at("undo", first) in text
    assert "<html" not in text


def test_behind_the_last_lead_of_a_list_comes_its_first_and_then_nothing(open_lead, rep, now):
    early, late = open_lead(at=now - MINUTE), open_lead(at=now)
    other = open_lead(at=now - 2 * MINUTE)
    log_touch(handoff_id=other.pk, by=other.owner, at=now, kind="call", outcome="reached")
    for query in ("?tab=contact", "?tab=contact&source=Demo+request"):
        answer = rep.post(at("accept", late) + query, headers=HTMX)
        assert answer["HX-Push-Url"] == at("lead", early) + query
        assert '<span class="count" id="count-all" hx-swap-oob="true">2</span>' in answer.content.decode()
        reopen_handoff(handoff_id=late.pk, by=late.owner, at=dt.datetime.now(dt.UTC))
    rep.post(at("accept", late), headers=HTMX)
    answer = rep.post(at("accept", early) + "?tab=contact", headers=HTMX)
    assert answer["HX-Push-Url"] == reverse("inbox") + "?tab=contact"
    assert "Nothing waits here" in answer.content.decode()


def test_a_rejection_without_a_reason_comes_back_with_the_panel_and_what_was_typed(open_lead, rep):
    handoff = open_lead()
    for headers in ({}, HTMX):
        answer = rep.post(at("reject", handoff), {"note": "typed before"}, headers=headers)
        assert answer.status_code == 422
        assert 'data-code="reason_required"' in answer.content.decode()
        assert "typed before" in answer.content.decode()
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("reason", "code"),
    [("99", "reason_unknown"), ("10", "detail_required"), ("41", "note_required"), ("34", "attempts_missing")],
)
def test_the_page_refuses_with_the_code_of_the_verb(open_lead, rep, reason, code):
    answer = rep.post(at("reject", open_lead()), {"reason": reason}, headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (422, "#actions")
    assert f'data-code="{code}"' in answer.content.decode()


def test_a_rejection_keeps_its_detail_and_note(open_lead, rep):
    handoff = open_lead()
    rep.post(at("reject", handoff), {"reason": "43", "signal": "asked_demo", "note": "Only asked."}, headers=HTMX)
    decision = Decision.objects.get()
    assert (decision.reason.code, decision.signal, decision.note) == ("43", "asked_demo", "Only asked.")


def test_who_was_slower_sees_the_lead_as_it_now_is(open_lead, rep, people, now):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.manager, at=now)
    for headers in ({}, HTMX):
        answer = rep.post(at("reject", handoff), {"reason": "11"}, headers=headers)
        assert answer.status_code == 409
        assert "Mona Manager" in answer.content.decode()
    assert Decision.objects.count() == 1


def test_someone_elses_lead_does_not_exist(open_lead, rep, people):
    handoff = open_lead(owner=people.other_rep)
    for name in ("accept", "reject", "contact", "undo"):
        fields = {"reason": "11", "kind": "call", "outcome": "reached"}
        assert rep.post(at(name, handoff), fields, headers=HTMX).status_code == 404
    assert not Decision.objects.exists()


def test_undo_brings_the_lead_back(open_lead, rep):
    handoff = open_lead()
    rep.post(at("accept", handoff), headers=HTMX)
    answer = rep.post(at("undo", handoff), headers=HTMX)
    assert answer.status_code == 200
    assert f'id="lead-row-{handoff.pk}"' in answer.content.decode()
    assert Handoff.objects.get(pk=handoff.pk).status == "open"


def test_a_logged_contact_stops_the_clock_and_the_lead_stays(open_lead, rep):
    handoff = open_lead()
    answer = rep.post(at("contact", handoff), {"kind": "call", "outcome": "reached", "note": "3 min"}, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "contacted" in text
    assert "Kept" in text
    assert Touch.objects.get().note == "3 min"


def test_a_contact_in_the_future_is_refused_in_place(open_lead, rep):
    when = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=2):%Y-%m-%dT%H:%M}"
    fields = {"kind": "call", "outcome": "reached", "occurred_at": when}
    answer = rep.post(at("contact", open_lead()), fields, headers=HTMX)
    assert answer.status_code == 422
    assert 'data-code="time_in_the_future"' in answer.content.decode()


def test_an_unchanged_inbox_answers_the_poll_with_nothing(open_lead, rep):
    open_lead(at=dt.datetime.now(dt.UTC) - dt.timedelta(days=10))
    first = rep.get(reverse("inbox_clocks"), headers=HTMX)
    seen = re.search(r"seen=([0-9a-f]+)", first.content.decode())[1]
    with CaptureQueriesContext(connection) as queries:
        again = rep.get(reverse("inbox_clocks"), {"seen": seen}, headers=HTMX)
    assert again.status_code == 204
    assert len([q for q in queries if "leads_handoff" in q["sql"]]) == 1


def spent(client, method, url, data=None, headers=None):
    with CaptureQueriesContext(connection) as queries:
        response = getattr(client, method)(url, data or {}, headers=headers or {})
    assert response.status_code == 200
    return len([q for q in queries if "SAVEPOINT" not in q["sql"] and "SET CONSTRAINTS" not in q["sql"]])


def test_the_cost_in_queries_does_not_grow_with_the_inbox(open_lead, rep, people):
    costs = []
    for many in (5, 55):
        rows = [open_lead() for _ in range(many)]
        page = spent(rep, "get", reverse("inbox"))
        accept = spent(rep, "post", at("accept", rows[0]), headers=HTMX)
        reject = spent(rep, "post", at("reject", rows[1]), {"reason": "11"}, HTMX)
        costs.append((page, accept, reject))
    assert costs[0] == costs[1]
    page, accept, reject = costs[0]
    assert page <= 7, costs
    assert accept <= 5, costs
    assert reject <= 6, costs


def test_a_decided_lead_is_in_no_inbox(open_lead, rep, people):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=dt.datetime.now(dt.UTC))
    assert rep.get(reverse("inbox")).context["rows"] == []


def test_without_javascript_a_decision_is_undone_on_the_leads_own_page(open_lead, rep):
    handoff = open_lead()
    said = rep.get(rep.post(at("accept", handoff))["Location"]).content.decode()
    assert at("lead", handoff) in said
    assert at("undo", handoff) in rep.get(at("lead", handoff)).content.decode()
    assert rep.post(at("undo", handoff)).status_code == 302
    assert Handoff.objects.get(pk=handoff.pk).status == "open"


def test_a_duplicate_is_found_by_name_and_chosen(open_lead, rep):
    one, other = open_lead(last_name="Twin"), open_lead(last_name="Twin")
    found = rep.get(at("duplicates", one), {"q": "twin"}, headers=HTMX).content.decode()
    assert f'value="{other.lead_id}"' in found
    assert f'value="{one.lead_id}"' not in found
    rep.post(at("reject", one), {"reason": "32", "duplicate_of": other.lead_id}, headers=HTMX)
    assert Decision.objects.get().duplicate_of == other.lead


@pytest.mark.parametrize("word", ["anders", "other.example", "number"])
def test_looking_for_duplicates_opens_no_book_of_addresses(open_lead, rep, people, word):
    mine = open_lead(company="Corvane", email="a@gmail.com", domain="")
    facts = {"company": "Anders & Co", "last_name": "Anders", "email": "boss@other.example", "phone": "", "domain": ""}
    theirs = open_lead(owner=people.south_rep, **facts)
    asked = {"q": str(theirs.lead_id) if word == "number" else word}
    assert "boss@other.example" not in rep.get(at("duplicates", mine), asked, headers=HTMX).content.decode()
    alike = open_lead(company="Anders GmbH", email="b@gmail.com", domain="")
    assert "boss@other.example" in rep.get(at("duplicates", alike), asked, headers=HTMX).content.decode()


def test_imported_history_is_taken_up_from_its_own_page_and_only_then_in_the_inbox(agreement, rep, people, now):
    (past,) = history.write(agreement, [{"qualified_at": now - dt.timedelta(days=90), "owner": people.rep}])
    assert rep.get(reverse("inbox")).context["rows"] == []
    assert rep.get(at("lead", past)).status_code == 200
    assert reverse("handoff_take_up", args=[past.pk]) in rep.get(reverse("handoff", args=[past.pk])).content.decode()
    answer = rep.post(reverse("handoff_take_up", args=[past.pk]))
    assert (answer.status_code, answer["Location"]) == (302, at("lead", past))
    assert [row["id"] for row in rep.get(reverse("inbox")).context["rows"]] == [past.pk]


def test_the_inbox_is_asked_in_words_that_its_partial_index_knows():
    """With the status as a parameter PostgreSQL plans every question anew: a plan for all values has no such index."""
    sql, params = Handoff.objects.in_inbox().query.sql_with_params()
    assert "'open'" in sql
    assert params == ()

"""What a draft would have done: kept, dropped, newly admitted; every outcome known or said to be unknown."""

import datetime as dt
import re

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from leads.backtest import jobs
from leads.backtest.columns import score
from leads.backtest.load import TooMany, load
from leads.backtest.models import BacktestJob
from leads.backtest.tally import ACCEPTED, UNDECIDED, UNSEEN, Tally
from leads.models import Lead
from leads.services.capture import capture_lead, record_event
from sla import scoring
from sla.services import definition as verbs
from tests.history import write

HTMX = {"HX-Request": "true"}
DAY = dt.timedelta(days=1)


def client_of(person):
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.fixture
def at():
    return timezone.now()


@pytest.fixture
def marketer(people):
    return client_of(people.marketer)


@pytest.fixture
def draft(agreement, people, at):
    return verbs.draft_definition(
        start_from=agreement.definition, changes=[{"rule": "asked_demo", "remove": True}], by=people.marketer, at=at
    )


def both(draft, agreement):
    return draft.as_definition(), agreement.definition.as_definition()


def lead(name, at, *, events=(), **facts):
    made = capture_lead(facts={"email": f"{name}@x.example", **facts}, at=at)
    for kind, days, properties in events:
        record_event(lead_id=made.pk, kind=kind, occurred_at=at - days * DAY, at=at, properties=properties)
    return made


def test_moves_are_told_with_the_outcomes_that_are_known(draft, agreement, people, at, marketer):
    good = {"employees": 640, "industry": "Food", "title": "Director", "country": "Germany", "company": "Corvane"}
    kept = {**good, "email": "kept@x.example", "source": "Webinar"}
    dropped = {"employees": 640, "company": "Dropwell", "email": "drop@x.example", "source": "Demo request"}
    past = at - 5 * DAY
    rows = []
    for facts in (kept, dropped):
        made = capture_lead(facts=facts, at=past)
        rows.append((made, {"qualified_at": past, "decided_at": past + DAY}))
    write_for(agreement, rows)
    found = jobs.replay(*both(draft, agreement), at=at)
    assert {key: n for key, n in found.moves.items() if n} == {"kept accepted": 1, "dropped accepted": 1}
    html = marketer.get(reverse("definition_backtest", args=[2])).content.decode()
    assert re.search(r"<b>1 MQL</b> instead of 2", html)
    assert "1 accepted lead</a> would have been lost" in html
    assert "Dropwell" in html


def write_for(version, rows):
    """History of known leads: tests.history makes its own, so each row's handoff is given its lead."""
    made = write(version, [case for _, case in rows])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for handoff, (person, _) in zip(made, rows, strict=True):
            cursor.execute("UPDATE leads_handoff SET lead_id = %s WHERE id = %s", [person.pk, handoff.pk])
            cursor.execute("DELETE FROM leads_lead WHERE id = %s", [handoff.lead_id])
    return made


def test_who_was_never_shown_to_sales_has_an_unknown_outcome(agreement, people, at, marketer):
    changes = [{"tier": "standard", "set": {"total": 5}}]
    verbs.draft_definition(start_from=agreement.definition, changes=changes, by=people.marketer, at=at)
    lead("new", at - DAY, country="Germany")
    html = marketer.get(reverse("definition_backtest", args=[2])).content.decode()
    assert "1 of the newly admitted was never shown to sales" in html
    assert "is not guessed" in html


def test_the_page_says_why_accepted_never_rises_with_the_threshold(draft, people, marketer, at):
    lead("one", at - DAY, employees=500, industry="Food", title="Director", country="Germany")
    html = marketer.get(reverse("definition_backtest", args=[2])).content.decode()
    assert "A higher threshold keeps a part of the same leads" in html
    assert "MQLs and accepted leads against the threshold" in html


def test_every_rule_and_tier_gets_its_figures_in_place(draft, marketer, at):
    lead("one", at - DAY, employees=500, industry="Food", title="Director", country="Germany")
    html = marketer.get(reverse("definition_backtest", args=[2]) + "?rows", headers=HTMX).content.decode()
    size, hot = draft.rules.get(key="size"), draft.tiers.get(key="standard")
    assert f'<span id="rule-{size.pk}-leads" hx-swap-oob="true">1</span>' in html
    assert f'<span id="tier-{hot.pk}-mqls" hx-swap-oob="true">1' in html
    assert "<html" not in html


def test_the_columns_from_the_database_give_what_each_lead_gets_alone(agreement, people, at):
    where = {"field": "page", "op": "in", "values": ["/pricing", 7]}
    rule = {"key": "page", "label": "Page", "axis": "behaviour", "condition": {"event": "viewed", "where": where},
            "points": 9, "per_event": True, "decay_days": 30, "window_days": 60}  # fmt: skip
    seats = {"key": "seats", "label": "Seats", "axis": "fit", "points": 3,
             "condition": {"field": "attributes.Seats", "op": "between", "min": 10}}  # fmt: skip
    draft = verbs.draft_definition(
        start_from=agreement.definition, changes=[{"add_rule": rule}, {"add_rule": seats}], by=people.marketer, at=at
    )
    seen = [
        ("viewed", 1, {"page": "/pricing"}),
        ("viewed", 2, {"page": 7}),
        ("viewed", 3, {"page": 7.0}),
        ("viewed", 9, {}),
    ]
    lead("a", at - DAY, events=seen, attributes={"Seats": "12"}, employees=300)
    lead("b", at - DAY, events=[("guide_downloaded", 5, {}), ("guide_downloaded", 80, {})], attributes={"Seats": 9.5})
    lead("c", at - DAY, events=[("email_clicked", n, {}) for n in range(5)], attributes={"Seats": None, "x": [1]})
    definition = draft.as_definition()
    loaded = load([definition], at=at)
    scores = score(definition, loaded.panel)
    for place, person in enumerate(Lead.objects.order_by("pk")):
        rows = person.events.all()
        last = max(row.occurred_at for row in rows)
        events = [scoring.Event(e.kind, e.occurred_at, e.properties) for e in rows]
        alone = scoring.evaluate(definition, person.facts(), events, last)
        assert (scores.fit[place], scores.behaviour[place]) == (alone.fit, alone.behaviour), person
        assert {key for key, fired in scores.fired.items() if fired[place]} == {r.key for r in alone.rules if r.fired}


def test_which_leads_belong_to_the_90_days(agreement, people, at, open_lead):
    open_lead(at=at - 10 * DAY)
    lead("captured", at - 10 * DAY)
    lead("long-ago", at - 200 * DAY)
    lead("came-back", at - 200 * DAY)
    record_event(lead_id=Lead.objects.get(email="came-back@x.example").pk, kind="x", occurred_at=at - DAY, at=at)
    write(agreement, [{"qualified_at": at - 200 * DAY}])
    loaded = load([agreement.definition.as_definition()], at=at)
    assert sorted(loaded.outcomes.tolist()) == [UNSEEN, UNSEEN, UNDECIDED]
    assert ACCEPTED not in loaded.outcomes


def test_suspected_events_give_no_points(agreement, at):
    person = lead("bot", at - DAY)
    for kind, by in (("guide_downloaded", "scanner"), ("webinar_attended", "")):
        record_event(lead_id=person.pk, kind=kind, occurred_at=at - DAY, at=at, suspected_by=by)
    definition = agreement.definition.as_definition()
    assert score(definition, load([definition], at=at).panel).behaviour.tolist() == [8]


def test_more_leads_than_a_page_may_judge_go_to_the_worker(draft, agreement, people, marketer, at, monkeypatch):
    for n in range(5):
        lead(f"n{n}", at - DAY, employees=500, industry="Food", title="Director")
    with pytest.raises(TooMany):
        jobs.replay(*both(draft, agreement), at=at, most=4)
    monkeypatch.setattr(jobs, "AT_ONCE", 4)
    where = reverse("definition_backtest", args=[2])
    assert "Judge them" in marketer.get(where).content.decode()
    job = start(draft, agreement, people, at)
    assert "waiting for the worker" in marketer.get(where).content.decode()
    poll = reverse("definition_backtest_progress", args=[2, job.pk])
    assert marketer.get(poll, headers=HTMX).status_code == 200
    jobs.run(job_id=job.pk, at=at, step=2)
    answer = marketer.get(poll, headers=HTMX)
    assert answer.status_code == 286
    assert "<b>5 MQLs</b> instead of 5" in answer.content.decode()
    assert "<b>5 MQLs</b>" in marketer.get(where).content.decode()
    job.refresh_from_db()
    assert Tally.from_json(job.result) == jobs.replay(*both(draft, agreement), at=at)


def start(draft, agreement, people, at, send=lambda pk: None):
    return jobs.start(definition=draft, against=agreement.definition, by=people.marketer, at=at, send=send)


def test_asking_twice_makes_one_job(draft, agreement, people, at):
    assert start(draft, agreement, people, at) == start(draft, agreement, people, at)


def test_without_a_worker_no_job_is_left_behind(draft, agreement, people, at):
    def gone(pk):
        raise OSError

    with pytest.raises(jobs.NoWorker):
        start(draft, agreement, people, at, send=gone)
    assert not BacktestJob.objects.exists()


def test_a_waiting_job_and_a_running_one_can_be_stopped(draft, agreement, people, marketer, at):
    lead("one", at - DAY)
    job = start(draft, agreement, people, at)
    marketer.post(reverse("definition_backtest_cancel", args=[2, job.pk]))
    job.refresh_from_db()
    assert job.status == "cancelled"
    job = start(draft, agreement, people, at)
    BacktestJob.objects.filter(pk=job.pk).update(status="running")
    jobs.cancel(job_id=job.pk, by=people.marketer, at=at)
    jobs.run(job_id=job.pk, at=at, again=True)
    job.refresh_from_db()
    assert (job.status, job.result) == ("cancelled", None)


def test_a_job_whose_draft_changed_while_it_waited_gives_no_result(draft, agreement, people, at):
    job = start(draft, agreement, people, at)
    rule = draft.rules.first()
    verbs.change_rule(number=2, rule_id=rule.pk, seen=verbs.seen_of(rule), points=1, by=people.marketer, at=at)
    jobs.run(job_id=job.pk, at=at)
    job.refresh_from_db()
    assert job.status == "cancelled"


@pytest.mark.parametrize("change", ["status = 'lost'", "status = 'done', finished_at = now()", "status = 'failed'"])
def test_the_database_knows_the_states_of_a_job(draft, agreement, people, at, change):
    start(draft, agreement, people, at)
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(f"UPDATE backtest_backtestjob SET {change}")


def test_a_lead_is_found_and_scored_under_both_definitions(draft, agreement, open_lead, marketer):
    handoff = open_lead()
    where = reverse("definition_score", args=[2])
    assert "Henrike Solvang" in marketer.get(where, {"q": "solv"}).content.decode()
    html = marketer.get(where, {"lead": handoff.lead_id}).content.decode()
    assert "Demo requested" in html
    assert "no such rule" in html
    assert re.search(r"<b>55</b>.*<b>90</b>", html, re.DOTALL)


def test_a_typed_lead_is_scored_and_not_saved(draft, agreement, marketer):
    where = reverse("definition_score", args=[2])
    html = marketer.get(where).content.decode()
    names = dict(re.findall(r'<label[^>]* for="id_([^"]+)">([^<]+)</label>', html))
    given = {"Company size": 600, "Industry": "Food", "Guide downloaded: how often": 3}
    data = {name: given.get(label, "") for name, label in names.items()}
    html = marketer.post(where, data).content.decode()
    assert re.search(r"35 and 30", html)
    assert not Lead.objects.exists()
    assert marketer.post(where, data | {"count-0": "many"}, headers=HTMX).status_code == 422


def test_values_that_occur_are_counted_and_ticked(draft, marketer, at):
    for n, industry in enumerate(["Food", "Food", "Retail"]):
        lead(f"n{n}", at, industry=industry, attributes={"Needs": ["A", "B"] if n else "A"})
    where = reverse("definition_values")
    html = marketer.get(where, {"fact": "industry", "name": "c", "chosen": ["food", "Space"]}, headers=HTMX)
    html = html.content.decode()
    assert re.search(r'value="Food" checked>.*?>2</span>', html)
    assert re.search(r'value="Retail">', html)
    assert ">Space</textarea>" in html
    listed = marketer.get(where, {"fact": "attributes.Needs"}).content.decode()
    assert re.search(r">A</th><td class=\"num\">3<", listed)
    assert "No lead has this fact" in marketer.get(where, {"fact": "shoe size"}).content.decode()


def test_the_facts_are_those_that_leads_really_have(draft, marketer, at):
    record_event(
        lead_id=lead("n", at, industry="Food", attributes={"Budget": "yes"}).pk, kind="viewed", occurred_at=at, at=at
    )
    html = marketer.get(reverse("definition_facts")).content.decode()
    assert "Budget" in html
    assert "viewed" in html
    options = marketer.get(reverse("definition_facts"), headers=HTMX).content.decode()
    assert '<option value="Budget">1 leads' in options
    assert "<html" not in options
    assert "viewed" in marketer.get(reverse("definition_kinds"), headers=HTMX).content.decode()


@pytest.mark.parametrize("role", ["rep", "manager"])
def test_who_works_leads_does_not_look_through_all_of_them_here(draft, people, role):
    client = client_of(getattr(people, role))
    for name, args in (
        ("definition_backtest", [2]), ("definition_score", [2]), ("definition_facts", []), ("definition_values", []),
        ("definition_kinds", []),
    ):  # fmt: skip
        assert client.get(reverse(name, args=args)).status_code == 403
    assert client.post(reverse("definition_backtest_start", args=[2])).status_code == 403

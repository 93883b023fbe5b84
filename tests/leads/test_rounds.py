"""Rounds of won and lost deals: drawn by chance, shown as at the handoff, marked by two, read when both are done."""

import datetime as dt
import json
import random
from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from leads.calibration import as_known, drawing
from leads.calibration.annotation import finished_at, mark_item, start_round, tags_of, waiting_for
from leads.calibration.models import Mark, Round, RoundItem
from leads.calibration.round_page import Page
from leads.intake.forms.builder import edit
from leads.intake.forms.services.build import create_form, publish_version
from leads.models import Deal, Handoff
from leads.periods import Months
from leads.services.capture import capture_lead, record_event
from leads.services.deal import record_deal
from leads.services.decide import accept_handoff
from leads.services.touch import log_touch
from portal.outbox.models import Message
from portal.shared.refusal import Refusal
from sla.models import MQLDefinition
from tests import cast, kept
from tests.history import write

UTC, DAY = dt.UTC, dt.timedelta(days=1)
ZONE = timezone.get_default_timezone()
YEAR = Months.parse("2026-01..2026-12")
HTMX = {"HTTP_HX_REQUEST": "true"}
SOURCES = ("Webinar", "Trade fair", "Search")


def deals(version, owner, n, seed=1, **more):
    """`n` accepted handoffs of spring 2026, half won and half lost, of three sources and sizes."""
    chance = random.Random(seed)
    at = dt.datetime(2026, 3, 2, 9, tzinfo=UTC)
    cases = [
        {"qualified_at": at + k * DAY / 4, "decided_at": at + k * DAY / 4 + DAY, "owner": owner,
         "source": chance.choice(SOURCES), "employees": chance.choice((20, 120, 640, None)),
         "industry": chance.choice(("Food", "Law")), **more}
        for k in range(n)
    ]  # fmt: skip
    rows = write(version, cases)
    Deal.objects.bulk_create(
        Deal(lead_id=row.lead_id, handoff=row, outcome=("won", "lost")[k % 2], via="api", recorded_at=at + 90 * DAY,
             loss_reason=("", "timing")[k % 2 and k % 10 == 1], closed_at=row.qualified_at + 30 * DAY)
        for k, row in enumerate(rows)
    )  # fmt: skip
    return rows


@pytest.fixture
def two(people):
    return [people.rep, people.south_rep]


@pytest.fixture
def drawn(agreement, people, two, now):
    """A blind round of 6 won and 6 lost of 40 deals that another rep held."""

    def make():
        deals(agreement, people.other_rep, 40)
        return draw(people, two, now, won=6, lost=6)

    return kept.once(make, "round", agreement.pk, people.rep.pk, empty="leads_lead")


def draw(people, two, now, **options):
    told = {"months": YEAR, "annotators": two, "seed": "f00d", "by": people.marketer, "at": now, "zone": ZONE}
    return start_round(**told | options)


def answered(made, answer="yes", **other):
    return {question["key"]: answer for question in made.questions} | other


def mark_all(made, person, at, choose=lambda item: "yes"):
    for item in made.items.order_by("position"):
        answer = choose(item)
        mark_item(number=made.number, position=item.position, answers=answered(made, answer), by=person, at=at)


def refused(code, verb, *args, **told):
    with pytest.raises(Refusal) as refusal:
        verb(*args, **told)
    assert refusal.value.code == code


# --- drawing ------------------------------------------------------------------------------------------
def test_a_round_is_drawn_by_source_and_size_and_anybody_draws_it_again(drawn):
    assert (drawn.won, drawn.lost, drawn.population_won, drawn.population_lost) == (6, 6, 20, 20)
    for state in ("won", "lost"):
        strata = {}
        for row in Handoff.objects.filter(deals__outcome=state).order_by("pk"):
            strata.setdefault((row.source, row.segment), []).append(row.pk)
        again = drawing.draw(strata, 6, drawn.seed)
        assert sorted(again) == sorted(drawn.items.filter(outcome=state).values_list("handoff_id", flat=True))
    assert [item.position for item in drawn.items.order_by("position")] == list(range(1, 13))
    assert len({item.outcome for item in drawn.items.order_by("position")[:8]}) == 2  # won and lost are mixed


def test_both_are_told_and_what_was_drawn_is_not_drawn_again(drawn, people, two, now):
    told = Message.objects.filter(topic="calibration.round_drawn").values_list("recipient_id", flat=True)
    assert sorted(told) == sorted(each.pk for each in two)
    second = draw(people, two, now, won=50, lost=50)
    assert (second.number, second.won, second.lost) == (2, 14, 14)
    refused("nothing_to_compare", draw, people, two, now)


def test_who_marks_blind_gets_no_lead_of_their_own(agreement, people, two, now):
    deals(agreement, people.other_rep, 20)
    deals(agreement, people.rep, 20)
    made = draw(people, two, now)
    assert (made.won, made.population_won) == (10, 10)
    assert not made.items.filter(handoff__owner=people.rep).exists()
    assert draw(people, two, now, is_blind=False).won == 10


def test_only_two_different_people_of_sales_mark_and_only_some_draw(agreement, people, two, now):
    deals(agreement, people.other_rep, 20)
    refused("two_people", draw, people, [people.rep, people.rep], now)
    refused("two_people", draw, people, [people.rep, people.marketer], now)
    refused("not_permitted", draw, people, two, now, by=people.rep)
    assert not Round.objects.exists()


# --- leakage ------------------------------------------------------------------------------------------
SECRET = "LEAKED"


def test_nothing_that_came_after_the_handoff_is_shown(agreement, people, two, now, client):
    """Facts that changed, events, a note, a contact, the decision and the deal after the handoff all say a word."""
    at = now - 60 * DAY
    facts = {"email": "p@corvane.example", "title": "Buyer", "attributes": {"plan": "pro"}}
    lead = cast.open_handoff(owner=people.other_rep, at=at, **facts).lead
    other = cast.open_handoff(owner=people.other_rep, at=at)
    handoff = lead.handoffs.get()
    record_event(lead_id=lead.pk, kind="webinar_attended", occurred_at=at - DAY, at=at - 2 * DAY)
    record_event(lead_id=lead.pk, kind=f"{SECRET}_late", occurred_at=at + DAY, at=at + DAY)
    record_event(lead_id=lead.pk, kind=f"{SECRET}_backdated", occurred_at=at - DAY, at=at + DAY)
    capture_lead(facts={"email": "p@corvane.example", "title": SECRET, "company": SECRET, "industry": SECRET,
                        "attributes": {"plan": SECRET, "tag": SECRET, "outcome": SECRET}}, at=at + DAY)  # fmt: skip
    log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=people.other_rep, at=at + DAY, note=SECRET)
    accept_handoff(handoff_id=handoff.pk, by=people.other_rep, at=at + 2 * DAY, note=SECRET)
    record_deal(handoff_id=handoff.pk, by=None, at=now, outcome="won", product=SECRET, note=SECRET)
    record_deal(handoff_id=other.pk, by=None, at=now, outcome="lost", loss_reason=SECRET)
    made = draw(people, two, now, shows_score=True)
    item = made.items.get(handoff=handoff)
    client.force_login(people.rep)
    page = client.get(reverse("round_item", args=[made.number, item.position])).text
    assert SECRET.lower() not in page.lower()
    assert "Otto Rep" not in page
    for seen in ("Buyer", "Corvane Foods", "pro", "Webinar attended", "Company size 200–5,000"):
        assert seen in page
    for private in ("Henrike", "Solvang", "p@corvane.example"):
        assert private not in page
    marker = page.split('id="marker"')[1].lower()
    assert "won" not in marker
    assert "lost" not in marker


def test_of_a_lead_that_came_with_a_file_only_plain_facts_are_shown(agreement, people, two, now, client):
    rows = deals(agreement, people.other_rep, 8)
    lead = rows[0].lead
    type(lead).objects.filter(pk=lead.pk).update(created_at=now, attributes={"disposition": SECRET}, title="Buyer")
    made = draw(people, two, now)
    item = made.items.get(handoff=rows[0])
    client.force_login(people.rep)
    page = client.get(reverse("round_item", args=[made.number, item.position])).text
    assert SECRET not in page
    assert "It came later, with a file" in page
    assert not any(name.startswith("attributes.") for name in as_known.facts_at(item.handoff))


def test_where_nobody_knows_from_what_a_fact_changed_it_is_not_shown(agreement, people, two, now):
    rows = deals(agreement, people.other_rep, 8)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO leads_factchange (lead_id, changed_at) VALUES (%s, %s)", [rows[0].lead_id, now])
    handoff = Handoff.objects.select_related("lead").get(pk=rows[0].pk)
    known = as_known.facts_at(handoff)
    assert set(known) <= set(as_known.KEPT)
    assert known["source"] == handoff.source


def test_an_outcome_among_the_attributes_is_never_shown(agreement, people, two, now):
    rows = deals(agreement, people.other_rep, 8, lead={"attributes": {"outcome": "won", "plan": "pro"}})
    known = as_known.facts_at(Handoff.objects.select_related("lead").get(pk=rows[0].pk))
    assert (known.get("attributes.plan"), known.get("attributes.outcome")) == ("pro", None)


# --- marking ------------------------------------------------------------------------------------------
def test_a_mark_is_given_by_one_of_the_two_and_a_correction_supersedes(drawn, people, two, now):
    told = {"number": drawn.number, "position": 1, "at": now}
    first = mark_item(
        answers=answered(drawn), words=" Asked for a price; ASKED for a  price, Budget ", by=two[0], **told
    )
    assert first.tags == ["asked for a price", "budget"]
    same = mark_item(answers=answered(drawn), words="asked for a price, budget", by=two[0], **told)
    assert same == first
    second = mark_item(answers=answered(drawn, need="no"), by=two[0], **told)
    assert (second.supersedes, Mark.objects.count()) == (first, 2)
    refused("not_permitted", mark_item, answers=answered(drawn), by=people.manager, **told)
    refused("not_permitted", mark_item, answers=answered(drawn), by=people.marketer, **told)
    refused("answers_missing", mark_item, answers=answered(drawn) | {"need": ""}, by=two[1], **told)
    refused("answers_missing", mark_item, answers={"need": "yes"}, by=two[1], **told)
    refused("too_many_tags", mark_item, answers=answered(drawn), words="x" * 61, by=two[1], **told)


def test_words_become_tags():
    assert tags_of("a, b;c\n a ,, D  e") == ["a", "b", "c", "d e"]
    assert tags_of("") == []


def test_only_signals_that_were_shown_may_have_mattered(drawn, two, now):
    item = drawn.items.get(position=1)
    lead = item.handoff.lead
    at = item.handoff.qualified_at
    record_event(lead_id=lead.pk, kind="demo_requested", occurred_at=at - DAY, at=at - DAY)
    record_event(lead_id=lead.pk, kind="renewal", occurred_at=at + DAY, at=at + DAY)
    mark = mark_item(number=1, position=1, answers=answered(drawn), by=two[0], at=now,
                     signals=["event:demo_requested", "event:renewal", "rule:made-up"])  # fmt: skip
    assert mark.signals == ["event:demo_requested"]


def test_the_round_is_finished_once_both_have_marked_every_deal(drawn, two, now):
    mark_all(drawn, two[0], now)
    assert (finished_at(drawn), waiting_for(two[1], drawn).count()) == (None, 12)
    mark_all(drawn, two[1], now + DAY)
    mark_item(number=1, position=1, answers=answered(drawn, "no"), by=two[0], at=now + 2 * DAY)
    assert finished_at(drawn) == now + DAY
    told = Message.objects.get(topic="calibration.round_finished")
    assert (told.recipient, told.created_at) == (drawn.drawn_by, now + DAY)


def test_a_talk_after_both_were_done_changes_no_kappa(drawn, two, now):
    mark_all(drawn, two[0], now, lambda item: "yes" if item.position % 2 else "no")
    mark_all(drawn, two[1], now, lambda item: "yes" if item.position % 2 or item.position == 2 else "no")
    before = Page(drawn, now).kappas
    mark_item(number=1, position=2, answers=answered(drawn, "no"), by=two[1], at=now + DAY)
    page = Page(drawn, now + DAY)
    assert page.kappas == before
    ((position, _, answers),) = page.disagreements
    assert (position, {settled for *_, settled in answers}) == (2, {True})


MARK = (
    "INSERT INTO calibration_mark (item_id, answers, signals, tags, marked_at, marked_by_id, supersedes_id)"
    " VALUES (%s, %s, '{}', '{}', now(), %s, %s)"
)


@pytest.mark.parametrize("wrong", ["stranger", "answer", "missing", "more", "second", "other's", "other item"])
def test_the_database_refuses_a_mark_that_is_none(drawn, people, two, now, wrong):
    first = mark_item(number=1, position=1, answers=answered(drawn), by=two[0], at=now)
    items = {item.position: item.pk for item in drawn.items.all()}
    answers = answered(drawn)
    who, item, supersedes = two[0].pk, items[2], None
    if wrong == "stranger":
        who = people.manager.pk
    elif wrong == "answer":
        answers["need"] = "maybe"
    elif wrong == "missing":
        del answers["need"]
    elif wrong == "more":
        answers["luck"] = "yes"
    elif wrong == "second":
        item = items[1]
    elif wrong == "other's":
        who, item, supersedes = two[1].pk, items[1], first.pk
    else:
        supersedes = first.pk
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MARK, [item, json.dumps(answers), who, supersedes])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE calibration_round SET seed = 'x'",
        "DELETE FROM calibration_rounditem",
        "UPDATE calibration_mark SET tags = '{{x}}'",
        "DELETE FROM calibration_annotator",
        "INSERT INTO calibration_annotator (round_id, person_id, place) SELECT id, {who}, 3 FROM calibration_round",
        "INSERT INTO calibration_annotator (round_id, person_id, place) SELECT id, {who}, 1 FROM calibration_round",
        "INSERT INTO calibration_rounditem (round_id, position, handoff_id, outcome, loss_reason, source, segment)"
        " SELECT i.round_id, 13, h.id, 'won', '', '', '' FROM calibration_rounditem i, leads_handoff h"
        " WHERE NOT EXISTS (SELECT 1 FROM calibration_rounditem j WHERE j.handoff_id = h.id) LIMIT 1",
    ],
)
def test_what_was_drawn_and_marked_stays(drawn, people, two, now, statement):
    mark_item(number=1, position=1, answers=answered(drawn), by=two[0], at=now)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(who=people.manager.pk))


# --- pages --------------------------------------------------------------------------------------------
def fields(made, answer="yes", **more):
    return {f"answer-{key}": value for key, value in answered(made, answer).items()} | more


def test_the_next_deal_comes_by_itself_and_one_comes_back_to_where_one_left(client, drawn, two):
    client.force_login(two[0])
    where = reverse("round_mark", args=[1])
    assert "Deal 1 of 12" in client.get(where).text
    answer = client.post(reverse("round_item", args=[1, 1]), fields(drawn, words="a, b"), **HTMX)
    assert "Deal 2 of 12" in answer.text
    assert "1 of 12 marked by you" in answer.text
    assert client.post(reverse("round_item", args=[1, 2]), fields(drawn)).url == where
    assert "Deal 3 of 12" in client.get(where).text
    shown = client.get(reverse("round_item", args=[1, 1])).text
    assert 'value="a, b"' in shown
    missing = client.post(reverse("round_item", args=[1, 3]), fields(drawn) | {"answer-need": ""})
    assert (missing.status_code, "Answer each question" in missing.text) == (422, True)
    assert client.post(reverse("round_item", args=[1, 3]), fields(drawn, "maybe")).status_code == 404


def test_nobody_sees_an_answer_before_both_are_done(client, drawn, people, two, now):
    mark_all(drawn, two[0], now, lambda item: "no")
    for person in (two[1], people.marketer, people.sales_leader):
        client.force_login(person)
        page = client.get(reverse("round", args=[1])).text
        assert "How far the two agree" not in page
        assert "What tells won from lost" not in page
    client.force_login(two[1])
    blank = client.get(reverse("round_item", args=[1, 1])).text
    assert "checked" not in blank.split('id="marker"')[1]
    mark_all(drawn, two[1], now, lambda item: "yes")
    assert "How far the two agree" in client.get(reverse("round", args=[1])).text


def test_who_was_not_named_marks_nothing(client, drawn, people):
    for person in (people.manager, people.marketer):
        client.force_login(person)
        assert client.get(reverse("round_mark", args=[1])).status_code == 403
        assert client.post(reverse("round_item", args=[1, 1]), fields(drawn)).status_code == 403


def finish(made, two, now):
    """Both say that budget was there for the won ones, and that the industry fits where it is food."""
    for person in two:
        for item in made.items.select_related("handoff"):
            food = item.handoff.industry == "Food"
            answers = answered(made, "unknown", budget="yes" if item.outcome == "won" else "no",
                               industry="yes" if food else "no")  # fmt: skip
            words = "asked for a price" if item.outcome == "won" else ""
            mark_item(number=made.number, position=item.position, answers=answers, words=words, by=person, at=now)


@pytest.fixture
def finished(agreement, people, two, now):
    def make():
        deals(agreement, people.other_rep, 80, seed=2)
        made = draw(people, two, now, won=30, lost=30)
        finish(made, two, now)
        return made

    return kept.once(make, "finished round", agreement.pk, people.rep.pk, empty="leads_lead")


def test_what_tells_won_from_lost_becomes_a_rule_in_a_draft(client, finished, people, agreement):
    client.force_login(people.marketer)
    page = client.get(reverse("round", args=[1]))
    assert page.context["page"].findings[0]["difference"].is_real
    assert "No form that visitors see asks for it" in page.text
    answer = client.post(reverse("round_draft", args=[1]), {"key": "budget"})
    draft = MQLDefinition.objects.order_by("number").last()
    assert answer.url == reverse("definition_edit", args=[draft.number])
    rule = draft.rules.get(label="Has the budget")
    assert (rule.condition, rule.points, rule.axis) == (
        {"field": "attributes.budget", "op": "equals", "value": "yes"}, 20, "fit",
    )  # fmt: skip
    assert draft.summary == "Has the budget (round 1)"
    tag = client.post(reverse("round_draft", args=[1]), {"key": "tag:asked for a price"})
    assert tag.status_code == 302
    late = client.post(reverse("round_draft", args=[1]), {"key": "region"})
    assert (late.status_code, "Nothing was drafted" in late.text) == (409, True)
    client.force_login(people.manager)
    assert client.post(reverse("round_draft", args=[1]), {"key": "budget"}).status_code == 403


def test_what_no_form_asks_becomes_a_question_in_the_draft_of_one(client, finished, people):
    now = timezone.now()
    form = create_form(name="Demo request", by=people.marketer, at=now)
    client.force_login(people.marketer)
    ask = {"key": "budget", "form": form.slug}
    assert client.post(reverse("round_ask", args=[1]), ask).status_code == 404  # no visitor sees it yet
    publish_version(form_id=form.pk, by=people.marketer, at=now)
    assert "Ask it there" in client.get(reverse("round", args=[1])).text
    answer = client.post(reverse("round_ask", args=[1]), ask)
    question = edit.questions_of(form.versions.draft().content)[-1]
    assert (question["fills"], question["label"]) == ("attributes.budget", "Is there a budget for it?")
    assert [choice["value"] for choice in question["choices"]] == ["yes", "no", "unknown"]
    assert "Is there a budget for it?" in client.get(answer.url).text
    assert client.post(reverse("round_ask", args=[1]), ask).url == answer.url  # asked is asked
    publish_version(form_id=form.pk, by=people.marketer, at=now)
    assert "Asked by Demo request" in client.get(reverse("round", args=[1])).text
    client.force_login(people.sales_leader)
    assert client.post(reverse("round_ask", args=[1]), ask).status_code == 403


def test_a_fact_that_leads_have_becomes_a_rule_over_its_values(agreement, people, two, now):
    deals(agreement, people.other_rep, 60, seed=3)
    made = draw(people, two, now, won=25, lost=25)
    for person in two:
        for item in made.items.select_related("handoff"):
            fits = item.outcome == "won"
            size = "yes" if item.handoff.employees == 640 else "no"
            mark_item(number=1, position=item.position, by=person, at=now,
                      answers=answered(made, "unknown", industry="yes" if fits else "no", size=size))  # fmt: skip
    page = Page(made, now)
    offer = page.offer(page.finding("industry"))
    assert (offer.field, offer.fact) == ("industry", True)
    assert set(offer.rule["condition"]["values"]) <= {"Food", "Law"}
    size = next(each for each in page.differences if each.key == "size")
    made_of = page.offer(size).rule["condition"]
    assert made_of == {"field": "employees", "op": "between", "min": 200, "max": 999}


def test_a_round_is_drawn_on_the_page_and_what_is_wrong_is_said(client, agreement, people, two):
    now = timezone.now()
    rows = deals(agreement, people.other_rep, 12)
    client.force_login(people.marketer)
    told = {"won": 5, "lost": 5, "months": 36, "first": two[0].pk, "second": two[1].pk, "is_blind": "on",
            "fitting": "Do they run shifts?\n\n"}  # fmt: skip
    same = client.post(reverse("round_start"), told | {"second": two[0].pk})
    assert (same.status_code, "Two different people" in same.text) == (422, True)
    answer = client.post(reverse("round_start"), told)
    made = Round.objects.get()
    assert answer.url == reverse("round", args=[made.number])
    assert made.questions[-1] == {"key": "fit_1", "label": "Do they run shifts?", "about": "fit"}
    assert made.months.end.begins(ZONE) <= now
    listed = client.get(reverse("rounds")).text
    assert "Round 1" in listed
    assert len(rows) == 12


def test_a_drawn_deal_is_of_its_own_outcome(drawn):
    counts = Counter(drawn.items.values_list("outcome", flat=True))
    assert counts == {"won": 6, "lost": 6}
    for item in RoundItem.objects.all():
        assert item.handoff.deals.get().outcome == item.outcome

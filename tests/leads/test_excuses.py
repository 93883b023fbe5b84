"""A breach is excused when one side proposes it and the other side's leader co-signs; the scorecard tells both."""

import datetime as dt
import re

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads.audit import excuse_views
from leads.audit import scorecard as score
from leads.audit.closing import close_audit
from leads.audit.excuses import answer_excuses, propose_commitment, propose_excuses
from leads.audit.models import Excuse, ExcuseAnswer
from leads.figures import Month
from leads.models import Breach, Touch
from leads.services.decide import accept_handoff
from leads.services.sweep import sweep_clocks
from leads.services.touch import log_touch
from portal.accounts.models import User
from portal.outbox.mail import TOPICS
from portal.outbox.models import Message
from portal.shared.refusal import Refusal
from sla.models import Commitment, Party
from tests import cast

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ZONE, OCTOBER = get_default_timezone(), Month.parse("2026-10")
START = dt.datetime(2026, 10, 5, 7, tzinfo=dt.UTC)
LATER = START + 3 * DAY
NOVEMBER = dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC)
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def breaches(open_lead, people):
    """The contact clocks of three leads of Rena's and one of Suna's ran out; one more lead was called in time."""
    for owner in (people.rep, people.rep, people.rep, people.south_rep):
        open_lead(owner=owner, at=START)
    kept = open_lead(owner=people.rep, at=START)
    log_touch(handoff_id=kept.pk, by=people.rep, at=START + HOUR / 60, kind=Touch.Kind.CALL,
              outcome=Touch.Outcome.REACHED)  # fmt: skip
    sweep_clocks(at=kept.contact_due_at + HOUR / 60)
    return list(Breach.objects.filter(clock="contact").order_by("pk"))


def propose(breaches, by, party=Party.SALES, why="The telephones were down.", at=LATER):
    ids = [breach.pk for breach in breaches]
    return propose_excuses(breach_ids=ids, party=party, why=why, by=by, at=at, zone=ZONE)


def answer(excuses, by, party=Party.MARKETING, agreed=True, note="", at=LATER):
    ids = [excuse.pk for excuse in excuses]
    return answer_excuses(excuse_ids=ids, party=party, agreed=agreed, note=note, by=by, at=at, zone=ZONE)


def refused(code, act, *args, **said):
    with pytest.raises(Refusal) as refusal:
        act(*args, **said)
    assert refusal.value.code == code


def card(as_of=LATER):
    return score.scorecard(OCTOBER, as_of=as_of, zone=ZONE)


def first_contact(found):
    return next(p for p in found.promises if p.kind == Commitment.Kind.FIRST_CONTACT and p.n)


# --- who may ------------------------------------------------------------------------------------------


def test_it_is_excused_only_when_the_other_sides_leader_co_signed(breaches, people):
    excuses = propose(breaches[:2], people.manager)
    assert first_contact(card()).excused == 0
    answer(excuses, people.marketing_leader)
    promise = first_contact(card())
    assert (promise.k, promise.n, promise.excused) == (1, 5, 2)
    assert (promise.without_excused.k, promise.without_excused.n) == (1, 3)
    assert Breach.objects.filter(clock="contact").count() == 4, "a breach stays a fact"


@pytest.mark.parametrize(("who", "party"), [("rep", "sales"), ("admin", "sales"), ("marketer", "sales"),
                                            ("manager", "marketing")])  # fmt: skip
def test_each_proposes_for_their_own_side_only(breaches, people, who, party):
    refused("not_permitted", propose, breaches[:1], getattr(people, who), party=party)


@pytest.mark.parametrize(("who", "party", "code"), [
    ("sales_leader", "sales", "own_side"), ("sales_leader", "marketing", "not_permitted"),
    ("marketer", "marketing", "not_permitted"), ("manager", "sales", "not_permitted"),
])  # fmt: skip
def test_nobody_co_signs_the_proposal_of_their_own_side(breaches, people, who, party, code):
    excuses = propose(breaches[:1], people.manager)
    refused(code, answer, excuses, getattr(people, who), party=party)


def test_one_person_who_leads_both_sides_does_not_co_sign_their_own(breaches):
    both = cast.user("Bo Both", "marketing_leader", "sales_leader")
    refused("own_side", answer, propose(breaches[:1], both), both, party=Party.MARKETING)


def test_marketing_proposes_too_and_sales_co_signs(breaches, people):
    excuses = propose(breaches[:1], people.marketer, party=Party.MARKETING)
    answer(excuses, people.sales_leader, party=Party.SALES)
    assert first_contact(card()).excused == 1


# --- once, with a word --------------------------------------------------------------------------------


def test_a_breach_is_proposed_once_and_again_only_after_it_was_declined(breaches, people):
    first = propose(breaches[:1], people.manager)
    refused("already_proposed", propose, breaches[:2], people.sales_leader)
    refused("why_decline", answer, first, people.marketing_leader, agreed=False)
    answer(first, people.marketing_leader, agreed=False, note="They were up again by nine.")
    refused("already_answered", answer, first, people.marketing_leader)
    second = propose(breaches[:1], people.manager, why="Until noon, says the provider.")
    assert [excuse.number for excuse in (*first, *second)] == [1, 2]
    answer(second, people.marketing_leader)
    refused("already_proposed", propose, breaches[:1], people.manager)
    assert first_contact(card()).excused == 1


def test_a_proposal_says_why_and_names_something(breaches, people):
    refused("why_excuse", propose, breaches[:1], people.manager, why="  ")
    refused("nothing_chosen", propose, [], people.manager)
    refused("nothing_chosen", answer, [], people.marketing_leader)


def test_as_of_an_earlier_instant_nothing_was_excused_yet(breaches, people):
    answer(propose(breaches[:1], people.manager), people.marketing_leader, at=LATER + HOUR)
    assert first_contact(card(LATER)).excused == 0
    assert first_contact(card(LATER + HOUR)).excused == 1


def test_a_breach_that_was_none_after_all_is_not_excused(breaches, people):
    """A contact made in time and logged late is kept: there is nothing left to excuse."""
    answer(propose(breaches[:1], people.manager), people.marketing_leader)
    log_touch(handoff_id=breaches[0].handoff_id, by=people.rep, at=LATER, occurred_at=START + HOUR / 60,
              kind=Touch.Kind.CALL, outcome=Touch.Outcome.REACHED)  # fmt: skip
    promise = first_contact(card())
    assert (promise.k, promise.n, promise.excused) == (2, 5, 0)
    refused("nothing_chosen", propose, breaches[:1], people.manager)


def test_nothing_of_a_closed_month_is_proposed_or_answered(breaches, people):
    excuses = propose(breaches[:1], people.manager)
    close_audit(month=OCTOBER, by=people.sales_leader, at=NOVEMBER, zone=ZONE)
    refused("month_closed", propose, breaches[1:2], people.manager, at=NOVEMBER)
    refused("month_closed", answer, excuses, people.marketing_leader, at=NOVEMBER)
    volume = Commitment.objects.get(kind="mqls")
    said = {"month": OCTOBER, "party": Party.MARKETING, "why": "x", "by": people.marketer, "at": NOVEMBER}
    refused("month_closed", propose_commitment, commitment_id=volume.pk, **said)


# --- a commitment of a month --------------------------------------------------------------------------


def test_a_commitment_of_one_month_is_excused_as_a_whole(breaches, people):
    for breach in breaches[:2]:
        accept_handoff(handoff_id=breach.handoff_id, by=people.rep, at=LATER)
    volume = Commitment.objects.get(kind="mqls")
    before = card().attainment
    excuse = propose_commitment(
        commitment_id=volume.pk, month=OCTOBER, party=Party.MARKETING, why="The fair was called off.",
        by=people.marketer, at=LATER,
    )  # fmt: skip
    answer([excuse], people.sales_leader, party=Party.SALES)
    found = card()
    (promise,) = [p for p in found.promises if p.kind == "mqls"]
    assert (promise.is_excused, promise.verdict, promise.without_excused) == (True, score.BREACHED, None)
    assert found.attainment == before, "with it, as before"
    assert found.without_excused.attainment.marketing > before.marketing
    september = score.scorecard(OCTOBER.plus(-1), as_of=LATER, zone=ZONE)
    assert not september.has_excused, "of that month alone"


# --- by team and rep ----------------------------------------------------------------------------------


def test_people_have_their_counts_both_ways_and_add_up_to_the_promise(breaches, people):
    answer(propose([breaches[0], breaches[3]], people.sales_leader), people.marketing_leader)
    found = score.by_person(OCTOBER, people=User.objects.all(), as_of=LATER, zone=ZONE)
    assert {one.person: one.contact for one in found} == {people.rep: (1, 4, 1), people.south_rep: (0, 1, 1)}
    promise = first_contact(card())
    assert sum(one.contact[2] for one in found) == promise.excused


@pytest.mark.parametrize(("who", "n", "not_these"), [
    ("rep", 3, ["Suna Rep", "Propose"]), ("manager", 3, ["Suna Rep"]), ("sales_leader", 4, []),
    ("admin", 4, ["Propose"]),
])  # fmt: skip
def test_reps_see_their_own_breaches_managers_their_team(client, breaches, people, who, n, not_these):
    client.force_login(getattr(people, who))
    text = client.get(reverse("audit_breaches", args=["2026-10"])).text
    assert f"{n} clocks ran out" in text
    assert [word for word in not_these if word in text] == []


def test_a_manager_proposes_nothing_of_another_team_by_its_number(client, breaches, people):
    client.force_login(people.manager)
    said = {"breach": [breaches[3].pk], "why": "x", "party": "sales"}
    assert client.post(reverse("audit_excuse", args=["2026-10"]), said, **HTMX).status_code == 422
    assert not Excuse.objects.exists()


# --- on the page --------------------------------------------------------------------------------------


def test_a_manager_proposes_the_leader_of_marketing_is_written_to_and_co_signs(client, breaches, people):
    client.force_login(people.manager)
    said = {"breach": [b.pk for b in breaches[:2]], "why": "The telephones were down.", "party": "sales"}
    reply = client.post(reverse("audit_excuse", args=["2026-10"]), said, **HTMX)
    assert reply.text.count("Proposed, not co-signed") == 2
    message = Message.objects.get(topic="audit.excuse_proposed")
    assert message.recipient == people.marketing_leader
    mail = TOPICS["audit.excuse_proposed"].write(message.payload)
    assert "2 breaches" in mail.subject
    client.force_login(people.marketing_leader)
    page = client.get(mail.path).text
    assert "2 proposals wait for the other side" in page
    chosen = {"excuse": re.findall(r'name="excuse" value="(\d+)"', page), "party": "marketing", "answer": "co-sign"}
    reply = client.post(reverse("audit_excuse_answer", args=["2026-10"]), chosen, **HTMX)
    assert reply.text.count("co-signed by Linus Leader") == 2
    told = Message.objects.get(topic="audit.excuse_answered")
    assert told.recipient == people.manager
    assert "co-signed" in TOPICS[told.topic].write(told.payload).subject
    score_page = client.get(reverse("audit_scorecard", args=["2026-10"])).text
    assert "2 excused: <b>33.3%</b>" in score_page
    assert "20.0%" in score_page, "and with them"


def test_what_was_typed_stays_where_it_was_refused(client, breaches, people):
    client.force_login(people.manager)
    said = {"why": "The telephones were down.", "party": "sales"}
    reply = client.post(reverse("audit_excuse", args=["2026-10"]), said, **HTMX)
    assert (reply.status_code, "The telephones were down.</textarea>" in reply.text) == (422, True)


def test_an_answer_that_came_too_late_is_told_so(client, breaches, people):
    excuses = propose(breaches[:1], people.manager)
    answer(excuses, people.marketing_leader)
    client.force_login(people.marketing_leader)
    chosen = {"excuse": [excuses[0].pk], "party": "marketing", "answer": "co-sign"}
    assert client.post(reverse("audit_excuse_answer", args=["2026-10"]), chosen, **HTMX).status_code == 409


def test_a_closed_months_page_has_no_control_left(client, breaches, people):
    propose(breaches[:1], people.manager)
    close_audit(month=OCTOBER, by=people.sales_leader, at=NOVEMBER, zone=ZONE)
    for who in (people.manager, people.marketing_leader):
        client.force_login(who)
        part = client.get(reverse("audit_breaches", args=["2026-10"]), **HTMX).text
        assert "<button" not in part
        assert 'type="checkbox"' not in part


def test_many_breaches_come_in_pages(client, breaches, people, monkeypatch):
    monkeypatch.setattr(excuse_views, "SHOWN", 3)
    client.force_login(people.sales_leader)
    first = client.get(reverse("audit_breaches", args=["2026-10"]))
    assert len(first.context["rows"]) == 3
    second = client.get(reverse("audit_breaches", args=["2026-10"]), {"after": first.context["after"]})
    assert len(second.context["rows"]) == 1


# --- the database refuses, whatever writes -------------------------------------------------------------
PROPOSED = (
    "INSERT INTO audit_excuse (breach_id, commitment_id, month, number, party, role, why, proposed_at, proposed_by_id)"
    " VALUES ({breach}, {commitment}, {month}, {number}, {party}, {role}, {why}, now(), {by})"
)
ANSWERED = (
    "INSERT INTO audit_excuseanswer (excuse_id, agreed, party, role, name, note, answered_at, answered_by_id)"
    " VALUES ({excuse}, {agreed}, {party}, {role}, 'x', {note}, now(), {by})"
)


def run(sql):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the fixtures did is settled
        cursor.execute(sql)


@pytest.mark.parametrize(("change", "why"), [
    ({"why": "''"}, "audit_excuse_says_why"),
    ({"breach": "NULL"}, "audit_excuse_of_one_breach"),
    ({"month": "'2026-10-01'"}, "audit_excuse_of_one_breach"),
    ({"commitment": "(SELECT min(id) FROM sla_commitment)", "breach": "NULL", "month": "'2026-10-02'"}, "of_one_b"),
    ({"number": "2"}, "an excuse follows the one before it"),
    ({"party": "'marketing'"}, "audit_excuse_role_of_its_side"),
    ({"role": "'rep'"}, "holds the named role"),
    ({"role": "'sales_leader'"}, "holds the named role"),
    ({"party": "'nobody'"}, "audit_excuse_role_of_its_side"),
])  # fmt: skip
def test_the_database_refuses_a_proposal_that_no_verb_makes(breaches, people, change, why):
    said = {"breach": breaches[0].pk, "commitment": "NULL", "month": "NULL", "number": "1", "party": "'sales'",
            "role": "'sales_manager'", "why": "'x'", "by": people.manager.pk}  # fmt: skip
    with pytest.raises(DatabaseError, match=why):
        run(PROPOSED.format(**said | change))
    run(PROPOSED.format(**said))
    with pytest.raises(DatabaseError, match="only after the other side declined"):
        run(PROPOSED.format(**said | {"number": "2"}))


def test_the_database_refuses_an_answer_that_no_verb_gives(breaches, people):
    (excuse,) = propose(breaches[:1], people.manager)
    said = {"excuse": excuse.pk, "agreed": "true", "party": "'marketing'", "role": "'marketing_leader'", "note": "''",
            "by": people.marketing_leader.pk}  # fmt: skip
    own = {"party": "'sales'", "role": "'sales_leader'", "by": people.sales_leader.pk}
    wrong = [
        (own, "nobody co-signs the proposal of their own side"),
        ({"role": "'marketer'"}, "holds the named role|by_a_leader"),
        ({"by": people.marketer.pk}, "holds the named role"),
        ({"party": "'sales'"}, "by_a_leader|their own side"),
        ({"agreed": "false"}, "audit_excuseanswer_says_why_not"),
    ]
    for change, why in wrong:
        with pytest.raises(DatabaseError, match=why):
            run(ANSWERED.format(**said | change))
    run(ANSWERED.format(**said))
    with pytest.raises(DatabaseError, match="duplicate key"):
        run(ANSWERED.format(**said))


def test_the_database_lets_nobody_co_sign_what_they_proposed_in_another_role(breaches):
    both = cast.user("Bo Both", "sales_manager", "marketing_leader")
    (excuse,) = propose(breaches[:1], both)
    said = {"excuse": excuse.pk, "agreed": "true", "party": "'marketing'", "role": "'marketing_leader'", "note": "''"}
    with pytest.raises(DatabaseError, match="their own side"):
        run(ANSWERED.format(**said, by=both.pk))


@pytest.mark.parametrize("sql", [
    "UPDATE audit_excuse SET why = 'y'", "DELETE FROM audit_excuse", "UPDATE audit_excuseanswer SET agreed = false",
    "DELETE FROM audit_excuseanswer", "TRUNCATE audit_excuse CASCADE",
])  # fmt: skip
def test_what_was_proposed_and_answered_never_changes(breaches, people, sql):
    answer(propose(breaches[:1], people.manager), people.marketing_leader)
    with pytest.raises(DatabaseError, match=r"append-only|never emptied"):
        run(sql)
    assert (Excuse.objects.count(), ExcuseAnswer.objects.count()) == (1, 1)

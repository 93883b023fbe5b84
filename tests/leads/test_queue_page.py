"""The queue's page, and the doors that change who holds a lead: claim, hand back, reassign, hand over."""

import datetime as dt

import pytest
from django.urls import reverse

from leads.models import Assignment, Handoff
from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff
from leads.services.leave import hand_over_leads
from leads.services.queue import claim_handoff, hand_back_handoff, remind_unclaimed
from leads.services.refusals import NothingToHandOver
from portal.accounts.absences import add_absence
from portal.outbox.models import Message
from portal.shared.refusal import NotPermitted, Refusal
from tests import cast
from tests.routing import plan

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.fixture
def now():
    """The pages ask the real clock, so these leads are of today."""
    return dt.datetime.now(dt.UTC) - 10 * MINUTE


@pytest.fixture
def queued(open_lead, people, now):
    """Makes a lead that waits in the default queue, which the manager answers for."""

    def make(**facts):
        handoff = open_lead(**facts)
        hand_back_handoff(handoff_id=handoff.pk, by=people.rep, at=now, why="Not my region")
        handoff.refresh_from_db()
        return handoff

    return make


def story(handoff):
    rows = Assignment.objects.filter(handoff=handoff).order_by("pk")
    return [(row.owner.name, row.to_queue, row.why) for row in rows][1:]


def code(act, **given):
    with pytest.raises(Refusal) as refused:
        act(**given)
    return refused.value.code


# --- the verbs --------------------------------------------------------------------------------------
def test_a_lead_handed_back_waits_in_the_queue_and_who_claims_it_holds_it(queued, people, now):
    handoff = queued()
    due = handoff.decision_due_at
    assert (handoff.owner, handoff.queue_due_at) == (people.manager, now + dt.timedelta(hours=1))
    claim_handoff(handoff_id=handoff.pk, by=people.south_rep, at=now + MINUTE)
    handoff.refresh_from_db()
    assert (handoff.owner, handoff.queued_at, handoff.queue_due_at) == (people.south_rep, None, None)
    assert handoff.decision_due_at == due
    assert story(handoff) == [
        ("Mona Manager", True, "Handed back by Rena Rep: Not my region"),
        ("Suna Rep", False, "Claimed from the queue by Suna Rep"),
    ]
    assert Message.objects.filter(topic="handoff.queued", recipient=people.manager).count() == 1
    assert Message.objects.filter(topic="handoff.assigned", recipient=people.south_rep).count() == 1


def test_who_answers_for_the_queue_is_told_once_when_nobody_claims_in_time(queued, people, now):
    handoff = queued()
    told = Message.objects.filter(topic="handoff.unclaimed", recipient=people.manager)
    assert remind_unclaimed(at=now + 59 * MINUTE) == 0
    assert (remind_unclaimed(at=now + 60 * MINUTE), remind_unclaimed(at=now + 70 * MINUTE)) == (1, 1)
    assert told.count() == 1
    claim_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 71 * MINUTE)
    assert remind_unclaimed(at=now + 72 * MINUTE) == 0


def test_only_what_waits_is_claimed_and_only_by_sales(queued, open_lead, people, now):
    handoff = queued()
    for who in (people.marketer, people.admin, people.sales_leader):
        assert code(claim_handoff, handoff_id=handoff.pk, by=who, at=now) == "not_permitted"
    assert code(claim_handoff, handoff_id=open_lead().pk, by=people.south_rep, at=now) == "already_claimed"
    claim_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    assert code(claim_handoff, handoff_id=handoff.pk, by=people.south_rep, at=now) == "already_decided"


def test_only_its_owner_or_their_manager_hands_a_lead_back_and_says_why(open_lead, people, now):
    handoff = open_lead()
    give = {"handoff_id": handoff.pk, "at": now, "why": "Wrong region"}
    assert code(hand_back_handoff, by=people.south_rep, **give) == "not_permitted"
    assert code(hand_back_handoff, by=people.rep, **give | {"why": " "}) == "why_required"
    hand_back_handoff(by=people.manager, **give)
    assert code(hand_back_handoff, by=people.manager, **give) == "in_queue_already"


def test_a_manager_gives_a_lead_of_the_queue_to_a_rep(queued, people, now):
    handoff = queued()
    other = cast.user("Nora Manager", "sales_manager", team=people.south)
    reassign_handoff(handoff_id=handoff.pk, to=people.south_rep, by=other, at=now)
    handoff.refresh_from_db()
    assert (handoff.owner, handoff.waits_in_queue) == (people.south_rep, False)


def test_all_leads_of_somebody_away_go_to_the_least_busy_of_the_team_who_are_there(open_lead, people, now):
    held = [open_lead() for _ in range(4)]
    third = cast.user("Tara Rep", "rep", team=people.north)
    day = now.date()
    add_absence(person_id=people.rep.pk, first_day=day, last_day=day + DAY, by=people.manager, at=now)
    assert hand_over_leads(person_id=people.rep.pk, by=people.manager, at=now) == 4
    owners = [Handoff.objects.get(pk=handoff.pk).owner for handoff in held]
    assert (owners.count(people.other_rep), owners.count(third)) == (2, 2)
    assert story(held[0])[0][2] == "Handed over by Mona Manager for Rena Rep; fewest open leads: 0"
    with pytest.raises(NothingToHandOver):
        hand_over_leads(person_id=people.rep.pk, by=people.manager, at=now)


def test_a_full_team_hands_over_to_the_queue(open_lead, people, now):
    plan(people, {"team_id": people.north.pk}, at=now, most_open=0)
    handoff = open_lead()
    hand_over_leads(person_id=people.rep.pk, by=people.manager, at=now)
    handoff.refresh_from_db()
    assert handoff.waits_in_queue


def test_all_leads_go_to_one_person_where_the_manager_names_one(open_lead, people, now):
    held = [open_lead(), open_lead()]
    hand_over_leads(person_id=people.rep.pk, by=people.manager, at=now, to=people.other_rep)
    assert {Handoff.objects.get(pk=handoff.pk).owner for handoff in held} == {people.other_rep}


def test_nobody_hands_over_the_leads_of_another_team(open_lead, people, now):
    open_lead(owner=people.south_rep)
    for by in (people.manager, people.rep, people.admin):
        with pytest.raises(NotPermitted):
            hand_over_leads(person_id=people.south_rep.pk, by=by, at=now)


# --- the pages --------------------------------------------------------------------------------------
def test_the_queue_shows_what_waits_and_why_and_a_rep_claims_it(queued, client, people):
    handoff = queued(last_name="Waiting")
    client.force_login(people.south_rep)
    page = client.get(reverse("queue")).content.decode()
    assert "One lead waits to be claimed" in page
    assert "Handed back by Rena Rep: Not my region" in page
    answer = client.post(reverse("queue_claim", args=[handoff.pk]))
    assert answer["Location"] == reverse("inbox_lead", args=[handoff.pk])
    assert "Nobody waits in the queue" in client.get(reverse("queue")).content.decode()


def test_who_comes_second_is_told_and_sees_the_list_as_it_is(queued, client, people, now):
    handoff = queued()
    claim_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    client.force_login(people.manager)
    answer = client.post(reverse("queue_claim", args=[handoff.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert 'data-code="already_claimed"' in answer.content.decode()


def test_a_claim_with_htmx_answers_the_list(queued, client, people):
    handoff = queued()
    client.force_login(people.south_rep)
    headers = {"HX-Request": "true", "HX-Target": "queue-list"}
    answer = client.post(reverse("queue_claim", args=[handoff.pk]), headers=headers)
    assert (answer.status_code, "<html" in answer.content.decode()) == (200, False)
    assert reverse("inbox_lead", args=[handoff.pk]) in answer.content.decode()


def test_a_rep_hands_a_lead_back_by_page(open_lead, client, people):
    handoff = open_lead()
    client.force_login(people.rep)
    where = reverse("handoff_hand_back", args=[handoff.pk])
    assert where in client.get(reverse("inbox_lead", args=[handoff.pk])).content.decode()
    assert client.get(where).status_code == 200
    refused = client.post(where, {"why": ""})
    assert (refused.status_code, refused.context["refusal"].code) == (422, "why_required")
    assert client.post(where, {"why": "Knows them"}).status_code == 302
    handoff.refresh_from_db()
    assert handoff.waits_in_queue


def test_a_lead_of_somebody_else_is_not_handed_back_by_its_address(open_lead, client, people):
    handoff = open_lead()
    client.force_login(people.south_rep)
    assert client.post(reverse("handoff_hand_back", args=[handoff.pk]), {"why": "x"}).status_code == 404


def test_the_leads_page_offers_what_this_person_may_do(queued, open_lead, client, people):
    waits, held = queued(), open_lead()
    offered = {}
    for name in ("rep", "south_rep", "manager", "marketer"):
        client.force_login(getattr(people, name))
        for handoff in (waits, held):
            answer = client.get(reverse("handoff", args=[handoff.pk]))
            acts = answer.context["acts"] if answer.status_code == 200 else {}
            offered[name, handoff is waits] = {act for act, on in acts.items() if on and act != "any"}
    assert offered == {
        ("rep", True): {"claim"}, ("rep", False): {"hand_back"},
        ("south_rep", True): {"claim"}, ("south_rep", False): set(),
        ("manager", True): {"claim", "reassign"}, ("manager", False): {"reassign", "hand_back"},
        ("marketer", True): set(), ("marketer", False): set(),
    }  # fmt: skip


def test_a_manager_reassigns_by_page_and_hands_over_all_by_page(open_lead, client, people):
    handoff, other = open_lead(), open_lead()
    client.force_login(people.manager)
    where = reverse("handoff_reassign", args=[handoff.pk])
    assert "Otto Rep" in client.get(where).content.decode()
    assert client.post(where, {"owner": people.south_rep.pk}).status_code == 422
    assert client.post(where, {"owner": people.other_rep.pk, "why": "Speaks Dutch"}).status_code == 302
    assert story(handoff)[-1] == ("Otto Rep", False, "Speaks Dutch")
    all_of = reverse("person_hand_over", args=[people.rep.pk])
    assert "1 open lead of Rena Rep" in client.get(all_of).content.decode()
    assert client.post(all_of, {"owner": ""}).status_code == 302
    assert Handoff.objects.get(pk=other.pk).owner == people.other_rep
    assert client.post(all_of, {"owner": ""}).status_code == 422


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_two_reps_claim_one_lead_and_one_of_them_has_it(queued, people, now, turn):
    from tests.leads.test_races import at_once, codes

    handoff = queued()
    both = (people.rep, people.south_rep)
    outcomes = at_once(*[lambda who=who: claim_handoff(handoff_id=handoff.pk, by=who, at=now) for who in both])
    assert codes(outcomes) == ["already_claimed", "done"]
    assert len(story(handoff)) == 2

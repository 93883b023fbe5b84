"""Two people at once, on two connections: one of them wins, the other is told, and nothing happens twice."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from leads.models import Assignment, Decision, Handoff, Touch
from leads.services.assign import reassign_handoff
from leads.services.bulk import accept_many
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.touch import log_touch
from portal.outbox.models import Message
from portal.shared.refusal import Refusal

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = dt.timedelta(seconds=1)
ROUNDS = 5  # each round is a new lead: a race that is lost once in a while shows


def at_once(*works):
    """Run the works at the same moment, each on its own connection; what each returned, or its refusal's code."""
    start = Barrier(len(works))

    def run(work):
        try:
            connection.ensure_connection()
            start.wait(10)
            return work()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def codes(outcomes):
    return sorted(outcome if isinstance(outcome, str) else "done" for outcome in outcomes)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_rep_and_their_manager_decide_one_lead_and_only_one_decision_is_written(open_lead, people, now, turn):
    handoff = open_lead()
    outcomes = at_once(
        lambda: accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now),
        lambda: reject_handoff(handoff_id=handoff.pk, by=people.manager, at=now, reason="11"),
    )
    assert codes(outcomes) == ["already_decided", "done"]
    decision = Decision.objects.get()
    handoff.refresh_from_db()
    assert (handoff.status, handoff.standing_decision) == (decision.outcome, decision)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_double_click_on_accept_accepts_once_and_tells_once(open_lead, people, now, turn):
    handoff = open_lead()
    click = lambda: accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)  # noqa: E731
    assert codes(at_once(click, click, click, click)) == ["already_decided"] * 3 + ["done"]
    assert (Decision.objects.count(), Message.objects.filter(topic="handoff.accepted").count()) == (1, 1)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_lead_that_is_accepted_and_reassigned_at_once_has_a_story_in_one_order(open_lead, people, now, turn):
    """Accept first: the manager is refused. Reassign first: the former owner is."""
    handoff = open_lead()
    accepted, given = at_once(
        lambda: accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now),
        lambda: reassign_handoff(handoff_id=handoff.pk, to=people.other_rep, by=people.manager, at=now),
    )
    handoff.refresh_from_db()
    if given == "already_decided":
        assert (handoff.status, handoff.owner, accepted) == ("accepted", people.rep, Decision.objects.get())
    else:
        assert (accepted, handoff.status, handoff.owner) == ("not_permitted", "open", people.other_rep)
    assert Assignment.objects.filter(handoff=handoff).last().owner == handoff.owner


def test_a_contact_and_a_decision_at_once_never_log_on_a_decided_lead(open_lead, people, now):
    handoff = open_lead()
    touched, decided = at_once(
        lambda: log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=people.rep, at=now),
        lambda: accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now + SECOND),
    )
    assert decided == Decision.objects.get()
    assert Touch.objects.count() == (0 if touched == "already_decided" else 1)


def test_undo_pressed_twice_reopens_once(open_lead, people, now):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    undo = lambda: reopen_handoff(handoff_id=handoff.pk, by=people.rep, at=now + SECOND)  # noqa: E731
    assert codes(at_once(undo, undo)) == ["done", "nothing_to_undo"]
    assert Decision.objects.count() == 2


def test_two_bulk_acts_over_the_same_leads_in_opposite_order_share_them_without_a_deadlock(open_lead, people, now):
    ids = [open_lead().pk for _ in range(8)]
    mine, hers = at_once(
        lambda: accept_many(handoff_ids=ids, by=people.rep, at=now),
        lambda: accept_many(handoff_ids=ids[::-1], by=people.manager, at=now),
    )
    assert len(mine.done) + len(hers.done) == len(ids) == Decision.objects.count()
    assert {row.refusal.code for row in (*mine.refused, *hers.refused)} == {"already_decided"}
    assert set(Handoff.objects.values_list("status", flat=True)) == {"accepted"}

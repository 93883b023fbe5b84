"""Deciding: every way in refuses the same things, and the record says who, when and why."""

import datetime as dt

import pytest

from leads.models import Decision
from leads.services.decide import Detail, accept_handoff, reject_handoff, reopen_handoff
from leads.services.refusals import (
    AlreadyDecided,
    AttemptsMissing,
    DetailRequired,
    NoteRequired,
    ReasonRequired,
    ReasonUnknown,
    UndoWindowPassed,
)
from leads.services.touch import log_touch
from portal.outbox.models import Message
from portal.shared.refusal import NotPermitted

MINUTE = dt.timedelta(minutes=1)


def test_an_acceptance_makes_the_lead_an_sql_and_is_announced(open_lead, people, now):
    handoff = open_lead()
    decision = accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now + MINUTE)
    handoff.refresh_from_db()
    assert (handoff.status, handoff.decided_at, handoff.standing_decision) == ("accepted", now + MINUTE, decision)
    assert Message.objects.filter(topic="handoff.accepted", key=f"handoff.accepted:{decision.pk}").exists()


def test_a_rejection_takes_the_default_detail_of_its_reason(open_lead, people, now):
    handoff = open_lead()
    decision = reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason="11")
    assert (decision.reason.code, decision.attribute) == ("11", "employees")


@pytest.mark.parametrize(
    ("reason", "kwargs", "refusal"),
    [
        ("", {}, ReasonRequired),
        ("99", {}, ReasonUnknown),
        ("10", {}, DetailRequired),
        ("23", {"detail": Detail(recycle_on=dt.date(2020, 1, 1))}, DetailRequired),
        ("41", {"note": "  "}, NoteRequired),
        ("34", {}, AttemptsMissing),
    ],
)
def test_an_incomplete_rejection_is_refused_and_nothing_is_saved(open_lead, people, now, reason, kwargs, refusal):
    handoff = open_lead()
    with pytest.raises(refusal):
        reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason=reason, **kwargs)
    assert not Decision.objects.exists()


def test_a_timing_rejection_sets_the_day_to_come_back(open_lead, people, now):
    handoff = open_lead()
    reject_handoff(
        handoff_id=handoff.pk, by=people.rep, at=now, reason="23", detail=Detail(recycle_on=dt.date(2027, 1, 4))
    )
    handoff.lead.refresh_from_db()
    assert handoff.lead.recycle_on == dt.date(2027, 1, 4)


def test_unable_to_reach_is_possible_after_the_agreed_attempts(open_lead, people, now):
    handoff = open_lead()
    for _ in range(3):
        log_touch(handoff_id=handoff.pk, kind="call", outcome="no_answer", by=people.rep, at=now + MINUTE)
    assert reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now + MINUTE, reason="34").field == "phone"


def test_a_second_decision_is_refused(open_lead, people, now):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    with pytest.raises(AlreadyDecided):
        reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason="11")


def test_undo_keeps_both_decisions_and_opens_the_handoff_again(open_lead, people, now):
    handoff = open_lead()
    first = accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    second = reopen_handoff(handoff_id=handoff.pk, by=people.rep, at=now + MINUTE)
    handoff.refresh_from_db()
    assert (handoff.status, handoff.decided_at, second.supersedes) == ("open", None, first)
    third = reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 2 * MINUTE, reason="11")
    assert third.supersedes == second


def test_undo_after_the_window_is_refused(open_lead, people, now):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    with pytest.raises(UndoWindowPassed):
        reopen_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 16 * MINUTE)


def test_a_rep_decides_only_own_leads_and_a_manager_those_of_the_team(open_lead, people, now):
    handoff = open_lead()
    with pytest.raises(NotPermitted):
        accept_handoff(handoff_id=handoff.pk, by=people.other_rep, at=now)
    with pytest.raises(NotPermitted):
        accept_handoff(handoff_id=handoff.pk, by=people.marketer, at=now)
    assert accept_handoff(handoff_id=handoff.pk, by=people.manager, at=now).decided_by == people.manager

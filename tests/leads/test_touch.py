"""Contacts and the contact clock: what counts, what comes late, and one answer by page, SQL and job."""

import datetime as dt
import random

import pytest
from django.db import connection

from leads.clock_states import contact_state, decision_state
from leads.models import ClockCorrection, Handoff
from leads.services.decide import accept_handoff, reject_handoff
from leads.services.refusals import AlreadyDecided, AttemptsMissing
from leads.services.touch import log_touch
from leads.services.withdraw import withdraw_handoff
from tests import cast

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture
def touch(people, now):
    """Logs a touch of a handoff: touch(handoff, happened, logged) in minutes after now."""

    def log(handoff, happened, logged=None, kind="call", outcome="reached"):
        log_touch(
            handoff_id=handoff.pk, kind=kind, outcome=outcome, by=people.rep, occurred_at=now + happened * MINUTE,
            at=now + (happened if logged is None else logged) * MINUTE,
        )  # fmt: skip
        handoff.refresh_from_db()
        return handoff.first_touch_at

    return log


@pytest.mark.parametrize(
    ("kind", "outcome", "counts"),
    [("call", "reached", True), ("call", "voicemail", False), ("call", "no_answer", False), ("email", "sent", True)],
)
def test_a_voicemail_is_an_attempt_and_no_contact(open_lead, touch, now, kind, outcome, counts):
    assert touch(open_lead(), 5, kind=kind, outcome=outcome) == (now + 5 * MINUTE if counts else None)


def test_the_agreement_says_what_counts(people, now, touch):
    cast.agreement(at=now - 9 * HOUR, touch_kinds=["call:voicemail"])
    handoff = cast.open_handoff(owner=people.rep, at=now)
    assert touch(handoff, 5) is None
    assert touch(handoff, 9, outcome="voicemail") == now + 9 * MINUTE


def test_attempts_that_are_no_contact_count_before_unable_to_reach(open_lead, touch, people, now):
    handoff = open_lead()
    rejection = {"handoff_id": handoff.pk, "by": people.rep, "at": now + HOUR, "reason": "34"}
    for n in range(3):
        with pytest.raises(AttemptsMissing):
            reject_handoff(**rejection)
        touch(handoff, n, outcome="voicemail")
    reject_handoff(**rejection)


def test_the_first_contact_is_the_earliest_in_whatever_order_they_are_logged(open_lead, touch, now):
    handoff = open_lead()
    assert [touch(handoff, n, 50) for n in (30, 40, 10, 20)] == [now + n * MINUTE for n in (30, 30, 10, 10)]


def test_an_earlier_contact_that_is_logged_later_undoes_the_breach_by_a_fact_of_its_own(open_lead, touch, now):
    handoff = open_lead()  # hot: within an hour
    touch(handoff, 90)
    assert contact_state(handoff, now + 2 * HOUR) == "late"
    touch(handoff, 20, logged=120)
    assert contact_state(handoff, now + 2 * HOUR) == "kept"
    correction = ClockCorrection.objects.get()
    assert (correction.believed_at, correction.stopped_at) == (now + 90 * MINUTE, now + 20 * MINUTE)
    assert correction.undoes_breach


def test_a_contact_in_time_that_is_logged_after_the_due_time_is_a_correction_too(open_lead, touch, now):
    touch(open_lead(), 20, logged=61)
    assert ClockCorrection.objects.get().undoes_breach
    touch(open_lead(), 20, logged=59)
    assert ClockCorrection.objects.count() == 1


def test_an_earlier_contact_that_is_late_too_undoes_nothing(open_lead, touch):
    handoff = open_lead()
    touch(handoff, 120)
    touch(handoff, 90, logged=130)
    assert not ClockCorrection.objects.get().undoes_breach


def test_what_happened_before_the_decision_may_be_logged_after_it(open_lead, touch, people, now):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 30 * MINUTE)
    assert touch(handoff, 20, logged=90) == now + 20 * MINUTE
    assert not ClockCorrection.objects.exists()  # the decision had come in time: nothing was missed
    with pytest.raises(AlreadyDecided):
        touch(handoff, 31)


# --- one answer -------------------------------------------------------------------------------------
@pytest.fixture
def lived(people, now):
    """Twenty handoffs in every state that the verbs make."""
    chance = random.Random(7)
    cast.agreement(at=now - 90 * HOUR, clock_basis="calendar")
    for n in range(20):
        facts = {} if n % 3 else {"title": "Clerk", "employees": 300}
        begins = now - chance.randrange(1, 80) * HOUR
        handoff = cast.open_handoff(owner=people.rep, at=begins, **facts)
        who, at = {"handoff_id": handoff.pk, "by": people.rep}, begins + chance.randrange(1, 5000) * MINUTE
        if n % 2:
            log_touch(**who, kind="call", outcome="reached", at=begins + chance.randrange(1, 3000) * MINUTE)
        if n % 5 == 1:
            accept_handoff(**who, at=at)
        elif n % 5 == 2:
            reject_handoff(**who, at=at, reason="11")
        elif n % 5 == 3:
            withdraw_handoff(handoff_id=handoff.pk, by=people.manager, at=at, why="Merged")
    return now


def test_page_and_sql_give_one_answer_at_any_instant(lived):
    chance, seen, rows = random.Random(8), set(), list(Handoff.objects.order_by("pk"))
    edges = [edge for row in rows for edge in (row.contact_due_at, row.contact_warn_at, row.decision_due_at)]
    instants = [lived + chance.randrange(-80 * 3600, 200 * 3600) * dt.timedelta(seconds=1) for _ in range(20)]
    for at in instants + [edge + dt.timedelta(microseconds=step) for edge in edges[:12] for step in (-1, 0, 1)]:
        said = Handoff.objects.with_clock_states(at=at).order_by("pk").values_list("contact_state", "decision_state")
        mine = [(contact_state(row, at), decision_state(row, at)) for row in rows]
        assert list(said) == mine
        seen |= {state for pair in mine for state in pair}
        overdue = set(Handoff.objects.overdue(at=at).values_list("pk", flat=True))
        assert overdue == {row.pk for row, pair in zip(rows, mine, strict=True) if _runs_late(row, pair)}
    assert seen == {"ok", "warn", "late", "kept", "done"}


def _runs_late(row, pair):
    contact, decision = pair
    return row.is_open and (decision == "late" or (contact == "late" and row.first_touch_at is None))


def test_without_a_stored_warning_time_sql_takes_the_last_quarter_too(lived):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE leads_handoff DISABLE TRIGGER USER")
        cursor.execute("UPDATE leads_handoff SET contact_warn_at = NULL, decision_warn_at = NULL")
        cursor.execute("ALTER TABLE leads_handoff ENABLE TRIGGER USER")
    rows = list(Handoff.objects.order_by("pk"))
    for hours in range(-80, 120, 3):
        at = lived + hours * HOUR
        said = Handoff.objects.with_clock_states(at=at).order_by("pk").values_list("contact_state", "decision_state")
        assert list(said) == [(contact_state(row, at), decision_state(row, at)) for row in rows]

"""The sweep: a clock that runs out is a fact once; the agreement's steps are taken once, late rather than never."""

import datetime as dt
import random

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from leads import clocks
from leads.models import Assignment, Breach, ClockCorrection, Escalation, Handoff, Watch
from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff, reopen_handoff
from leads.services.sweep import Swept, sweep_clocks
from leads.services.touch import log_touch
from leads.services.withdraw import withdraw_handoff
from leads.tasks import sweep
from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message, Notice

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
CALL = {"kind": "call", "outcome": "reached"}


@pytest.fixture
def lead(agreement, open_lead):
    """A hot lead, opened at `now`: first contact and decision each warn, tell the manager, and so on."""
    handoff = open_lead()
    Message.objects.all().delete()
    return handoff


def told(topic, person=None):
    return Message.objects.filter(topic=topic, recipient=person).count()


def test_before_anything_is_due_a_sweep_only_makes_its_plan(lead, now):
    assert sweep_clocks(at=now) == Swept(looked_at=1)
    assert sweep_clocks(at=now) == Swept()
    assert lead.watch.next_at < lead.contact_due_at


def test_the_owner_is_warned_at_the_share_that_the_agreement_names(lead, people, now):
    at = now + (lead.contact_due_at - now) * 0.75
    sweep_clocks(at=at - dt.timedelta(seconds=1))
    assert told("clock.warned", people.rep) == 0
    assert sweep_clocks(at=at).warned == 1
    assert told("clock.warned", people.rep) == 1


def test_a_clock_that_ran_out_is_a_breach_with_owner_and_version_and_the_manager_hears_of_it(lead, people, now):
    sweep_clocks(at=lead.contact_due_at)
    assert not Breach.objects.exists()  # on the second is in time
    at = lead.contact_due_at + dt.timedelta(seconds=1)
    assert sweep_clocks(at=at).ran_out == 1
    breach = Breach.objects.get()
    assert (breach.handoff, breach.clock, breach.due_at) == (lead, "contact", lead.contact_due_at)
    assert (breach.owner, breach.sla_version, breach.recorded_at) == (people.rep, lead.sla_version, at)
    assert told("clock.reported", people.manager) == told("clock.ran_out") == 1


def test_sweeping_again_and_again_tells_nothing_twice(lead, now):
    at = lead.decision_due_at + HOUR
    sweep_clocks(at=at)
    before = set(Message.objects.values_list("key", flat=True))
    Watch.objects.update(next_at=now, plan=None)  # as if the sweep had been killed before it noted anything
    assert sweep_clocks(at=at + MINUTE) == Swept(looked_at=1)
    assert set(Message.objects.values_list("key", flat=True)) == before
    assert Breach.objects.count() == 2


def test_an_answer_that_comes_late_leaves_the_breach_true(lead, people):
    late = lead.contact_due_at + 2 * MINUTE
    log_touch(handoff_id=lead.pk, by=people.rep, at=late, **CALL)
    accept_handoff(handoff_id=lead.pk, by=people.rep, at=late)
    sweep_clocks(at=late + MINUTE)
    assert list(Breach.objects.values_list("clock", flat=True)) == ["contact"]
    assert told("clock.reported", people.manager) == 1


def test_what_was_answered_in_time_asks_for_nothing(lead, people, now):
    log_touch(handoff_id=lead.pk, by=people.rep, at=now + MINUTE, **CALL)
    accept_handoff(handoff_id=lead.pk, by=people.rep, at=now + 2 * MINUTE)
    Message.objects.all().delete()
    sweep_clocks(at=lead.decision_due_at + HOUR)
    assert [model.objects.count() for model in (Breach, Escalation, Message)] == [0, 0, 0]
    assert Watch.objects.get().next_at is None


def test_an_undone_decision_lets_its_clock_run_out_after_all(lead, people):
    log_touch(handoff_id=lead.pk, by=people.rep, at=lead.contact_due_at - MINUTE, **CALL)
    accept_handoff(handoff_id=lead.pk, by=people.rep, at=lead.decision_due_at - MINUTE)
    sweep_clocks(at=lead.decision_due_at + MINUTE)
    assert not Breach.objects.exists()
    reopen_handoff(handoff_id=lead.pk, by=people.rep, at=lead.decision_due_at + 2 * MINUTE)
    sweep_clocks(at=lead.decision_due_at + 3 * MINUTE)
    assert Breach.objects.get().clock == "decision"


def test_a_withdrawn_lead_breaches_nothing_after_its_end(lead, people, now):
    withdraw_handoff(handoff_id=lead.pk, by=people.admin, at=now + MINUTE, why="Merged")
    sweep_clocks(at=lead.decision_due_at + HOUR)
    assert not Breach.objects.exists()


def test_the_breach_names_who_held_the_lead_at_its_due_time(lead, people):
    reassign_handoff(
        handoff_id=lead.pk, to=people.other_rep, by=people.manager, at=lead.contact_due_at + MINUTE, why="Swap"
    )
    sweep_clocks(at=lead.contact_due_at + 2 * MINUTE)
    assert Breach.objects.get().owner == people.rep


def test_an_overdue_lead_goes_to_the_queue_and_its_clocks_go_on(lead, now):
    step = lead.sla_version.escalation_steps.get(kind="to_queue")
    at = lead.contact_due_at + 24 * HOUR + step.after
    assert sweep_clocks(at=at).queued == 1
    lead.refresh_from_db()
    assert (lead.queued_at, lead.contact_due_at) == (at, lead.contact_due_at)
    newest = Assignment.objects.filter(handoff=lead).last()
    assert newest.to_queue
    assert "overdue" in newest.why
    assert sweep_clocks(at=at + MINUTE).queued == 0


def test_a_contact_in_time_that_is_logged_late_stands_beside_the_breach(lead, people):
    sweep_clocks(at=lead.contact_due_at + MINUTE)
    touch = log_touch(
        handoff_id=lead.pk, by=people.rep, at=lead.contact_due_at + HOUR, occurred_at=lead.contact_due_at - MINUTE,
        **CALL,
    )  # fmt: skip
    ClockCorrection.objects.get_or_create(
        touch=touch,
        defaults={"handoff": lead, "due_at": lead.contact_due_at, "stopped_at": touch.occurred_at,
                  "recorded_at": touch.recorded_at},
    )  # fmt: skip
    assert Breach.objects.count() == 1
    assert not Breach.objects.standing().exists()


def test_a_warning_that_comes_after_the_due_time_is_not_sent(lead, people):
    sweep_clocks(at=lead.decision_due_at + MINUTE)
    assert told("clock.warned", people.rep) == 0


# --- after an outage ---------------------------------------------------------------------------------
def test_after_an_outage_each_person_gets_one_summary(agreement, open_lead, people, now):
    leads = [open_lead() for _ in range(5)]
    Message.objects.all().delete()
    at = leads[0].contact_due_at + 2 * HOUR
    assert sweep_clocks(at=at, batch=2).ran_out == 5
    assert Message.objects.filter(recipient=people.manager).count() == 1
    deliver_due(at=at + 2 * MINUTE)
    [letter] = [letter for letter in mail.outbox if letter.to == [people.manager.email]]
    assert letter.subject == "5 clocks need you"
    assert letter.body.count("First contact ran out: Henrike Solvang") == 5


def test_many_at_once_are_one_summary_and_a_few_are_told_each(agreement, open_lead, people, now):
    for count, minutes in ((4, 0), (2, 50)):
        for _ in range(count):
            lead = open_lead(at=now + minutes * MINUTE)
        Message.objects.all().delete()
        sweep_clocks(at=lead.contact_due_at + dt.timedelta(seconds=1))
        kinds = Message.objects.filter(recipient=people.manager).values_list("topic", flat=True)
        assert list(kinds) == (["clock.summary"] if count > 3 else ["clock.reported"] * 2)


def test_facts_are_told_to_subscribers_even_when_readers_get_a_summary(agreement, open_lead, now):
    leads = [open_lead() for _ in range(5)]
    sweep_clocks(at=leads[0].contact_due_at + 2 * HOUR)
    assert told("clock.ran_out") == 5
    assert told("clock.summary") == 1


def test_of_a_clock_that_stopped_long_ago_only_the_fact_is_told(lead, people):
    accept_handoff(handoff_id=lead.pk, by=people.rep, at=lead.contact_due_at + MINUTE)
    assert sweep_clocks(at=lead.contact_due_at + 24 * HOUR).ran_out == 1
    assert told("clock.ran_out") == 1
    assert not Message.objects.filter(topic__startswith="clock.", recipient__isnull=False).exists()
    assert told("clock.summary") == 0


# --- dry run, command, task --------------------------------------------------------------------------
def rows():
    with connection.cursor() as cursor:
        return {table: _count(cursor, table) for table in connection.introspection.table_names()}


def _count(cursor, table):
    cursor.execute(f'SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM "{table}" t')
    return cursor.fetchone()


def test_a_dry_run_says_what_a_sweep_would_do_and_writes_nothing(lead, capsys):
    at = lead.decision_due_at + HOUR
    before = rows()
    foreseen = sweep_clocks(at=at, dry_run=True)
    call_command("sweep", "--dry-run")
    assert rows() == before
    assert foreseen == sweep_clocks(at=at)
    assert sweep_clocks(at=at, dry_run=True) == Swept()
    assert "would be reported" in capsys.readouterr().out


def test_the_worker_sweeps_every_thirty_seconds(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["sweep"]
    assert (entry["task"], entry["schedule"]) == (sweep.name, 30.0)


# --- one answer --------------------------------------------------------------------------------------
def test_page_sql_and_sweep_agree_at_random_instants(agreement, open_lead, people, now):
    chance = random.Random(4)
    handoffs = [open_lead(at=now + chance.randrange(600) * MINUTE) for _ in range(8)]
    acts = [(now + chance.randrange(60 * 60) * MINUTE, None) for _ in range(6)]
    for handoff in handoffs:
        at = handoff.qualified_at + chance.randrange(1, 60 * 30) * MINUTE
        acts += [(at, (log_touch, handoff.pk, CALL))] if chance.random() < 0.7 else []
        acts += [(at + MINUTE, (accept_handoff, handoff.pk, {}))] if chance.random() < 0.5 else []
    for at, act in sorted(acts, key=lambda each: each[0]):
        if act:
            verb, pk, fields = act
            verb(handoff_id=pk, by=Handoff.objects.get(pk=pk).owner, at=at, **fields)
            continue
        sweep_clocks(at=at)
        by_sweep = set(Breach.objects.values_list("handoff", "clock"))
        assert by_sweep == {(h.pk, clock) for h in Handoff.objects.all() for clock in late(h, at)}
        open_at = Handoff.objects.in_inbox().overdue(at=at).values_list("pk", flat=True)
        assert set(open_at) <= {handoff for handoff, _ in by_sweep}


def late(handoff, at):
    """The clocks that the pages show as late at an instant."""
    ended, touched = handoff.decided_at, handoff.first_touch_at
    stops = {"contact": (handoff.contact_due_at, touched or ended), "decision": (handoff.decision_due_at, ended)}
    return [
        clock for clock, (due, stop) in stops.items() if clocks.state(handoff.qualified_at, due, at, stop) == "late"
    ]


# --- in the database ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE leads_breach SET owner_id = NULL",
        "DELETE FROM leads_breach",
        "TRUNCATE leads_breach CASCADE",
        "INSERT INTO leads_breach (handoff_id, clock, due_at, sla_version_id, recorded_at)"
        " SELECT handoff_id, clock, due_at, sla_version_id, recorded_at FROM leads_breach",
        "UPDATE leads_escalation SET taken_at = now()",
        "DELETE FROM leads_escalation",
        "INSERT INTO leads_escalation (handoff_id, clock, step_id, due_at, taken_at)"
        " SELECT handoff_id, clock, step_id, due_at, taken_at FROM leads_escalation",
    ],
)
def test_the_database_keeps_breaches_and_steps_as_they_are_and_once(lead, sql):
    sweep_clocks(at=lead.decision_due_at + HOUR)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(sql)


def test_whatever_opens_a_handoff_it_is_watched(lead):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM leads_handoff h LEFT JOIN leads_watch w ON w.handoff_id = h.id"
                       " WHERE h.decision_due_at IS NOT NULL AND w.next_at IS NULL")  # fmt: skip
        assert cursor.fetchone() == (0,)


def test_a_warning_reaches_the_owner_with_a_link_and_rings(lead, people, now, settings):
    settings.PORTAL_URL = "https://handoff.example"
    at = lead.contact_due_at - MINUTE
    sweep_clocks(at=at)
    deliver_due(at=at)
    assert mail.outbox[-1].subject.startswith("First contact runs out soon: Henrike Solvang, Corvane Foods")
    assert f"https://handoff.example/leads/{lead.pk}/" in mail.outbox[-1].body
    assert Notice.objects.filter(person=people.rep, title__startswith="First contact runs out soon").exists()


@pytest.mark.django_db(transaction=True)
def test_what_a_verb_holds_is_left_to_the_next_sweep(lead):
    at, second = lead.contact_due_at + MINUTE, connection.copy()
    try:
        with second.cursor() as other:
            second.set_autocommit(False)
            other.execute("SELECT 1 FROM leads_handoff WHERE id = %s FOR UPDATE", [lead.pk])
            assert sweep_clocks(at=at) == Swept()
            second.rollback()
        assert sweep_clocks(at=at).ran_out == 1
    finally:
        second.close()

"""The roll-up: at every instant exactly what the handoffs add up to, whoever writes and whoever folds."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from leads import figures, rollup
from leads.figures import Month
from leads.intake.imports.engine import import_leads
from leads.models import Handoff, Rollup, RollupContact, RollupDelta, RollupState
from leads.periods import Span
from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.rollup import fold_rollup, keep_rollup, rebuild_rollup, work_out_contacts
from leads.services.touch import log_touch
from leads.services.withdraw import withdraw_handoff
from tests.history import random_cases, write

BERLIN, KIRITIMATI = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Kiritimati")
LATER = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
START, END = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
MARCH = Month(dt.date(2026, 3, 1))
OCTOBER = Month(dt.date(2026, 10, 1))
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def kept(agreement):
    """The roll-up is kept in Berlin from here on."""
    assert rebuild_rollup(at=START, zone=BERLIN)
    return agreement


def cases(agreement, people, n=60, seed=5):
    owners = [people.rep, people.other_rep]
    return list(random_cases(n, seed=seed, version=agreement, owners=owners, start=START, end=END))


def asked(as_of, zone, months=(MARCH,), dimensions=("source", "owner")):
    """What the audit asks, of months and of some weeks."""
    span = {"as_of": as_of, "zone": zone}
    for basis in figures.BASES:
        yield figures.series(OCTOBER, 10, basis=basis, **span)
        yield figures.series(Span(dt.date(2026, 3, 30)), 9, basis=basis, **span)
        for month, by in product(months, dimensions):
            yield figures.slices(month, by, basis=basis, **span)
    for month in months:
        yield figures.first_contact(month, **span)


def counted(as_of=LATER, zone=BERLIN, **wanted):
    """The same without a roll-up: from the handoffs themselves."""
    point = transaction.savepoint_create()
    RollupState.objects.all().delete()
    found = list(asked(as_of, zone, **wanted))
    transaction.savepoint_rollback(point)
    return found


def check(**wanted):
    """Rolled up, the figures are what the handoffs say: before the deltas are folded, and after."""
    raw = counted(**wanted)
    assert list(asked(LATER, BERLIN, **wanted)) == raw
    fold_rollup()
    assert not RollupDelta.objects.exists()
    assert list(asked(LATER, BERLIN, **wanted)) == raw
    assert rollup.differences(zone=BERLIN) == []


def spoil(n=1000):
    """Falsify the roll-up, so that a figure shows where it was read."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE leads_rollup SET n = n + %s", [n])


def test_a_history_written_before_it_was_kept_is_counted(agreement, people):
    write(agreement, cases(agreement, people))
    rebuild_rollup(at=LATER, zone=BERLIN)
    assert not RollupDelta.objects.exists()
    check(months=(MARCH, MARCH.plus(1)), dimensions=figures.DIMENSIONS)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=some.integers(0, 10**6), steps=some.lists(some.sampled_from(["write", "fold", "one", "rebuild"]), max_size=4)
)
def test_random_histories_add_up_however_they_were_folded(kept, people, seed, steps):
    point = transaction.savepoint_create()
    for i, step in enumerate(["write", *steps]):
        if step == "write":
            write(kept, cases(kept, people, n=25, seed=seed + i))
        elif step == "rebuild":
            rebuild_rollup(at=LATER, zone=BERLIN)
        else:
            fold_rollup(batch=1 if step == "one" else 1000)
    check(dimensions=("tier",))
    transaction.savepoint_rollback(point)


def test_deciding_undoing_reassigning_touching_and_withdrawing_move_it_at_once(kept, people, open_lead, now):
    one, other, third = open_lead(), open_lead(email="b@example.com"), open_lead(email="c@example.com")
    verbs = [
        lambda: log_touch(handoff_id=one.pk, by=people.rep, at=now + MINUTE, kind="call", outcome="reached"),
        lambda: accept_handoff(handoff_id=one.pk, by=people.rep, at=now + MINUTE),
        lambda: reopen_handoff(handoff_id=one.pk, by=people.rep, at=now + 2 * MINUTE),
        lambda: reject_handoff(handoff_id=one.pk, by=people.rep, at=now + 3 * MINUTE, reason="11"),
        lambda: reassign_handoff(handoff_id=other.pk, to=people.other_rep, by=people.manager, at=now + 4 * MINUTE),
        lambda: withdraw_handoff(handoff_id=third.pk, by=people.manager, at=now + 5 * MINUTE, why="Merged"),
    ]
    for verb in verbs:
        verb()
        assert RollupDelta.objects.exists()
        check(months=(OCTOBER,), dimensions=("owner",))


def test_what_moves_no_figure_leaves_no_delta(kept, people, open_lead):
    open_lead()
    fold_rollup()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE leads_handoff SET owner_id = owner_id, queued_at = NULL")
    assert not RollupDelta.objects.exists()


def test_an_import_is_one_set_of_deltas_and_adds_up(kept, people, tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("id,day,decision\n" + "".join(f"{i},2026-03-0{i % 3 + 1},accepted\n" for i in range(30)))
    document = {"columns": {"external_id": "id", "qualified_at": "day", "decision": "decision"}}
    import_leads(path=path, document=document, historical=True, at=LATER, errors_path=tmp_path / "errors.csv")
    assert Handoff.objects.count() == 30
    assert RollupDelta.objects.count() < 10
    check()


def test_figures_of_now_are_read_from_it_and_those_of_a_cut_from_the_handoffs(kept, people):
    write(kept, cases(kept, people))
    fold_rollup()
    cut = dt.datetime(2026, 2, 12, 5, tzinfo=dt.UTC)
    before = counted(), counted(cut)
    spoil()
    (now,) = figures.series(MARCH, 1, basis="period", as_of=LATER, zone=BERLIN)
    assert now.counts.mqls > 1000
    assert list(asked(cut, BERLIN)) == before[1]
    assert counted() == before[0]


def test_in_another_zone_the_handoffs_are_counted_until_it_is_built_anew(kept, people):
    write(kept, cases(kept, people))
    fold_rollup()
    spoil()
    raw = counted(zone=KIRITIMATI)
    assert list(asked(LATER, KIRITIMATI)) == raw
    keep_rollup(at=LATER, zone=KIRITIMATI)
    assert list(asked(LATER, KIRITIMATI)) == raw
    assert rollup.zone_kept() == "Pacific/Kiritimati"


def test_a_worked_out_first_contact_is_forgotten_with_the_first_change_of_its_month(kept, people):
    write(kept, cases(kept, people))
    touched = write(kept, [{"qualified_at": MARCH.begins(BERLIN) + MINUTE}])[0]
    fold_rollup()
    assert work_out_contacts(at=LATER, zone=BERLIN) == 3
    check()
    RollupContact.objects.update(n=7)
    assert figures.first_contact(MARCH, as_of=LATER, zone=BERLIN).n == 7
    with connection.cursor() as cursor:
        cursor.execute("UPDATE leads_handoff SET first_touch_at = %s WHERE id = %s", [LATER - MINUTE, touched.pk])
    assert figures.first_contact(MARCH, as_of=LATER, zone=BERLIN).n != 7
    fold_rollup()
    assert not RollupContact.objects.filter(first=MARCH.first).exists()
    check()


def test_a_first_contact_that_waiting_can_still_move_is_not_kept(kept):
    write(kept, [{"qualified_at": END - MINUTE}, {"qualified_at": END - 2 * MINUTE, "first_touch_at": LATER}])
    keep_rollup(at=LATER, zone=BERLIN)
    assert not RollupContact.objects.exists()


def test_nobody_but_the_worker_keeps_a_month_that_is_not_over(kept):
    write(kept, [{"qualified_at": END, "first_touch_at": END + MINUTE}])
    keep_rollup(at=END + dt.timedelta(days=3), zone=BERLIN)
    assert not RollupContact.objects.exists()


def test_a_fold_that_dies_halfway_folds_nothing(kept, people):
    write(kept, cases(kept, people))
    deltas = RollupDelta.objects.count()
    point = transaction.savepoint_create()
    fold_rollup()
    transaction.savepoint_rollback(point)
    assert (RollupDelta.objects.count(), Rollup.objects.count()) == (deltas, 0)
    check()


def test_verify_finds_what_is_wrong_and_repair_mends_it(agreement, people, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    write(agreement, cases(agreement, people))
    with pytest.raises(CommandError, match="There is no roll-up in Europe/Berlin"):
        call_command("rollups", verify=True)
    call_command("rollups")
    call_command("rollups", verify=True)
    spoil()
    with pytest.raises(CommandError, match="differs from the handoffs"):
        call_command("rollups", verify=True)
    call_command("rollups", repair=True, verify=True)


def test_verify_finds_a_first_contact_that_is_not_what_the_handoffs_say(agreement, people, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    write(agreement, cases(agreement, people))
    call_command("rollups")
    RollupContact.objects.update(n=7)
    with pytest.raises(CommandError, match="first contact of 2026-03"):
        call_command("rollups", verify=True)


def test_without_a_roll_up_nothing_is_noted(agreement, people):
    write(agreement, cases(agreement, people))
    assert not RollupDelta.objects.exists()
    assert fold_rollup() == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_fold_each_delta_once(open_lead, people, portal_role):
    rebuild_rollup(at=START, zone=BERLIN)
    for i in range(4):
        open_lead(email=f"{i}@example.com")
    start = Barrier(2)

    def fold():
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET ROLE {portal_role}")  # the worker's: it may do all of this
            start.wait(10)
            return sum(fold_rollup(batch=1) for _ in range(40))
        finally:
            connection.close()

    deltas = RollupDelta.objects.count()
    with ThreadPoolExecutor(2) as pool:
        folded = list(pool.map(lambda _: fold(), range(2)))
    assert sum(folded) == deltas
    assert rollup.differences(zone=BERLIN) == []


@pytest.mark.django_db(transaction=True)
def test_who_folds_while_another_keeps_the_roll_up_leaves_it_to_them(open_lead, people):
    rebuild_rollup(at=START, zone=BERLIN)
    open_lead()
    with transaction.atomic():
        RollupState.objects.select_for_update().get()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(on_a_connection_of_its_own, fold_rollup).result(10) == 0
    assert fold_rollup() == 1


@pytest.mark.django_db(transaction=True)
def test_the_portals_role_builds_it_and_its_verbs_move_it(open_lead, people, now, portal_role):
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {portal_role}")
        assert rebuild_rollup(at=START, zone=BERLIN)
        accept_handoff(handoff_id=open_lead().pk, by=people.rep, at=now)
        keep_rollup(at=LATER, zone=BERLIN)
        assert rollup.differences(zone=BERLIN) == []
        cursor.execute("RESET ROLE")
    assert Rollup.objects.filter(status="accepted", n=1).exists()


def on_a_connection_of_its_own(work):
    try:
        return work()
    finally:
        connection.close()

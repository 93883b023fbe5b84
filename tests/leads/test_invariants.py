"""The database itself refuses what may not be, whatever writes: raw SQL past models, verbs and views."""

import datetime as dt
import uuid
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from leads.models import Assignment, ClockCorrection, Decision, Event, Handoff, Lead, Touch
from leads.services.assign import reassign_handoff, take_up_handoff
from leads.services.capture import record_event
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.leave import deactivate_person
from leads.services.touch import log_touch
from leads.services.withdraw import withdraw_handoff
from portal.outbox.models import Message
from sla.chain import sha256, signed_text
from sla.models import CalendarAssignment, ChainHead, Party, Signature, SLAVersion
from sla.services.version import propose_version, sign_version
from sla.starter import draft_version
from tests import cast, history

MINUTE = dt.timedelta(minutes=1)


def run(sql, *params):
    """The statement, and then everything that the database would only look at on commit."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the fixtures did is settled
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(sql, params)
        changed = cursor.rowcount
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return changed


@contextmanager
def refused(why):
    """Fails when the database takes it, or refuses for another reason."""
    with pytest.raises(DatabaseError, match=why):
        yield


@pytest.fixture
def rejected(open_lead, people, now):
    """A handoff that was touched and rejected."""
    handoff = open_lead()
    log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=people.rep, at=now + MINUTE)
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 2 * MINUTE, reason="11")
    handoff.refresh_from_db()
    return handoff


# --- 1. a rejection has a reason code ---------------------------------------------------------------
def test_a_rejection_without_a_reason_is_refused(open_lead, people, now):
    handoff = open_lead()
    with refused("leads_decision_rejection_has_reason"):
        run(
            "INSERT INTO leads_decision (handoff_id, outcome, decided_at, recorded_at, decided_by_id, via, attribute,"
            " field, signal, note) VALUES (%s, 'rejected', %s, %s, %s, 'page', '', '', '', '')",
            handoff.pk, now, now, people.rep.pk,
        )  # fmt: skip


def test_a_rejected_handoff_without_a_reason_is_refused(rejected):
    with refused("leads_handoff_status_shape"):
        run("UPDATE leads_handoff SET reason_id = NULL WHERE id = %s", rejected.pk)


# --- 2. facts and signed content are append-only ----------------------------------------------------
FACTS = (
    *("leads_decision", "leads_event", "leads_assignment", "leads_touch", "leads_clockcorrection"),
    *("sla_signature", "sla_calendar", "sla_calendarassignment"),
)
PROPOSED = ("sla_slaversion", "sla_mqldefinition", "sla_scoringrule", "sla_tier", "sla_commitment", "sla_reasoncode")
CHANGES = {
    "leads_decision": "note = 'other'",
    "leads_event": "kind = 'other'",
    "leads_assignment": "why = 'other'",
    "leads_touch": "note = 'other'",
    "sla_signature": "name = 'Someone Else'",
    "leads_clockcorrection": "stopped_at = now()",
    "sla_calendar": "name = 'other'",
    "sla_calendarassignment": "from_day = from_day + 1",
    "sla_slaversion": "summary = 'other'",
    "sla_mqldefinition": "summary = 'other'",
    "sla_scoringrule": "points = 99",
    "sla_tier": "total = 1",
    "sla_commitment": "at_least = 1",
    "sla_reasoncode": "meaning = 'other'",
}


@pytest.fixture
def full_tables(rejected, now):
    """One row at least in every table of facts."""
    record_event(lead_id=rejected.lead_id, kind="page_viewed", occurred_at=now, at=now)
    CalendarAssignment.objects.create(
        team_id=rejected.owner.team_id, calendar=rejected.sla_version.calendar, from_day=now.date(), created_at=now
    )
    ClockCorrection.objects.create(
        handoff=rejected, touch=rejected.touches.get(), due_at=rejected.contact_due_at, stopped_at=now, recorded_at=now
    )
    kinds = (Decision, Event, Assignment, Touch, ClockCorrection, Signature, CalendarAssignment)
    counts = [model.objects.count() for model in kinds]
    assert all(counts), "the fixture has to fill every table, or the tests below prove nothing"
    return rejected


@pytest.mark.parametrize("table", FACTS + PROPOSED)
def test_what_was_recorded_is_not_changed(full_tables, table):
    with refused("append-only|does not change|do not change"):
        run(f"UPDATE {table} SET {CHANGES[table]}")


@pytest.mark.parametrize("table", FACTS + PROPOSED)
def test_what_was_recorded_is_not_deleted(full_tables, table):
    with refused("append-only|does not change|do not change"):
        run(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", [*FACTS, *PROPOSED, "leads_handoff"])
def test_what_was_recorded_is_not_emptied(full_tables, table):
    with refused("never emptied"):
        run(f"TRUNCATE {table} CASCADE")


def test_a_handoff_is_never_deleted(open_lead):
    open_lead()
    with refused("never deleted"):
        run("DELETE FROM leads_handoff")


def test_a_rule_is_not_added_to_a_proposed_definition(agreement):
    with refused("do not change"):
        run(
            "INSERT INTO sla_scoringrule (definition_id, position, key, label, axis, condition, points, minimum_count,"
            " per_event) VALUES (%s, 99, 'late', 'Late', 'fit', '{}', 5, 1, false)",
            agreement.definition_id,
        )


# --- 3. one standing decision -----------------------------------------------------------------------
def insert_decision(handoff, by, at, supersedes=None):
    return run(
        "INSERT INTO leads_decision (handoff_id, outcome, decided_at, recorded_at, decided_by_id, via, attribute,"
        " field, signal, note, supersedes_id) VALUES (%s, 'accepted', %s, %s, %s, 'page', '', '', '', '', %s)",
        handoff.pk, at, at, by.pk, supersedes,
    )  # fmt: skip


def test_a_second_decision_beside_the_first_is_refused(rejected, people, now):
    with refused("leads_decision_one_standing"):
        insert_decision(rejected, people.rep, now)


def test_a_decision_is_superseded_once(rejected, people, now):
    reopen_handoff(handoff_id=rejected.pk, by=people.rep, at=now + 3 * MINUTE)
    first = rejected.decisions.order_by("id").first()
    with refused("supersedes_id"):
        insert_decision(rejected, people.rep, now, supersedes=first.pk)


def test_a_decision_supersedes_only_one_of_its_own_handoff(rejected, open_lead, people, now):
    other = open_lead()
    with refused("supersedes one of its own handoff"):
        insert_decision(other, people.rep, now, supersedes=rejected.standing_decision_id)


def test_the_last_decision_is_the_standing_one(rejected, people, now):
    with refused("must be its standing one"):
        insert_decision(rejected, people.rep, now, supersedes=rejected.standing_decision_id)


def test_a_handoff_tells_what_its_standing_decision_says(rejected, now):
    with refused("does not tell what its standing decision says"):
        run("UPDATE leads_handoff SET decided_at = %s WHERE id = %s", now + dt.timedelta(days=1), rejected.pk)


def test_a_handoff_does_not_borrow_the_decision_of_another(rejected, open_lead, now):
    other = open_lead()
    with refused("does not tell what its standing decision says"):
        run(
            "UPDATE leads_handoff SET status = 'rejected', decided_at = %s, reason_id = %s, standing_decision_id = %s"
            " WHERE id = %s",
            rejected.decided_at, rejected.reason_id, rejected.standing_decision_id, other.pk,
        )  # fmt: skip


def test_a_decided_handoff_does_not_forget_its_decision(rejected):
    with refused("keeps a standing decision"):
        run(
            "UPDATE leads_handoff SET status = 'open', decided_at = NULL, reason_id = NULL,"
            " standing_decision_id = NULL WHERE id = %s",
            rejected.pk,
        )


def test_a_handoff_is_not_accepted_without_a_decision(open_lead, now):
    handoff = open_lead()
    with refused("leads_handoff_status_shape"):
        run("UPDATE leads_handoff SET status = 'accepted', decided_at = %s WHERE id = %s", now, handoff.pk)


@pytest.mark.parametrize("target", ["accepted", "withdrawn"])
def test_a_rejected_handoff_moves_nowhere_but_back_to_open(rejected, target):
    with refused("does not move from rejected to"):
        run("UPDATE leads_handoff SET status = %s WHERE id = %s", target, rejected.pk)


@pytest.mark.parametrize("target", ["open", "accepted", "rejected"])
def test_a_withdrawn_handoff_stays_withdrawn(open_lead, people, now, target):
    handoff = open_lead()
    withdraw_handoff(handoff_id=handoff.pk, by=people.manager, at=now, why="Merged")
    with refused("does not move from withdrawn to"):
        run("UPDATE leads_handoff SET status = %s WHERE id = %s", target, handoff.pk)


# --- 4. one open handoff a lead ---------------------------------------------------------------------
COPIED = (
    "definition_id, sla_version_id, tier_id, fit, behaviour, total, breakdown, source, campaign, channel, recorded_at,"
    " owner_id, contact_due_at, decision_due_at, is_historical, withdrawn_why"
)


def test_a_lead_has_one_open_handoff(open_lead, now):
    handoff = open_lead()
    with refused("leads_handoff_one_open_a_lead"):
        run(
            f"INSERT INTO leads_handoff (lead_id, status, qualified_at, {COPIED})"
            f" SELECT lead_id, 'open', %s, {COPIED} FROM leads_handoff WHERE id = %s",
            now + MINUTE, handoff.pk,
        )  # fmt: skip


def test_a_handoff_that_is_not_history_has_running_clocks_and_an_evaluation(open_lead, now):
    handoff = open_lead()
    for column, why in (("decision_due_at", "leads_handoff_clocks_run"), ("breakdown", "leads_handoff_was_evaluated")):
        cells = COPIED.replace(column, "NULL")
        with refused(why):
            run(
                f"INSERT INTO leads_handoff (lead_id, status, qualified_at, {COPIED})"
                f" SELECT lead_id, 'open', %s, {cells} FROM leads_handoff WHERE id = %s",
                now + MINUTE, handoff.pk,
            )  # fmt: skip


# --- 5. one version in force at an instant ----------------------------------------------------------
def test_two_versions_do_not_begin_at_one_instant(agreement, people, now):
    same = proposed_by_sql(people, now, effective_from=agreement.effective_from)
    with refused("come later and begin later"):
        sign_by_sql(same, people.sales_leader, "sales", now)


def test_what_was_overtaken_by_a_signed_version_is_never_signed(agreement, people, now):
    overtaken = proposed_by_sql(people, now, effective_from=now)
    cast.agreement(at=now + MINUTE)
    with refused("come later and begin later"):
        sign_by_sql(overtaken, people.sales_leader, "sales", now)


def proposed_by_sql(people, now, *, effective_from):
    """Past the verb's own refusals: a draft proposed as the database allows it."""
    version = draft_version(by=people.marketing_leader, at=now)
    version.effective_from = effective_from
    before = SLAVersion.objects.get(fingerprint=ChainHead.objects.get().fingerprint)
    text = signed_text(version.content(), before.fingerprint)
    run(
        "UPDATE sla_slaversion SET proposed_at = %s, effective_from = %s, predecessor_id = %s, canonical = %s,"
        " fingerprint = %s WHERE id = %s",
        now, effective_from, before.pk, text, sha256(text), version.pk,
    )  # fmt: skip
    version.refresh_from_db()
    return version


def sign_by_sql(version, by, party, now):
    run(
        "INSERT INTO sla_signature (version_id, fingerprint, party, signed_by_id, name, role, signed_at, digest)"
        " VALUES (%s, %s, %s, %s, 'x', 'x', %s, 'x')",
        version.pk, version.fingerprint, party, by.pk, now,
    )  # fmt: skip


def withdraw_by_sql(version, by, now, kind="withdrawn", comment=""):
    run(
        "INSERT INTO sla_withdrawal (version_id, fingerprint, kind, withdrawn_by_id, name, withdrawn_at, comment,"
        " digest) VALUES (%s, %s, %s, %s, 'x', %s, %s, 'x')",
        version.pk, version.fingerprint, kind, by.pk, now, comment,
    )  # fmt: skip


# --- a proposal that was withdrawn ------------------------------------------------------------------
def test_a_withdrawn_version_is_never_signed(agreement, people, now):
    proposal = proposed_by_sql(people, now, effective_from=now)
    withdraw_by_sql(proposal, people.marketer, now)
    with refused("never signed"):
        sign_by_sql(proposal, people.sales_leader, "sales", now)


def test_what_both_sides_signed_is_never_withdrawn(agreement, people, now):
    with refused("replaced, never withdrawn"):
        withdraw_by_sql(agreement, people.marketer, now)


def test_a_return_says_why(agreement, people, now):
    proposal = proposed_by_sql(people, now, effective_from=now)
    with refused("returned_says_why"):
        withdraw_by_sql(proposal, people.sales_leader, now, kind="returned")


@pytest.mark.parametrize("sql", ["UPDATE sla_withdrawal SET comment = 'x'", "DELETE FROM sla_withdrawal"])
def test_a_withdrawal_stays(agreement, people, now, sql):
    withdraw_by_sql(proposed_by_sql(people, now, effective_from=now), people.marketer, now)
    with refused("append-only"):
        run(sql)


# --- the terms --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE sla_slaversion SET touch_kinds = '{}' WHERE id = %s", "touches_known"),
        ("UPDATE sla_slaversion SET touch_kinds = '{fax:sent}' WHERE id = %s", "touches_known"),
        ("UPDATE sla_slaversion SET clock_basis = 'moon' WHERE id = %s", "clock_basis_known"),
        ("UPDATE sla_slaversion SET review_cadence = 'yearly' WHERE id = %s", "cadence_known"),
        ("UPDATE sla_slaversion SET target_rate = 1001 WHERE id = %s", "rate_is_a_share"),
        ("UPDATE sla_slaversion SET benchmark_source = '' WHERE id = %s", "name_their_source"),
        ("UPDATE sla_escalationstep SET share = NULL WHERE kind = 'warn_owner' AND version_id = %s", "step_shape"),
        ("UPDATE sla_escalationstep SET share = 100 WHERE kind = 'warn_owner' AND version_id = %s", "step_shape"),
        ("UPDATE sla_escalationstep SET share = 5 WHERE kind = 'to_queue' AND version_id = %s", "step_shape"),
        ("UPDATE sla_reasoncode SET merged_into = '12' WHERE code = '11' AND version_id = %s", "merged_is_retired"),
        (
            "UPDATE sla_reasoncode SET retired = true, merged_into = '99' WHERE code = '11' AND version_id = %s",
            "merged_into_one_that_is_there",
        ),
    ],
)
def test_a_term_without_sense_is_refused_in_a_draft(people, now, sql, why):
    draft = draft_version(by=people.marketing_leader, at=now)
    with refused(why):
        run(sql, draft.pk)
        run("SET CONSTRAINTS ALL IMMEDIATE")


def test_one_person_is_never_signatory_of_both_sides(people, now):
    draft = draft_version(by=people.marketing_leader, at=now)
    with refused("signatories_are_two"):
        run(
            "UPDATE sla_slaversion SET marketing_signatory_id = %s, sales_signatory_id = %s WHERE id = %s",
            people.admin.pk, people.admin.pk, draft.pk,
        )  # fmt: skip


def test_an_escalation_step_of_a_proposed_version_does_not_change(agreement):
    with refused("escalation steps of a proposed version do not change"):
        run("UPDATE sla_escalationstep SET share = 50 WHERE kind = 'warn_owner'")


def test_a_version_has_one_successor(agreement, people, now):
    second, third = (draft_version(by=people.marketing_leader, at=now) for _ in range(2))
    for n, version in enumerate((second, third), 1):
        propose_version(
            version_id=version.pk, effective_from=now + n * MINUTE, by=people.marketing_leader, at=now
        )  # fmt: skip
    third.refresh_from_db()
    assert third.predecessor_id == second.pk
    fourth = draft_version(by=people.marketing_leader, at=now)
    with refused("sla_version_no_fork|predecessor|head|fingerprint|canonical|proposed"):
        run(
            "UPDATE sla_slaversion SET proposed_at = %s, effective_from = %s, fingerprint = %s, predecessor_id = %s"
            " WHERE id = %s",
            now, now + 9 * MINUTE, "a" * 64, second.pk, fourth.pk,
        )  # fmt: skip


# --- 6. a handoff keeps the law it was made under ----------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        "sla_version_id = sla_version_id + 1",
        "definition_id = definition_id + 1",
        "tier_id = NULL, is_historical = true",
        "total = total + 1",
        *("source = 'x'", "campaign = 'x'", "channel = 'x'", "industry = 'x'", "employees = 7", "employees = NULL"),
        "breakdown = '{}'",
        "qualified_at = qualified_at + interval '1 day'",
        "decision_due_at = decision_due_at + interval '1 day'",
        "contact_due_at = contact_due_at + interval '1 hour'",
        "calendar_id = (SELECT max(id) FROM sla_calendar)",
        "contact_warn_at = coalesce(contact_warn_at, qualified_at) + interval '1 minute'",
        "decision_warn_at = coalesce(decision_warn_at, qualified_at) + interval '1 minute'",
    ],
)
def test_a_handoff_keeps_its_law_its_score_and_its_due_times(open_lead, change):
    open_lead()
    with refused("keeps the lead, law, score, facts and due times"):
        run(f"UPDATE leads_handoff SET {change}")


@pytest.mark.parametrize("change", ["NULL", "first_touch_at + interval '1 second'"])
def test_the_first_touch_moves_back_only(rejected, change):
    assert run("UPDATE leads_handoff SET first_touch_at = first_touch_at - interval '1 second'") == 1
    with refused("the earliest that is known"):
        run(f"UPDATE leads_handoff SET first_touch_at = {change}")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("name, 2, NULL", "first_has_no_predecessor"),
        ("name, 1, id", "first_has_no_predecessor"),
    ],
)
def test_a_calendar_follows_its_predecessor(agreement, cells, why):
    columns = "zone, week, exceptions, day_names, created_at"
    with refused(why):
        run(f"INSERT INTO sla_calendar (name, version, predecessor_id, {columns})"
            f" SELECT {cells}, {columns} FROM sla_calendar")  # fmt: skip


def test_a_calendar_has_one_successor(agreement):
    columns = "zone, week, exceptions, day_names, created_at"
    follow = (
        f"INSERT INTO sla_calendar (name, version, predecessor_id, {columns})"
        f" SELECT name, 2, id, {columns} FROM sla_calendar WHERE version = 1"
    )
    assert run(follow) == 1
    with refused("predecessor_id"):
        run(follow)


def test_hours_are_a_persons_or_a_teams(agreement, people):
    columns = "calendar_id, from_day, created_at"
    for who in ("NULL, NULL", f"{people.rep.pk}, {people.north.pk}"):
        with refused("of_person_or_team"):
            run(f"INSERT INTO sla_calendarassignment (person_id, team_id, {columns})"
                f" SELECT {who}, id, created_at, created_at FROM sla_calendar")  # fmt: skip


def test_a_version_names_a_known_clock_basis(agreement):
    with refused("clock_basis_known"):
        draft_version(by=None, at=agreement.created_at, clock_basis="moon")


@pytest.mark.parametrize("column", ["definition_id", "sla_version_id"])
def test_a_handoff_without_its_law_is_refused(open_lead, now, column):
    handoff = open_lead()
    with refused("not-null"):
        run(
            f"INSERT INTO leads_handoff (lead_id, status, qualified_at, {COPIED})"
            f" SELECT lead_id, 'open', %s, {COPIED.replace(column, 'NULL')} FROM leads_handoff WHERE id = %s",
            now + MINUTE, handoff.pk,
        )  # fmt: skip


def test_a_handoff_under_another_definition_than_its_versions_is_refused(open_lead, people, now):
    handoff, draft = open_lead(), draft_version(by=people.marketing_leader, at=now)
    cells = COPIED.replace("definition_id", str(draft.definition_id)).replace("owner_id", "NULL")
    lead = Lead.objects.create(first_name="Other", created_at=now, updated_at=now)
    with refused("leads_handoff_definition_of_its_version"):
        run(
            f"INSERT INTO leads_handoff (lead_id, status, qualified_at, {COPIED})"
            f" SELECT %s, 'open', %s, {cells} FROM leads_handoff WHERE id = %s",
            lead.pk, now, handoff.pk,
        )  # fmt: skip


def test_a_handoff_under_no_version_is_refused(open_lead, now):
    handoff = open_lead()
    cells = COPIED.replace("sla_version_id", "sla_version_id + 1000").replace("owner_id", "NULL")
    lead = Lead.objects.create(first_name="Other", created_at=now, updated_at=now)
    with refused("leads_handoff_definition_of_its_version"):
        run(
            f"INSERT INTO leads_handoff (lead_id, status, qualified_at, {COPIED})"
            f" SELECT %s, 'open', %s, {cells} FROM leads_handoff WHERE id = %s",
            lead.pk, now, handoff.pk,
        )  # fmt: skip


# --- the owner is whom the newest assignment names ---------------------------------------------------
ASSIGN = """
    INSERT INTO leads_assignment (handoff_id, owner_id, assigned_at, recorded_at, why)
    VALUES (%s, %s, %s, now(), 'x')
"""
NOT_THE_OWNER = "is not whom its newest assignment names"


def test_an_owner_whom_no_assignment_names_is_refused(open_lead, people):
    handoff = open_lead()
    with refused(NOT_THE_OWNER):
        run("UPDATE leads_handoff SET owner_id = %s WHERE id = %s", people.other_rep.pk, handoff.pk)


def test_an_open_handoff_does_not_lose_its_owner(open_lead):
    with refused(NOT_THE_OWNER):
        run("UPDATE leads_handoff SET owner_id = NULL WHERE id = %s", open_lead().pk)


def test_a_handoff_that_was_given_to_nobody_has_no_owner(open_lead, now):
    handoff = open_lead()
    lead = Lead.objects.create(first_name="Other", created_at=now, updated_at=now)
    with refused(NOT_THE_OWNER):
        run(
            f"INSERT INTO leads_handoff (lead_id, status, qualified_at, {COPIED})"
            f" SELECT %s, 'open', %s, {COPIED} FROM leads_handoff WHERE id = %s",
            lead.pk, now, handoff.pk,
        )  # fmt: skip


def test_an_assignment_that_the_handoff_does_not_follow_is_refused(open_lead, people, now):
    handoff = open_lead()
    with refused(NOT_THE_OWNER):
        run(ASSIGN, handoff.pk, people.other_rep.pk, now + MINUTE)


def test_an_assignment_of_an_earlier_day_that_comes_late_changes_no_owner(open_lead, people, now):
    assert run(ASSIGN, open_lead().pk, people.other_rep.pk, now - MINUTE) == 1


@pytest.mark.parametrize("assignment_first", [True, False])
def test_owner_and_assignment_may_be_written_in_either_order(open_lead, people, now, assignment_first):
    handoff = open_lead()
    given = (ASSIGN, [handoff.pk, people.other_rep.pk, now + MINUTE])
    owned = ("UPDATE leads_handoff SET owner_id = %s WHERE id = %s", [people.other_rep.pk, handoff.pk])
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (given, owned) if assignment_first else (owned, given):
            cursor.execute(*statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    handoff.refresh_from_db()
    assert handoff.owner == people.other_rep


# --- a calendar has working time ---------------------------------------------------------------------
CALENDAR = (
    "INSERT INTO sla_calendar (name, zone, week, exceptions, created_at) VALUES ('x', 'UTC', %s::jsonb, '{}', now())"
)


@pytest.mark.parametrize(
    "week",
    [
        "{}",
        '{"mon": []}',
        '{"mon": [], "tue": [], "sun": []}',
        '{"mon": [["09:00", "09:00"]]}',
        '{"mon": [["09:00"]]}',
        '{"holiday": [["09:00", "17:00"]]}',
        '{"mon": "closed"}',
        "[]",
        '"week"',
    ],
)
def test_a_calendar_without_working_time_is_refused(db, week):
    with refused("sla_calendar_has_working_time"):
        run(CALENDAR, week)


@pytest.mark.parametrize(
    "week",
    ['{"mon": [], "sat": [["22:00", "06:00"]]}', '{"sun": [["00:00", "24:00"]]}', '{"wed": [["09:00", "9:30"]]}'],
)
def test_a_calendar_of_one_span_is_taken(db, week):
    assert run(CALENDAR, week) == 1


# --- a contact says how it came in -------------------------------------------------------------------
TOUCH = (
    "INSERT INTO leads_touch (handoff_id, kind, outcome, occurred_at, recorded_at, note, via, batch)"
    " VALUES (%s, 'call', 'reached', now(), now(), '', %s, %s)"
)


@pytest.mark.parametrize(("via", "batch"), [("bulk", None), ("page", True), ("fax", None)])
def test_a_contact_in_bulk_carries_its_batch_and_no_other_does(open_lead, via, batch):
    with refused("leads_touch_bulk_has_batch"):
        run(TOUCH, open_lead().pk, via, uuid.uuid4() if batch else None)


# --- 7. what was proposed is what is signed ----------------------------------------------------------
def test_a_signature_of_another_fingerprint_is_refused(agreement, people, now):
    draft = draft_version(by=people.marketing_leader, at=now)
    version = propose_version(version_id=draft.pk, effective_from=now, by=people.marketing_leader, at=now)
    sign_version(
        version_id=version.pk, party=Party.MARKETING, role="marketing_leader", by=people.marketing_leader, at=now
    )
    columns = [f.column for f in Signature._meta.concrete_fields if f.column not in ("id", "party", "signed_by_id")]
    cells = ", ".join("repeat('b', 64)" if column == "fingerprint" else column for column in columns)
    with refused("fingerprint|digest"):
        run(
            f"INSERT INTO sla_signature (party, signed_by_id, {', '.join(columns)})"
            f" SELECT 'sales', %s, {cells} FROM sla_signature WHERE version_id = %s",
            people.sales_leader.pk, version.pk,
        )  # fmt: skip


# --- 8. nothing goes unannounced, and nothing is announced that did not happen ------------------------
def opened(handoff, people, at):
    """Made by the fixture."""


def touched(handoff, people, at):
    log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=people.rep, at=at)


def accepted(handoff, people, at):
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=at)


def turned_down(handoff, people, at):
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=at, reason="11")


def reopened(handoff, people, at):
    reopen_handoff(handoff_id=handoff.pk, by=people.rep, at=at)


def withdrawn(handoff, people, at):
    withdraw_handoff(handoff_id=handoff.pk, by=people.manager, at=at, why="Merged")


def reassigned(handoff, people, at):
    reassign_handoff(handoff_id=handoff.pk, to=people.other_rep, by=people.manager, at=at)


def left_behind(handoff, people, at):
    assert people.other_rep.is_active
    deactivate_person(person_id=people.rep.pk, by=people.admin, at=at, hand_over=True)


def taken_up(handoff, people, at):
    take_up_handoff(handoff_id=handoff.next_history.pk, by=people.rep, at=at)


def with_history(handoff, people, at):
    """An undecided handoff of imported history, in nobody's inbox."""
    accepted(handoff, people, at)
    past = {"qualified_at": at - dt.timedelta(days=90), "owner": people.rep}
    (handoff.next_history,) = history.write(handoff.sla_version, [past])


BEFORE = {reopened: accepted, taken_up: with_history}
TOLD = {
    opened: "handoff.opened",
    touched: "handoff.touched",
    accepted: "handoff.accepted",
    turned_down: "handoff.rejected",
    reopened: "handoff.reopened",
    withdrawn: "handoff.withdrawn",
    reassigned: "handoff.assigned",
    left_behind: "handoff.assigned",
    taken_up: "handoff.assigned",
}


@pytest.mark.parametrize("act", TOLD, ids=lambda act: act.__name__)
def test_every_change_of_a_handoff_is_announced_once(open_lead, people, now, act):
    handoff = open_lead()
    BEFORE.get(act, opened)(handoff, people, now + MINUTE)
    act(handoff, people, now + MINUTE)
    assert Message.objects.filter(topic=TOLD[act]).count() == 1


def no_message_can_be_written():
    """The database refuses every row of the outbox until the test ends."""
    run("ALTER TABLE outbox_message ADD CONSTRAINT outbox_message_lost CHECK (false) NOT VALID")


@pytest.mark.parametrize("act", [act for act in TOLD if act is not opened], ids=lambda act: act.__name__)
def test_what_cannot_be_announced_does_not_happen(open_lead, people, now, act):
    handoff = open_lead()
    BEFORE.get(act, opened)(handoff, people, now + MINUTE)
    before = _state(handoff)
    no_message_can_be_written()
    with refused("outbox_message_lost"):
        act(handoff, people, now + 2 * MINUTE)
    assert _state(handoff) == before


def test_a_handoff_that_cannot_be_announced_is_not_opened(agreement, people, now):
    no_message_can_be_written()
    with refused("outbox_message_lost"):
        cast.open_handoff(owner=people.rep, at=now)
    assert not Handoff.objects.exists()


def _state(handoff):
    rows = list(Handoff.objects.order_by("pk").values())
    return rows, Message.objects.count(), Decision.objects.count(), Touch.objects.count(), Assignment.objects.count()


def test_the_agreement_announces_its_proposal_and_both_signatures(agreement):
    told = list(Message.objects.filter(topic__startswith="agreement.").order_by("id").values_list("topic", flat=True))
    assert told == ["agreement.proposed", "agreement.waits", "agreement.signed", "agreement.signed"]

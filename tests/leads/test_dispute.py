"""Marketing disputes a rejection once; a manager upholds or overturns it."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from leads.models import Decision, Dispute, Ruling
from leads.services.decide import reject_handoff, reopen_handoff
from leads.services.dispute import dispute_rejection, rule_on_dispute
from portal.outbox.mail import TOPICS
from portal.outbox.models import Message
from portal.shared.refusal import Refusal
from tests import cast

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
UPHELD, OVERTURNED = Ruling.Outcome.UPHELD, Ruling.Outcome.OVERTURNED


@pytest.fixture
def rejected(open_lead, people, now):
    handoff = open_lead()
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now + MINUTE, reason="11")
    return handoff


@pytest.fixture
def dispute(rejected, people, now):
    return dispute_rejection(handoff_id=rejected.pk, by=people.marketer, at=now + DAY, note="They have 640 people.")


def refused(code, verb, **arguments):
    with pytest.raises(Refusal) as refusal:
        verb(**arguments)
    assert refusal.value.code == code


def told(topic):
    return set(Message.objects.filter(topic=topic).values_list("recipient__name", flat=True))


def test_a_dispute_asks_the_manager_of_the_owner_s_team(dispute, people):
    assert told("dispute.opened") == {"Mona Manager"}
    assert list(Dispute.objects.rulable_by(people.manager).waiting()) == [dispute]
    assert not Dispute.objects.rulable_by(people.rep).exists()


def test_where_a_team_has_no_manager_the_sales_leader_is_asked(open_lead, people, now):
    handoff = open_lead(owner=people.south_rep)
    reject_handoff(handoff_id=handoff.pk, by=people.south_rep, at=now, reason="11")
    dispute_rejection(handoff_id=handoff.pk, by=people.marketer, at=now, note="Look again.")
    assert told("dispute.opened") == {"Sara Leader"}


def test_an_overturned_rejection_is_superseded_and_the_lead_is_open_with_its_owner(dispute, rejected, people, now):
    due = rejected.decision_due_at
    ruling = rule_on_dispute(dispute_id=dispute.pk, outcome=OVERTURNED, by=people.manager, at=now + 2 * DAY)
    rejected.refresh_from_db()
    assert (rejected.status, rejected.owner, rejected.decision_due_at) == ("open", people.rep, due)
    assert ruling.reopened_by == rejected.standing_decision
    assert ruling.reopened_by.supersedes == dispute.decision
    assert told("dispute.ruled") == {"Marta Marketer", "Rena Rep"}


def test_an_upheld_rejection_stands(dispute, rejected, people, now):
    rule_on_dispute(dispute_id=dispute.pk, outcome=UPHELD, by=people.manager, at=now + 2 * DAY, note="Too small.")
    rejected.refresh_from_db()
    assert rejected.status == "rejected"
    assert Decision.objects.count() == 1
    assert told("dispute.ruled") == {"Marta Marketer"}
    assert not Dispute.objects.waiting().exists()


def test_only_marketing_disputes(rejected, people, now):
    for person in (people.rep, people.manager, people.sales_leader, people.admin):
        refused("not_permitted", dispute_rejection, handoff_id=rejected.pk, by=person, at=now, note="No.")


def test_a_rejection_is_disputed_once(dispute, rejected, people, now):
    refused(
        "already_disputed", dispute_rejection, handoff_id=rejected.pk, by=people.marketing_leader, at=now, note="Also."
    )


def test_the_window_of_the_agreement_is_kept(rejected, people, now):
    window = rejected.sla_version.dispute_within
    late = {"handoff_id": rejected.pk, "by": people.marketer, "at": now + MINUTE + window + MINUTE, "note": "Late."}
    refused("dispute_window_passed", dispute_rejection, **late)
    in_time = dispute_rejection(**late | {"at": now + MINUTE + window})
    assert in_time.due_at == now + MINUTE + 2 * window


def test_a_dispute_says_why(rejected, people, now):
    refused("why_disputed", dispute_rejection, handoff_id=rejected.pk, by=people.marketer, at=now, note="  ")


def test_what_is_not_rejected_is_not_disputed(open_lead, people, now):
    refused("not_a_rejection", dispute_rejection, handoff_id=open_lead().pk, by=people.marketer, at=now, note="Why?")


def test_nobody_rules_on_their_own_rejection(open_lead, people, now):
    handoff = open_lead()
    reject_handoff(handoff_id=handoff.pk, by=people.manager, at=now, reason="11")
    dispute = dispute_rejection(handoff_id=handoff.pk, by=people.marketer, at=now, note="Look again.")
    refused("not_permitted", rule_on_dispute, dispute_id=dispute.pk, outcome=UPHELD, by=people.manager, at=now)
    rule_on_dispute(dispute_id=dispute.pk, outcome=UPHELD, by=people.sales_leader, at=now)


def test_a_manager_of_another_team_does_not_rule(dispute, people, now):
    stranger = cast.user("Sven Stranger", "sales_manager", team=people.south)
    refused("not_permitted", rule_on_dispute, dispute_id=dispute.pk, outcome=UPHELD, by=stranger, at=now)


def test_a_manager_without_a_team_rules_for_nobody(open_lead, people, now):
    alone, lone_rep = cast.user("Mila Manager", "sales_manager"), cast.user("Lone Rep", "rep")
    handoff = open_lead(owner=lone_rep)
    reject_handoff(handoff_id=handoff.pk, by=lone_rep, at=now, reason="11")
    dispute = dispute_rejection(handoff_id=handoff.pk, by=people.marketer, at=now, note="Look again.")
    refused("not_permitted", rule_on_dispute, dispute_id=dispute.pk, outcome=UPHELD, by=alone, at=now)


def test_it_is_ruled_once(dispute, people, now):
    rule_on_dispute(dispute_id=dispute.pk, outcome=UPHELD, by=people.manager, at=now)
    refused("already_ruled", rule_on_dispute, dispute_id=dispute.pk, outcome=OVERTURNED, by=people.manager, at=now)


def test_a_rejection_that_was_undone_meanwhile_leaves_nothing_to_rule(rejected, people, now):
    dispute = dispute_rejection(handoff_id=rejected.pk, by=people.marketer, at=now + 2 * MINUTE, note="No.")
    reopen_handoff(handoff_id=rejected.pk, by=people.rep, at=now + 3 * MINUTE)
    refused("nothing_to_rule", rule_on_dispute, dispute_id=dispute.pk, outcome=UPHELD, by=people.manager, at=now)
    assert not Dispute.objects.waiting().exists()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE leads_dispute SET note = 'changed'", "append-only"),
        ("DELETE FROM leads_dispute", "append-only"),
        (
            "INSERT INTO leads_ruling (dispute_id, outcome, ruled_by_id, ruled_at, note)"
            " SELECT id, 'overturned', {manager}, now(), '' FROM leads_dispute",
            "leads_ruling_shape",
        ),
        (
            "INSERT INTO leads_ruling (dispute_id, outcome, ruled_by_id, ruled_at, note)"
            " SELECT id, 'upheld', {rep}, now(), '' FROM leads_dispute",
            "nobody rules on their own",
        ),
        (
            "INSERT INTO leads_ruling (dispute_id, outcome, ruled_by_id, ruled_at, note, reopened_by_id)"
            " SELECT id, 'overturned', {manager}, now(), '', decision_id FROM leads_dispute",
            "reopened by the decision that supersedes",
        ),
    ],
)
def test_the_database_refuses_what_no_verb_does(dispute, people, sql, why):
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(manager=people.manager.pk, rep=people.rep.pk))


def test_the_database_refuses_a_dispute_of_an_acceptance(open_lead, people, now):
    from leads.services.decide import accept_handoff

    accepted = accept_handoff(handoff_id=open_lead().pk, by=people.rep, at=now)
    with pytest.raises(DatabaseError, match="only a rejection"), transaction.atomic():
        Dispute.objects.create(
            decision=accepted, disputed_by=people.marketer, disputed_at=now, due_at=now, note="Past the verb."
        )


def test_what_is_written_of_a_dispute_and_its_ruling(dispute, people, now):
    said = {"dispute": dispute.pk}
    opened = TOPICS["dispute.opened"].write(said)
    assert "They have 640 people." in opened.body
    assert "Marta Marketer disputes" in opened.body
    rule_on_dispute(dispute_id=dispute.pk, outcome=UPHELD, by=people.manager, at=now, note="Too small.")
    assert TOPICS["dispute.opened"].write(said) is None
    ruled = TOPICS["dispute.ruled"].write(said)
    assert ruled.subject.startswith("Upheld: ")
    assert "the rejection stands" in ruled.body

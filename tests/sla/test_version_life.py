"""The life of a version: who may do what in which state, and what a withdrawal means for the chain."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.utils import timezone

from leads.services.decide import accept_handoff, reject_handoff
from portal.outbox.mail import TOPICS
from portal.outbox.models import Message
from portal.shared.refusal import NotPermitted, Refusal
from sla import lifecycle
from sla.models import Party, SLAVersion, Withdrawal
from sla.models.state import standing
from sla.services.deputy import appoint_deputy, dismiss_deputy
from sla.services.refusals import (
    BadDeputy,
    BeginsTooEarly,
    NameDiffers,
    NoLongerWaiting,
    NotTheSignatory,
    OtherFingerprint,
    SignedForTheOtherSide,
)
from sla.services.remind import remind_signatories
from sla.services.terms import change_draft, discard_draft, draft_from
from sla.services.version import (
    comment_version,
    propose_version,
    return_version,
    sign_version,
    withdraw_version,
)
from sla.verification import verify
from tests import cast

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def draft(agreement, people, now):
    return draft_from(version_id=agreement.pk, by=people.marketer, at=now)


@pytest.fixture
def proposal(draft, people, now):
    return propose_version(version_id=draft.pk, effective_from=now + DAY, by=people.marketer, at=now)


def sign(version, party, by, at, **seen):
    return sign_version(version_id=version.pk, party=party, by=by, at=at, **seen)


def both_sign(version, people, at):
    sign(version, Party.MARKETING, people.marketing_leader, at)
    sign(version, Party.SALES, people.sales_leader, at)


# --- every state × role -------------------------------------------------------------------------------
AUTHORS = {"marketer", "marketing_leader", "sales_leader"}
LEADERS = {"marketing_leader", "sales_leader"}
MAY = {
    "draft_from": (set(lifecycle.STATES), AUTHORS),
    "change_draft": ({"draft"}, AUTHORS),
    "discard_draft": ({"draft"}, AUTHORS),
    "propose_version": ({"draft"}, AUTHORS),
    "comment_version": ({"draft", "proposed", "half_signed"}, AUTHORS | {"manager"}),
    "sign_version": ({"proposed", "half_signed"}, {"sales_leader"}),  # marketing has signed where one has
    "withdraw_version": ({"proposed", "half_signed"}, AUTHORS),
    "return_version": ({"proposed", "half_signed"}, LEADERS),
}
EVERYBODY = ("rep", "manager", "marketer", "marketing_leader", "sales_leader", "admin")


def acts(version, by, at):
    """Each verb on the version, as `by`."""
    pk = version.pk
    return {
        "draft_from": lambda: draft_from(version_id=pk, by=by, at=at),
        "change_draft": lambda: change_draft(version_id=pk, by=by, at=at, terms={"bulk_limit": 7}),
        "discard_draft": lambda: discard_draft(version_id=pk, by=by),
        "propose_version": lambda: propose_version(version_id=pk, effective_from=at + 9 * DAY, by=by, at=at),
        "comment_version": lambda: comment_version(version_id=pk, section="sales", text="Why?", by=by, at=at),
        "sign_version": lambda: sign_version(version_id=pk, party=Party.SALES, by=by, at=at),
        "withdraw_version": lambda: withdraw_version(version_id=pk, by=by, at=at),
        "return_version": lambda: return_version(version_id=pk, comment="Faster", by=by, at=at),
    }


def in_state(state, agreement, people, now):
    """A version brought into the state by the verbs."""
    version = draft_from(version_id=agreement.pk, by=people.marketer, at=now)
    if state == "draft":
        return version
    propose_version(version_id=version.pk, effective_from=now + DAY, by=people.marketer, at=now)
    if state == "half_signed":
        sign(version, Party.MARKETING, people.marketing_leader, now)
    elif state == "withdrawn":
        withdraw_version(version_id=version.pk, by=people.marketer, at=now)
    elif state == "returned":
        return_version(version_id=version.pk, by=people.sales_leader, at=now, comment="Too slow")
    elif state != "proposed":
        both = draft_from(version_id=agreement.pk, by=people.marketer, at=now) if state == "overtaken" else version
        if both != version:
            propose_version(version_id=both.pk, effective_from=now + 2 * DAY, by=people.marketer, at=now)
        both_sign(both, people, now)
    if state == "succeeded":
        cast.agreement(at=now + 3 * DAY)
    return SLAVersion.objects.get(pk=version.pk)


@pytest.mark.parametrize("state", lifecycle.STATES)
def test_a_role_does_in_a_state_what_the_table_says_and_nothing_else(agreement, people, now, state):
    version = in_state(state, agreement, people, now)
    at = now + (4 * DAY if state in ("in_force", "succeeded") else HOUR)
    assert standing(version, at=at).state == state
    wrong = []
    for who in EVERYBODY:
        for verb, (states, roles) in MAY.items():
            wanted = state in states and who in roles
            assert lifecycle.allows(verb, state) is (state in states) or verb == "draft_from"
            before, done = transaction.savepoint_create(), True
            try:
                acts(version, getattr(people, who), at)[verb]()
            except Refusal:
                done = False
            transaction.savepoint_rollback(before)
            if done is not wanted:
                wrong.append((verb, who, "did" if done else "was refused"))
    assert not wrong


# --- signing ------------------------------------------------------------------------------------------
def test_a_signature_keeps_what_the_page_saw(proposal, people, now):
    row = sign(proposal, Party.SALES, people.sales_leader, now, fingerprint=proposal.fingerprint,
               typed_name=" sara  LEADER ", address="192.0.2.7", user_agent="Firefox")  # fmt: skip
    row.refresh_from_db()
    assert (row.name, row.role, row.typed_name) == ("Sara Leader", "sales_leader", " sara  LEADER ")
    assert (row.address, row.user_agent, row.deputy_for) == ("192.0.2.7", "Firefox", None)
    assert verify(at=now).difference is None


@pytest.mark.parametrize(
    ("seen", "refusal"),
    [({"fingerprint": "a" * 64}, OtherFingerprint), ({"typed_name": "Sarah"}, NameDiffers)],
)
def test_what_was_not_shown_or_not_meant_is_not_signed(proposal, people, now, seen, refusal):
    with pytest.raises(refusal):
        sign(proposal, Party.SALES, people.sales_leader, now, **seen)


def test_the_proposer_may_sign_and_one_person_never_signs_for_both(draft, people, now):
    people.marketing_leader.roles = ["marketing_leader", "sales_leader"]
    people.marketing_leader.save()
    propose_version(version_id=draft.pk, effective_from=now, by=people.marketing_leader, at=now)
    sign(draft, Party.MARKETING, people.marketing_leader, now)
    with pytest.raises(SignedForTheOtherSide):
        sign(draft, Party.SALES, people.marketing_leader, now)


def test_only_the_named_signatory_signs(draft, people, now):
    other = cast.user("Olga Other", "sales_leader")
    change_draft(version_id=draft.pk, by=people.marketer, at=now, terms={"sales_signatory": people.sales_leader})
    propose_version(version_id=draft.pk, effective_from=now, by=people.marketer, at=now)
    with pytest.raises(NotTheSignatory):
        sign(draft, Party.SALES, other, now)
    assert sign(draft, Party.SALES, people.sales_leader, now).deputy_for is None


def test_a_deputy_signs_in_their_time_and_is_shown_as_such(proposal, people, now):
    appoint_deputy(
        party=Party.SALES, deputy=people.manager, begins_at=now, ends_at=now + DAY, by=people.sales_leader, at=now
    )
    with pytest.raises(NotTheSignatory):
        sign(proposal, Party.SALES, people.manager, now + DAY)  # half-open: expired
    row = sign(proposal, Party.SALES, people.manager, now + DAY - HOUR)
    assert (row.deputy_for, row.role) == (people.sales_leader, "sales_manager")
    assert verify(at=now).difference is None


def test_a_dismissed_deputy_signs_no_more(proposal, people, now):
    appoint_deputy(
        party=Party.SALES, deputy=people.manager, begins_at=now, ends_at=now + DAY, by=people.sales_leader, at=now
    )
    dismiss_deputy(party=Party.SALES, by=people.sales_leader, at=now)
    with pytest.raises(NotTheSignatory):
        sign(proposal, Party.SALES, people.manager, now + HOUR)


def test_a_deputy_is_another_person_who_does_not_lead_the_other_side(people, now):
    times = {"begins_at": now, "ends_at": now + DAY, "by": people.sales_leader, "at": now}
    for deputy in (people.sales_leader, people.marketing_leader, None):
        with pytest.raises(BadDeputy):
            appoint_deputy(party=Party.SALES, deputy=deputy, **times)
    with pytest.raises(NotPermitted):
        appoint_deputy(party=Party.MARKETING, deputy=people.manager, **times)


# --- withdrawing, returning, overtaking ---------------------------------------------------------------
def test_after_a_withdrawal_the_next_proposal_follows_and_the_chain_agrees(proposal, people, now):
    sign(proposal, Party.SALES, people.sales_leader, now)
    withdraw_version(version_id=proposal.pk, by=people.marketer, at=now, comment="Mixed up")
    with pytest.raises(NoLongerWaiting):
        sign(proposal, Party.MARKETING, people.marketing_leader, now)
    following = draft_from(version_id=proposal.pk, by=people.marketer, at=now)
    same_day = proposal.effective_from
    following = propose_version(version_id=following.pk, effective_from=same_day, by=people.marketer, at=now)
    assert following.predecessor == proposal
    both_sign(following, people, now)
    assert SLAVersion.objects.in_force(at=same_day) == following
    assert (verify(at=now).versions, verify(at=now).difference) == (3, None)


@pytest.mark.parametrize(
    "change", ["comment = 'x'", "kind = 'returned'", "withdrawn_at = withdrawn_at - interval '1 s'"]
)
def test_an_altered_withdrawal_is_named(proposal, people, now, change):
    withdraw_version(version_id=proposal.pk, by=people.marketer, at=now, comment="Mixed up")
    _past_the_triggers(f"UPDATE sla_withdrawal SET {change}")
    assert verify(at=now).difference.kind == "altered_withdrawal"


def test_a_removed_withdrawal_is_missed(proposal, people, now):
    withdraw_version(version_id=proposal.pk, by=people.marketer, at=now)
    _past_the_triggers("DELETE FROM sla_withdrawal")
    assert verify(at=now).difference.sentence == "A withdrawal is missing: 1 was recorded, 0 are here."


def _past_the_triggers(sql):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_return_tells_the_proposer_why(proposal, people, now):
    return_version(version_id=proposal.pk, by=people.sales_leader, at=now, comment="15 minutes is too short")
    told = Message.objects.get(topic="agreement.returned")
    assert (told.recipient, told.payload["comment"]) == (people.marketer, "15 minutes is too short")
    assert Withdrawal.objects.get().kind == "returned"


def test_a_version_begins_after_what_both_have_signed(agreement, draft, people, now):
    with pytest.raises(BeginsTooEarly):
        propose_version(version_id=draft.pk, effective_from=agreement.effective_from, by=people.marketer, at=now)


# --- in force is a question of time -------------------------------------------------------------------
def test_nothing_is_in_force_before_both_have_signed_it(agreement, draft, people, now):
    propose_version(version_id=draft.pk, effective_from=now, by=people.marketer, at=now)
    sign(draft, Party.MARKETING, people.marketing_leader, now + HOUR)
    sign(draft, Party.SALES, people.sales_leader, now + 3 * HOUR)
    assert SLAVersion.objects.in_force(at=now + 2 * HOUR) == agreement
    assert SLAVersion.objects.in_force(at=now + 3 * HOUR) == draft


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        (dt.datetime(2026, 12, 1, 0, 0), dt.datetime(2026, 11, 30, 23, 0)),  # midnight in winter
        (dt.datetime(2027, 3, 29, 0, 0), dt.datetime(2027, 3, 28, 22, 0)),  # the day after clocks go forward
        (dt.datetime(2026, 10, 26, 0, 0), dt.datetime(2026, 10, 25, 23, 0)),  # the day after clocks go back
        (dt.datetime(2027, 3, 28, 2, 30), dt.datetime(2027, 3, 28, 1, 30)),  # an hour that does not exist
    ],
)
def test_a_version_begins_at_the_local_instant_to_the_microsecond(agreement, draft, people, now, local, utc):
    begins = local.replace(tzinfo=BERLIN)
    propose_version(version_id=draft.pk, effective_from=begins, by=people.marketer, at=now)
    both_sign(draft, people, now)
    instant = utc.replace(tzinfo=dt.UTC)
    assert SLAVersion.objects.in_force(at=instant - dt.timedelta(microseconds=1)) == agreement
    assert SLAVersion.objects.in_force(at=instant) == draft
    assert verify(at=now).difference is None


def test_a_version_that_changes_between_opening_and_deciding_changes_nothing_for_the_lead(
    agreement, open_lead, people, now
):
    handoff = open_lead()
    draft = draft_from(version_id=agreement.pk, by=people.marketer, at=now)
    draft.reasons.filter(code="11").update(retired=True)
    change_draft(version_id=draft.pk, by=people.marketer, at=now, promises=[
        {"kind": "decision", "tier": "hot", "within": HOUR}, {"kind": "first_contact", "tier": "hot", "within": HOUR}
    ])  # fmt: skip
    propose_version(version_id=draft.pk, effective_from=now + HOUR, by=people.marketer, at=now)
    both_sign(draft, people, now)
    due = handoff.decision_due_at
    decision = reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 2 * HOUR, reason="11")
    handoff.refresh_from_db()
    assert (handoff.sla_version, decision.reason.version, handoff.decision_due_at) == (agreement, agreement, due)
    following = open_lead(at=now + 2 * HOUR)
    assert following.sla_version == draft
    assert following.decision_due_at < now + 2 * HOUR + DAY
    accept_handoff(handoff_id=following.pk, by=people.rep, at=now + 3 * HOUR)


# --- reminders ----------------------------------------------------------------------------------------
def test_a_missing_signature_is_reminded_of_once_a_working_day(proposal, people, now):
    sign(proposal, Party.MARKETING, people.marketing_leader, now)
    for at in (now + HOUR, now + DAY, now + DAY + HOUR, now + 2 * DAY, now + 4 * DAY):  # Thu, Fri, Fri, Sat, Mon
        remind_signatories(at=at)
    told = Message.objects.filter(topic="agreement.signature_missing")
    assert [(m.recipient, m.created_at) for m in told.order_by("id")] == [
        (people.sales_leader, now + DAY),
        (people.sales_leader, now + 4 * DAY),
    ]


def test_a_draft_keeps_every_code_that_was_ever_proposed(agreement, people, now):
    grown = draft_from(version_id=agreement.pk, by=people.marketer, at=now)
    grown.reasons.create(code="15", category="fit", label="Supplier", meaning="Sells to the same plants.")
    propose_version(version_id=grown.pk, effective_from=now, by=people.marketer, at=now)
    older = draft_from(version_id=agreement.pk, by=people.marketer, at=now)
    assert older.reasons.get(code="15").retired


def test_who_has_to_sign_is_written_until_they_did(proposal, people):
    payload = Message.objects.get(topic="agreement.waits", recipient=people.sales_leader, payload__version=2).payload
    write = TOPICS["agreement.signature_missing"].write
    mail = write(payload)
    assert mail.subject == "Still waiting: your signature under agreement v2"
    assert proposal.fingerprint in mail.body
    assert mail.path == "/agreement/2/"
    sign(proposal, Party.SALES, people.sales_leader, timezone.now())
    assert write(payload) is None


def test_a_room_hears_who_signed(proposal, people, now):
    sign(proposal, Party.SALES, people.sales_leader, now)
    told = Message.objects.filter(topic="agreement.signed").latest("id")
    mail = TOPICS["agreement.signed"].write(told.payload)
    assert (mail.subject, mail.body) == ("Agreement v2 was signed for sales", "Sara Leader signed it for sales.")

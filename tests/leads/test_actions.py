"""Actions of an audit: decided, changed, closed; what they moved is measured, and every change stays."""

import datetime as dt
from decimal import Decimal
from math import sqrt

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads.audit.action_page import actions
from leads.audit.actions import add_action, change_action, close_action
from leads.audit.effects import CANNOT_TELL, DID_NOT, WORKED, Side, effect
from leads.audit.models import ActionRevision
from leads.figures import Month
from leads.models import Handoff
from portal.outbox.mail import TOPICS
from portal.outbox.models import Message
from portal.shared.refusal import Refusal
from sla.services.definition import delete_draft, draft_definition
from tests.history import random_cases, write

UTC, DAY = dt.UTC, dt.timedelta(days=1)
ZONE = get_default_timezone()
FEBRUARY, MARCH, APRIL = (Month.parse(f"2026-0{n}") for n in (2, 3, 4))
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def said(people, now):
    return {"text": "Ask for the role", "owner": people.marketer, "due_on": dt.date(2026, 10, 20), "measure": "rate",
            "expected": Decimal("3.0"), "by": people.marketing_leader, "at": now}  # fmt: skip


@pytest.fixture
def action(said, agreement):
    return add_action(month=MARCH, **said)


def refused(code, verb, **arguments):
    with pytest.raises(Refusal) as refusal:
        verb(**arguments)
    assert refusal.value.code == code


def test_its_owner_is_told(action, people):
    message = Message.objects.get(topic="audit.action")
    assert message.recipient == people.marketer
    mail = TOPICS["audit.action"].write(message.payload)
    assert "Ask for the role" in mail.subject
    assert mail.path == reverse("audit_actions", args=["2026-03"])


def test_a_change_is_a_new_revision_and_the_old_one_stays(action, said, people):
    changed = change_action(action_id=action.action_id, seen=1, **(said | {"owner": people.sales_leader}))
    assert [r.owner for r in ActionRevision.objects.all()] == [people.marketer, people.sales_leader]
    assert Message.objects.filter(topic="audit.action", recipient=people.sales_leader).exists()
    assert change_action(action_id=action.action_id, seen=2, **(said | {"owner": people.sales_leader})) == changed


def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(action, said):
    change_action(action_id=action.action_id, seen=1, **(said | {"text": "Ask for it on the form"}))
    refused("action_changed", change_action, action_id=action.action_id, seen=1, **said)


def test_it_is_closed_once_with_what_was_done(action, said, people, now):
    one = {"action_id": action.action_id, "by": people.marketer, "at": now}
    refused("what_was_done", close_action, seen=1, note=" ", **one)
    assert close_action(seen=1, note="It is on the form.", **one).is_closed
    refused("action_closed", close_action, seen=2, note="Again.", **one)
    refused("action_closed", change_action, action_id=action.action_id, seen=2, **said)


def test_only_its_owner_and_those_who_decide_close_it(action, said, people, now):
    admins = add_action(month=MARCH, **(said | {"owner": people.admin}))
    one = {"seen": 1, "note": "Done.", "by": people.admin, "at": now}
    refused("not_permitted", close_action, action_id=action.action_id, **one)
    assert close_action(action_id=admins.action_id, **one).is_closed
    refused("not_permitted", add_action, month=MARCH, **(said | {"by": people.rep}))
    refused("action_incomplete", add_action, month=MARCH, **(said | {"text": " "}))


COPY = """
    INSERT INTO audit_actionrevision (action_id, number, text, measure, expected, is_closed, note, owner_id, due_on,
        written_at, written_by_id)
    SELECT action_id, {number}, {text}, {measure}, {expected}, {closed}, '', owner_id, due_on, written_at,
        written_by_id
    FROM audit_actionrevision
"""
SAME = {"number": 2, "text": "text", "measure": "measure", "expected": "expected", "closed": "false"}


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE audit_action SET month = '2026-01-01'", "append-only"),
        ("DELETE FROM audit_actionrevision", "append-only"),
        (COPY.format(**SAME | {"number": 3}), "follows the one before"),
        (COPY.format(**SAME | {"text": "''"}), "says_what"),
        (COPY.format(**SAME | {"measure": "'mood'"}), "measure_known"),
        (COPY.format(**SAME | {"expected": "0"}), "expects_better"),
        (COPY.format(**SAME | {"closed": "true"}), "says_what_was_done"),
        ("INSERT INTO audit_action (month, added_at, added_by_id) SELECT '2026-03-02', now(), owner_id"
         " FROM audit_actionrevision", "first_day"),
    ],
)  # fmt: skip
def test_the_database_refuses_what_no_verb_does(action, sql, why):
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_closed_one_does_not_change_in_the_database_either(action, people, now):
    close_action(action_id=action.action_id, seen=1, note="Done.", by=people.marketer, at=now)
    with pytest.raises(DatabaseError, match="does not change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COPY.format(**SAME | {"number": 3}) + "WHERE number = 1")


def newcombe(k1, n1, k2, n2, z=1.959963984540054):
    """Newcombe's method 10, written down once more."""

    def wilson(k, n):
        p = k / n
        half = z * sqrt(p * (1 - p) / n + z * z / 4 / n / n)
        return (p + z * z / 2 / n - half) / (1 + z * z / n), (p + z * z / 2 / n + half) / (1 + z * z / n)

    (l1, u1), (l2, u2), p1, p2 = wilson(k1, n1), wilson(k2, n2), k1 / n1, k2 / n2
    return p2 - p1, p2 - p1 - sqrt((p2 - l2) ** 2 + (u1 - p1) ** 2), p2 - p1 + sqrt((u2 - p2) ** 2 + (p1 - l1) ** 2)


@pytest.mark.parametrize("measure", ["rate", "11", "44"])
def test_the_effect_equals_a_count_of_the_rows(agreement, people, said, now, measure):
    begin, end = dt.datetime(2026, 2, 20, tzinfo=UTC), dt.datetime(2026, 5, 5, tzinfo=UTC)
    write(agreement, random_cases(300, seed=9, version=agreement, owners=[people.rep], start=begin, end=end))
    add_action(month=MARCH, **(said | {"measure": measure}))
    counts = []
    rows = list(Handoff.objects.select_related("reason"))
    for month in ("2026-03", "2026-04"):
        decided = [h for h in rows if h.decided_at and f"{h.decided_at.astimezone(ZONE):%Y-%m}" == month]
        if measure == "rate":
            counts.append(sum(h.status == "accepted" for h in decided))
            counts.append(sum(f"{h.qualified_at.astimezone(ZONE):%Y-%m}" == month for h in rows))
        else:
            rejected = [h for h in decided if h.status == "rejected"]
            counts += [sum(h.reason.code == measure for h in rejected), len(rejected)]
    (item,) = actions(APRIL, as_of=now, zone=ZONE).before
    assert (item.effect.before.k, item.effect.before.n, item.effect.after.k, item.effect.after.n) == tuple(counts)
    assert tuple(item.effect.change) == pytest.approx(newcombe(*counts), abs=1e-12)


@pytest.mark.parametrize(
    ("measure", "after", "over", "verdict"),
    [
        ("rate", 60, True, WORKED),
        ("rate", 60, False, CANNOT_TELL),
        ("rate", 22, True, CANNOT_TELL),
        ("rate", 5, True, DID_NOT),
        ("11", 5, True, WORKED),
        ("11", 60, True, DID_NOT),
    ],
)
def test_noise_is_no_verdict_and_a_promise_out_of_reach_is_one(measure, after, over, verdict):
    revision = ActionRevision(measure=measure, expected=Decimal("3"))
    assert effect(Side(MARCH, 20, 100), Side(APRIL, after, 100), revision, over=over).verdict == verdict


def test_a_month_without_anything_to_count_tells_nothing(action, now):
    (item,) = actions(APRIL, as_of=now, zone=ZONE).before
    assert (item.verdict, item.effect.change) == (CANNOT_TELL, None)


def test_last_months_and_older_open_ones_are_looked_at_again(action, said, people, now):
    old = add_action(month=FEBRUARY, **said)
    assert len(actions(APRIL, as_of=now, zone=ZONE).before) == 2
    close_action(action_id=old.action_id, seen=1, note="Done.", by=people.marketer, at=now)
    assert [item.revision for item in actions(APRIL, as_of=now, zone=ZONE).before] == [action]
    found = actions(MARCH, as_of=now, zone=ZONE)
    assert ([item.revision for item in found.decided], len(found.before)) == ([action], 1)


def given(people, **changes):
    return {"text": "Cap guides", "owner": people.marketer.pk, "due_on": "2026-11-20", "measure": "11",
            "expected": "4.5", "definition": ""} | changes  # fmt: skip


def test_they_are_added_changed_and_closed_in_place(client, agreement, people, now):
    client.force_login(people.marketing_leader)
    new = reverse("audit_action_new", args=["2026-03"])
    assert "A new action" in client.get(new, **HTMX).text
    draft = draft_definition(start_from=agreement.definition, by=people.marketing_leader, at=now)
    answer = client.post(new, given(people, definition=draft.pk), **HTMX)
    assert "Cap guides" in answer.text
    assert f"Definition v{draft.number}" in answer.text
    revision = ActionRevision.objects.get()
    change = reverse("audit_action", args=["2026-03", revision.action_id])
    assert 'value="Cap guides"' in client.get(change, **HTMX).text
    answer = client.post(change, given(people, text="Cap them all", seen=1), **HTMX)
    assert "Cap them all" in answer.text
    assert client.post(change, given(people, text="Too late", seen=1), **HTMX).status_code == 409
    close = reverse("audit_action_close", args=["2026-03", revision.action_id])
    assert client.post(close, {"seen": 2, "note": ""}, **HTMX).status_code == 422
    assert client.post(close, {"seen": 2, "note": "Capped."}).status_code == 302
    assert "Done: Capped." in client.get(reverse("audit_actions", args=["2026-03"])).text


def test_a_draft_that_was_deleted_leaves_its_action(action, agreement, said, people, now):
    draft = draft_definition(start_from=agreement.definition, by=people.marketing_leader, at=now)
    change_action(action_id=action.action_id, seen=1, **(said | {"definition": draft}))
    delete_draft(number=draft.number, by=people.marketing_leader, at=now)
    (item,) = actions(MARCH, as_of=now, zone=ZONE).decided
    assert (item.revision.definition, item.revision.definition_id is None) == (None, False)


@pytest.mark.parametrize(
    "wrong", [{"text": ""}, {"due_on": "soon"}, {"measure": "mood"}, {"expected": "0"}, {"owner": "0"}]
)
def test_what_is_missing_is_said_beside_its_field(client, agreement, people, wrong):
    client.force_login(people.marketing_leader)
    answer = client.post(reverse("audit_action_new", args=["2026-03"]), given(people, **wrong), **HTMX)
    assert (answer.status_code, ActionRevision.objects.count()) == (422, 0)
    assert "field-error" in answer.text


def test_an_admin_reads_them_and_decides_nothing(client, action, people):
    client.force_login(people.admin)
    text = client.get(reverse("audit_actions", args=["2026-03"])).text
    assert "Ask for the role" in text
    assert "Add an action" not in text
    assert client.get(reverse("audit_action_new", args=["2026-03"])).status_code == 403
    client.force_login(people.rep)
    assert client.get(reverse("audit_actions", args=["2026-03"])).status_code == 403

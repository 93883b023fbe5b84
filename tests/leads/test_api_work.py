"""Handoffs by the API: read by who may see them, worked by who holds them, with the inbox's own refusals."""

import datetime as dt

import pytest
from django.utils import timezone

from leads.models import Decision, Handoff, Lead, Touch
from leads.services.decide import accept_handoff
from portal.accounts.models import Role
from portal.keys.scopes import HANDOFFS_READ, HANDOFFS_WRITE, LEADS_READ
from tests import cast
from tests.api import Program

DAY = dt.timedelta(days=1)


@pytest.fixture
def held(agreement, people):
    """An open handoff of the rep of the north."""
    return cast.open_handoff(owner=people.rep, at=timezone.now() - dt.timedelta(hours=2))


def test_a_contact_is_logged_as_the_person_whom_the_key_acts_as(held, people):
    rep = Program(people.rep)
    answer = rep.post(f"handoffs/{held.pk}/touches", {"kind": "call", "outcome": "reached", "note": "spoke"})
    touch = Touch.objects.get()
    assert (answer.status_code, rep.said["counts"]) == (201, True)
    assert (touch.touched_by, touch.via, touch.note) == (people.rep, "api", "spoke")
    assert dt.datetime.fromisoformat(rep.said["first_touch_at"]) == Handoff.objects.get().first_touch_at


def test_a_voicemail_is_an_attempt_and_no_contact(held, people):
    rep = Program(people.rep)
    rep.post(f"handoffs/{held.pk}/touches", {"kind": "call", "outcome": "voicemail"})
    assert (rep.said["counts"], rep.said["first_touch_at"]) == (False, None)


def test_a_handoff_is_accepted_once(held, people):
    rep = Program(people.rep)
    assert rep.post(f"handoffs/{held.pk}/decision", {"outcome": "accepted"}).status_code == 201
    assert Decision.objects.get().via == "api"
    answer = rep.post(f"handoffs/{held.pk}/decision", {"outcome": "rejected", "reason": "11"})
    assert (answer.status_code, rep.said["code"]) == (409, "already_decided")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"outcome": "rejected"}, "reason_required"),
        ({"outcome": "rejected", "reason": ""}, "reason_required"),
        ({"outcome": "rejected", "reason": "99"}, "reason_unknown"),
        ({"outcome": "rejected", "reason": "a' OR 1=1"}, "reason_unknown"),
        ({"outcome": "open"}, "invalid"),
        ({"outcome": "rejected", "reason": "11", "decided_by": 1}, "invalid"),
        ({"outcome": "rejected", "reason": "11", "decided_at": "2020-01-01T00:00:00Z"}, "invalid"),
        ({"outcome": "rejected", "reason": "11", "via": "page"}, "invalid"),
    ],
)
def test_no_rejection_goes_through_without_a_reason_and_nobody_sets_what_is_not_theirs(held, people, body, code):
    rep = Program(people.rep)
    answer = rep.post(f"handoffs/{held.pk}/decision", body)
    assert (answer.status_code, rep.said["code"]) == (422, code)
    assert not Decision.objects.exists()


def test_a_reason_asks_for_its_note_and_its_detail_as_in_the_inbox(held, people, agreement):
    rep = Program(people.rep)
    strict = agreement.reasons.filter(note_required=True).first()
    rep.post(f"handoffs/{held.pk}/decision", {"outcome": "rejected", "reason": strict.code})
    assert rep.said["code"] == "note_required"
    unreachable = agreement.reasons.filter(unreachable=True).first()
    rep.post(f"handoffs/{held.pk}/decision", {"outcome": "rejected", "reason": unreachable.code, "note": "x"})
    assert rep.said["code"] == "attempts_missing"


def test_a_rejection_for_timing_sets_the_day_to_come_back(held, people, agreement):
    rep, later = Program(people.rep), (timezone.now() + 60 * DAY).date()
    code = agreement.reasons.filter(detail="recycle_on").first().code
    body = {"outcome": "rejected", "reason": code, "recycle_on": later.isoformat(), "note": "next quarter"}
    rep.post(f"handoffs/{held.pk}/decision", body, Idempotency_Key="one")
    assert rep.said["recycle_on"] == later.isoformat()
    assert Lead.objects.get(pk=held.lead_id).recycle_on == later
    again = rep.post(f"handoffs/{held.pk}/decision", body, Idempotency_Key="one")
    assert (again.status_code, Decision.objects.count()) == (201, 1)


ACTS = (("touches", {"kind": "call", "outcome": "reached"}), ("decision", {"outcome": "accepted"}))


@pytest.mark.parametrize(("act", "body"), ACTS)
def test_what_one_may_not_see_does_not_exist_and_what_one_does_not_hold_is_refused(held, people, act, body):
    where = f"handoffs/{held.pk}/{act}"
    for stranger in (people.other_rep, people.south_rep):
        program = Program(stranger)
        assert (program.post(where, body).status_code, program.said["code"]) == (404, "not_found")
    for person in (people.marketer, people.sales_leader, people.admin):
        program = Program(person)
        assert (program.post(where, body).status_code, program.said["code"]) == (403, "not_permitted")
    watcher = Program(cast.user("Wanda Watcher", Role.REP, Role.MARKETER))  # sees it all, holds none
    assert (watcher.post(where, body).status_code, watcher.said["code"]) == (403, "not_permitted")
    assert Program(people.manager).post(where, body).status_code == 201


@pytest.mark.parametrize(("act", "body"), ACTS)
def test_a_handoff_that_there_is_not_is_not_found(held, people, act, body):
    for number, status in (("999999999", 404), ("0", 422), ("-1", 422), ("x", 422), ("9" * 40, 422), ("%00", 422)):
        assert Program(people.rep).post(f"handoffs/{number}/{act}", body).status_code == status


def test_a_bridge_reports_what_the_rep_decided_in_the_rep_s_name(held, people):
    bridge = Program(cast.user("Crm Bridge", Role.REP), HANDOFFS_WRITE, "people:act-for")
    where = f"handoffs/{held.pk}/decision"
    assert bridge.post(where, {"outcome": "accepted"}).status_code == 404
    answer = bridge.post(where, {"outcome": "accepted"}, **{"On-Behalf-Of": people.rep.email})
    assert (answer.status_code, Decision.objects.get().decided_by) == (201, people.rep)


# --- reading ------------------------------------------------------------------------------------------
@pytest.fixture
def many(agreement, people):
    """Seven handoffs of three reps, the earliest first; the second one is accepted."""
    at, rows = timezone.now() - 3 * DAY, []
    for n, owner in enumerate((people.rep, people.rep, people.other_rep, people.south_rep, people.rep) * 2):
        rows.append(cast.open_handoff(owner=owner, at=at + dt.timedelta(minutes=n // 2), company=f"Company {n}"))
    accept_handoff(handoff_id=rows[1].pk, by=people.rep, at=at + DAY)
    return rows


def pages(program, where, **query):
    """The items of every page, one after the other."""
    found, cursor = [], query.pop("cursor", None)
    while True:
        said = program.get(where, query | ({"cursor": cursor} if cursor else {})).json()
        found += said["items"]
        cursor = said["next_cursor"]
        if cursor is None:
            return found


def test_everybody_reads_the_handoffs_they_see_on_pages(many, people):
    owners = {people.rep: 6, people.other_rep: 2, people.manager: 8, people.marketer: 10, people.admin: 10}
    for person, n in owners.items():
        program = Program(person, HANDOFFS_READ, LEADS_READ)
        seen = pages(program, "handoffs", limit=3)
        assert len(seen) == n, person
        assert {row["lead"] for row in seen} == {row["id"] for row in pages(program, "leads", limit=4)}


def test_pages_show_each_handoff_once_whatever_is_written_between_them(many, people):
    program = Program(people.marketer)
    first = program.get("handoffs", {"limit": 4}).json()
    accept_handoff(handoff_id=many[5].pk, by=people.rep, at=timezone.now())
    accept_handoff(handoff_id=many[0].pk, by=people.rep, at=timezone.now())
    late = cast.open_handoff(owner=people.rep, at=timezone.now())
    rest, cursor = [], first["next_cursor"]
    while cursor:
        said = program.get("handoffs", {"limit": 4, "cursor": cursor}).json()
        rest, cursor = rest + said["items"], said["next_cursor"]
    assert [row["id"] for row in first["items"] + rest] == [*(row.pk for row in many), late.pk]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"status": "accepted"}, {1}),
        ({"owner": "Otto.Rep@tarnwick.example", "status": "open"}, {2, 7}),
        ({"owner": "nobody@tarnwick.example"}, set()),
        ({"decided_from": "2020-01-01T00:00:00Z"}, {1}),
        ({"decided_before": "2020-01-01T00:00:00Z"}, set()),
        ({"qualified_before": "0001-01-01T00:00:00+14:00"}, set()),
        ({"qualified_from": "9999-12-31T23:59:59-14:00"}, set()),
    ],
)
def test_handoffs_are_filtered(many, people, query, wanted):
    seen = pages(Program(people.marketer), "handoffs", **query)
    assert {row["id"] for row in seen} == {many[place].pk for place in wanted}


def test_a_span_is_read_in_the_order_of_its_moment(many, people):
    program, long_ago = Program(people.marketer), timezone.now() - 900 * DAY
    accept_handoff(handoff_id=many[4].pk, by=people.rep, at=many[4].qualified_at + DAY / 2)
    old = cast.open_handoff(owner=people.rep, at=long_ago)
    seen = pages(program, "handoffs", limit=3, qualified_from=long_ago.isoformat())
    assert [row["id"] for row in seen] == [old.pk, *(row.pk for row in many)]
    seen = pages(program, "handoffs", limit=1, decided_from=long_ago.isoformat())
    assert [row["id"] for row in seen] == [many[4].pk, many[1].pk]


def test_only_the_whole_list_of_who_sees_all_is_resumed(many, people):
    """Elsewhere a row could come in later before the cursor: it is decided or reassigned, or was kept from them."""
    program = Program(people.marketer)
    for where in ("handoffs", "leads", "deals"):
        assert program.get(where).json()["resume_cursor"]
    filtered = (
        ("handoffs", {"status": "open"}), ("handoffs", {"qualified_from": "2020-01-01T00:00:00Z"}),
        ("handoffs", {"owner": people.rep.email}), ("leads", {"email": "a@x.example"}), ("deals", {"outcome": "won"}),
    )  # fmt: skip
    for where, query in filtered:
        assert program.get(where, query).json()["resume_cursor"] is None, query
    rep = Program(people.rep)
    for where in ("handoffs", "leads", "deals"):
        assert rep.get(where).json()["resume_cursor"] is None


def test_a_lead_is_found_by_mailbox_and_by_outside_id(many, people):
    program, lead = Program(people.marketer), many[0].lead
    assert pages(program, "leads", email=lead.email.upper())[0]["id"] == lead.pk
    assert pages(program, "leads", external_id="none") == []


def test_one_lead_is_read_by_those_who_see_it(many, people):
    lead = many[0].lead
    assert Program(people.rep).get(f"leads/{lead.pk}").json()["email"] == lead.email
    assert Program(people.other_rep).get(f"leads/{lead.pk}").status_code == 404
    assert Program(people.marketer).get("leads/999999999").status_code == 404
    assert Program(people.marketer, HANDOFFS_READ).get(f"leads/{lead.pk}").status_code == 403


def test_one_handoff_is_read_by_those_who_see_it(many, people):
    assert Program(people.rep).get(f"handoffs/{many[0].pk}").json()["owner"]["id"] == people.rep.pk
    assert Program(people.other_rep).get(f"handoffs/{many[0].pk}").status_code == 404


def test_a_cursor_is_good_for_its_own_list_and_filters_only(many, people):
    program = Program(people.marketer)
    cursor = program.get("handoffs", {"limit": 2}).json()["next_cursor"]
    wrong = (
        ("leads", {"cursor": cursor}), ("handoffs", {"cursor": cursor, "status": "open"}),
        ("handoffs", {"cursor": cursor[:-1]}), ("handoffs", {"cursor": ""}), ("handoffs", {"cursor": "x" * 400}),
    )  # fmt: skip
    for where, query in wrong:
        assert program.get(where, query).status_code == 422, query
        assert program.said["code"] == "cursor_invalid"
    assert program.get("handoffs", {"cursor": cursor, "limit": 200}).status_code == 200


def test_a_page_costs_the_same_few_queries_however_many_rows_it_shows(many, people, django_assert_max_num_queries):
    program = Program(people.marketer)
    program.get("handoffs")
    with django_assert_max_num_queries(3):
        program.get("handoffs")
    with django_assert_max_num_queries(3):
        program.get("leads")

"""Several leads at once: a result per lead, the same refusals as one at a time, capped, marked and undone together."""

import datetime as dt
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from leads.models import Assignment, Decision, Handoff, Touch
from leads.services import bulk
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.refusals import NothingToUndo
from leads.services.touch import log_touch
from portal.shared.refusal import NotPermitted, Refusal
from tests import cast

MINUTE = dt.timedelta(minutes=1)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def now():
    """The page asks the real clock, so these leads are of today."""
    return dt.datetime.now(dt.UTC) - MINUTE


@pytest.fixture
def small_limit(db, people, now):
    """An agreement that allows two leads at once."""
    return cast.agreement(at=now - dt.timedelta(days=30), bulk_limit=2)


@pytest.fixture
def post(client, people):
    """Posts the list form as a person, the rep unless told."""

    def send(act, rows, user=None, **fields):
        client.force_login(user or people.rep)
        return client.post(reverse("inbox_bulk"), {"act": act, "lead": [row.pk for row in rows], **fields})

    return send


def statuses(rows):
    return list(
        Handoff.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk").values_list("status", flat=True)
    )


def codes(response):
    return [row.refusal.code if row.refusal else "ok" for row in response.context["result"].rows]


def test_accepting_ten_leads_makes_ten_decisions_of_one_batch(open_lead, people, now):
    rows = [open_lead() for _ in range(10)]
    result = bulk.accept_many(handoff_ids=[row.pk for row in rows], by=people.rep, at=now)
    made = Decision.objects.all()
    assert (len(result.done), len(result.refused), statuses(rows)) == (10, 0, ["accepted"] * 10)
    assert {(d.via, d.batch) for d in made} == {("bulk", result.batch)}


def test_one_bad_row_does_not_stop_the_others(open_lead, people, now):
    rows = [open_lead(), open_lead(owner=people.south_rep), open_lead(), open_lead()]
    accept_handoff(handoff_id=rows[2].pk, by=people.rep, at=now)
    ids = [*(row.pk for row in rows), 10**9]
    result = bulk.reject_many(handoff_ids=ids, by=people.rep, at=now, reason="11")
    found = [row.refusal.code if row.refusal else "ok" for row in result.rows]
    assert found == ["ok", "not_permitted", "already_decided", "ok", "no_such_lead"]
    assert statuses(rows) == ["rejected", "open", "accepted", "rejected"]


def test_a_strangers_lead_is_refused_without_its_name(open_lead, people, now):
    theirs = open_lead(owner=people.south_rep, first_name="Secret", last_name="Person")
    (row,) = bulk.accept_many(handoff_ids=[theirs.pk], by=people.rep, at=now).rows
    assert (row.refusal.code, row.name) == ("not_permitted", f"Lead {theirs.pk}")


def test_a_lead_ticked_twice_is_decided_once(open_lead, people, now):
    handoff = open_lead()
    result = bulk.accept_many(handoff_ids=[handoff.pk, handoff.pk], by=people.rep, at=now)
    assert [row.ok for row in result.rows] == [True]


def test_more_leads_than_the_agreement_allows_are_refused_as_a_whole(small_limit, post, people, now):
    rows = [cast.open_handoff(owner=people.rep, at=now) for _ in range(3)]
    for response in (post("accept", rows), post("accept", rows, go=1)):
        assert (response.status_code, response.context["refusal"].code) == (422, "bulk_limit")
        assert "3 leads are selected; the agreement allows 2 at once" in response.content.decode()
    assert statuses(rows) == ["open"] * 3
    assert codes(post("accept", rows[:2], go=1)) == ["ok", "ok"]


@pytest.mark.parametrize("act", ["accept", "reject", "contact"])
def test_an_act_on_several_leads_asks_first_and_changes_nothing(open_lead, post, act):
    rows = [open_lead(last_name="Asked"), open_lead()]
    response = post(act, rows)
    assert response.status_code == 200
    assert "Henrike Asked" in response.content.decode()
    assert (statuses(rows), Touch.objects.count()) == (["open", "open"], 0)


def test_without_a_ticked_lead_the_page_says_so(open_lead, post):
    response = post("accept", [])
    assert (response.status_code, response.context["refusal"].code) == (422, "nothing_selected")


@pytest.mark.parametrize("junk", ["x", "-1", "99999999999999999999999", "١", "²"])
def test_nonsense_for_a_lead_is_no_lead(open_lead, client, people, junk):
    client.force_login(people.rep)
    response = client.post(reverse("inbox_bulk"), {"act": "accept", "lead": [junk], "go": 1})
    assert response.status_code in (200, 422)
    assert not Decision.objects.exists()


def test_an_unknown_act_is_a_bad_request(open_lead, post):
    assert post("burn", [open_lead()]).status_code == 400


def test_accepting_on_the_page_shows_a_result_per_lead_and_the_undo(open_lead, post, people, now):
    rows = [open_lead(), open_lead()]
    accept_handoff(handoff_id=rows[1].pk, by=people.rep, at=now)
    response = post("accept", rows, go=1)
    assert codes(response) == ["ok", "already_decided"]
    text = response.content.decode()
    assert "1 of 2 leads accepted" in text
    assert "Someone decided this lead already." in text
    assert reverse("inbox_bulk_undo", args=[Decision.objects.get(via="bulk").batch]) in text


def test_one_reason_for_several_leads_must_be_confirmed(open_lead, post):
    rows = [open_lead(), open_lead()]
    response = post("reject", rows, go=1, reason="11")
    assert (response.status_code, response.context["refusal"].code) == (422, "not_confirmed")
    assert statuses(rows) == ["open", "open"]
    assert codes(post("reject", rows, go=1, reason="11", confirm=1)) == ["ok", "ok"]
    assert statuses(rows) == ["rejected", "rejected"]


def test_each_lead_can_have_a_reason_of_its_own(open_lead, post):
    rows = [open_lead(), open_lead(), open_lead()]
    own = {f"reason-{rows[0].pk}": "12", f"reason-{rows[1].pk}": "99"}
    assert post("reject", rows, go=1, **own).context["refusal"].code == "reason_required"
    assert codes(post("reject", rows, go=1, reason="11", confirm=1, **own)) == ["ok", "reason_unknown", "ok"]
    assert statuses(rows) == ["rejected", "open", "rejected"]
    assert list(Decision.objects.order_by("handoff").values_list("reason__code", flat=True)) == ["12", "11"]


def test_when_every_lead_has_its_own_reason_there_is_nothing_to_confirm(open_lead, post):
    rows = [open_lead(), open_lead()]
    assert codes(post("reject", rows, go=1, **{f"reason-{row.pk}": "11" for row in rows})) == ["ok", "ok"]


def test_in_the_inbox_the_panel_and_the_results_are_swapped_in_place(open_lead, client, people):
    rows, stays = [open_lead(), open_lead()], open_lead(last_name="Stays")
    client.force_login(people.rep)
    chosen = {"act": "accept", "lead": [row.pk for row in rows]}
    asked = client.post(reverse("inbox_bulk") + "?tab=contact", chosen, headers=HTMX).content.decode()
    assert asked.lstrip().startswith('<article class="split-lead" id="lead"')
    assert f'hx-post="{reverse("inbox_bulk")}?tab=contact"' in asked
    done = client.post(reverse("inbox_bulk") + "?tab=contact", chosen | {"go": 1}, headers=HTMX).content.decode()
    batch = Decision.objects.values_list("batch", flat=True).first()
    assert "2 of 2 leads accepted" in done
    assert 'id="list" hx-swap-oob="true"' in done
    assert (f"lead-row-{stays.pk}" in done, f"lead-row-{rows[0].pk}" in done) == (True, False)
    assert f'hx-post="{reverse("inbox_bulk_undo", args=[batch])}?tab=contact"' in done
    undone = client.post(reverse("inbox_bulk_undo", args=[batch]) + "?tab=contact", headers=HTMX).content.decode()
    assert "2 of 2 leads reopened" in undone
    assert f"lead-row-{rows[0].pk}" in undone


@pytest.mark.parametrize(
    ("reason", "fields", "code"),
    [
        ("", {}, "reason_required"),
        ("99", {}, "reason_unknown"),
        ("10", {}, "detail_required"),
        ("10", {"attribute": "no such fact"}, "detail_required"),
        ("23", {"recycle_on": "31.12.2030"}, "detail_required"),
        ("32", {"duplicate_of": "seven"}, "detail_required"),
        ("43", {"signal": "no such rule"}, "detail_required"),
        ("41", {"note": " \0 "}, "note_required"),
    ],
)
def test_an_incomplete_rejection_of_several_is_refused_with_the_code_of_one(open_lead, post, reason, fields, code):
    rows = [open_lead(), open_lead()]
    response = post("reject", rows, go=1, reason=reason, confirm=1, **fields)
    assert (response.status_code, response.context["refusal"].code) == (422, code)
    assert not Decision.objects.exists()


def test_the_detail_goes_to_every_lead(open_lead, post):
    rows = [open_lead(), open_lead()]
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=90)
    post("reject", rows, go=1, reason="23", recycle_on=day.isoformat(), note="Contract ends.", confirm=1)
    assert list(Decision.objects.values_list("recycle_on", "note")) == [(day, "Contract ends.")] * 2


def test_a_lead_of_an_older_agreement_without_the_reason_is_refused_alone(people, post, now):
    from sla.starter import REASONS

    long_ago = now - dt.timedelta(days=60)
    cast.agreement(at=long_ago, reasons=[reason for reason in REASONS if reason[0] != "14"])
    old = cast.open_handoff(owner=people.rep, at=long_ago + MINUTE)
    cast.agreement(at=now - dt.timedelta(days=1))
    new = cast.open_handoff(owner=people.rep, at=now)
    assert codes(post("reject", [old, new], go=1, reason="14", confirm=1)) == ["reason_unknown", "ok"]


def test_the_same_contact_is_logged_with_every_lead(open_lead, post):
    rows = [open_lead(), open_lead()]
    response = post("contact", rows, go=1, kind="email", outcome="sent", note="Invitation")
    assert codes(response) == ["ok", "ok"]
    assert list(Touch.objects.values_list("kind", "outcome", "note")) == [("email", "sent", "Invitation")] * 2
    assert Handoff.objects.filter(first_touch_at=None).count() == 0


def test_a_contact_in_bulk_says_so_in_both_histories_and_shares_its_batch(open_lead, post, client, people, now):
    rows, alone = [open_lead(), open_lead()], open_lead()
    post("contact", rows, go=1, kind="call", outcome="reached")
    log_touch(handoff_id=alone.pk, kind="call", outcome="reached", by=people.rep, at=now + MINUTE)
    (one, two), (single,) = Touch.objects.filter(handoff__in=rows), Touch.objects.filter(handoff=alone)
    assert (one.via, two.via, one.batch) == ("bulk", "bulk", two.batch)
    assert (single.via, single.batch) == ("page", None)
    for name in ("inbox_lead", "handoff"):
        assert "Call: reached by Rena Rep, in bulk" in client.get(reverse(name, args=[rows[0].pk])).content.decode()
        assert ", in bulk" not in client.get(reverse(name, args=[alone.pk])).content.decode()


def test_a_contact_without_its_outcome_is_refused(open_lead, post):
    response = post("contact", [open_lead()], go=1, kind="email", outcome="shouted")
    assert (response.status_code, response.context["refusal"].code) == (422, "contact_incomplete")


def test_a_manager_gives_the_teams_leads_to_a_rep_of_the_team(open_lead, post, people):
    rows = [open_lead(), open_lead()]
    page = post("reassign", rows, user=people.manager).content.decode()
    assert "Otto Rep" in page
    assert "Suna Rep" not in page
    assert codes(post("reassign", rows, user=people.manager, go=1, owner=people.other_rep.pk)) == ["ok", "ok"]
    assert {Handoff.objects.get(pk=row.pk).owner for row in rows} == {people.other_rep}
    assert Assignment.objects.filter(owner=people.other_rep, assigned_by=people.manager).count() == 2


@pytest.mark.parametrize("owner", ["", "0", "x", "south"])
def test_a_lead_goes_to_nobody_outside_the_list(open_lead, post, people, owner):
    owner = people.south_rep.pk if owner == "south" else owner
    response = post("reassign", [open_lead()], user=people.manager, go=1, owner=owner)
    assert (response.status_code, response.context["refusal"].code) == (422, "cannot_own")


def test_a_rep_does_not_give_leads_away(open_lead, post, people):
    handoff = open_lead()
    assert post("reassign", [handoff], go=1, owner=people.other_rep.pk).status_code == 403
    assert Handoff.objects.get(pk=handoff.pk).owner == people.rep


@pytest.mark.parametrize("who", ["marketer", "marketing_leader", "sales_leader", "admin"])
def test_who_does_not_work_the_inbox_acts_on_no_lead(open_lead, post, client, people, who):
    user = getattr(people, who)
    assert post("accept", [open_lead()], user=user, go=1).status_code == 403
    assert client.post(reverse("inbox_bulk_undo", args=[uuid.uuid4()])).status_code == 403


def test_a_batch_is_undone_with_one_press_and_both_decisions_stay(open_lead, post, client):
    rows = [open_lead(), open_lead(), open_lead()]
    response = client.post(post("accept", rows, go=1).context["undo_url"])
    assert codes(response) == ["ok"] * 3
    assert statuses(rows) == ["open"] * 3
    assert sorted(Decision.objects.values_list("outcome", flat=True)) == ["accepted"] * 3 + ["open"] * 3


def test_what_was_decided_anew_since_is_not_undone_with_the_batch(open_lead, people, now):
    rows = [open_lead(), open_lead()]
    batch = bulk.accept_many(handoff_ids=[row.pk for row in rows], by=people.rep, at=now).batch
    reopen_handoff(handoff_id=rows[0].pk, by=people.rep, at=now)
    reject_handoff(handoff_id=rows[0].pk, by=people.rep, at=now, reason="11")
    result = bulk.undo_many(batch=batch, by=people.rep, at=now)
    assert [row.refusal.code if row.refusal else "ok" for row in result.rows] == ["nothing_to_undo", "ok"]
    assert statuses(rows) == ["rejected", "open"]


def test_a_batch_is_not_undone_after_the_window(open_lead, people, now):
    rows = [open_lead(), open_lead()]
    batch = bulk.accept_many(handoff_ids=[row.pk for row in rows], by=people.rep, at=now).batch
    result = bulk.undo_many(batch=batch, by=people.rep, at=now + 16 * MINUTE)
    assert {row.refusal.code for row in result.rows} == {"undo_window_passed"}


def test_someone_elses_batch_is_nothing_to_undo(open_lead, people, now):
    batch = bulk.accept_many(handoff_ids=[open_lead().pk], by=people.rep, at=now).batch
    with pytest.raises(NothingToUndo):
        bulk.undo_many(batch=batch, by=people.manager, at=now)


def test_an_address_for_undo_that_is_no_batch_undoes_nothing(people, client):
    client.force_login(people.rep)
    response = client.post(reverse("inbox_bulk_undo", args=[uuid.uuid4()]))
    assert (response.status_code, response.context["refusal"].code) == (422, "nothing_to_undo")


def code_of(verb, **kwargs):
    try:
        verb(**kwargs)
    except Refusal as refusal:
        return refusal.code
    return "ok"


def _decided(handoff, people, now):
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    return {}


def _foreign(handoff, people, now):
    return {"by": people.south_rep}


@pytest.mark.parametrize(
    ("reason", "fields", "code"),
    [
        ("", {}, "reason_required"),
        ("99", {}, "reason_unknown"),
        ("10", {}, "detail_required"),
        ("32", {}, "detail_required"),
        ("41", {"note": "  "}, "note_required"),
    ],
)
def test_the_page_of_one_lead_and_that_of_many_refuse_a_rejection_with_one_code(
    open_lead, post, client, reason, fields, code
):
    one, many = open_lead(), open_lead()
    told = {"reason": reason, "confirm": 1, **fields}
    assert post("reject", [many], go=1, **told).context["refusal"].code == code
    alone = client.post(reverse("inbox_reject", args=[one.pk]), told)
    assert (alone.status_code, alone.context["code"]) == (422, code)
    assert not Decision.objects.exists()


def test_the_page_of_one_lead_and_that_of_many_refuse_a_decided_lead_with_one_code(
    open_lead, post, client, people, now
):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.manager, at=now)
    assert codes(post("accept", [handoff], go=1)) == ["already_decided"]
    alone = client.post(reverse("inbox_accept", args=[handoff.pk]))
    assert (alone.status_code, alone.context["code"]) == (409, "already_decided")


SAME = [
    (_decided, {"reason": "11"}, "already_decided"),
    (_foreign, {"reason": "11"}, "not_permitted"),
    (None, {"reason": ""}, "reason_required"),
    (None, {"reason": "99"}, "reason_unknown"),
    (None, {"reason": "10"}, "detail_required"),
    (None, {"reason": "41"}, "note_required"),
    (None, {"reason": "34"}, "attempts_missing"),
    (None, {"reason": "11"}, "ok"),
]


@pytest.mark.parametrize(("before", "fields", "code"), SAME, ids=[f"{case[2]}" for case in SAME])
def test_one_lead_and_many_are_refused_with_the_same_code(open_lead, people, now, before, fields, code):
    one, many = open_lead(), open_lead()
    told = [
        {"by": people.rep, "at": now, **fields, **(before(row, people, now) if before else {})} for row in (one, many)
    ]
    (row,) = bulk.reject_many(handoff_ids=[many.pk], **told[1]).rows
    assert code_of(reject_handoff, handoff_id=one.pk, **told[0]) == code
    assert (row.refusal.code if row.refusal else "ok") == code


def test_a_contact_in_bulk_is_refused_with_the_code_of_one(open_lead, people, now):
    handoff = open_lead()
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    told = {"by": people.rep, "at": now, "kind": "call", "outcome": "reached"}
    (row,) = bulk.log_touch_many(handoff_ids=[handoff.pk], **told).rows
    assert row.refusal.code == code_of(log_touch, handoff_id=handoff.pk, **told) == "already_decided"


def test_a_reassignment_in_bulk_is_refused_as_a_whole_for_a_rep(open_lead, people, now):
    with pytest.raises(NotPermitted):
        bulk.reassign_many(handoff_ids=[open_lead().pk], by=people.rep, at=now, to=people.other_rep)


def test_the_audit_counts_what_was_done_in_bulk(open_lead, post, client, people, now):
    rows, alone = [open_lead(), open_lead(), open_lead()], open_lead()
    accept_handoff(handoff_id=alone.pk, by=people.rep, at=now)
    month = reverse("audit_left_out", args=[timezone.localtime(now).strftime("%Y-%m")])
    client.force_login(people.marketer)
    assert "were made in bulk" not in client.get(month).content.decode()
    post("contact", rows, go=1, kind="call", outcome="reached")
    post("accept", rows[:2], go=1)
    client.force_login(people.marketer)
    assert "2 decisions and 3 contacts of" in client.get(month).content.decode()

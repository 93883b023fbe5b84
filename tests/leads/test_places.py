"""No lead is ever without a place: after whatever happened every lead is in exactly one, and the counts say so."""

import datetime as dt
from collections import Counter
from contextlib import suppress

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from leads import places
from leads.backtest.nurture import keep_places
from leads.intake.imports.engine import import_leads
from leads.models import Handoff, Lead, Place, PlaceCount
from leads.services.capture import Happened, capture_lead, record_event, take_in_lead
from leads.services.decide import Detail, accept_handoff, reject_handoff, reopen_handoff
from leads.services.evaluate import evaluate_due
from leads.services.places import fold_counts
from leads.services.qualify import cool_off_ends, evaluation_of, open_handoff
from leads.services.refusals import AlreadyDecided
from leads.services.withdraw import withdraw_handoff
from sla import lift
from tests import cast, history

DAY = dt.timedelta(days=1)
NURTURED = {**cast.FACTS, "email": "n@quiet.example", "source": "", "title": ""}


def where(lead):
    found = Place.objects.filter(lead=lead).first()
    return found and found.place


# --- what a lead's place is -------------------------------------------------------------------------
def test_a_lead_below_the_threshold_is_in_nurture_with_what_it_lacks(agreement, people, now):
    taken = take_in_lead(facts=NURTURED, at=now)
    place = taken.lead.place
    assert (place.place, place.total, place.missing, place.definition) == ("nurture", 40, 10, agreement.definition)
    record_event(lead_id=taken.lead.pk, kind="webinar_attended", occurred_at=now, at=now)
    evaluate_due(at=now + DAY)
    place.refresh_from_db()
    assert (place.total, place.missing, place.since, place.evaluated_at) == (48, 2, now, now + DAY)


def test_a_handoff_takes_a_lead_out_of_nurture_and_its_end_brings_it_back(agreement, people, now):
    lead = take_in_lead(facts=NURTURED, at=now).lead
    take_in_lead(facts={"email": lead.email}, events=[Happened("roi_completed", now)], at=now)
    handoff = lead.handoffs.get()
    assert where(lead) == "open"
    reject_handoff(handoff_id=handoff.pk, by=handoff.owner, at=now, reason="13")
    assert where(lead) == "ended"
    assert places.counts(at=now + 29 * DAY, cool_off=agreement.cool_off)["cooling"] == 1
    assert places.counts(at=now + 30 * DAY, cool_off=agreement.cool_off)["nurture"] == 1
    reopen_handoff(handoff_id=handoff.pk, by=handoff.owner, at=now)
    assert where(lead) == "open"
    accept_handoff(handoff_id=handoff.pk, by=handoff.owner, at=now)
    assert where(lead) == "accepted"


def test_a_reason_that_never_contacts_again_and_a_rule_that_shuts_out_disqualify(open_lead, people, agreement, now):
    handoff = open_lead()
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason="33")
    rival = take_in_lead(facts={**NURTURED, "domain": "rival.example"}, at=now).lead
    assert (where(handoff.lead), rival.place.place, rival.place.disqualified_by) == (
        "disqualified", "disqualified", "competitor",
    )  # fmt: skip
    assert rival.place.missing is None


def test_a_withdrawn_lead_cools_off_from_when_it_was_qualified(open_lead, people, agreement, now):
    handoff = open_lead()
    withdraw_handoff(handoff_id=handoff.pk, by=people.admin, at=now + DAY, why="Merged")
    place = Place.objects.get(lead=handoff.lead)
    assert (place.place, place.since + agreement.cool_off) == ("ended", cool_off_ends(handoff, agreement))


def test_a_lead_of_which_only_a_bot_told_is_suspected_until_somebody_else_does(agreement, people, now):
    marked = Happened("page_viewed", now, suspected_by="honeypot")
    taken = take_in_lead(facts={**cast.FACTS, "email": "a@corvane.example"}, events=[marked], at=now)
    assert (taken.outcome, where(taken.lead), Handoff.objects.count()) == ("suspected", "suspected", 0)
    assert take_in_lead(facts={"email": "a@corvane.example"}, events=[marked], at=now).outcome == "later"
    assert where(taken.lead) == "suspected"
    assert take_in_lead(facts={"email": "a@corvane.example"}, at=now).outcome == "handed_over"
    assert where(taken.lead) == "open"


def test_a_lead_whose_older_cycle_was_reopened_is_with_sales_and_is_not_handed_over_twice(open_lead, people, now):
    handoff = open_lead()
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason="13")
    later = open_handoff(lead_id=handoff.lead_id, by=None, at=now + 30 * DAY)
    withdraw_handoff(handoff_id=later.pk, by=people.admin, at=now + 30 * DAY, why="Merged")
    reopen_handoff(handoff_id=handoff.pk, by=people.rep, at=now)
    assert where(handoff.lead) == "open"
    event = Happened("roi_completed", now + 70 * DAY)
    assert take_in_lead(facts={"email": handoff.lead.email}, events=[event], at=now + 70 * DAY).outcome == "open"


def test_the_worker_evaluates_what_nobody_has_and_what_a_new_day_moves(agreement, people, now):
    lead = capture_lead(facts=NURTURED, at=now)
    record_event(lead_id=lead.pk, kind="email_clicked", occurred_at=now, at=now)
    Lead.objects.update(evaluate_from=None)
    assert places.counts(at=now, cool_off=agreement.cool_off).unevaluated == 1
    assert keep_places(at=now) == 2  # found, and then of the day's pass
    assert (lead.place.total, lead.place.missing) == (43, 7)
    assert keep_places(at=now) == 0
    assert keep_places(at=now + 30 * DAY) == 1
    lead.refresh_from_db()
    assert (lead.place.total, lead.place.evaluated_at) == (41, now + 30 * DAY)


def test_what_an_import_says_anew_of_a_lead_in_nurture_is_evaluated(agreement, people, now, tmp_path):
    lead = take_in_lead(facts=NURTURED, at=now).lead
    path = tmp_path / "leads.csv"
    path.write_text("email,title\nn@quiet.example,Plumber\nb@quiet.example,Plumber\n")
    document = {"columns": {"email": "email", "title": "title"}}
    import_leads(path=path, document=document, historical=False, at=now, errors_path=tmp_path / "e.csv")
    assert where(lead) is None
    keep_places(at=now)
    assert Counter(Place.objects.values_list("place", flat=True)) == {"nurture": 2}
    assert places.differences() == []


# --- the law ----------------------------------------------------------------------------------------
VERBS = ("capture", "rival", "bot", "event", "accept", "reject", "disqualify", "undo", "withdraw", "wait", "worker")


def act(verb, pick, people, at):
    """One thing that happens to the leads; what a verb refuses changes nothing."""
    leads, handoffs = list(Lead.objects.order_by("pk")), list(Handoff.objects.order_by("pk"))
    lead = leads[pick % len(leads)] if leads else None
    handoff = handoffs[pick % len(handoffs)] if handoffs else None
    facts = (cast.FACTS, NURTURED, {"company": "Quiet"})[pick % 3] | {"email": f"lead{pick}@corvane.example"}
    if verb in ("capture", "rival"):
        take_in_lead(facts=facts | ({"domain": "rival.example"} if verb == "rival" else {}), at=at)
    elif verb == "bot":
        take_in_lead(facts=facts, events=[Happened("page_viewed", at, suspected_by="honeypot")], at=at)
    elif verb == "event" and lead:
        record_event(lead_id=lead.pk, kind="roi_completed", occurred_at=at, at=at)
    elif verb == "worker":
        evaluate_due(at=at)
        fold_counts(most=0)
        keep_places(at=at)
    elif handoff and handoff.is_open and verb in ("accept", "reject", "disqualify"):
        given = {"handoff_id": handoff.pk, "by": handoff.owner, "at": at}
        if verb == "accept":
            accept_handoff(**given)
        else:
            reject_handoff(**given, reason="13" if verb == "reject" else "11", detail=Detail(attribute="title"))
    elif handoff and handoff.is_open and verb == "withdraw":
        withdraw_handoff(handoff_id=handoff.pk, by=people.admin, at=at, why="Merged")
    elif handoff and handoff.status in ("accepted", "rejected") and verb == "undo":
        with suppress(AlreadyDecided):
            reopen_handoff(handoff_id=handoff.pk, by=handoff.owner, at=handoff.standing_decision.recorded_at)


def place_by_hand(lead, version, at):
    """Where a lead is, from its facts alone: what verdict and the handoffs say, one lead at a time."""
    handoffs = sorted(lead.handoffs.select_related("reason"), key=lambda h: (h.status == "open", h.qualified_at))
    if handoffs and handoffs[-1].status in ("open", "accepted"):
        return handoffs[-1].status
    if handoffs and handoffs[-1].reason and handoffs[-1].reason.next_step == "disqualify":
        return "disqualified"
    if handoffs and at < cool_off_ends(handoffs[-1], version):
        return "cooling"
    return ""  # nurture, suspected or shut out by a rule: as it was last evaluated


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=some.lists(some.tuples(some.sampled_from(VERBS), some.integers(0, 5)), min_size=3, max_size=14))
def test_after_any_history_every_lead_has_exactly_one_place_and_the_counts_sum_to_all(agreement, people, now, steps):
    point, at = transaction.savepoint_create(), now
    for verb, pick in steps:
        at += dt.timedelta(minutes=1) if verb != "wait" else (pick + 1) * 10 * DAY
        act(verb, pick, people, at)
        check(agreement, at)
    keep_places(at=at + DAY)
    check(agreement, at + DAY)
    assert places.counts(at=at + DAY, cool_off=agreement.cool_off).unevaluated == 0 or Lead.objects.filter(
        evaluate_from__isnull=False
    )
    transaction.savepoint_rollback(point)


def check(version, at):
    told, by_hand = places.counts(at=at, cool_off=version.cool_off), Counter()
    for lead in Lead.objects.all():
        kept = Place.objects.filter(lead=lead).first()
        handed = place_by_hand(lead, version, at)
        if handed and handed != "cooling":
            assert kept.place == handed
        evaluated = kept.place if kept and kept.place != "ended" else "nurture"
        by_hand[handed or evaluated] += 1
    assert (told.all, sum(told.by_place.values())) == (Lead.objects.count(), Lead.objects.count())
    assert {place: n for place, n in told.by_place.items() if n} == dict(by_hand)
    assert places.differences() == []


def test_the_worker_finds_for_many_leads_what_one_evaluation_finds(agreement, people, now):
    kinds = ("roi_completed", "pricing_viewed", "guide_downloaded", "webinar_attended", "email_clicked")
    for n in range(40):
        facts = {"email": f"q{n}@quiet.example", "employees": (3, 300, None)[n % 3], "industry": ("Food", "")[n % 2]}
        lead = capture_lead(facts=facts | ({"domain": "rival.example"} if n % 7 == 0 else {}), at=now)
        for i in range(n % 4):
            record_event(lead_id=lead.pk, kind=kinds[(n + i) % 5], occurred_at=now - i * 9 * DAY, at=now)
    Lead.objects.update(evaluate_from=None)
    keep_places(at=now)
    tiers = list(agreement.definition.tiers.all())
    for lead in Lead.objects.select_related("place"):
        alone = evaluation_of(lead, agreement, now)
        left = None if alone.disqualified_by else lift.missing(tiers, alone.fit, alone.behaviour)
        place = lead.place
        assert (place.fit, place.behaviour, place.missing) == (alone.fit, alone.behaviour, left)
        assert place.disqualified_by == (alone.disqualified_by or "")


def test_history_written_past_the_verbs_has_its_places_too(agreement, people):
    start, end = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    span = {"version": agreement, "owners": [people.rep], "start": start, "end": end}
    history.write(agreement, list(history.random_cases(60, seed=3, **span)))
    assert places.differences() == []
    assert places.counts(at=end, cool_off=agreement.cool_off).all == 60
    fold_counts(most=0)
    assert PlaceCount.objects.count() <= 6
    assert places.differences() == []


def test_raw_sql_moves_the_place_with_the_handoff_and_a_deleted_lead_takes_it_along(open_lead, now):
    handoff = open_lead()
    quiet = take_in_lead(facts=NURTURED, at=now).lead
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE leads_handoff SET status = 'withdrawn', withdrawn_at = %s, withdrawn_why = 'x' WHERE id = %s",
            [now, handoff.pk],
        )
        cursor.execute("DELETE FROM leads_lead WHERE id = %s", [quiet.pk])
    assert (where(handoff.lead), where(quiet)) == ("ended", None)
    assert places.differences() == []


@pytest.mark.parametrize(
    "wrong",
    [
        "place = 'nowhere'",
        "missing = NULL",
        "total = 1",
        "definition_id = NULL",
        "place = 'open'",
        "missing = -1",
    ],
)
def test_the_database_refuses_a_place_that_says_half(agreement, people, now, wrong):
    lead = take_in_lead(facts=NURTURED, at=now).lead
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE leads_place SET {wrong} WHERE lead_id = %s", [lead.pk])

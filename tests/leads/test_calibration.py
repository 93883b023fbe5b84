"""A calibration over real rows: planted weights come back, leaks are refused, and what is no evidence is left out."""

import datetime as dt

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from kombu.exceptions import OperationalError

from leads.calibration import jobs, load
from leads.calibration.labels import ACCEPTED, WON
from leads.calibration.models import Calibration
from leads.intake.models import OutcomeColumn
from leads.models import Deal, Event, Handoff, Lead
from leads.services.capture import capture_lead
from leads.services.decide import accept_handoff
from portal.shared.refusal import NotPermitted
from sla.models import MQLDefinition
from sla.services.definition import draft_definition
from tests import kept
from tests.history import write

UTC, DAY = dt.UTC, dt.timedelta(days=1)
BEGINS, ENDS = dt.datetime(2026, 1, 1, tzinfo=UTC), dt.datetime(2026, 7, 1, tzinfo=UTC)
RULES = (
    ("food", "industry", "Food", 20, 1.6), ("germany", "country", "Germany", 10, 0.9),
    ("fair", "source", "Trade fair", 10, -1.2), ("blue", "region", "Blue", 15, 0.0),
)  # fmt: skip


@pytest.fixture
def candidate(agreement, people, now):
    """A draft with four rules, one of them useless, and one about what somebody wrote afterwards."""
    rules = [
        {"add_rule": {"key": key, "label": key.capitalize(), "axis": "fit", "points": points,
                      "condition": {"field": field, "op": "equals", "value": value}}}
        for key, field, value, points, _ in RULES
    ]  # fmt: skip
    late = {"key": "late", "label": "Late", "axis": "fit", "points": 30,
            "condition": {"field": "attributes.Lead Quality", "op": "equals", "value": "High"}}  # fmt: skip
    gone = [{"rule": rule.key, "remove": True} for rule in agreement.definition.rules.all()]
    changes = [*gone, *rules, {"add_rule": late}]
    return kept.once(
        lambda: draft_definition(start_from=agreement.definition, changes=changes, by=people.marketer, at=now),
        "candidate", agreement.pk, people.marketer.pk, empty="leads_lead",
    )  # fmt: skip


def case(version, rng, truth=RULES, intercept=-0.7, **fields):
    """A handoff whose outcome follows the planted weights; "no" is a rejection for bad scoring."""
    facts, odds = {"employees": 640, "title": "Head of Operations"}, intercept
    for _, field, value, _, weight in truth:
        has = rng.random() < 0.4
        facts[field] = value if has else "Other"
        odds += weight * has
    at = BEGINS + rng.random() * 180 * DAY
    won = rng.random() < 1 / (1 + np.exp(-odds))
    reason = None if won else version.reasons.filter(category="scoring").first()
    return {"qualified_at": at, "decided_at": at + DAY, "reason": reason, "lead": facts, "owner": None, **fields}


@pytest.fixture
def history(agreement):
    def make(size=1500, seed=3, **fields):
        rng = np.random.default_rng(seed)
        return write(agreement, [case(agreement, rng, **fields) for _ in range(size)])

    return make


def calibrated(candidate, people, now, **asked):
    asked = {"question": ACCEPTED, "since": BEGINS, "until": ENDS, **asked}
    job = jobs.start(definition=candidate, by=people.marketer, at=now, send=lambda pk: None, **asked)
    jobs.run(job_id=job.pk, step=700)
    job.refresh_from_db()
    return job


def weights(job):
    return {weight["key"]: weight for weight in job.result["weights"]}


def test_planted_weights_are_found_and_the_useless_rule_gets_no_points(candidate, people, now, history):
    history()
    job = calibrated(candidate, people, now, signs={"fair": 0})
    assert (job.status, job.leads) == ("done", 3000), "read twice: with labels, and all of the past"
    found = weights(job)
    for key, _, _, _, truth in RULES:
        assert found[key]["low"] <= truth <= found[key]["high"]
    assert {key: bool(weight["points"]) for key, weight in found.items()} == {
        "food": True, "germany": True, "fair": True, "blue": False, "late": False,
    }  # fmt: skip
    assert (found["food"]["points"], found["late"]["verdict"]) == (30, "constant")
    assert found["fair"]["points"] < 0
    assert job.result["validation"]["how"] == "later"
    assert job.result["validation"]["difference"][0] > 0
    assert [rule["key"] for rule in job.result["definition"]["rules"]] == ["food", "germany", "fair"]


def test_what_was_written_after_the_handoff_is_not_seen(candidate, people, now, history):
    rows = history(400)
    for row in rows:
        if row.pk % 2:
            continue
        quality = "High" if Handoff.objects.get(pk=row.pk).status == "accepted" else "Low"
        Lead.objects.filter(pk=row.lead_id).update(
            attributes={"Lead Quality": quality}, updated_at=row.qualified_at + 2 * DAY
        )
    assert weights(calibrated(candidate, people, now))["late"]["fired"] == 0


def test_an_event_that_was_recorded_after_the_handoff_is_not_seen(agreement, history):
    row = history(1)[0]
    rule = agreement.definition.rules.get(key="roi").as_rule()
    said = {"lead": row.lead, "kind": "roi_completed", "occurred_at": row.qualified_at - DAY}
    Event.objects.create(**said, recorded_at=row.qualified_at + DAY)
    asked = {"question": ACCEPTED, "since": BEGINS, "at": ENDS}
    definition = agreement.definition.as_definition()
    assert load.load([rule], definition, **asked).rows.tolist() == [[0]]
    Event.objects.create(**said, recorded_at=row.qualified_at)
    assert load.load([rule], definition, **asked).rows.tolist() == [[1000]]


def test_a_lead_whose_facts_at_the_handoff_nobody_knows_is_left_out(agreement, history):
    row = history(3)[0]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO leads_factchange (lead_id, changed_at, was) VALUES (%s, %s, NULL)",
                       [row.lead_id, row.qualified_at + DAY])  # fmt: skip
    rule = agreement.definition.rules.get(key="industry").as_rule()
    found = load.load([rule], agreement.definition.as_definition(), question=ACCEPTED, since=BEGINS, at=ENDS)
    assert (len(found), found.unknown) == (2, 1)


def test_leads_that_came_with_a_file_speak_only_by_facts_that_somebody_declared(candidate, people, now, history):
    history(600)
    Lead.objects.update(created_at=now)
    job = calibrated(candidate, people, now)
    assert (job.result["yes"] + job.result["no"], job.result["from_files"]) == (0, 600)
    assert "definition" not in job.result
    job = calibrated(candidate, people, now, with_files=True, declared=["industry", "country", "region"])
    assert set(job.result["refused"]) == {"fair", "late"}
    assert set(weights(job)) == {"food", "germany", "blue"}
    assert job.result["refused"]["late"] == (
        "Reads “Lead Quality”. Nobody declared that it was known before the lead was contacted."
    )


def test_what_a_file_told_the_outcome_with_is_refused_whoever_declares_it(candidate, people, now, history):
    OutcomeColumn.objects.create(attribute="lead quality", field="decision", file_name="crm.csv", read_at=now)
    history(100)
    every = ["industry", "country", "region", "source", "attributes.Lead Quality"]
    job = calibrated(candidate, people, now, with_files=True, declared=every)
    assert job.result["refused"] == {"late": "Reads “Lead Quality”. The import of crm.csv read the decision from it."}


def test_bad_timing_bad_data_and_the_undecided_are_no_evidence(agreement, history):
    rows = history(6, intercept=50)
    reasons = {category: agreement.reasons.filter(category=category).first() for category in ("timing", "data", "fit")}
    rng = np.random.default_rng(9)
    for category in reasons:
        write(agreement, [case(agreement, rng) | {"reason": reasons[category]} for _ in range(2)])
    write(agreement, [case(agreement, rng) | {"reason": None, "decided_at": None} for _ in range(3)])
    definition = agreement.definition.as_definition()
    found = load.load([], definition, question=ACCEPTED, since=BEGINS, at=ENDS)
    assert (found.labels.sum(), (~found.labels).sum()) == (6, 2), "accepted, and rejected for bad fit"
    assert load.counted(ACCEPTED, since=BEGINS, at=ENDS) == {
        "yes": 6, "no": 2, "timing": 2, "data": 2, "undecided": 3, "earlier": 0,
    }  # fmt: skip
    assert rows


def test_a_deal_lost_for_bad_timing_is_no_evidence_and_an_open_one_no_label(agreement, history, now):
    rows = history(5, intercept=50)
    told = (("won", ""), ("lost", "price"), ("lost", "timing"), ("open", ""))
    for row, (outcome, reason) in zip(rows, told, strict=False):
        Deal.objects.create(lead=row.lead, handoff=row, outcome=outcome, loss_reason=reason, via="page",
                            recorded_at=now, closed_at=None if outcome == "open" else now)  # fmt: skip
    found = load.load([], agreement.definition.as_definition(), question=WON, since=BEGINS, at=ENDS)
    assert dict(zip(found.handoffs.tolist(), found.labels.tolist(), strict=True)) == {
        rows[0].pk: True, rows[1].pk: False,
    }  # fmt: skip
    counted = load.counted(WON, since=BEGINS, at=ENDS)
    assert counted == {"yes": 1, "no": 1, "timing": 1, "open_deal": 1, "no_deal": 1, "earlier": 0}


def test_a_lead_counts_once_with_its_latest_label(agreement, people, history):
    row = history(1, intercept=50)[0]
    lead = Lead.objects.get(pk=row.lead_id)
    later = Handoff.objects.create(
        lead=lead, previous=row, definition=agreement.definition, sla_version=agreement, is_historical=True,
        qualified_at=row.qualified_at + 40 * DAY, recorded_at=row.qualified_at + 40 * DAY,
    )  # fmt: skip
    assert load.counted(ACCEPTED, since=BEGINS, at=ENDS + 90 * DAY)["yes"] == 1, "the later one is not decided"
    assert later.is_open


def test_what_the_handoff_stored_is_what_is_read_again(agreement, people, now, open_lead):
    """The activations as of the handoff are those of the breakdown that was kept with it."""
    for days, facts in ((20, {}), (15, {"industry": "Mining", "source": "Demo request"}), (9, {"employees": 300})):
        handoff = open_lead(at=now - days * DAY, **facts)
        capture_lead(facts={"email": handoff.lead.email, "industry": "Changed", "employees": 1}, at=now - DAY)
    definition = agreement.definition.as_definition()
    rules = [rule for rule in definition.rules if rule.axis != "disqualifier"]
    rows = Handoff.objects.order_by("lead_id")
    for row in rows:
        accept_handoff(handoff_id=row.pk, by=people.rep, at=now)
    found = load.load(rules, definition, question=ACCEPTED, since=now - 90 * DAY, at=now)
    kept = [{r["key"]: r["fired"] for r in row.breakdown["rules"]} for row in rows]
    assert (found.rows > 0).tolist() == [[fired[rule.key] for rule in rules] for fired in kept]
    assert found.before.tolist() == [row.total for row in rows]


def test_the_new_thresholds_take_as_many_leads_and_moves_are_told(candidate, people, now, history):
    history()
    result = calibrated(candidate, people, now).result
    moves = result["tally"]["moves"]
    was, now = (
        sum(n for move, n in moves.items() if move.split()[0] in ("kept", other)) for other in ("dropped", "admitted")
    )
    assert sum(moves.values()) == 1500
    assert 500 < was < 700, "Food alone reaches 50 points under the definition in force"
    assert abs(was - now) < 120, "as near as whole points come"
    entry = min(tier["total"] for tier in result["definition"]["tiers"])
    found = [sum(n for at, (n, *_) in curve.items() if int(at) >= entry) for curve in result["monthly"].values()]
    assert sum(found) == now
    assert list(result["monthly"]) == ["202601", "202602", "202603", "202604", "202605", "202606"]
    assert set(result["sweeps"]) == {"hot", "standard"}


def test_a_calibration_can_be_cancelled_before_and_while_it_runs(candidate, people, now, history):
    history(50)
    asked = {"question": ACCEPTED, "since": BEGINS, "until": ENDS, "definition": candidate, "by": people.marketer}
    job = jobs.start(**asked, at=now, send=lambda pk: None)
    with pytest.raises(jobs.UnderWay):
        jobs.start(**asked, at=now, send=lambda pk: None)
    jobs.cancel(job_id=job.pk, by=people.marketer, at=now)
    job.refresh_from_db()
    assert job.status == "cancelled"
    jobs.run(job_id=job.pk)
    running = jobs.start(**asked, at=now, send=lambda pk: None)
    Calibration.objects.filter(pk=running.pk).update(status="running", cancel_asked_at=now)
    jobs.run(job_id=running.pk, again=True)
    running.refresh_from_db()
    assert (running.status, running.result) == ("cancelled", None)


def test_without_a_worker_nothing_is_started(candidate, people, now):
    def unreachable(pk):
        raise OperationalError

    with pytest.raises(jobs.NoWorker):
        jobs.start(question=ACCEPTED, since=BEGINS, until=ENDS, definition=candidate, by=people.marketer, at=now,
                   send=unreachable)  # fmt: skip
    assert not Calibration.objects.exists()


def test_only_marketing_and_the_leaders_calibrate(candidate, people, now):
    for person in (people.rep, people.manager, people.admin):
        with pytest.raises(NotPermitted):
            jobs.start(question=ACCEPTED, since=BEGINS, until=ENDS, definition=candidate, by=person, at=now, send=None)


def test_the_database_refuses_a_calibration_of_nothing(candidate, people, now):
    row = {"question": "loved", "since": BEGINS, "until": ENDS, "against": MQLDefinition.objects.first(), "number": 2,
           "rules": [], "most_points": 20, "seed": "1", "created_at": now, "created_by": people.marketer}  # fmt: skip
    for wrong in ({}, {"question": "won", "until": BEGINS}, {"question": "won", "status": "done"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Calibration.objects.create(**row | wrong)

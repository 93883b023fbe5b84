"""Nurture is no dead end: a recycle date or a new event evaluates a lead again, and the cool-off is kept."""

import datetime as dt
import io

import pytest
from django.core.management import call_command

from leads.models import Assignment, Handoff, Lead
from leads.services.capture import capture_lead, record_event
from leads.services.decide import Detail, reject_handoff
from leads.services.evaluate import evaluate_due, outlook
from leads.services.qualify import open_handoff
from portal.outbox.models import Message
from tests import cast

DAY = dt.timedelta(days=1)


@pytest.fixture
def rejected(open_lead, people, now):
    """Rejects a new lead with a reason; returns its Lead."""

    def make(reason="23", **detail):
        handoff = open_lead()
        reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason=reason, detail=Detail(**detail))
        return handoff.lead

    return make


def cycles(lead):
    return list(lead.handoffs.order_by("qualified_at").values_list("status", flat=True))


def test_a_lead_comes_back_on_its_recycle_date_routed_with_new_clocks(rejected, now):
    lead = rejected(recycle_on=(now + 60 * DAY).date())
    assert evaluate_due(at=now + 59 * DAY) == {}
    assert evaluate_due(at=now + 60 * DAY) == {"handed_over": 1}
    again = lead.handoffs.get(status="open")
    assert (again.previous.status, again.qualified_at) == ("rejected", now + 60 * DAY)
    assert Assignment.objects.get(handoff=again).why.startswith("Fewest open leads")
    assert again.next_due_at > now + 60 * DAY


def test_the_reasons_own_days_make_the_recycle_date(rejected, now):
    lead = rejected(reason="21")
    assert evaluate_due(at=now + 179 * DAY) == {}
    evaluate_due(at=now + 180 * DAY)
    assert cycles(lead) == ["rejected", "open"]


def test_a_second_run_finds_nothing_to_do_and_tells_nothing_twice(rejected, now):
    rejected(recycle_on=(now + 60 * DAY).date())
    evaluate_due(at=now + 60 * DAY)
    assert evaluate_due(at=now + 60 * DAY) == {}
    assert Message.objects.filter(topic="handoff.opened").count() == 2


def test_a_lead_that_is_below_the_threshold_by_then_stays_in_nurture(rejected, now):
    lead = rejected(recycle_on=(now + 60 * DAY).date())
    Lead.objects.filter(pk=lead.pk).update(source="", title="", industry="", employees=3)
    assert evaluate_due(at=now + 60 * DAY) == {"nurture": 1}
    lead.refresh_from_db()
    assert (cycles(lead), lead.recycle_on) == (["rejected"], None)


def test_a_recycle_date_inside_the_cool_off_waits_for_its_end(rejected, now):
    lead = rejected(recycle_on=(now + 5 * DAY).date())
    assert evaluate_due(at=now + 5 * DAY) == {"cooling_off": 1}
    assert evaluate_due(at=now + 29 * DAY) == {}
    assert evaluate_due(at=now + 30 * DAY) == {"handed_over": 1}
    assert cycles(lead) == ["rejected", "open"]


def test_a_new_event_lifts_a_lead_out_of_nurture(agreement, people, now):
    lead = capture_lead(facts={**cast.FACTS, "email": "n@quiet.example", "source": "", "title": ""}, at=now)
    assert open_handoff(lead_id=lead.pk, by=None, at=now) is None
    record_event(lead_id=lead.pk, kind="roi_completed", occurred_at=now, at=now)
    assert evaluate_due(at=now + DAY) == {"handed_over": 1}
    assert cycles(lead) == ["open"]


def test_an_event_that_changes_nothing_leaves_the_lead_in_nurture_and_is_looked_at_once(agreement, people, now):
    lead = capture_lead(facts={"email": "n@quiet.example"}, at=now)
    record_event(lead_id=lead.pk, kind="page_viewed", occurred_at=now, at=now)
    assert evaluate_due(at=now) == {"nurture": 1}
    assert evaluate_due(at=now + DAY) == {}


def test_a_suspected_event_and_one_of_a_lead_in_an_inbox_make_nothing_due(open_lead, now):
    handoff = open_lead()
    record_event(lead_id=handoff.lead_id, kind="page_viewed", occurred_at=now, at=now)
    quiet = capture_lead(facts={"email": "n@quiet.example"}, at=now)
    record_event(lead_id=quiet.pk, kind="email_clicked", occurred_at=now, at=now, suspected_by="scanner")
    assert outlook(at=now + DAY) == {}


def test_a_lead_that_is_not_to_be_contacted_again_does_not_come_back_by_an_event(rejected, now):
    lead = rejected(reason="33")
    record_event(lead_id=lead.pk, kind="roi_completed", occurred_at=now + 40 * DAY, at=now + 40 * DAY)
    assert evaluate_due(at=now + 41 * DAY) == {"disqualified": 1}
    assert cycles(lead) == ["rejected"]


def test_a_lead_that_came_back_by_itself_is_not_handed_over_twice(rejected, now):
    lead = rejected(recycle_on=(now + 60 * DAY).date())
    open_handoff(lead_id=lead.pk, by=None, at=now + 40 * DAY)
    assert evaluate_due(at=now + 60 * DAY) == {"open": 1}
    assert cycles(lead) == ["rejected", "open"]


def test_the_dry_run_says_what_would_happen_and_writes_nothing(rejected, now):
    rejected(recycle_on=(now + DAY).date())
    Lead.objects.update(recycle_on=dt.date(2026, 1, 1))
    before = (list(Lead.objects.values()), Handoff.objects.count(), Message.objects.count())
    out = io.StringIO()
    call_command("evaluate_leads", "--dry-run", stdout=out)
    assert out.getvalue().startswith("Would be: 1 ")
    assert (list(Lead.objects.values()), Handoff.objects.count(), Message.objects.count()) == before
    call_command("evaluate_leads", stdout=out)
    assert "Done: 1 " in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_hand_each_lead_over_once(rejected, now):
    from tests.leads.test_races import at_once

    leads = [rejected(recycle_on=(now + 60 * DAY).date()) for _ in range(6)]
    told = at_once(*[lambda: evaluate_due(at=now + 60 * DAY)] * 2)
    assert sum(one.get("handed_over", 0) for one in told) == len(leads)
    assert Handoff.objects.undecided().count() == len(leads)

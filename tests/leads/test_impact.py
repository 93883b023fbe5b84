"""The impact preview: last quarter under the proposed terms, equal to a count by hand."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from leads.backtest.impact import Kept, impact
from leads.services.decide import accept_handoff, reject_handoff
from leads.services.touch import log_touch
from sla.models import Commitment, SLAVersion
from sla.starter import draft_version

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ELAPSED = SLAVersion.ClockBasis.ELAPSED


@pytest.fixture
def start(now):
    return now - 10 * DAY


@pytest.fixture
def proposed(agreement, people, now):
    """The starter's terms around the clock, with one change: a day for everything."""
    version = draft_version(by=people.marketer, at=now, clock_basis=ELAPSED)
    Commitment.objects.filter(version=version, within__isnull=False).update(within=DAY)
    return version


@pytest.fixture
def worked(open_lead, people, start):
    """Four handoffs: contact after 2 h, accepted after 3; after 30 h, rejected after 60; only decided; still open."""

    def touch(handoff, after, outcome="reached"):
        log_touch(handoff_id=handoff.pk, kind="call", outcome=outcome, by=people.rep, at=start + after)

    quick, slow, silent, still = (open_lead(at=start) for _ in range(4))
    touch(quick, 2 * HOUR)
    accept_handoff(handoff_id=quick.pk, by=people.rep, at=start + 3 * HOUR)
    touch(slow, 30 * HOUR)
    reject_handoff(handoff_id=slow.pk, by=people.rep, at=start + 60 * HOUR, reason="11")
    reject_handoff(handoff_id=silent.pk, by=people.rep, at=start + 5 * HOUR, reason="11")
    touch(still, HOUR, outcome="voicemail")
    return [quick, slow, silent, still]


def test_what_happened_is_measured_with_the_proposed_times(worked, proposed, agreement, now):
    found = impact(proposed, agreement, at=now)
    assert found.handoffs == 4
    # contact: 2 h is kept, 30 h is missed, the silent decision in time counts nowhere, the voicemail is no contact
    assert found.total("would", "contact") == Kept(kept=1, missed=2)
    # decision: 3 h and 5 h are kept, 60 h and still open are missed
    assert found.total("would", "decision") == Kept(kept=2, missed=2)


def test_as_it_was_is_what_the_stored_due_times_say(worked, proposed, agreement, now):
    found = impact(proposed, agreement, at=now)
    for clock, stopped in (("contact", "first_touch_at"), ("decision", "decided_at")):
        kept = 0
        for handoff in worked:
            handoff.refresh_from_db()
            at = getattr(handoff, stopped)
            kept += bool(at and at <= getattr(handoff, f"{clock}_due_at"))
        assert found.total("was", clock).kept == kept


def test_another_idea_of_a_touch_changes_the_contact_clock(worked, proposed, agreement, now):
    proposed.touch_kinds = ["call:reached", "call:voicemail"]
    assert impact(proposed, agreement, at=now).total("would", "contact") == Kept(kept=2, missed=1)


def test_the_same_terms_change_nothing(worked, agreement, now):
    found = impact(agreement, agreement, at=now)
    assert found.was == found.would
    assert found.same_definition


def test_a_stricter_definition_lets_fewer_through_and_counts_no_clock_for_the_rest(worked, proposed, agreement, now):
    proposed.definition.tiers.update(total=10_000)
    found = impact(proposed, agreement, at=now)
    assert not found.same_definition
    assert (found.moves.count("dropped"), found.moves.count("dropped", "accepted")) == (4, 1)
    assert found.total("would", "decision").n == 0
    assert found.total("was", "decision").n == 4


def test_what_is_older_than_the_window_counts_nowhere(worked, proposed, agreement, start):
    assert impact(proposed, agreement, at=start + 91 * DAY).handoffs == 0


@pytest.mark.parametrize("extra", [{}, {"HTTP_HX_REQUEST": "true"}])
def test_the_page_says_it_in_a_sentence(client, open_lead, people, proposed, extra):
    handoff = open_lead(at=timezone.now() - 3 * DAY)
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=timezone.now() - 2 * DAY)
    client.force_login(people.marketing_leader)
    answer = client.get(reverse("agreement_impact", args=[proposed.number]), **extra)
    assert answer.status_code == 200
    assert "Clocks kept" in answer.text
    assert "volume and acceptance stay as they were" in answer.text


def test_of_the_version_in_force_there_is_nothing_to_compare(client, agreement, people):
    client.force_login(people.sales_leader)
    assert "This version is in force" in client.get(reverse("agreement_impact", args=[agreement.number])).text


def test_a_rep_is_not_asked(client, agreement, people):
    client.force_login(people.rep)
    assert client.get(reverse("agreement_impact", args=[agreement.number])).status_code == 403

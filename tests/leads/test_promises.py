"""What a proposal promised, and what came of it: stored, counted month by month, judged once enough was seen."""

import datetime as dt

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from leads.calibration import follow, promises
from leads.calibration.models import Calibration, Proposal
from leads.calibration.power import leads_to_judge
from leads.models import Handoff
from sla.models import Party, Tier
from sla.services.definition import draft_definition
from sla.services.terms import choose_definition, draft_from
from sla.services.version import propose_version, sign_version
from tests.history import write

UTC, DAY = dt.UTC, dt.timedelta(days=1)
BEGINS = dt.datetime(2026, 6, 30, 22, tzinfo=UTC)  # 1 July in Berlin
PROMISE = {"first": 202601, "last": 202606, "counts": [40] * 6, "k": 96, "n": 240, "leads": 240, "unseen": 0,
           "mqls": [40.0, 27.0, 54.0], "rate": [0.4, 0.25, 0.55]}  # fmt: skip


@pytest.fixture
def proposal(agreement, people, now):
    draft = draft_definition(start_from=agreement.definition, by=people.marketer, at=now)
    job = Calibration.objects.create(
        question="accepted", since=BEGINS - 90 * DAY, until=BEGINS, against=agreement.definition, number=1, rules=[],
        most_points=20, seed="1", status="done", result={}, created_at=now, finished_at=now,
        created_by=people.marketer,
    )  # fmt: skip
    return Proposal.objects.create(
        calibration=job,
        definition=draft,
        hours_per_lead=1,
        promise=PROMISE,
        created_at=now,
        created_by=people.marketer,
    )


def signed(version, people, definition, at=BEGINS):
    """A version with this definition, signed by both, in force from `at`."""
    draft = draft_from(version_id=version.pk, by=people.marketing_leader, at=at)
    choose_definition(version_id=draft.pk, definition_id=definition.pk, by=people.marketing_leader, at=at)
    propose_version(version_id=draft.pk, effective_from=at, by=people.marketing_leader, at=at)
    for party, person in ((Party.MARKETING, people.marketing_leader), (Party.SALES, people.sales_leader)):
        sign_version(version_id=draft.pk, party=party, role=person.roles[0], by=person, at=at)
    draft.refresh_from_db()
    return draft


def month(version, first, n, accepted, reason):
    """n decided handoffs of one month, live ones, so many accepted."""
    tier = Tier.objects.filter(definition=version.definition).first()
    write(version, [
        {"qualified_at": first + i * (28 * DAY) / n, "decided_at": first + i * (28 * DAY) / n + DAY,
         "reason": None if i < accepted else reason, "is_historical": False, "decision_due_at": first + 60 * DAY,
         "tier": tier, "breakdown": {}}
        for i in range(n)
    ])  # fmt: skip


@pytest.fixture
def reason(agreement):
    return agreement.reasons.filter(category="scoring").first()


def test_full_months_make_the_promise_and_what_sales_never_saw_widens_it():
    monthly = {number: {50: [10, 4, 10, 0], 20: [9, 0, 9, 0]} for number in (202601, 202602, 202603)}
    found = promises.promise(monthly, [202601, 202602, 202603], 30)
    assert (found["k"], found["n"], found["counts"]) == (12, 30, [10, 10, 10])
    unseen = promises.promise({1: {50: [20, 4, 10, 10]}}, [1], 30)
    assert unseen["unseen"] == 10
    assert unseen["rate"][2] - unseen["rate"][1] > 0.5
    assert promises.promise(monthly, [202601], 60) is None, "nobody would have been handed over"
    assert promises.promise({}, [], 30) is None


def test_a_month_without_leads_counts_as_one():
    found = promises.promise({202601: {50: [10, 4, 10, 0]}}, [202601, 202602], 30)
    assert found["counts"] == [10, 0]


def test_a_draft_has_promised_and_nothing_came_yet(proposal, now):
    found = follow.followed(proposal, at=now)
    assert (found.verdict, found.months) == (follow.NOT_YET, ())


def test_months_stand_beside_the_promise_and_a_change_that_is_large_enough_worked(
    agreement, people, proposal, reason, now
):
    for number in range(1, 7):
        month(agreement, dt.datetime(2026, number, 2, tzinfo=UTC), 40, 6, reason)
    second = signed(agreement, people, proposal.definition)
    month(second, dt.datetime(2026, 7, 2, tzinfo=UTC), 40, 17, reason)
    month(second, dt.datetime(2026, 8, 2, tzinfo=UTC), 60, 4, reason)
    found = follow.followed(proposal, at=dt.datetime(2026, 9, 15, tzinfo=UTC))
    assert (found.before, found.after) == ((36, 240), (21, 100))
    july, august = found.months
    assert (july.mqls, july.accepted, july.decided, july.is_over) == (40, 17, 40, True)
    assert (july.is_kept, july.is_volume_kept) == (True, True)
    assert (august.is_kept, august.is_volume_kept) == (False, False), "4 of 60 is far from 40 %, and 60 is too many"
    assert (found.needed < 100, found.verdict) == (True, follow.NO_CHANGE)
    month(second, dt.datetime(2026, 9, 2, tzinfo=UTC), 40, 25, reason)
    found = follow.followed(proposal, at=dt.datetime(2026, 10, 2, tzinfo=UTC))
    assert (found.verdict, found.change.low > 0) == (follow.WORKED, True)


def test_before_enough_was_seen_nothing_is_judged(agreement, people, proposal, reason):
    for number in range(1, 7):
        month(agreement, dt.datetime(2026, number, 2, tzinfo=UTC), 40, 6, reason)
    second = signed(agreement, people, proposal.definition)
    month(second, dt.datetime(2026, 7, 2, tzinfo=UTC), 10, 9, reason)
    found = follow.followed(proposal, at=dt.datetime(2026, 8, 15, tzinfo=UTC))
    assert not found.change.is_noise, "nine of ten, and still"
    assert found.verdict == follow.TOO_FEW
    assert 10 < found.needed < 100


def test_exploration_and_history_are_in_no_month(agreement, people, proposal, reason, now):
    second = signed(agreement, people, proposal.definition)
    write(second, [{"qualified_at": BEGINS + DAY, "decided_at": BEGINS + 2 * DAY}])
    assert follow.followed(proposal, at=now).months == ()
    assert Handoff.objects.count() == 1


def test_the_page_says_what_was_promised_what_came_and_what_is_still_to_be_seen(
    agreement, people, proposal, reason, now
):
    client = Client()
    client.force_login(people.sales_leader, backend=settings.AUTHENTICATION_BACKENDS[0])
    where = reverse("calibration_promise", args=[2])
    html = client.get(where).content.decode()
    assert "<h1>What v2 promises</h1>" in html
    assert "Promised: 40.0% accepted of about 40 MQLs a month" in html
    assert "In the year until now" not in html, "nobody decided anything"
    for number in range(1, 7):
        month(agreement, dt.datetime(2026, number, 2, tzinfo=UTC), 40, 6, reason)
    html = client.get(where).content.decode()
    needed = leads_to_judge(36 / 240, 0.4, 240)
    assert "In the year until now 15.0% of 240 decided leads were accepted." in html
    assert f"shows, four times in five, in {needed} decided leads: one month of its MQLs, if all are decided" in html
    second = signed(agreement, people, proposal.definition)
    month(second, dt.datetime(2026, 7, 2, tzinfo=UTC), 20, 9, reason)
    html = client.get(where).content.decode()
    assert "<h1>Too little was seen of v2 to judge it</h1>" in html
    assert "15.0% of 240 decided leads were accepted in the year before, 45.0% of 20 since" in html
    assert "20 were decided so far." in html
    assert client.get(reverse("calibration_promise", args=[1])).status_code == 404


def test_the_verdict_on_a_change_that_is_none_is_right_nearly_always():
    """Years in which nothing changed: judged once, when enough was seen, few are called worked or worse."""
    rng, wrong = np.random.default_rng(6), 0
    needed = 300
    for _ in range(400):
        before, after = rng.binomial(1200, 0.25), rng.binomial(needed, 0.25)
        change = follow.newcombe(int(before), 1200, int(after), needed)
        wrong += follow._verdict(needed, needed, change) != follow.NO_CHANGE
    assert wrong / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5

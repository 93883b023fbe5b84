"""Retention: leads that came to nothing are erased after the days an admin chose, and no other; off until then."""

import pytest

from leads import tasks
from leads.models import Erasure, Lead
from leads.services.capture import capture_lead, record_event
from leads.services.deal import record_deal
from leads.services.decide import accept_handoff, reject_handoff
from leads.services.privacy.retention import WrongDays, due, erase_due, set_retention
from portal.shared.refusal import NotPermitted
from tests import cast
from tests.forgotten import DAY, HOUR, rows


@pytest.fixture
def some(agreement, people, now):
    """Leads by what became of them, 400 days ago; `recent` did something yesterday."""
    long_ago = now - 400 * DAY
    made = {}
    for name in ("unsold", "recent", "returns"):
        made[name] = capture_lead(facts={"email": f"{name}@x.example"}, at=long_ago)
    for name, verb, more in (
        ("rejected", reject_handoff, {"reason": "11"}), ("accepted", accept_handoff, {}), ("open", None, {}),
        ("dealt", reject_handoff, {"reason": "11"}),
    ):  # fmt: skip
        handoff = cast.open_handoff(owner=people.rep, at=long_ago, email=f"{name}@x.example")
        if verb:
            verb(handoff_id=handoff.pk, by=people.rep, at=long_ago + HOUR, **more)
        made[name] = handoff.lead
    record_deal(handoff_id=made["dealt"].handoffs.get().pk, by=people.rep, at=now - 300 * DAY, outcome="open")
    record_event(lead_id=made["recent"].pk, kind="x", occurred_at=now - DAY, at=now - DAY)
    Lead.objects.filter(pk=made["returns"].pk).update(recycle_on=now.date() + DAY)
    return made


def test_retention_is_off_until_somebody_chooses_it(some, now):
    assert not due(at=now).exists()
    assert erase_due(at=now) == []


@pytest.mark.parametrize(
    ("unsold", "rejected", "wanted"),
    [(365, None, {"unsold"}), (None, 365, {"rejected"}), (365, 365, {"unsold", "rejected"}), (500, 500, set())],
)
def test_only_leads_that_came_to_nothing_are_erased_and_only_when_nothing_happened_since(
    some, people, now, unsold, rejected, wanted
):
    set_retention(unsold_days=unsold, rejected_days=rejected, by=people.admin, at=now)
    wanted = {some[name].pk for name in wanted}
    before = rows()
    assert set(erase_due(at=now, dry_run=True)) == wanted
    assert rows() == before
    assert set(erase_due(at=now)) == wanted
    assert set(Lead.objects.filter(erased_at__isnull=False).values_list("pk", flat=True)) == wanted
    assert {one.why for one in Erasure.objects.all()} <= {"retention"}
    assert erase_due(at=now) == []


def test_the_beat_asks_for_it(some, people, now, settings):
    set_retention(unsold_days=30, rejected_days=None, by=people.admin, at=now)
    tasks.retain()
    assert Erasure.objects.filter(lead=some["unsold"]).exists()
    assert "leads.retention" in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


@pytest.mark.parametrize("days", [0, 1, 29, 3651])
def test_a_month_at_least_and_ten_years_at_most(people, now, days):
    with pytest.raises(WrongDays):
        set_retention(unsold_days=days, rejected_days=None, by=people.admin, at=now)


def test_only_an_admin_chooses(people, now):
    for person in (people.marketer, people.sales_leader, people.rep):
        with pytest.raises(NotPermitted):
            set_retention(unsold_days=90, rejected_days=None, by=person, at=now)

"""The lead's own page: its two clocks, who held it how long, and the speed to the first contact."""

import datetime as dt

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from leads.models import Lead
from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff
from leads.services.touch import log_touch
from leads.views.clock_panel import held, speed, two_clocks
from tests import cast
from tests.leads.test_due import BERLIN, NINE_TO_SIX, give, hours

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
FRIDAY = dt.datetime(2026, 10, 16, 17, 0, tzinfo=BERLIN)


@pytest.fixture
def lead(people):
    """A lead of a Friday at five, nine to six, that changed hands on Monday and was reached on Monday at ten."""
    cast.agreement(at=FRIDAY - 900 * HOUR, clock_basis="owner")
    give(hours(NINE_TO_SIX), person=people.rep)
    handoff = cast.open_handoff(owner=people.rep, at=FRIDAY, country="Japan")
    reassign_handoff(handoff_id=handoff.pk, to=people.other_rep, by=people.manager, at=FRIDAY + 64.5 * HOUR)
    log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=people.other_rep, at=FRIDAY + 65 * HOUR)
    handoff.refresh_from_db()
    return handoff


def page_of(handoff, person):
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client.get(reverse("handoff", args=[handoff.pk]))


def assignments(handoff):
    return list(handoff.assignments.select_related("owner"))


def test_the_page_tells_the_clocks_the_holders_and_the_speed(lead, people):
    text = page_of(lead, people.manager).text
    for words in ("First contact after 2 days, after more than 24 hours", "Who held it how long", "Speed to lead",
                  "Rena Rep", "Otto Rep", "Missed by"):  # fmt: skip
        assert words in text


def test_the_lead_is_mailed_and_called_from_its_page(lead, people):
    Lead.objects.update(phone="+31 555 1")
    text, address = page_of(lead, people.manager).text, lead.lead.email
    assert f'<a href="mailto:{address}">{address}</a>' in text
    assert '<a href="tel:+31%20555%201">+31 555 1</a>' in text


def test_each_held_it_for_their_part_in_elapsed_and_in_working_time(lead, people):
    accept_handoff(handoff_id=lead.pk, by=people.other_rep, at=FRIDAY + 66 * HOUR)
    lead.refresh_from_db()
    found = held(lead, assignments(lead), FRIDAY + 900 * HOUR)
    assert [(row["name"], row["elapsed"], row["worked"]) for row in found["rows"]] == [
        ("Rena Rep", "2 days", "1 h 30 min"), ("Otto Rep", "1 h 30 min", "1 h 30 min"),
    ]  # fmt: skip
    assert (found["total"], found["worked"], found["running"]) == ("2 days", "3 h", False)


def test_a_running_clock_names_the_leads_time_where_it_differs(lead):
    _, decision = two_clocks(lead, FRIDAY + 60 * HOUR, tier="Hot")
    assert decision.note.startswith("Due ")
    assert "for the lead in Japan" in decision.note
    assert "Hot: within 24 business hours." in decision.note


@pytest.mark.parametrize(
    ("after", "mark", "state"),
    [
        (5 * MINUTE, "within 5 minutes", "ok"),
        (6 * MINUTE, "within 24 hours", "warn"),
        (24 * HOUR, "within 24 hours", "warn"),
        (24 * HOUR + MINUTE, "after more than 24 hours", "late"),
    ],
)
def test_speed_to_lead_is_elapsed_time_with_its_two_marks(open_lead, people, now, after, mark, state):
    handoff = open_lead()
    log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=people.rep, at=now + after)
    handoff.refresh_from_db()
    found = speed(handoff, now + 900 * HOUR)
    assert (found["mark"], found["state"]) == (mark, state)
    assert "5 min" in found["track"]
    assert "24 h" in found["track"]


def test_without_a_contact_the_time_goes_on_until_the_decision(open_lead, people, now):
    handoff = open_lead()
    assert speed(handoff, now + 3 * HOUR)["words"] == "No contact for 3 h"
    accept_handoff(handoff_id=handoff.pk, by=people.rep, at=now + 4 * HOUR)
    handoff.refresh_from_db()
    assert speed(handoff, now + 9 * HOUR)["words"] == "Decided after 4 h without a contact"


def test_a_correction_stands_in_the_history(lead, people):
    log_touch(
        handoff_id=lead.pk, kind="call", outcome="reached", by=people.other_rep, occurred_at=FRIDAY + 10 * MINUTE,
        at=FRIDAY + 66 * HOUR,
    )  # fmt: skip
    text = page_of(lead, people.manager).text
    assert "First contact corrected to Fri 17:10" in text or "First contact corrected to 16 Oct 17:10" in text
    assert "was believed before; the clock was kept after all" in text


def test_the_page_leads_to_the_audit_of_its_month_for_who_reads_it_and_a_rep_back_to_the_inbox(lead, people):
    link = reverse("audit", args=["2026-10"])
    assert link in page_of(lead, people.manager).text
    rep = page_of(lead, people.other_rep).text
    assert link not in rep
    assert reverse("leads") + '"' not in rep

"""Who marks a blind round cannot look outcomes up: not in the list, on a lead's page, in a file or by a filter."""

import csv
import io
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from leads.calibration.annotation import mark_item
from leads.models import Deal
from leads.models.deal import are_outcomes_kept, outcomes_known_to
from tests.leads.test_rounds import answered, deals, draw, mark_all

MARK = "You mark this deal in a <a"


@pytest.fixture
def made(agreement, people, now):
    """A blind round of three won and three lost, marked by a manager and by the sales leader, who see those deals."""
    deals(agreement, people.other_rep, 20)
    return draw(people, [people.manager, people.sales_leader], now, won=3, lost=3)


def client_of(person):
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def handoffs(made):
    return set(made.items.values_list("handoff_id", flat=True))


def listed(person, **query):
    """The handoffs behind the deals of the list's file."""
    client = client_of(person)
    answer = client.get(reverse("deals_export", args=["csv"]), query)
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    rows = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
    return {int(row["Handoff"]) for row in rows}


def test_the_list_and_its_file_leave_the_rounds_deals_out_for_those_who_mark_it(made, people):
    drawn = handoffs(made)
    for person in (people.manager, people.sales_leader):
        assert not listed(person) & drawn
        assert len(listed(person)) == 14
        html = client_of(person).get(reverse("deals")).content.decode()
        assert "without the outcome are left out until you have marked all of it" in html
    assert listed(people.marketer) >= drawn, "who does not mark it sees them"
    html = client_of(people.marketer).get(reverse("deals")).content.decode()
    assert "without the outcome are left out" not in html


def test_the_leads_page_says_that_it_is_kept_and_nobody_corrects_unseen(made, people):
    item = made.items.first()
    deal = Deal.objects.get(handoff=item.handoff_id)
    page = reverse("handoff", args=[item.handoff_id])
    client = client_of(people.manager)
    html = client.get(page).content.decode()
    assert MARK in html
    assert "Deals of this handoff" not in html
    assert reverse("deal_correct", args=[deal.pk]) not in html
    assert client.get(reverse("deal_correct", args=[deal.pk])).status_code == 404
    other = Deal.objects.exclude(handoff__in=handoffs(made)).first()
    assert "Deals of this handoff" in client.get(reverse("handoff", args=[other.handoff_id])).content.decode()
    assert "Deals of this handoff" in client_of(people.admin).get(page).content.decode()


def test_no_filter_of_the_leads_tells_it_either(made, people):
    found = {}
    for state in ("won", "lost", "any"):
        html = client_of(people.sales_leader).get(reverse("leads"), {"deal": state}).content.decode()
        found[state] = {int(pk) for pk in re.findall(r"/handoffs/(\d+)/|/leads/(\d+)/", html) for pk in pk if pk}
    assert found["any"]
    assert not any(rows & handoffs(made) for rows in found.values())
    html = client_of(people.sales_leader).get(reverse("leads")).content.decode()
    assert any(reverse("handoff", args=[pk]) in html for pk in handoffs(made)), "the leads themselves are seen"


def test_shares_of_won_and_lost_are_shown_to_whom_they_tell_nothing(made, people):
    page = reverse("round", args=[made.number])
    assert "Show the shares" not in client_of(people.manager).get(page).content.decode()
    assert "Show the shares" in client_of(people.marketer).get(page).content.decode()


def test_it_is_shown_to_each_once_they_have_marked_all(made, people, now):
    told = {"number": made.number, "answers": answered(made), "by": people.manager, "at": now}
    for position in range(1, 6):
        mark_item(position=position, **told)
    assert not listed(people.manager) & handoffs(made), "one is still to be marked"
    mark_item(position=6, **told)
    assert listed(people.manager) >= handoffs(made)
    assert not listed(people.sales_leader) & handoffs(made), "the other is not done"
    assert not are_outcomes_kept(people.manager)
    assert are_outcomes_kept(people.sales_leader)
    mark_all(made, people.sales_leader, now)
    page = reverse("handoff", args=[made.items.first().handoff_id])
    assert MARK not in client_of(people.sales_leader).get(page).content.decode()


def test_a_round_with_the_outcome_keeps_nothing(agreement, people, now):
    deals(agreement, people.other_rep, 20)
    made = draw(people, [people.manager, people.sales_leader], now, won=3, lost=3, is_blind=False)
    assert listed(people.manager) >= handoffs(made)
    assert outcomes_known_to(people.manager, Deal.objects.all(), "handoff").count() == 20


def test_a_deal_of_no_handoff_is_never_kept(made, people, now):
    row = Deal.objects.first()
    alone = Deal.objects.create(lead=row.lead, external_id="x-1", outcome="open", via="api", recorded_at=now)
    assert alone in Deal.objects.standing().visible_to(people.sales_leader)

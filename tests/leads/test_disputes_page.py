"""The list of disputes and the panel on the lead's page."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from leads.models import Dispute, Handoff
from leads.services.decide import reject_handoff
from leads.services.dispute import dispute_rejection

HTMX = {"HTTP_HX_REQUEST": "true"}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def rejected(open_lead, people):
    handoff = open_lead(at=timezone.now() - 3 * HOUR)
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=timezone.now() - 2 * HOUR, reason="11", note="Tiny.")
    return handoff


@pytest.fixture
def dispute(rejected, people):
    return dispute_rejection(handoff_id=rejected.pk, by=people.marketer, at=timezone.now(), note="They have 640.")


def post(client, person, name, pk, data, **extra):
    client.force_login(person)
    return client.post(reverse(name, args=[pk]), data, **extra)


def test_marketing_disputes_on_the_page_of_the_lead(client, rejected, people):
    client.force_login(people.marketer)
    assert "Dispute this rejection" in client.get(reverse("handoff", args=[rejected.pk])).text
    answer = post(client, people.marketer, "handoff_dispute", rejected.pk, {"note": "They have 640."}, **HTMX)
    assert answer.status_code == 200
    assert "Waits for a ruling" in answer.text
    assert Dispute.objects.get().note == "They have 640."
    page = client.get(reverse("handoff", args=[rejected.pk])).text
    assert "Dispute this rejection" not in page


def test_without_htmx_it_comes_back_to_the_lead(client, rejected, people):
    answer = post(client, people.marketer, "handoff_dispute", rejected.pk, {"note": "They have 640."})
    assert answer.url == reverse("handoff", args=[rejected.pk])


@pytest.mark.parametrize("extra", [{}, HTMX])
def test_an_objection_without_a_reason_is_said_in_place_and_what_was_typed_stays(client, rejected, people, extra):
    answer = post(client, people.marketer, "handoff_dispute", rejected.pk, {"note": " "}, **extra)
    assert answer.status_code == 422
    assert "Say why the rejection is wrong" in answer.text
    assert not Dispute.objects.exists()


def test_a_rep_is_not_offered_a_dispute_and_may_not_open_one(client, rejected, people):
    client.force_login(people.rep)
    assert "Dispute this rejection" not in client.get(reverse("handoff", args=[rejected.pk])).text
    assert post(client, people.rep, "handoff_dispute", rejected.pk, {"note": "No."}).status_code == 403


def test_the_manager_overturns_in_place(client, dispute, rejected, people):
    client.force_login(people.manager)
    page = client.get(reverse("disputes")).text
    assert "One disputed rejection waits for a ruling" in page
    assert "Tiny." in page
    answer = post(
        client, people.manager, "dispute_rule", dispute.pk, {"outcome": "overturned", "note": "Right."}, **HTMX
    )
    assert answer.status_code == 200
    assert "Overturned: open again" in answer.text
    assert Handoff.objects.get(pk=rejected.pk).status == "open"


def test_the_second_ruling_gets_the_row_as_it_is_now(client, dispute, people):
    post(client, people.manager, "dispute_rule", dispute.pk, {"outcome": "upheld"})
    answer = post(client, people.manager, "dispute_rule", dispute.pk, {"outcome": "overturned"}, **HTMX)
    assert answer.status_code == 409
    assert "Somebody ruled on this dispute already" in answer.text
    assert "Upheld by Mona Manager" in answer.text


def test_a_ruling_without_an_outcome_is_refused_in_place(client, dispute, people):
    answer = post(client, people.manager, "dispute_rule", dispute.pk, {"note": "Hm."}, **HTMX)
    assert answer.status_code == 422
    assert "Choose whether" in answer.text


def test_marketing_reads_the_list_and_rules_on_nothing(client, dispute, people):
    client.force_login(people.marketer)
    assert "Uphold the rejection" not in client.get(reverse("disputes")).text
    assert post(client, people.marketer, "dispute_rule", dispute.pk, {"outcome": "upheld"}).status_code == 403


def test_another_team_s_manager_does_not_see_the_dispute(client, dispute, people):
    from tests import cast

    stranger = cast.user("Sven Stranger", "sales_manager", team=people.south)
    client.force_login(stranger)
    assert "No dispute waits" in client.get(reverse("disputes")).text
    assert post(client, stranger, "dispute_rule", dispute.pk, {"outcome": "upheld"}).status_code == 404


def test_the_list_asks_the_database_as_often_for_three_as_for_one(
    client, open_lead, people, dispute, django_assert_max_num_queries
):
    for _ in range(2):
        handoff = open_lead(at=timezone.now() - 3 * HOUR)
        reject_handoff(handoff_id=handoff.pk, by=people.rep, at=timezone.now() - 2 * HOUR, reason="21")
        dispute_rejection(handoff_id=handoff.pk, by=people.marketer, at=timezone.now(), note="No.")
    client.force_login(people.manager)
    with django_assert_max_num_queries(8):
        assert "Three disputed rejections wait for a ruling" in client.get(reverse("disputes")).text

"""Pages of privacy: find a person, export, forget with the typed address, how long leads are kept; admins alone."""

import json

import pytest
from django.urls import reverse

from leads.models import Erasure, Lead, Retention
from leads.services.capture import capture_lead
from leads.services.privacy.retention import set_retention
from tests import cast

EMAIL = "henrike@corvane.example"


@pytest.fixture
def admin(client, people):
    client.force_login(people.admin)
    return client


@pytest.fixture
def handoff(open_lead):
    return open_lead(email=EMAIL)


def text(answer):
    return answer.content.decode()


@pytest.mark.parametrize("who", [EMAIL, f" {EMAIL.upper()} ", "number"])
def test_a_person_is_found_by_address_or_number(admin, handoff, who):
    who = str(handoff.lead_id) if who == "number" else who
    answer = admin.get(reverse("privacy"), {"who": who})
    assert answer["Location"] == reverse("privacy_lead", args=[handoff.lead_id])


@pytest.mark.parametrize("who", ["nobody@nowhere.example", "nonsense", "9" * 30, "999999", "<i>@x", "\0@x"])
def test_who_is_not_known_is_said(admin, agreement, who):
    answer = admin.get(reverse("privacy"), {"who": who})
    assert answer.status_code == 422
    assert "<i>@x" not in text(answer)


def test_the_page_of_a_person_says_what_is_kept_and_what_goes(admin, handoff):
    page = text(admin.get(reverse("privacy_lead", args=[handoff.lead_id])))
    assert "What is known of Henrike Solvang" in page
    assert f"Handoff {handoff.pk} is open: it is withdrawn" in page
    assert "Corvane Foods" in page
    assert reverse("privacy_lead", args=[handoff.lead_id]) in text(admin.get(reverse("handoff", args=[handoff.pk])))


@pytest.mark.parametrize("typed", ["", "henrike", "other@corvane.example", "henrike@corvane.example.evil"])
def test_without_the_right_address_typed_nothing_happens(admin, handoff, typed):
    answer = admin.post(reverse("privacy_lead", args=[handoff.lead_id]), {"typed": typed})
    assert answer.status_code == 422
    assert "This is not the person’s address." in text(answer)
    assert Lead.objects.get(pk=handoff.lead_id).email == EMAIL


def test_the_typed_address_forgets_the_person_once(admin, handoff, people):
    where = reverse("privacy_lead", args=[handoff.lead_id])
    page = text(admin.post(where, {"typed": EMAIL}, follow=True))
    assert f"Lead {handoff.lead_id} was erased" in page
    assert "Its open handoff was withdrawn." in page
    assert "was forgotten" in page
    assert "Henrike" not in page
    assert admin.post(where, {"typed": EMAIL}).status_code == 422
    assert Erasure.objects.get().erased_by == people.admin
    case = text(admin.get(reverse("handoff", args=[handoff.pk])))
    assert "The person was forgotten" in case
    assert "Henrike" not in case
    assert f"Lead {handoff.lead_id}" in text(admin.get(reverse("privacy")))


def test_a_person_without_an_address_is_confirmed_by_the_outside_id(admin, agreement, now):
    lead = capture_lead(facts={"external_id": "A1"}, at=now)
    where = reverse("privacy_lead", args=[lead.pk])
    assert admin.post(where, {"typed": str(lead.pk)}).status_code == 422
    assert admin.post(where, {"typed": "A1"}).status_code == 302


def test_an_export_is_a_file_of_json(admin, handoff):
    answer = admin.get(reverse("privacy_export"), {"who": EMAIL})
    assert answer["Content-Disposition"] == 'attachment; filename="person.json"'
    assert answer["Cache-Control"] == "no-store"
    assert json.loads(text(answer))["Facts"]["company"] == "Corvane Foods"
    assert admin.get(reverse("privacy_export"), {"who": "nobody@x.example"}).status_code == 422


def test_what_is_left_of_an_address_is_erased_when_it_is_typed_twice(admin, agreement):
    where = reverse("privacy_leftovers")
    differ = admin.post(where, {"who": "a@x.example", "typed": "b@x.example"})
    assert "The two addresses differ." in text(differ)
    nobody = admin.post(where, {"who": "a@x.example", "typed": "a@x.example"})
    assert nobody.status_code == 422
    assert not Erasure.objects.exists()


def test_how_long_leads_are_kept_is_chosen_and_taken_back(admin, people, now, agreement):
    where = reverse("privacy_retention")
    page = text(admin.post(where, {"unsold_days": "365", "rejected_days": ""}, follow=True))
    assert "The worker looks once an hour." in page
    assert 'value="365"' in page
    chosen = Retention.objects.get()
    assert (chosen.unsold_days, chosen.rejected_days, chosen.changed_by) == (365, None, people.admin)
    for wrong in ("1", "-5", "x", "9" * 20, "1.5"):
        answer = admin.post(where, {"unsold_days": wrong})
        assert answer.status_code == 422
        assert "Give whole days" in text(answer)
    admin.post(where, {"unsold_days": "", "rejected_days": ""})
    assert Retention.objects.get().unsold_days is None


def test_the_page_says_how_many_are_due(admin, people, now, agreement):
    capture_lead(facts={"email": "old@x.example"}, at=now.replace(year=2020))
    set_retention(unsold_days=365, rejected_days=None, by=people.admin, at=now)
    assert "1 lead is due now" in text(admin.get(reverse("privacy")))


@pytest.mark.parametrize(
    "name", ["privacy", "privacy_lead", "privacy_export", "privacy_leftovers", "privacy_retention"]
)
def test_nobody_but_an_admin_opens_them(client, people, handoff, name):
    where = reverse(name, args=[handoff.lead_id] if name == "privacy_lead" else [])
    for person in (people.rep, people.manager, people.marketer, people.marketing_leader, people.sales_leader):
        client.force_login(person)
        assert client.get(where).status_code in (403, 405)
        assert client.post(where, {"typed": EMAIL, "who": EMAIL}).status_code in (403, 405)
    assert Lead.objects.get(pk=handoff.lead_id).email == EMAIL


def test_the_case_of_a_forgotten_person_opens_on_every_page(admin, client, people, handoff, now):
    admin.post(reverse("privacy_lead", args=[handoff.lead_id]), {"typed": EMAIL})
    for person, name, args in (
        (people.admin, "handoff", [handoff.pk]),
        (people.marketer, "nurture_lead", [handoff.lead_id]),
        (people.marketer, "leads", []),
        (people.rep, "inbox", []),
    ):
        client.force_login(person)
        assert client.get(reverse(name, args=args)).status_code == 200
    shown = client.get(reverse("inbox"))
    assert shown.status_code == 200
    client.force_login(people.marketer)
    erased = text(client.get(reverse("nurture"), {"show": "erased"}))
    assert f"Lead {handoff.lead_id}" in erased
    assert cast.FACTS["company"] not in erased

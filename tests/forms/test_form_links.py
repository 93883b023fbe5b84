"""Personal links from the pages: who may take them, for whom, and until when they work."""

import csv
import datetime as dt
import io

import pytest
from django.urls import reverse
from django.utils import timezone

from leads.intake.forms.known import VALID, lead_of
from leads.models import Lead
from leads.services.capture import take_in_lead
from leads.services.decide import reject_handoff
from portal.accounts.models import Role
from tests import cast, form_cast

QUIET = {**cast.FACTS, "source": "", "title": ""}


@pytest.fixture
def version(agreement, publish):
    return publish(form_cast.ROI)


@pytest.fixture
def leads(version, people):
    """Three leads in nurture by their first names; Cleo lacks more than the others."""
    told = {"Anna": {"source": "Fair"}, "Bert": {"campaign": "=spring"}, "Cleo": {"industry": "Retail"}}
    return {
        name: take_in_lead(
            facts={**QUIET, "email": f"{name}@quiet.example", "first_name": name, **facts}, at=timezone.now()
        ).lead
        for name, facts in told.items()
    }


@pytest.fixture
def marketer(client, people):
    client.force_login(people.marketer)
    return client


def file(client, version, **query):
    answer = client.get(reverse("form_links_file", args=[version.form.slug]), query)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_page_says_for_whom_and_until_when(marketer, version, leads):
    page = marketer.get(reverse("form_links", args=[version.form.slug])).content.decode()
    assert "3 leads may get a personal link" in page
    assert "ends after 30 days" in page
    assert all(f"{name}@quiet.example" in page for name in leads)
    assert (
        reverse("form_links", args=[version.form.slug])
        in marketer.get(reverse("form", args=[version.form.slug])).content.decode()
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Anna", "Bert", "Cleo"]),
        ({"source": "fair"}, ["Anna"]),
        ({"campaign": "=Spring"}, ["Bert"]),
        ({"within": "10"}, ["Anna", "Bert"]),
        ({"unsent": "1"}, ["Anna", "Bert", "Cleo"]),
        ({"source": "nobody"}, []),
    ],
)
def test_the_file_holds_whom_the_filters_leave(marketer, version, leads, query, names):
    assert [row["first_name"] for row in file(marketer, version, **query)] == names


def test_the_links_of_the_file_are_those_leads_and_end_when_it_says(marketer, version, leads):
    rows = file(marketer, version, lead=[leads["Anna"].pk, leads["Cleo"].pk])
    for row, name in zip(rows, ("Anna", "Cleo"), strict=True):
        assert lead_of(version.form, row["link"].partition("?k=")[2]) == leads[name]
        until = dt.datetime.fromisoformat(row["valid_until"])
        assert abs(until - timezone.now() - VALID) < dt.timedelta(minutes=5)


def test_who_sent_the_form_need_not_be_asked_again(marketer, version, leads, send):
    send(version, form_cast.COLD | {"email": leads["Bert"].email}, at=timezone.now())
    assert [row["first_name"] for row in file(marketer, version, unsent="1")] == ["Anna", "Cleo"]


def test_no_link_is_made_for_whom_sales_holds_or_never_contacts_again(marketer, version, leads, people, open_lead):
    held = open_lead(first_name="Held")
    never = open_lead(first_name="Never")
    reject_handoff(handoff_id=never.pk, by=people.rep, at=timezone.now(), reason="33")
    assert {row["first_name"] for row in file(marketer, version)} == set(leads)
    page = marketer.get(reverse("lead_form_links", args=[held.lead_id])).content.decode()
    assert "no link is made" in page
    assert "?k=" not in page


def test_one_lead_has_a_link_to_each_open_form_to_copy(marketer, version, leads, publish):
    publish(form_cast.ROI | {"title": "Second"})
    page = marketer.get(reverse("lead_form_links", args=[leads["Anna"].pk])).content.decode()
    assert page.count("?k=") == 2
    assert "It ends after 30 days" in page
    lead = marketer.get(reverse("nurture_lead", args=[leads["Anna"].pk])).content.decode()
    assert reverse("lead_form_links", args=[leads["Anna"].pk]) in lead


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.MARKETER, Role.MARKETING_LEADER)])
def test_nobody_but_marketing_takes_links(client, version, leads, role):
    client.force_login(cast.user("Some Body", role))
    slug = version.form.slug
    for address in (
        reverse("form_links", args=[slug]), reverse("form_links_file", args=[slug]),
        reverse("lead_form_links", args=[leads["Anna"].pk]),
    ):  # fmt: skip
        assert client.get(address).status_code == 403


def test_the_page_costs_the_same_queries_however_many_leads_there_are(
    marketer, version, leads, django_assert_max_num_queries
):
    marketer.get(reverse("form_links", args=[version.form.slug]))
    Lead.objects.bulk_create(
        Lead(email=f"m{n}@x.example", created_at=timezone.now(), updated_at=timezone.now()) for n in range(150)
    )
    with django_assert_max_num_queries(12):
        page = marketer.get(reverse("form_links", args=[version.form.slug])).content.decode()
    assert "The first 100 are shown" in page


@pytest.mark.parametrize("query", [{"within": "x"}, {"campaign": "x" * 201}])
def test_other_lists_are_none(marketer, version, query):
    assert marketer.get(reverse("form_links", args=[version.form.slug]), query).status_code in (400, 404)

"""The agreement as a contract to read: every term, every version, and what there is before the first one."""

import datetime as dt

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from sla.models import Party
from sla.services.version import propose_version, sign_version
from sla.starter import draft_version


@pytest.fixture
def reader(people):
    client = Client()
    client.force_login(people.sales_leader, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def page(client, name, *args):
    return client.get(reverse(name, args=args)).content.decode()


def test_the_contract_says_every_term(reader, agreement):
    html = page(reader, "agreement")
    for term in ("Agreement v1 is in force", "550–645", "≥ 25%", "≥ 95%", "≥ 90%", "1 hour", "5 days", "30 days",
                 "15 minutes", "80 points or more, 40 of them for fit", agreement.fingerprint):  # fmt: skip
        assert term in html, term


def test_the_contract_explains_every_reason(reader, agreement):
    html = page(reader, "agreement")
    for reason in agreement.reasons.all():
        assert reason.label in html
        assert reason.meaning in html


def test_both_signatures_stand_under_the_contract(reader, agreement):
    html = page(reader, "agreement")
    assert "Linus Leader" in html
    assert "Sara Leader" in html
    assert "not signed" not in html


def test_each_version_has_its_own_address_and_says_what_became_of_it(reader, agreement, people, now):
    drafted = draft_version(by=people.marketing_leader, at=now, summary="Faster")
    assert "Agreement v2 is a draft" in page(reader, "agreement_version", 2)
    propose_version(version_id=drafted.pk, effective_from=now, by=people.marketing_leader, at=now)
    html = page(reader, "agreement_version", 2)
    assert "Agreement v2 needs your signature" in html
    assert "not signed" in html
    assert "Agreement v1 is in force" in page(reader, "agreement")
    for party, leader in ((Party.MARKETING, people.marketing_leader), (Party.SALES, people.sales_leader)):
        sign_version(version_id=drafted.pk, party=party, role=leader.roles[0], by=leader, at=now)
    assert "Agreement v1 was replaced" in page(reader, "agreement_version", 1)
    assert "Agreement v2 is in force" in page(reader, "agreement")


def test_a_signed_version_of_the_future_begins_later(reader, agreement, people):
    from django.utils import timezone

    at = timezone.now() + dt.timedelta(days=30)
    drafted = draft_version(by=people.marketing_leader, at=at)
    propose_version(version_id=drafted.pk, effective_from=at, by=people.marketing_leader, at=at)
    for party, leader in ((Party.MARKETING, people.marketing_leader), (Party.SALES, people.sales_leader)):
        sign_version(version_id=drafted.pk, party=party, role=leader.roles[0], by=leader, at=at)
    assert "is signed and begins later" in page(reader, "agreement_version", 2)
    assert "Agreement v1 is in force" in page(reader, "agreement")


def test_before_the_first_agreement_the_page_says_how_to_start(reader):
    html = page(reader, "agreement")
    assert "No agreement is in force yet" in html
    assert "start_agreement" in html


def test_a_version_that_does_not_exist_is_not_found(reader, agreement):
    assert reader.get(reverse("agreement_version", args=[99])).status_code == 404


def test_the_masthead_names_the_terms_in_force(reader, agreement):
    assert "agreement v1, definition v1" in page(reader, "me")


def test_the_page_costs_the_same_however_many_reasons_and_versions(
    reader, agreement, people, now, django_assert_max_num_queries
):
    for _ in range(3):
        draft_version(by=people.marketing_leader, at=now)
    with django_assert_max_num_queries(20):
        page(reader, "agreement")

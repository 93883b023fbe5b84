"""The definition to read: each rule a sentence, each tier with its thresholds."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from sla import words


@pytest.fixture
def reader(people):
    client = Client()
    client.force_login(people.marketer, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def test_every_rule_of_the_definition_reads_as_a_sentence(reader, agreement):
    html = reader.get(reverse("definition")).content.decode()
    rules = list(agreement.definition.rules.all())
    assert len(rules) > 5
    for rule in rules:
        assert escape(words.rule(rule)) in html
        assert escape(rule.label) in html


def test_the_tiers_say_what_they_ask(reader, agreement):
    html = reader.get(reverse("definition_version", args=[1])).content.decode()
    assert "80 points or more, 40 of them for fit" in html
    assert "50 points or more" in html


def test_the_definition_names_the_agreements_that_use_it(reader, agreement):
    html = reader.get(reverse("definition")).content.decode()
    assert reverse("agreement_version", args=[agreement.number]) in html


def test_without_an_agreement_there_is_no_definition_in_force(reader):
    answer = reader.get(reverse("definition"))
    assert answer.status_code == 200
    assert "No definition is in force yet" in answer.content.decode()


def test_a_definition_that_does_not_exist_is_not_found(reader, agreement):
    assert reader.get(reverse("definition_version", args=[7])).status_code == 404

"""Forms that tests speak of."""

import datetime as dt

import pytest
from django.core.cache import cache

from leads.intake.forms.services.build import create_form, publish_version
from leads.intake.forms.services.submit import Sent, submit_form
from tests import form_cast

SOON = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nobody_sent_anything_yet():
    """What one test sent from this machine counts in no other."""
    cache.clear()


@pytest.fixture
def publish(people, now):
    """Makes a published form of a document: publish(document) → its FormVersion 1."""

    def make(document=form_cast.ROI, at=now - dt.timedelta(days=1), **settings):
        form = create_form(name=document["title"], by=people.marketer, at=at, document=document)
        if settings:
            type(form).objects.filter(pk=form.pk).update(**settings)
        version = publish_version(form_id=form.pk, by=people.marketer, at=at)
        version.form.refresh_from_db()
        return version

    return make


@pytest.fixture
def send(now):
    """Submits answers to a version: send(version, answers, token="t1", at=…) → the Submission."""

    def submit(version, answers=form_cast.HOT, *, token="t1", at=now, evaluate=True, **sent):
        sent = {"started_at": at - SOON} | sent
        posted = {key: value if isinstance(value, list) else [value] for key, value in answers.items()}
        return submit_form(version=version, sent=Sent(posted, token, **sent), at=at, evaluate=evaluate)

    return submit

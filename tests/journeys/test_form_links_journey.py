"""Marketing takes personal links: narrows the leads, ticks one, downloads the file, and copies one lead's link."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.intake.forms.services.build import create_form, publish_version
from leads.services.capture import take_in_lead
from tests import cast, form_cast

pytestmark = pytest.mark.journey


def test_a_marketer_takes_links_for_a_mail_and_one_for_a_lead(sign_in, page, complaints, shown):
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    people, now = cast.people(), timezone.now()
    form = create_form(name="Stops", slug="stops", by=people.marketer, at=now, document=form_cast.ROI)
    publish_version(form_id=form.pk, by=people.marketer, at=now)
    quiet = {**cast.FACTS, "source": "Fair", "title": ""}
    for name in ("Anna", "Bert"):
        take_in_lead(facts={**quiet, "email": f"{name}@corvane.example", "first_name": name}, at=now)
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/forms/stops/")
    page.get_by_role("link", name="Personal links").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 leads may get a personal link")
    shown(page, "form-links")
    page.get_by_label("Source").fill("fair")
    page.keyboard.press("Enter")
    page.get_by_label("Choose Bert").check()
    with page.expect_download() as file:
        page.get_by_role("button", name="Download as CSV").click()
    text = file.value.path().read_text()
    assert "Bert@corvane.example" in text
    assert "Anna" not in text
    page.get_by_role("link", name="Anna").click()
    link = page.get_by_label("Stops").input_value()
    shown(page, "lead-links")
    page.goto(link.replace(link.partition("/f/")[0], url))
    expect(page.get_by_label("Work e-mail")).to_have_count(0)
    assert not complaints

"""Marketing sees who is near, opens a lead, and moves the day on which it comes back."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.models import RecycleChange
from leads.services.capture import Happened, take_in_lead
from tests import cast

pytestmark = pytest.mark.journey


def test_a_marketer_sees_who_is_near_and_moves_a_day_to_come_back(sign_in, page, complaints, shown):
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    people, now = cast.people(), timezone.now()
    quiet = {**cast.FACTS, "source": "", "title": ""}
    marked = [Happened("page_viewed", now, suspected_by="scanner")]
    for n, (facts, events) in enumerate(
        (({"last_name": "Near"}, [Happened("webinar_attended", now)]), ({"employees": 3}, ()), ({}, marked))
    ):
        take_in_lead(facts={**quiet, "email": f"n{n}@corvane.example", **facts}, events=events, at=now)
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/nurture/")
    expect(page.get_by_role("heading", level=1)).to_have_text("One lead lacks ten points or fewer")
    shown(page, "nurture")
    page.get_by_role("link", name="Henrike Near").click()
    expect(page.get_by_role("heading", name="2 points missing to Standard")).to_be_visible()
    day = (now + dt.timedelta(days=40)).date()
    page.get_by_label("Day to come back").fill(day.isoformat())
    page.get_by_label("Why").fill("Budget round")
    page.keyboard.press("Enter")
    expect(page.locator("#flash")).to_contain_text(f"comes back on {day:%-d %B %Y}")
    expect(page.get_by_text("Budget round")).to_be_visible()
    assert RecycleChange.objects.get().changed_by == people.marketer
    shown(page, "nurture-lead")
    page.goto(f"{url}/nurture/?show=returns")
    expect(page.get_by_role("link", name="Henrike Near")).to_be_visible()
    page.goto(f"{url}/nurture/?show=suspected")
    shown(page, "nurture-suspected")
    assert not complaints

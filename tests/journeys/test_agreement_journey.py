"""The agreement from draft to in force in a real browser, and what the page says when somebody altered a row."""

import datetime as dt
import io
import re

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import expect
from pypdf import PdfReader

from leads.models import Handoff
from sla.models import SLAVersion
from tests import cast

pytestmark = pytest.mark.journey
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@pytest.fixture
def house():
    """Agreement v1 in force since 2022, and the people; the marketer's and both leaders' names are the cast's."""
    version = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    return version, cast.people()


def save(page, field, value):
    """Change one field of the editor and wait until its section says that it is saved."""
    section = field.split("-")[0]
    with page.expect_response(re.compile(f"/edit/{section}/")) as saved:
        page.locator(f"#{field}").fill(value)
        page.locator(f"#{field}").blur()
    assert saved.value.status == 200
    expect(page.locator(f"#said-{section}")).to_contain_text("Saved")


def sign(page, name, side):
    page.get_by_label(re.compile("I have read")).check()
    page.get_by_label(re.compile("Your name, as in")).fill(name)
    page.get_by_label("Your password").fill("correct horse battery")
    page.get_by_role("button", name=f"Sign for {side}").click()
    expect(page.locator("#flash")).to_contain_text(f"You signed agreement v2 for {side}")


def test_a_marketer_drafts_two_leaders_sign_and_the_next_lead_is_judged_by_it(
    house, sign_in, page, check_axe, complaints
):
    version, people = house
    open_under_v1 = cast.open_handoff(owner=people.rep, at=dt.datetime.now(dt.UTC))
    page.set_viewport_size(WIDE)
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/agreement/")
    page.get_by_role("button", name="Draft a version from this one").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Draft of agreement v2")
    save(page, "basics-summary", "Faster with hot leads")
    save(page, "sales-contact_hot", "15 minutes")
    expect(page.locator("#said-sales")).to_contain_text("15 minutes")
    check_axe(page)
    page.get_by_role("link", name="Read it and propose").click()
    expect(page.locator("#changes")).to_contain_text("First contact, Hot")
    expect(page.locator("#changes del").first).to_have_text("1 hour")
    expect(page.locator("#changes ins").first).to_have_text("15 minutes")
    expect(page.locator("#changes")).to_contain_text("1 open handoff stays on v1")
    page.get_by_role("button", name="Propose for signing").click()
    expect(page.locator("#proof-title")).to_have_text("Fingerprint of v2")

    sign_in(page, people.marketing_leader)
    page.goto(f"{url}/agreement/2/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("needs your signature")
    check_axe(page)
    sign(page, "Linus Leader", "marketing")
    sign_in(page, people.sales_leader)
    page.set_viewport_size(NARROW)
    page.emulate_media(color_scheme="dark")
    page.goto(f"{url}/agreement/2/")
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    sign(page, "Sara Leader", "sales")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Agreement v2 is in force")
    paper = page.request.get(f"{url}{page.get_by_role('link', name='On paper').get_attribute('href')}").body()
    printed = " ".join(" ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(paper)).pages).split())
    assert SLAVersion.objects.get(number=2).fingerprint in printed.replace(" ", "")
    assert "First contact within 15 minutes" in printed
    assert "not signed" not in printed

    following = cast.open_handoff(owner=people.rep, at=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5))
    second = SLAVersion.objects.get(number=2)
    assert following.sla_version == second
    assert Handoff.objects.get(pk=open_under_v1.pk).sla_version == version
    assert not complaints


def test_a_wrong_time_and_a_wrong_password_are_said_where_they_stand_and_nothing_is_lost(house, sign_in, page):
    _, people = house
    url = sign_in(page, people.marketing_leader)
    page.goto(f"{url}/agreement/")
    page.get_by_role("button", name="Draft a version from this one").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Draft of agreement v2")
    page.locator("#sales-contact_hot").fill("soon")
    page.locator("#sales-contact_hot").blur()
    expect(page.locator("#sales-contact_hot_error")).to_contain_text("Write a time like")
    expect(page.locator("#sales-contact_hot")).to_have_value("soon")
    save(page, "sales-contact_hot", "20 min")
    expect(page.locator("#sales-contact_hot_error")).to_be_empty()
    page.reload()
    expect(page.locator("#sales-contact_hot")).to_have_value("20 minutes")
    page.get_by_role("link", name="Read it and propose").click()
    page.get_by_role("button", name="Propose for signing").click()
    expect(page.locator("#proof-title")).to_be_visible()
    page.get_by_label(re.compile("I have read")).check()
    page.get_by_label(re.compile("Your name, as in")).fill("Linus Leader")
    page.get_by_label("Your password").fill("something else entirely")
    page.get_by_role("button", name="Sign for marketing").click()
    expect(page.locator("#acts [role=alert]")).to_contain_text("This is not your password")
    expect(page.get_by_label(re.compile("Your name, as in"))).to_have_value("Linus Leader")
    sign(page, "Linus Leader", "marketing")
    expect(page.locator("#steps")).to_contain_text("Signed by marketing")


def test_somebody_alters_a_row_and_the_page_says_so(house, sign_in, page):
    _, people = house
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")  # the owner of the tables, whom no privilege keeps from it
        cursor.execute("ALTER TABLE sla_commitment DISABLE TRIGGER USER")
        cursor.execute("UPDATE sla_commitment SET within = '2 days' WHERE kind = 'decision' AND within = '1 day'")
        cursor.execute("ALTER TABLE sla_commitment ENABLE TRIGGER USER")
        cursor.execute("RESET ROLE")
    url = sign_in(page, people.sales_leader)
    page.goto(f"{url}/agreement/1/")
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#verify-result")).to_contain_text("decision hot, within was 86400 seconds when signed")


def test_a_reason_is_added_and_another_merged_into_it(house, sign_in, page, check_axe):
    _, people = house
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/agreement/history/")
    page.get_by_role("button", name="Draft a version from v1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Draft of agreement v2")
    page.get_by_text("Add a reason").click()
    page.locator("#reason-new-category").select_option("fit")
    page.locator("#reason-new-label").fill("Supplier or competitor")
    page.locator("#reason-new-meaning").fill("Sells to the same plants.")
    page.get_by_role("button", name="Add the reason").click()
    expect(page.locator("#reason-15 summary")).to_contain_text("Supplier or competitor")
    page.locator("#reason-14 summary").click()
    page.locator("#into-14").select_option("15")
    page.get_by_role("button", name="Retire 14").click()
    expect(page.locator("#reason-14 summary")).to_contain_text("told as 15")
    check_axe(page)


def test_what_was_typed_when_the_session_ended_is_there_after_signing_in_again(house, sign_in, page):
    _, people = house
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/agreement/")
    page.get_by_role("button", name="Draft a version from this one").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Draft of agreement v2")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.locator("#basics-summary").fill("Typed while signed out")
    page.locator("#basics-summary").blur()
    expect(page.get_by_label("Password")).to_be_visible()
    sign_in(page, people.marketer)
    page.goto(f"{url}/agreement/2/edit/")
    expect(page.locator("#said-basics")).to_contain_text("Typed while signed out")
    page.reload()
    expect(page.locator("#basics-summary")).to_have_value("Typed while signed out")


def test_what_somebody_typed_is_not_sent_by_who_signs_in_after_them(house, sign_in, page):
    _, people = house
    url = sign_in(page, people.marketer)
    page.goto(f"{url}/agreement/")
    page.get_by_role("button", name="Draft a version from this one").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Draft of agreement v2")
    edit = page.url
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.locator("#basics-summary").fill("Typed by the marketer")
    page.locator("#basics-summary").blur()
    page.wait_for_url(re.compile("/account/login/"))
    sign_in(page, people.sales_leader)
    page.goto(edit)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#basics-summary")).not_to_have_value("Typed by the marketer")
    assert SLAVersion.objects.get(number=2).summary != "Typed by the marketer"

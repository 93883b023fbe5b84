"""A visitor on a phone fills a form with two conditions; within seconds the rep has lead, answers and score."""

import datetime as dt
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from leads.intake.forms.models import Form, Progress, Submission
from leads.intake.forms.public import embed
from leads.intake.forms.services.build import create_form, publish_version
from leads.models import Handoff
from tests import cast, form_cast

pytestmark = pytest.mark.journey
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def form(live_server, page):
    """The drawn form, published, without a least time: a robot fills it. Returns (page, address)."""
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=90)
    cast.agreement(at=at)
    people = cast.people()
    made = create_form(name="ROI check", by=people.marketer, at=at, document=form_cast.ROI)
    type(made).objects.update(minimum_seconds=0)
    publish_version(form_id=made.pk, by=people.marketer, at=at)
    page.set_viewport_size(PHONE)
    return page, f"{live_server.url}/f/{made.slug}/"


def fill_about_you(page):
    page.get_by_label("Work e-mail").fill("r.quintero@aldermoss.example")
    page.get_by_label("Name", exact=True).fill("Rosa Quintero Lund")
    page.get_by_label("Company", exact=True).fill("Aldermoss")
    page.get_by_label("Job title").fill("Head of Maintenance")
    page.get_by_label("People in the company").select_option(label="200–5,000")


def test_from_a_phone_to_the_rep_within_seconds(form, sign_in, shown, complaints, browser):
    page, url = form
    page.goto(f"{url}?utm_source=Demo+request")
    shown(page, "form-1")
    page.set_viewport_size(PHONE)
    fill_about_you(page)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Your plant")).to_be_focused()

    contract = page.get_by_label("When does that contract end?")
    expect(contract).to_have_count(0)
    page.get_by_label("Unplanned stops in a month").fill("12")
    page.get_by_text("Another maintenance system").click()
    expect(contract).to_be_visible()
    expect(page.get_by_label("Unplanned stops in a month")).to_have_value("12")
    page.get_by_text("In our ERP").click()
    expect(contract).to_have_count(0)
    page.get_by_text("Another maintenance system").click()
    page.get_by_text("Food").click()
    page.get_by_role("button", name="Send my answers").click()

    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    expect(page.get_by_label("Unplanned stops in a month")).to_have_value("12")
    shown(page, "form-2")
    page.set_viewport_size(PHONE)
    contract.fill("2027-03")
    page.get_by_label(form_cast.CONSENT).check()
    page.get_by_role("button", name="Send my answers").click()
    expect(page.get_by_role("heading", name="Book a call")).to_be_focused()
    shown(page, "form-3")
    assert [said for said in complaints if "422" not in said] == []

    handoff = Handoff.objects.select_related("owner").get()
    rep = browser.new_page(viewport={"width": 1440, "height": 900})
    rep.goto(f"{sign_in(rep, handoff.owner)}/inbox/")
    expect(rep.locator("#lead-name")).to_have_text("Rosa Quintero Lund")
    answers = rep.locator("section", has=rep.get_by_role("heading", name="What they answered"))
    for said in ("When does that contract end?", "2027-03", "200–5,000", "Another maintenance system"):
        expect(answers).to_contain_text(said)
    expect(rep.locator(".big-score")).to_contain_text(str(handoff.total))
    shown(rep, "form-inbox")
    rep.close()
    assert Progress.objects.get().visit == Submission.objects.get().token


def test_without_a_script_it_goes_page_by_page(form, browser):
    _, url = form
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(url)
    fill_about_you(page)
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("Another maintenance system").click()
    page.get_by_label(form_cast.CONSENT).check()
    page.get_by_role("button", name="Send my answers").click()
    expect(page.get_by_text("One of your answers opened another question.")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Company", exact=True)).to_have_value("Aldermoss")
    page.get_by_label("Job title").press("Enter")  # goes on, not back
    expect(page.get_by_label(form_cast.CONSENT)).to_be_checked()
    page.get_by_label("When does that contract end?").fill("2027-03")
    page.get_by_role("button", name="Send my answers").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Submission.objects.get().answers["contract_end"] == "2027-03"
    context.close()


# --- on other pages -----------------------------------------------------------------------------------
class OtherSite(BaseHTTPRequestHandler):
    """A page of another site, with the HTML that its server was given."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        page = f"<!doctype html><html lang=en><title>A shop</title><main><h1>A shop</h1>{self.server.html}</main>"
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def elsewhere():
    """Two other sites on this machine: (the shop, its rival), each with .html to set and .address."""
    sites = [ThreadingHTTPServer(("127.0.0.1", 0), OtherSite) for _ in range(2)]
    for site in sites:
        site.address, site.html = f"http://127.0.0.1:{site.server_port}", ""
        threading.Thread(target=site.serve_forever, daemon=True).start()
    yield sites
    for site in sites:
        site.shutdown()
        site.server_close()


@pytest.fixture
def embedded(form, live_server, settings, elsewhere):
    """The form, which the shop's pages may show. Returns (page, frame's HTML, plain form's HTML)."""
    page, _ = form
    settings.PORTAL_URL = live_server.url
    made = Form.objects.get()
    Form.objects.update(embed_hosts=[elsewhere[0].address.removeprefix("http://")])
    version = made.versions.select_related("form").current()
    return page, embed.frame_snippet(made), embed.plain_snippet(version)


def test_in_a_frame_of_a_page_on_the_list_the_form_is_filled_without_a_cookie(embedded, elsewhere):
    page, elsewhere[0].html, _ = embedded
    page.goto(elsewhere[0].address)
    frame = page.frame_locator("iframe")
    fill_about_you(frame)
    frame.get_by_role("button", name="Go on").click()
    frame.get_by_text("Excel or a whiteboard").click()
    frame.get_by_text("Food").click()
    frame.get_by_label(form_cast.CONSENT).check()
    frame.get_by_role("button", name="Send my answers").click()
    expect(frame.get_by_role("heading", name="Book a call")).to_be_visible()
    assert (Submission.objects.get().via, page.context.cookies()) == ("iframe", [])


def test_a_page_off_the_list_frames_nothing(embedded, elsewhere, complaints):
    page, elsewhere[1].html, _ = embedded
    page.goto(elsewhere[1].address)
    page.wait_for_load_state("networkidle")
    assert any("frame-ancestors" in said for said in complaints), complaints
    assert page.frame_locator("iframe").get_by_label("Work e-mail").count() == 0


@pytest.mark.parametrize(("site", "then"), [(0, "Book a call"), (1, "Please look at your answers once more")])
def test_a_plain_form_is_taken_in_from_the_list_and_looked_at_from_elsewhere(embedded, elsewhere, site, then):
    page, _, elsewhere[site].html = embedded
    page.goto(elsewhere[site].address)
    fill_about_you(page)
    page.get_by_label("Food").check()
    page.get_by_label("Excel or a whiteboard").check()
    page.get_by_label(form_cast.CONSENT).check()
    page.get_by_role("button", name="Send my answers").click()
    expect(page.get_by_text(then)).to_be_visible()
    assert Submission.objects.count() == (site == 0)

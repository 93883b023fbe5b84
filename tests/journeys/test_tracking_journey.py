"""The website's script in a real browser, on another origin's page: nothing before consent, then what is viewed."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from leads.models import Event
from leads.services.capture import capture_lead
from leads.visitors import known_at, visitor_token
from tests import cast

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
POLICY = "default-src 'none'; script-src {portal}; connect-src {portal}"


class Shop(BaseHTTPRequestHandler):
    """A page of the company's website, under a strict content policy of its own."""

    def do_GET(self):
        head = f"<head><title>Prices</title>{self.server.line}</head>"
        page = f"<!doctype html><html lang=en>{head}<main><h1>A shop</h1></main>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", POLICY.format(portal=self.server.portal))
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def shop(live_server):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.address, server.line, server.portal = f"http://127.0.0.1:{server.server_port}", "", live_server.url
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_known_lead_is_seen_on_the_website_once_they_agree_and_no_longer_when_they_do_not(
    page, shop, sign_in, live_server, settings, complaints
):
    at = timezone.now()
    settings.PORTAL_URL = live_server.url
    cast.agreement(at=at.replace(year=2022, day=1))
    people, lead = cast.people(), capture_lead(facts={"email": "n@quiet.example"}, at=at)
    portal = sign_in(page, people.admin)
    page.goto(portal + reverse("api_keys"))
    page.get_by_role("textbox", name="Name").fill("The shop")
    page.get_by_label("Origins").fill(shop.address)
    page.get_by_role("button", name="Add the website").click()
    shop.line = page.locator("article code").inner_text()
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/collect" in request.url else None)

    page.goto(known_at(f"{shop.address}/pricing?utm_source=news", visitor_token(lead.pk)))
    page.wait_for_function("window.handoff")
    assert "hv=" not in page.url
    assert (sent, Event.objects.count(), cookie(page)) == ([], 0, None)

    with page.expect_response("**/collect") as told:
        page.evaluate("handoff.consent(true)")
    assert told.value.status == 202
    event = Event.objects.get()
    assert (event.lead, event.kind, event.properties["path"]) == (lead, "page_viewed", "/pricing")
    assert (event.properties["utm_source"], event.properties["title"]) == ("news", "Prices")
    assert event.suspected_by == "crawler"  # this browser names itself headless
    assert cookie(page)["sameSite"] == "Lax"

    page.goto(f"{shop.address}/about")
    page.wait_for_function("window.handoff")
    with page.expect_response("**/collect"):
        page.evaluate("document.dispatchEvent(new CustomEvent('handoff:consent', {detail: true}))")
    with page.expect_response("**/collect"):
        page.evaluate("handoff.signedUp()")
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["page_viewed"] * 2 + ["signed_up"]

    before = len(sent)
    page.evaluate("handoff.consent(false); handoff.signedUp(); handoff.viewed()")
    assert cookie(page) is None
    page.goto(f"{shop.address}/again")
    page.wait_for_function("window.handoff")
    page.evaluate("handoff.consent(true)")
    expect(page.get_by_role("heading", name="A shop")).to_be_visible()
    assert len(sent) == before
    assert [said for said in complaints if "favicon" not in said and "404" not in said] == []


def cookie(page):
    return next((one for one in page.context.cookies() if one["name"] == "handoff_visitor"), None)

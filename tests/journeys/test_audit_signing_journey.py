"""Both leaders run last month's audit in a real browser, in parts by keyboard alone and in parts at 390 px.

From a figure to its leads, over a dispute, a sample and an action that becomes a draft, to the record both signed.
"""

import datetime as dt
import io
import random
import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pypdf import PdfReader

from leads.audit.closing import verify
from leads.audit.models import ActionRevision, Closing, Coding
from leads.figures import Month
from leads.models import Ruling
from sla.models import ReasonCode
from tests import cast
from tests.history import scored, write

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
PASSWORD = "correct horse battery"
PARTS = ("fix", "trend", "speed", "disputes", "score", "actions", "quality", "signoff")
pytestmark = pytest.mark.journey


@pytest.fixture
def month():
    """Last month: the dispute of one of its rejections needs a window that is still open."""
    return Month.of(timezone.now(), timezone.get_default_timezone()).plus(-1)


@pytest.fixture
def people(month):
    """Last month a rule carried most of the 90 leads that sales rejected for it, and few of the 60 accepted."""
    version = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC), dispute_within=90 * DAY)
    found, chance = cast.people(), random.Random(4)
    misled = ReasonCode.objects.get(version=version, code="41")
    carried = version.definition.rules.filter(axis="behaviour", points__gt=0).order_by("-points").first().key
    zone = timezone.get_default_timezone()

    def cases(start, rejected, accepted):
        came = start + 9 * DAY
        said = {
            "qualified_at": came, "first_touch_at": came + HOUR, "decided_at": came + 2 * DAY,
            "contact_due_at": came + DAY, "decision_due_at": came + 5 * DAY, "is_historical": False,
            "owner": found.rep, "decided_by": found.rep, "source": "Webinar", "detail": {"via": "page"},
        }  # fmt: skip
        yield from (scored(version, chance, carried, reason=misled, **said) for _ in range(rejected))
        yield from (scored(version, chance, **said) for _ in range(accepted))

    write(version, [*cases(month.plus(-1).begins(zone), 12, 30), *cases(month.begins(zone), 90, 60)])
    return found


def opened(page, url, month, query=""):
    page.goto(f"{url}/audit/{month}/{query}")
    for part in PARTS:
        expect(page.locator(f"#{part}-title")).to_be_visible()


def tab_to(page, target):
    """Move by the keyboard alone until `target` has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("one => one === document.activeElement"):
            return
    pytest.fail("the keyboard does not get there")


def drill_and_dispute_by_keyboard(page):
    """From the number of rejections to the leads beside the page, to the first of them, to its dispute."""
    rejected = page.locator("#result ~ div dl.stats a.figure").nth(2)
    assert rejected.inner_text() == "90"
    rejected.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drill h2")).to_have_text("90 leads")
    expect(page.locator("#drill h2")).to_be_focused()
    tab_to(page, page.locator("#drill tbody a").first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is this rejection wrong?")).to_be_visible()
    page.locator("#main").focus()
    tab_to(page, page.get_by_label("Why the rejection is wrong"))
    page.keyboard.type("They asked for an offer on the phone.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#dispute")).to_contain_text("Waits for a ruling")


def overturn_at_390(page, url, sign_in, manager, check_axe):
    sign_in(page, manager)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{url}/disputes/")
    check_axe(page)
    page.get_by_label("Your word on it").fill("They did ask.")
    page.get_by_role("button", name="Overturn, reopen the lead").click()
    expect(page.get_by_text("Overturned: open again")).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 900})


def draw_and_code_one(page, url, month):
    opened(page, url, month)
    page.get_by_role("button", name="Draw a sample of 50").click()
    expect(page.locator("#quality")).to_contain_text("0 of 50 sampled rejections coded")
    page.get_by_role("link", name="Code 50 leads").click()
    expect(page.locator("#coder")).to_contain_text("you do not see why")
    expect(page.locator("#coder")).not_to_contain_text("Rena Rep")
    page.keyboard.press("4")
    expect(page.locator("input[name=reason][value='40']")).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("#coder")).to_contain_text("1 of 50 coded, 1 of them by you")


def draft_and_decide(page, url, month, owner):
    """One click drafts the proposed change; the action that is decided names that draft."""
    opened(page, url, month)
    page.get_by_role("button", name="Draft the definition with this change").first.click()
    expect(page).to_have_url(re.compile(r"/definition/\d+/edit/"))
    opened(page, url, month)
    page.get_by_role("link", name="Add an action").click()
    form = page.locator("#action-form")
    form.get_by_label("What is done").fill("Send fewer of those who only read")
    form.get_by_label("Owner").select_option(label=owner.name)
    form.get_by_label("Due").fill((timezone.localdate() + 20 * DAY).isoformat())
    form.get_by_label("Expected effect").fill("5")
    form.get_by_label("Draft definition").select_option(index=1)
    form.get_by_role("button", name="Add the action").click()
    expect(page.locator("#actions tbody")).to_contain_text("Send fewer of those who only read")
    expect(page.locator("#actions tbody")).to_contain_text("Definition v2")


def close_and_sign_by_keyboard(page, url, month):
    """For marketing, without a mouse."""
    opened(page, url, month)
    page.get_by_role("button", name=re.compile("^Close ")).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#signoff-title")).to_contain_text("marketing has not signed; sales has not signed")
    page.get_by_label("Your password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#signoff")).to_contain_text("sales has not signed")
    expect(page.locator("#signoff .signature-name").first).to_have_text("Linus Leader")


def sign_at_390(page, url, month):
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, url, month)
    page.get_by_label("Your password").fill("not this one")
    page.get_by_role("button", name="Sign for sales").click()
    expect(page.locator("#signoff [role=alert]")).to_be_focused()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Sign for sales").click()
    expect(page.locator("#signoff-title")).to_have_text("Closed and signed by both sides")
    page.set_viewport_size({"width": 1440, "height": 900})


def printed(page):
    """The text of the page as the browser prints it."""
    page.emulate_media(media="print", color_scheme="light")
    paper = page.pdf(prefer_css_page_size=True)
    page.emulate_media(media="screen")
    return " ".join(" ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(paper)).pages).split())


def test_both_leaders_run_an_audit_from_opening_to_signature(
    people, month, page, sign_in, shown, check_axe, complaints
):
    url = sign_in(page, people.marketing_leader)
    opened(page, url, month)
    shown(page, "audit-opened")
    expect(page.locator("#result h1")).to_contain_text("against 150 MQLs: 40.0%")
    drill_and_dispute_by_keyboard(page)
    overturn_at_390(page, url, sign_in, people.manager, check_axe)
    assert Ruling.objects.get().outcome == Ruling.Outcome.OVERTURNED
    sign_in(page, people.marketing_leader)
    draw_and_code_one(page, url, month)
    assert Coding.objects.get().coded_by == people.marketing_leader
    draft_and_decide(page, url, month, people.marketer)
    close_and_sign_by_keyboard(page, url, month)
    sign_in(page, people.sales_leader)
    assert complaints == []
    sign_at_390(page, url, month)
    complaints.clear()  # the refused password was answered with 422, and the browser says so

    closing = Closing.objects.get()
    assert (closing.is_signed, verify()) == (True, None)
    assert ActionRevision.objects.get().definition.number == 2
    opened(page, url, month)
    expect(page.locator("#closed")).to_contain_text("signed by both sides: every number, chart and table below")
    expect(page.locator("#signoff .fingerprint")).to_have_text(closing.fingerprint)
    expect(page.locator("#result ~ div dl.stats a.figure").nth(2)).to_have_text("89")
    for gone in ("Draw a sample of 50", "Draft the definition with this change", "Add an action"):
        expect(page.get_by_text(gone)).to_have_count(0)
    shown(page, "audit-closed")
    said = printed(page)
    assert page.locator("#result h1").inner_text().split(":")[0] in said
    assert closing.fingerprint in said.replace(" ", "")
    for other in ("On this page", "Inbox", "Conversion review", "Skip to content", "CSV"):
        assert other not in said, f"navigation on paper: {other}"
    assert complaints == []

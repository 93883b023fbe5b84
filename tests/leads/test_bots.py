"""Bot rules: a table of user agents and paces; what is suspected is kept and gives no points."""

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some

from leads import bots
from leads.bots import CLICKED, MAILED, VIEWED, Seen, Signals, suspect
from leads.models import Event
from portal.keys.scopes import EVENTS_WRITE, LEADS_WRITE
from tests import cast
from tests.api import Program

AT = dt.datetime(2026, 10, 15, 8, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "rule"),
    [
        (CHROME, ""),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1", ""),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", ""),
        ("Mozilla/5.0 (Linux; Android 14; Cubot P80) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", ""),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/130.0.0.0 Safari/537.36", "crawler"),
        ("curl/8.5.0", "crawler"), ("python-requests/2.32", "crawler"), ("facebookexternalhit/1.1", "crawler"),
        ("Mozilla/5.0 (compatible; BarracudaCentral)", "scanner"),
        ("Microsoft Office Existence Discovery", "scanner"),
        ("Mozilla/5.0 (Windows NT 10.0) Mimecast-URL-Protect", "scanner"),
    ],
)  # fmt: skip
def test_who_names_itself_a_machine_is_one(agent, rule):
    assert bots.by_agent(Signals(agent, browser=True)) == rule


def test_a_browser_without_a_name_and_a_page_that_was_fetched_ahead_are_suspected():
    assert bots.by_agent(Signals("", browser=True)) == "no_browser"
    assert bots.by_agent(Signals("")) == ""  # a program need not know
    assert bots.by_agent(Signals(CHROME, prefetch=True)) == "prefetch"


def test_a_click_within_seconds_of_the_mail_is_a_scanners():
    mail = Seen(MAILED, AT)
    for after, rule in ((0, "click_too_soon"), (9, "click_too_soon"), (10, ""), (3600, "")):
        click = Seen(CLICKED, AT + after * SECOND, "/a")
        assert suspect(click, Signals(), [mail, click]) == rule


def test_three_links_at_once_are_a_scanners_and_one_link_thrice_is_a_nervous_finger():
    links = [Seen(CLICKED, AT + n * SECOND, f"/{n}") for n in range(3)]
    assert {suspect(one, Signals(), links) for one in links} == {"links_at_once"}
    again = [Seen(CLICKED, AT, "/a")] * 5
    assert suspect(again[0], Signals(), again) == ""


def test_nobody_reads_fifteen_pages_in_ten_seconds():
    pages = [Seen(VIEWED, AT + n * SECOND / 2, f"/{n}") for n in range(15)]
    assert suspect(pages[7], Signals(), pages) == "too_fast"
    assert suspect(pages[7], Signals(), pages[:14]) == ""


@given(some.text(max_size=300), some.booleans(), some.booleans())
def test_whatever_names_itself_breaks_one_known_rule_or_none(agent, prefetch, browser):
    assert bots.by_agent(Signals(agent, prefetch, browser)) in {"", *bots.RULES}


def test_the_documented_table_is_the_one_of_the_code():
    text = (Path(settings.BASE_DIR) / "docs" / "tracking.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE)) == bots.RULES


# --- at the doors -------------------------------------------------------------------------------------
@pytest.fixture
def crm(agreement, people):
    return Program(people.marketer, LEADS_WRITE, EVENTS_WRITE)


NEAR = {**cast.FACTS, "email": "n@corvane.example", "source": "", "title": ""}  # one event away from a tier


def test_a_crawlers_event_is_kept_marked_and_gives_no_points(crm):
    crm.post("leads", NEAR)
    who = {"email": NEAR["email"]}
    crm.post("events", {"lead": who, "kind": "roi_completed", "user_agent": "Googlebot/2.1"})
    assert (crm.said["new_events"], crm.said["outcome"], Event.objects.get().suspected_by) == (1, "later", "crawler")
    crm.post("events:batch", {"events": [{"lead": who, "kind": "roi_completed", "prefetch": True}]})
    assert Event.objects.last().suspected_by == "prefetch"
    crm.post("events", {"lead": who, "kind": "roi_completed", "user_agent": CHROME})
    assert crm.said["outcome"] == "handed_over"


def test_a_scanner_is_known_by_its_pace_over_several_requests(crm):
    crm.post("leads", NEAR)
    now, who = timezone.now() - dt.timedelta(hours=1), {"email": NEAR["email"]}
    told = [("email_sent", 0, "m"), ("email_clicked", 4, "/a"), ("email_clicked", 3000, "/a")]
    for kind, after, link in told:
        crm.post("events", {"lead": who, "kind": kind, "occurred_at": (now + after * SECOND).isoformat(),
                            "properties": {"link": link}})  # fmt: skip
    marks = Event.objects.order_by("pk").values_list("suspected_by", flat=True)
    assert list(marks) == ["", "click_too_soon", ""]


def test_a_new_lead_of_whom_only_a_robot_tells_is_kept_and_not_judged(crm):
    hot = {**cast.FACTS, "email": "a@corvane.example"}
    crm.post("leads", {**hot, "events": [{"kind": "page_viewed", "user_agent": "Googlebot/2.1"}]})
    assert (crm.said["outcome"], crm.said["handoff"]) == ("suspected", None)

"""Bot rules: which events nobody did, or nobody may have done; pure.

A suspected event is kept with the rule's id in `suspected_by` and gives no points. The first rule that fits marks it.
Events are only added, never changed, so that a rule that needs several looks at those that came before and those of
the same request; what was told before them stays as it was.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

VIEWED, CLICKED, MAILED = "page_viewed", "email_clicked", "email_sent"
SECOND = dt.timedelta(seconds=1)
REACH = 60 * SECOND  # how far around an event the rules look
SOON, MANY_LINKS, AT_ONCE = 10 * SECOND, 3, 3 * SECOND
MANY_PAGES, WHILE = 15, 10 * SECOND

SCANNERS = re.compile(
    r"barracuda|proofpoint|mimecast|forcepoint|messagelabs|symantec|safelinks|existence discovery|trendmicro|cloudmark"
    r"|fireeye|trellix|sophos|zscaler|ironport|googleimageproxy|yahoomailproxy|mailscanner|avanan|urldefense",
    re.IGNORECASE,
)
CRAWLERS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|headless|phantomjs|selenium|puppeteer|playwright|curl/|wget/|python|java/|okhttp"
    r"|go-http|libwww|perl|ruby|axios|node-fetch|scrapy|httpclient|facebookexternalhit|preview|monitor|lighthouse"
    r"|uptime|pingdom|archiver|validator",
    re.IGNORECASE,
)

UNPROVEN = "unproven"
# the one table: id, what it marks; docs/tracking.md repeats it and a test compares
RULES = {
    "scanner": "The program that asked names itself a mail security scanner.",
    "crawler": "It names itself a crawler, a monitor or a script.",
    "no_browser": "A browser told of it that does not name itself at all.",
    "prefetch": "The page was fetched or rendered ahead: nobody may have seen it.",
    "click_too_soon": "A link of a mail was followed within 10 seconds of its sending.",
    "links_at_once": "Three different links of a mail were followed within 3 seconds.",
    "too_fast": "15 pages were viewed within 10 seconds.",
    UNPROVEN: "It is told of by who typed the address of a lead that was known: nobody can say whether it is them.",
}


class Signals(NamedTuple):
    """What a request tells of who asked. browser: it came from a page, where every real browser names itself."""

    user_agent: str = ""
    prefetch: bool = False
    browser: bool = False


class Seen(NamedTuple):
    """An event as the rules look at it; `what` tells apart: the page viewed, the link clicked."""

    kind: str
    at: dt.datetime
    what: str = ""


def suspect(event: Seen, signals: Signals, around: Sequence[Seen]) -> str:
    """The id of the first rule that marks the event, or "". around: the lead's events within REACH, itself too."""
    return by_agent(signals) or by_speed(event, around)


def by_agent(signals):
    """The rule that who asked breaks, or ""."""
    if SCANNERS.search(signals.user_agent):
        return "scanner"
    if CRAWLERS.search(signals.user_agent):
        return "crawler"
    if signals.browser and not signals.user_agent.strip():
        return "no_browser"
    return "prefetch" if signals.prefetch else ""


def by_speed(event, around):
    """The rule that the pace breaks, or ""."""
    if event.kind == CLICKED:
        if any(one.kind == MAILED and dt.timedelta(0) <= event.at - one.at < SOON for one in around):
            return "click_too_soon"
        if len({one.what for one in _near(event, around, AT_ONCE)}) >= MANY_LINKS:
            return "links_at_once"
    if event.kind == VIEWED and len(_near(event, around, WHILE)) >= MANY_PAGES:
        return "too_fast"
    return ""


def _near(event, around, reach):
    """The events of the same kind less than `reach` away."""
    return [one for one in around if one.kind == event.kind and abs(one.at - event.at) < reach]

"""Visits that a website's pages tell of: from its own origins, of the visitor whom a signed token names."""

import datetime as dt
import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from leads.bots import UNPROVEN
from leads.intake.forms.services.build import create_form, publish_version
from leads.intake.forms.services.submit import Sent, submit_form
from leads.models import Event, Lead
from leads.services.capture import capture_lead
from leads.services.evaluate import evaluate_due
from leads.services.privacy.erase import erase_person
from leads.visitors import known_at, lead_of, sender_token, visitor_token
from portal.keys.models import KeyAct, Website
from portal.keys.services import OriginInvalid, add_website, revoke_website
from tests import cast, form_cast
from tests.api import Program
from tests.form_cast import HOT

HOME = "https://www.tarnwick.example"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
NEAR = {**cast.FACTS, "email": "n@corvane.example", "source": "", "title": ""}


@pytest.fixture
def site(people, now):
    return add_website(name="Tarnwick", origins=f"{HOME}\nhttps://shop.tarnwick.example", by=people.admin, at=now)


@pytest.fixture
def lead(agreement, now):
    return capture_lead(facts=NEAR, at=now)


def visit(n=1, **more):
    return {"kind": "page_viewed", "id": f"visit-{n:04}", "path": "/pricing", **more}


def send(site, token, *visits, origin=HOME, agent=AGENT, client=None, **more):
    body = {"site": site.key, "visitor": token, "events": list(visits or [visit()])} | more
    headers = {"User-Agent": agent} | ({"Origin": origin} if origin else {})
    return (client or Client()).post(
        "/api/v1/collect", json.dumps(body), content_type="application/json", headers=headers
    )


def code(answer):
    return answer.status_code, answer.json()["code"]


def test_a_visit_is_the_event_of_the_lead_whom_the_token_names(site, lead):
    answer = send(site, visitor_token(lead.pk), visit(utm={"utm_source": "news"}, referrer="news.example"))
    event = Event.objects.get()
    assert (answer.status_code, answer.json(), event.lead) == (202, {"new_events": 1}, lead)
    assert event.properties == {"path": "/pricing", "utm_source": "news", "referrer": "news.example"}
    assert (event.suspected_by, event.origin) == ("", f"web/{site.pk}")
    assert (answer["Access-Control-Allow-Origin"], answer["Vary"]) == (HOME, "Origin")
    lead.refresh_from_db()
    assert lead.evaluate_from is not None
    assert evaluate_due(at=timezone.now()) == {"nurture": 1}


def test_the_same_visit_told_twice_is_one_and_another_leads_ids_are_not_in_the_way(site, lead, now):
    other = capture_lead(facts={"email": "b@quiet.example"}, at=now)
    for who in (lead, other, lead):
        send(site, visitor_token(who.pk))
    assert Event.objects.count() == 2


def test_nobody_writes_another_leads_events_by_guessing_ids(site, lead, now):
    other, mine = capture_lead(facts={"email": "b@quiet.example"}, at=now), visitor_token(lead.pk)
    rest = mine.partition(":")[2]
    for token in (str(other.pk), f"{other.pk}:{rest}", f"{other.pk}:", rest, mine[:-1], "x", f"0{mine}", f"+{mine}"):
        assert code(send(site, token)) == (422, "visitor_unknown"), token
    assert not Event.objects.exists()


@pytest.mark.parametrize("was_known", [False, True])
def test_visits_of_who_typed_an_address_are_suspected_where_it_was_known_and_nobody_is_told(
    site, agreement, people, now, was_known
):
    at = timezone.now()
    if was_known:
        capture_lead(facts={"email": HOT["email"]}, at=at - dt.timedelta(days=1))
    form = create_form(name="F", by=people.marketer, at=at, document=form_cast.ROI)
    version = publish_version(form_id=form.pk, by=people.marketer, at=at)
    posted = {key: [value] for key, value in HOT.items()}
    sent = submit_form(version=version, sent=Sent(posted, "t", started_at=at - dt.timedelta(minutes=1)), at=at)
    answers = [send(site, sender_token(sent.pk), visit(n)) for n in (1, 1, 2)]
    assert [(one.status_code, one.json()["new_events"]) for one in answers] == [(202, 1), (202, 0), (202, 1)]
    kept = Event.objects.filter(kind="page_viewed", lead=sent.lead).values_list("suspected_by", flat=True)
    assert {*kept} == {UNPROVEN if was_known else ""}
    assert code(send(site, sender_token(10**15))) == (422, "visitor_unknown")


def test_a_token_that_names_nobody_any_more_is_refused(site, agreement, lead, people, now):
    assert code(send(site, visitor_token(10**15))) == (422, "visitor_unknown")
    erase_person(lead_id=lead.pk, by=people.admin, at=now)
    assert code(send(site, visitor_token(lead.pk))) == (422, "visitor_unknown")


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", f"{HOME}.evil.example", f"{HOME}:8443",
                                    HOME.replace("https", "http"), HOME.upper(), ""])  # fmt: skip
def test_pages_of_other_origins_are_refused_and_no_browser_lets_them_read_why(site, lead, origin):
    answer = send(site, visitor_token(lead.pk), origin=origin)
    assert code(answer) == (403, "origin_refused")
    assert not answer.has_header("Access-Control-Allow-Origin")
    assert not Event.objects.exists()


def test_a_revoked_website_and_an_unknown_key_are_refused(site, lead, people, now):
    revoke_website(website_id=site.pk, by=people.admin, at=now)
    assert code(send(site, visitor_token(lead.pk))) == (403, "origin_refused")
    site.key = "site_unknown"
    assert code(send(site, visitor_token(lead.pk))) == (403, "origin_refused")


def test_a_browser_that_asks_first_is_told_for_the_websites_origins_only(site):
    asked = Client().options("/api/v1/collect", headers={"Origin": HOME, "Access-Control-Request-Method": "POST"})
    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, HOME)
    assert (asked["Access-Control-Allow-Methods"], asked["Access-Control-Allow-Headers"]) == ("POST", "Content-Type")
    for origin in ("https://evil.example", "null", "", "a\0b"):
        asked = Client().options("/api/v1/collect", headers={"Origin": origin})
        assert asked.status_code == 403
        assert not asked.has_header("Access-Control-Allow-Origin")


def test_no_other_door_of_the_api_is_open_to_pages(site, people, agreement):
    answer = Program(people.marketer).get("agreement", Origin=HOME)
    assert not answer.has_header("Access-Control-Allow-Origin")
    assert Client().options("/api/v1/agreement", headers={"Origin": HOME}).status_code == 405


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "roi_completed"}, {"kind": "form_submitted"}, {"suspected_by": ""}, {"lead": 1}, {"id": "short"},
        {"occurred_at": "2020-01-01T00:00:00Z"}, {"utm": {"x": "y"}}, {"path": "x" * 501}, {"title": "a\0b"},
    ],
)  # fmt: skip
def test_a_page_tells_of_nothing_but_visits_and_sign_ups(site, lead, wrong):
    assert code(send(site, visitor_token(lead.pk), visit() | wrong)) == (422, "invalid")


def test_a_body_is_small(site, lead):
    token = visitor_token(lead.pk)
    assert code(send(site, token, *[visit(n) for n in range(11)])) == (422, "invalid")
    assert send(site, token, pad="x" * 17_000).status_code == 413


def test_robots_and_pages_fetched_ahead_are_kept_marked_and_lift_nobody(site, lead):
    token = visitor_token(lead.pk)
    send(site, token, visit(1), agent="Googlebot/2.1")
    send(site, token, visit(2), agent="")
    ahead = {"Origin": HOME, "User-Agent": AGENT, "Sec-Purpose": "prefetch;prerender"}
    body = {"site": site.key, "visitor": token, "events": [visit(3)]}
    Client().post("/api/v1/collect", json.dumps(body), content_type="application/json", headers=ahead)
    marks = Event.objects.order_by("pk").values_list("suspected_by", flat=True)
    assert list(marks) == ["crawler", "no_browser", "prefetch"]
    assert evaluate_due(at=timezone.now()) == {}


def test_who_views_faster_than_anybody_reads_is_suspected_from_then_on(site, lead):
    token = visitor_token(lead.pk)
    send(site, token, *[visit(n) for n in range(10)])
    send(site, token, *[visit(n) for n in range(10, 16)])
    assert Event.objects.filter(suspected_by="too_fast").count() == 6


def test_a_visitor_who_tells_too_much_waits(site, lead, settings):
    settings.COLLECT_A_MINUTE_AND_ADDRESS = 3
    answers = [send(site, visitor_token(lead.pk), visit(n)) for n in range(8)]  # a minute may begin in between
    assert code(answers[-1]) == (429, "too_many_requests")
    assert (int(answers[-1]["Retry-After"]) > 0, answers[-1]["Access-Control-Allow-Origin"]) == (True, HOME)


def test_a_session_changes_nothing(site, lead, people):
    client = Client()
    client.force_login(people.admin)
    assert send(site, "x", client=client).status_code == 422
    assert send(site, visitor_token(lead.pk), origin="https://evil.example", client=client).status_code == 403


def test_a_forms_thank_you_elsewhere_says_who_came(lead):
    for address in ("https://x.example/a", "https://x.example/a?b=c#d"):
        token = known_at(address, visitor_token(lead.pk)).partition("hv=")[2].partition("#")[0]
        assert lead_of(token) == lead.pk
    assert known_at("https://x.example/a?b=c#d", visitor_token(lead.pk)).startswith("https://x.example/a?b=c&hv=")


# --- the page -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "origins",
    ["", "x", "https://*.tarnwick.example", "https://a.example/path", "https://me@a.example", "ftp://a.example",
     "https://a.example?x", "https://a.example:port", "https://bücher.example", "javascript:alert(1)", "null",
     "\n".join(f"https://a{n}.example" for n in range(21))],
)  # fmt: skip
def test_an_origin_is_a_scheme_and_a_name(people, now, origins):
    with pytest.raises(OriginInvalid):
        add_website(name="X", origins=origins, by=people.admin, at=now)


def test_origins_are_kept_as_browsers_write_them(people, now):
    told = "https://WWW.a.example/ https://a.example:443\nhttp://localhost:8080"
    site = add_website(name="X", origins=told, by=people.admin, at=now)
    assert site.origins == ["https://www.a.example", "https://a.example", "http://localhost:8080"]


def test_the_page_adds_a_website_shows_its_line_and_revokes_it(client, people, settings):
    settings.PORTAL_URL = "https://handoff.example"
    client.force_login(people.admin)
    client.post(reverse("api_key_website_add"), {"name": "Tarnwick", "origins": HOME})
    site = Website.objects.get()
    page = client.get(reverse("api_keys")).content.decode()
    assert (
        f"src=&quot;https://handoff.example/static/js/track.js&quot; data-site=&quot;{site.key}&quot;"
        in page.replace('"', "&quot;")
    )
    client.post(reverse("api_key_website_revoke", args=[site.pk]))
    assert Website.objects.get().revoked_by == people.admin
    assert list(KeyAct.objects.values_list("act", flat=True)) == ["revoked", "made"]
    wrong = client.post(reverse("api_key_website_add"), {"name": "X", "origins": "<script>"})
    assert wrong.status_code == 422
    assert "<script>" not in wrong.content.decode().partition("<main")[2]
    assert Lead.objects.count() == 0

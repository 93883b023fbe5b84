"""What every page is made of: answers to htmx, times and numbers in words, the frame, error pages."""

import datetime as dt
from types import SimpleNamespace
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.template.loader import render_to_string
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from portal.shared import errors, htmx, text, time
from portal.shared.middleware import HtmxAnswers

BERLIN = ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2025, 11, 6, 10, 42, tzinfo=BERLIN)
HTMX = {"HTTP_HX_REQUEST": "true"}


def asked(path="/", method="get", **headers):
    request = getattr(RequestFactory(), method)(path, **headers)
    request.htmx, request.user = HtmxDetails(request), AnonymousUser()
    return request


def page(**kwargs):
    return htmx.answer(asked(**kwargs), "shared/toast.html", {"toast": {"title": "Accepted."}}, part="toast")


def rendered(source, **context):
    return engines["django"].from_string(source).render(context)


def parsed(drawing):
    return ElementTree.fromstring(str(drawing))


# --- answers ----------------------------------------------------------------------------------------


def test_a_plain_visit_gets_the_page_and_htmx_its_part():
    assert 'id="toasts"' in page().text
    assert 'id="toasts"' not in page(**HTMX).text
    assert "Accepted." in page(**HTMX).text


@pytest.mark.parametrize("header", ["HTTP_HX_BOOSTED", "HTTP_HX_HISTORY_RESTORE_REQUEST"])
def test_a_boosted_link_and_back_get_the_whole_page(header):
    assert 'id="toasts"' in page(**HTMX, **{header: "true"}).text


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_browser_never_takes_a_cached_part_for_the_page(headers):
    assert "HX-Request" in page(**headers)["Vary"]


def test_further_parts_come_along_out_of_band_for_htmx_alone():
    def act(**headers):
        context = {"toast": {"title": "Accepted."}}
        return htmx.answer(
            asked(**headers),
            "shared/offline.html",
            context,
            part="shared/toast.html#toast",
            also=["shared/toast.html#toast"],
        )

    assert act(**HTMX).text.count("Accepted.") == 2
    assert "Accepted." not in act().text


@pytest.mark.parametrize(("helper", "status"), [(htmx.invalid, 422), (htmx.overtaken, 409)])
def test_a_refusal_has_its_status_with_and_without_htmx(helper, status):
    for headers in ({}, HTMX):
        assert helper(asked(**headers), "shared/toast.html", part="toast").status_code == status


def test_leaving_for_another_page_leaves_it_even_inside_htmx():
    assert htmx.go(asked(), "/inbox/").status_code == 302
    response = htmx.go(asked(**HTMX), "/inbox/")
    assert (response.status_code, response["HX-Redirect"]) == (200, "/inbox/")


def test_the_last_poll_ends_the_polling():
    assert htmx.finished(asked(**HTMX), "shared/toast.html", part="toast").status_code == 286
    assert htmx.finished(asked(), "shared/toast.html", part="toast").status_code == 200


def test_a_lost_sign_in_brings_the_person_back_to_the_page_they_saw(settings):
    settings.LOGIN_URL = "/account/login/"
    through = HtmxAnswers(lambda request: redirect("/account/login/?next=/inbox/clocks/"))
    response = through(asked("/inbox/clocks/", **HTMX, HTTP_HX_CURRENT_URL="http://testserver/inbox/7/"))
    assert response["HX-Redirect"] == "/account/login/?next=/inbox/7/"
    assert through(asked("/inbox/clocks/")).status_code == 302


def test_an_error_never_becomes_the_address_of_the_page():
    for status, kept in ((404, "false"), (422, "false"), (200, None)):
        through = HtmxAnswers(lambda request, status=status: HttpResponse(status=status))
        assert through(asked(**HTMX)).get("HX-Push-Url") == kept


# --- error pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template", ["400.html", "403.html", "403_csrf.html", "404.html", "429.html", "429_large.html", "500.html"]
)
def test_every_error_page_stands_without_context_and_says_what_happened_to_the_data(template):
    html = render_to_string(template)
    assert html.count('id="error"') == html.count("<h1") == 1
    assert any(words in html for words in ("Nothing was changed", "nothing was saved", "was not saved"))
    assert " style=" not in html
    assert "<script>" not in html


def test_a_refusal_says_its_sentence_on_the_page():
    assert "Only reps accept leads." in render_to_string("403.html", {"exception": "Only reps accept leads."})


def test_a_fault_of_ours_names_the_number_under_which_it_is_logged():
    import structlog

    with structlog.contextvars.bound_contextvars(request_id="7f3a"):
        response = errors.server_error(asked())
    assert response.status_code == 500
    assert "7f3a" in response.text


# --- times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(9, "9 min left"), (-6, "6 min over"), (0, "due now"), (60, "1 h left"), (143, "2 h 23 min left"),
     (-72, "1 h 12 min over"), (0.5, "1 min left"), (-0.5, "1 min over"),
     (26 * 60 + 10, "26 h left"), (4 * 1440 + 60, "4 days left")],
)  # fmt: skip
def test_what_is_left_of_a_clock(minutes, words):
    assert time.left(NOW + dt.timedelta(minutes=minutes), NOW) == words


@pytest.mark.parametrize(
    ("due", "words"),
    [("2025-11-06T10:51", "9 min left"), ("2025-11-06T10:36", "6 min over"), ("2025-11-06T13:05", "2 h 23 min"),
     ("2025-11-07T09:15", "Fri 09:15"), ("2025-11-14T09:15", "14 Nov"), ("2026-01-05T09:15", "5 Jan 2026")],
)  # fmt: skip
def test_the_chip_of_a_clock(due, words):
    assert time.due_chip(dt.datetime.fromisoformat(due).replace(tzinfo=BERLIN), NOW, BERLIN) == words


@pytest.mark.parametrize(
    ("when", "words"),
    [("2025-11-06T09:51", "Today 09:51"), ("2025-11-05T17:02", "Yesterday 17:02"),
     ("2025-11-07T09:15", "Tomorrow 09:15"), ("2025-11-10T11:30", "Mon 11:30"), ("2025-11-02T11:24", "2 Nov 11:24"),
     ("2024-11-05T11:24", "5 Nov 2024 11:24")],
)  # fmt: skip
def test_a_moment_is_told_by_its_distance(when, words):
    assert time.moment(dt.datetime.fromisoformat(when).replace(tzinfo=BERLIN), NOW, BERLIN) == words


def test_a_moment_is_told_in_the_organisations_zone():
    late = dt.datetime(2025, 11, 6, 23, 30, tzinfo=dt.UTC)  # already Friday in Berlin
    assert time.moment(late, NOW, BERLIN) == "Tomorrow 00:30"
    assert time.full(late, BERLIN) == "Friday 7 November 2025, 00:30"
    assert time.full(dt.date(2025, 11, 6), BERLIN) == "Thursday 6 November 2025"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "just now"), (9, "9 min ago"), (125, "2 h ago"), (1500, "1 day ago"), (5800, "4 days ago"), (-9, "in 9 min")],
)
def test_how_long_since(minutes, words):
    assert time.ago(NOW - dt.timedelta(minutes=minutes), NOW) == words


def test_days_and_months():
    assert time.day(dt.date(2024, 11, 5), NOW, BERLIN) == "5 Nov 2024"
    assert time.month(dt.date(2025, 10, 1)) == "October 2025"


# --- numbers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (11, "+11"),
        (-3, "−3"),
        (0, "0"),
        (-2.1, "−2.1"),
        (0.04, "0.0"),
        (-0.04, "0.0"),
        (1234, "+1,234"),
        (2.25, "+2.3"),
    ],
)
def test_a_change_carries_its_sign_and_nothing_has_none(number, words):
    assert text.signed(number) == words


def test_rates_and_ranges_in_words():
    assert text.percent(118 / 612) == "19.3%"
    assert text.interval(0.164, 0.226) == "16.4–22.6"
    assert text.interval(-0.059, -0.018) == "−5.9 to −1.8"
    assert text.points(-0.038) == "−3.8 points"
    assert [text.in_words(n) for n in (0, 7, 12, 13)] == ["none", "seven", "twelve", "13"]


def test_a_rate_over_few_leads_is_shown_faint_and_one_over_none_as_a_dash():
    shown = "{% rate value low high n %}"
    sure = rendered(shown, value=0.193, low=0.164, high=0.226, n=612)
    assert sure == '<span class="rate"><b>19.3%</b> <span class="ci">(16.4–22.6)</span></span>'
    assert "is-few" not in rendered(shown, value=0.2, low=0.1, high=0.3, n=40)
    assert "is-few" in rendered(shown, value=0.2, low=0.1, high=0.3, n=39)
    assert "no rate" in rendered(shown, value=None, low=0, high=1, n=0)


def test_tags_put_times_into_the_organisations_zone():
    moment = dt.datetime(2025, 11, 6, 8, 51, tzinfo=dt.UTC)
    assert rendered("{{ m|local:now }}", m=moment, now=NOW) == "Today 09:51"
    assert rendered("by {{ m|local_in_text:now }}", m=moment, now=NOW) == "by today 09:51"
    assert (
        rendered("{{ m|clock }} {{ m|day:now }} {{ m|full }}", m=moment, now=NOW)
        == "09:51 6 Nov Thursday 6 November 2025, 09:51"
    )
    assert 'datetime="2025-11-06T08:51:00+00:00"' in rendered("{% when m now %}", m=moment, now=NOW)


def test_an_icon_is_hidden_unless_it_is_named():
    assert 'aria-hidden="true"' in rendered('{% icon "check" %}')
    named = parsed(rendered('{% icon "check" "spinner" "Kept" %}'))
    assert (named.get("role"), named.get("aria-label"), named.get("class")) == ("img", "Kept", "icon spinner")


def test_an_input_repeats_its_label_nowhere():
    from django import forms

    form = forms.Form()
    form.fields["email"] = forms.EmailField(widget=forms.EmailInput({"placeholder": "Email address"}))
    assert "placeholder" not in rendered("{% control f rows=3 %}", f=form["email"])


# --- the frame of every page ------------------------------------------------------------------------


def frame(**context):
    user = SimpleNamespace(
        is_authenticated=True, name="Maren Oduya", initials="MO", role_labels=["Sales rep"], team="Benelux"
    )
    pages = [{"url": "/inbox/", "label": "Inbox", "key": "inbox", "count": 1400, "current": True}]
    nav = [{"label": "Work", "key": "work", "pages": pages, "folded": False, "current": True}]
    shell = {"nav": nav, "theme": "dark", "keys_on": False}
    in_force = {"sla_number": 6, "definition_number": 4, "url": "/agreement/"}
    known = {"user": user, "shell": shell, "in_force": in_force, "csrf_token": "abc"}
    return render_to_string("base.html", known | context)


def test_the_frame_shows_where_one_is_who_one_is_and_the_terms_in_force():
    html = frame()
    assert 'href="/inbox/" aria-current="page"' in html
    assert "1,400" in html
    assert "agreement v6, definition v4" in html
    assert 'data-theme="dark"' in html
    assert 'data-keys="off"' in html
    assert 'method="post" action="/account/logout/"' in html


def test_the_frame_carries_no_inline_script_or_style():
    html = frame(toast={"title": "Accepted.", "undo_url": "/leads/7/undo/"})
    assert " style=" not in html
    assert "<style" not in html
    assert "hx-on" not in html
    assert all("src=" in part.split(">")[0] for part in html.split("<script")[1:])


def test_a_signed_out_frame_offers_nothing_that_needs_a_session():
    html = frame(user=AnonymousUser(), in_force=None, shell={"nav": [], "theme": "system", "keys_on": True})
    assert "user-menu" not in html
    assert "site-nav" not in html

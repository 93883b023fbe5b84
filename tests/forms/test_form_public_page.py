"""The form's own page: page by page without a script, in place with htmx, and nothing lost on the way."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from leads.intake.forms.models import Progress, Submission
from leads.intake.forms.public import tokens
from leads.models import Handoff
from tests.form_cast import COLD, HOT
from tests.form_pages import inputs

PAST = dt.timedelta(minutes=2)


@pytest.fixture
def open_form(agreement, publish):
    """A published form and its address."""
    version = publish()
    return version, reverse("form_public", args=[version.form.slug])


def aged(html_or_token, version, *, by=PAST):
    """A token of the page as if it had been asked for a while ago."""
    ticket = tokens.read(html_or_token, version.form)
    return tokens.Ticket(ticket.form, ticket.version, ticket.visit, ticket.started_at - by, ticket.lead).signed()


def filled(client, version, url, answers, **more):
    """The last page of the form, posted after the pages before it."""
    page = inputs(client.get(url).content.decode())
    page["_token"] = [aged(page["_token"][0], version)]
    for _ in version.as_content().pages:
        shown = {key.removesuffix("!") for key in page.get("_shown", ())}
        page |= {key: [value] for key, value in answers.items() if key in shown}
        answer = client.post(url, page | more)
        if answer.status_code != 200 or 'id="thanks"' in answer.content.decode():
            return answer
        page = inputs(answer.content.decode())
    return answer


def test_page_by_page_a_hot_visitor_is_a_handoff_when_the_thanks_appear(client, open_form):
    version, url = open_form
    answer = filled(client, version, url, HOT)
    assert answer.status_code == 302
    handoff = Handoff.objects.get()
    assert (handoff.clocks_run, handoff.owner is not None) == (True, True)
    thanks = client.get(answer["Location"]).content.decode()
    assert "Book a call" in thanks
    assert "https://tarnwick.example/call" in thanks


def test_a_cold_visitor_reads_of_the_guide(client, open_form):
    version, url = open_form
    answer = filled(client, version, url, COLD | {"source": "x"})
    assert Submission.objects.get().outcome == "nurture"
    assert "Here is our guide." in client.get(answer["Location"]).content.decode()


def test_a_visitor_needs_no_cookie_and_gets_none(open_form):
    version, url = open_form
    stranger = Client(enforce_csrf_checks=True)
    answer = filled(stranger, version, url, HOT)
    assert (answer.status_code, dict(stranger.cookies)) == (302, {})


def test_what_is_wrong_is_said_in_place_and_nothing_is_lost(client, open_form):
    _, url = open_form
    page = inputs(client.get(url).content.decode())
    answer = client.post(url, page | {"email": ["nobody"], "name": ["Rosa <b>"], "company": [""]})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Please write an e-mail address such as" in html
    assert "Please answer this question." in html
    assert 'value="Rosa &lt;b&gt;"' in html
    assert 'aria-invalid="true"' in html
    assert Submission.objects.count() == 0


def test_an_answer_that_opens_a_question_shows_the_page_again(client, open_form):
    version, url = open_form
    page = inputs(client.get(url).content.decode())
    page |= {key: [HOT[key]] for key in ("email", "name", "company")}
    second = client.post(url, page).content.decode()
    assert "When does that contract end?" not in second
    page = inputs(second) | {"how": ["other"], "consent": ["yes"]}
    answer = client.post(url, page)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "When does that contract end?" in html
    assert "One of your answers opened another question." in html
    assert Submission.objects.count() == 0
    page = inputs(html) | {"contract_end": ["2027-03"]}
    page["_token"] = [aged(page["_token"][0], version)]
    assert client.post(url, page).status_code == 302
    assert Submission.objects.get().answers["contract_end"] == "2027-03"


def test_back_keeps_what_was_written_on_both_pages(client, open_form):
    _, url = open_form
    page = inputs(client.get(url).content.decode()) | {key: [HOT[key]] for key in ("email", "name", "company")}
    page = inputs(client.post(url, page).content.decode())
    first = client.post(url, page | {"stops": ["7"], "_go": ["back"]}).content.decode()
    assert 'value="Rosa Quintero Lund"' in first
    second = client.post(url, inputs(first)).content.decode()
    assert re.search(r'name="stops"[^>]*value="7"', second)


def test_an_address_that_looks_mistyped_is_asked_about_once(client, open_form):
    _, url = open_form
    page = inputs(client.get(url).content.decode())
    page |= {"email": ["rosa@gmial.com"], "name": ["Rosa"], "company": ["A"]}
    html = client.post(url, page).content.decode()
    assert "Did you mean <b>rosa@gmail.com</b>?" in html
    assert "Step 1 of 2" in html
    assert "Step 2 of 2" in client.post(url, inputs(html)).content.decode()


# --- htmx --------------------------------------------------------------------------------------------
HTMX = {"HTTP_HX_REQUEST": "true"}


def test_with_htmx_only_the_questions_that_change_are_sent(client, open_form):
    version, url = open_form
    part = reverse("form_public_part", args=[version.form.slug])
    token = inputs(client.get(url).content.decode())["_token"]
    said = {"_token": token, "_page": ["plant"], "_shown": ["industry", "how!", "stops"], "how": ["other"]}
    html = client.post(f"{part}?at=how", said, **HTMX).content.decode()
    assert re.findall(r'id="slot-(\w+)"', html) == ["contract_end"]
    assert 'name="_shown" value="contract_end!"' in html
    assert "Now asked: When does that contract end?" in html
    said |= {"how": ["erp"], "_shown": ["industry", "how!", "stops", "contract_end!"]}
    html = client.post(f"{part}?at=how", said, **HTMX).content.decode()
    assert re.findall(r'id="slot-(\w+)"( hx-swap-oob="true")( hidden)?', html) == [
        ("contract_end", ' hx-swap-oob="true"', " hidden"),
        ("stops", ' hx-swap-oob="true"', ""),
    ]


def test_what_a_visitor_writes_is_not_sent_before_they_send_it(client, open_form):
    _, url = open_form
    html = client.get(url).content.decode()
    sent = dict(re.findall(r'id="slot-(\w+)"[^>]*hx-params="([^"]*)"', html))
    assert sent["company"] == "_token,_page,_shown,how,stops"
    assert sent["email"] == "_token,_page,_shown,how,stops,email"  # for the hint; never kept


def test_progress_is_noted_without_a_word_of_what_was_written(client, open_form):
    version, url = open_form
    part = reverse("form_public_part", args=[version.form.slug])
    token = inputs(client.get(url).content.decode())["_token"]
    assert Progress.objects.count() == 0  # looking is not beginning
    said = {"_token": token, "_page": ["you"], "email": ["rosa@aldermoss.example"]}
    client.post(f"{part}?at=email", said, **HTMX)
    progress = Progress.objects.get()
    assert (progress.page, progress.question, progress.position) == ("you", "name", 1)
    client.post(f"{part}?at=size", said, **HTMX)
    client.post(f"{part}?at=name", said, **HTMX)
    progress.refresh_from_db()
    assert (progress.page, progress.question) == ("plant", "industry")  # it never goes backwards
    assert "rosa" not in str(Progress.objects.values()[0]).lower()


def test_a_visit_that_sent_the_form_stands_at_its_end(client, open_form):
    version, url = open_form
    filled(client, version, url, HOT)
    progress, submission = Progress.objects.get(), Submission.objects.get()
    assert (progress.visit, progress.question) == (submission.token, "")


def test_with_htmx_the_form_is_replaced_by_the_thanks(client, open_form):
    version, url = open_form
    page = inputs(client.get(url).content.decode()) | {key: [value] for key, value in HOT.items()}
    page["_token"], page["_page"] = [aged(page["_token"][0], version)], ["plant"]
    page["_shown"] = list(version.as_content().by_key)
    answer = client.post(url, page, **HTMX)
    assert (answer.status_code, "Book a call" in answer.content.decode()) == (200, True)
    assert "<html" not in answer.content.decode()

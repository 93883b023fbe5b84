"""The doors of a form to the world: tokens, frames, plain forms elsewhere, known leads, robots, sizes."""

import csv
import datetime as dt
import io
import json
import re
from contextlib import suppress

import pytest
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads import visitors
from leads.intake.forms.answers import Wrong, read_answer
from leads.intake.forms.known import known_link, lead_of
from leads.intake.forms.models import Submission
from leads.intake.forms.public import embed, limits, tokens
from leads.intake.forms.services.build import publish_version, save_draft, start_draft
from leads.intake.forms.tell import in_words
from leads.models import Handoff, Lead
from leads.services.capture import capture_lead
from leads.services.qualify import open_handoff
from leads.tasks import evaluate
from leads.views.answered import Answered
from tests import form_cast
from tests.form_cast import COLD, EMAIL, HOT
from tests.form_pages import dangers, inputs

ONE_PAGE = form_cast.ROI | {
    "title": "One page",
    "pages": [{"key": "all", "questions": [each for page in form_cast.ROI["pages"] for each in page["questions"]]}],
}
SHOP = "shop.tarnwick.example"


@pytest.fixture
def version(agreement, publish):
    """The form on one page, which the shop may show."""
    return publish(ONE_PAGE, embed_hosts=[SHOP, "*.partner.example"])


@pytest.fixture
def ticket(version):
    """A page that was asked for two minutes ago."""
    return tokens.issue(version, at=timezone.now() - dt.timedelta(minutes=2))


def url(version, name="form_public"):
    return reverse(name, args=[version.form.slug])


def complete(ticket, answers=HOT, **more):
    return {"_token": ticket.signed(), "_page": "all", "_shown": list(answers), **answers, **more}


def sent():
    return [(each.suspected_by, each.outcome) for each in Submission.objects.order_by("pk")]


# --- the page's token --------------------------------------------------------------------------------
@pytest.mark.parametrize("token", ["", "made:up", "\0", "x" * 5000])
def test_a_page_that_is_not_ours_is_shown_again_with_what_was_written(client, version, ticket, token):
    answer = client.post(url(version), complete(ticket, _token=token))
    assert answer.status_code == 422
    assert 'value="Aldermoss"' in answer.content.decode()
    assert sent() == []
    again = inputs(answer.content.decode())
    assert tokens.read(again["_token"][0], version.form)


def test_a_token_of_another_form_opens_nothing(client, version, ticket, publish):
    other = publish(ONE_PAGE | {"title": "Other"})
    assert client.post(url(other), complete(ticket)).status_code == 422
    assert sent() == []


def test_a_page_that_was_open_for_days_is_sent_again_and_suspected_of_nothing(client, version, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr("time.time", lambda: (timezone.now() - dt.timedelta(days=2)).timestamp())
        old = tokens.issue(version, at=timezone.now() - dt.timedelta(days=2))
        signed = old.signed()
    answer = client.post(url(version), complete(old, _token=signed))
    assert "open for more than a day" in answer.content.decode()
    again = {name: values for name, values in inputs(answer.content.decode()).items() if name == "_token"}
    assert client.post(url(version), complete(old) | again).status_code == 302
    assert sent() == [("", "handed_over")]


def test_a_double_submit_makes_one(client, version, ticket):
    first, second = (client.post(url(version), complete(ticket)) for _ in range(2))
    assert (first.status_code, second.status_code, len(sent())) == (302, 302, 1)


def test_other_answers_from_a_page_that_was_sent_are_asked_about_and_not_lost(client, version, ticket):
    client.post(url(version), complete(ticket))
    answer = client.post(url(version), complete(ticket, HOT | {"company": "Aldermoss South"}))
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "sent already, with other answers" in html
    assert 'value="Aldermoss South"' in html
    assert client.post(url(version), complete(ticket, HOT | {"company": "Aldermoss South"})
                       | {"_token": inputs(html)["_token"]}).status_code == 302  # fmt: skip
    assert sent() == [("", "handed_over"), ("", "open")]


def test_a_page_of_the_version_before_is_taken_in_under_its_own(client, version, ticket, people, now):
    start_draft(form_id=version.form_id, by=people.marketer, at=now)
    shorter = {"title": "Short", "pages": [{"key": "all", "questions": [EMAIL]}], "thanks": [{"title": "Thanks"}]}
    save_draft(form_id=version.form_id, document=shorter, by=people.marketer, at=now)
    publish_version(form_id=version.form_id, by=people.marketer, at=now)
    assert "Company" not in client.get(url(version)).content.decode()
    assert client.post(url(version), complete(ticket)).status_code == 302
    assert Submission.objects.get().version == version


def test_a_closed_form_says_so_and_a_form_that_was_never_published_is_not_there(client, version, people):
    type(version.form).objects.update(retired_at=timezone.now(), retired_by=people.marketer)
    assert client.get(url(version)).status_code == 410
    assert client.post(url(version), {}).status_code == 410
    assert client.get("/f/nothing/").status_code == 404


# --- frames ------------------------------------------------------------------------------------------
def test_only_the_hosts_of_the_list_may_frame_the_form_and_only_its_frame(client, version):
    framed = client.get(url(version, "form_embed"))
    policy = framed["Content-Security-Policy"]
    assert f"frame-ancestors https://{SHOP} https://*.partner.example" in policy
    assert "X-Frame-Options" not in framed
    own = client.get(url(version))
    assert "frame-ancestors 'none'" in own["Content-Security-Policy"]
    assert own["X-Frame-Options"] == "DENY"
    for page in (framed, own):
        assert "unsafe" not in page["Content-Security-Policy"]
        assert page["Cache-Control"].count("no-store") == 1


def test_a_form_that_nobody_may_frame_is_not_there_in_a_frame(client, agreement, publish):
    assert client.get(url(publish(ONE_PAGE), "form_embed")).status_code == 404


def test_in_a_frame_the_thanks_are_in_the_frame(client, version, ticket):
    answer = client.post(url(version, "form_embed"), complete(ticket))
    assert answer["Location"].startswith(url(version, "form_embed_thanks"))
    thanks = client.get(answer["Location"])
    assert 'target="_top"' in thanks.content.decode()
    assert "X-Frame-Options" not in thanks
    assert Submission.objects.get().via == "iframe"


def test_thanks_send_people_to_the_list_only(client, agreement, publish):
    thanks = [{"tiers": ["hot"], "redirect": f"https://{SHOP}/call"}, {"title": "Thank you"}]
    version = publish(ONE_PAGE, redirect_hosts=[SHOP])
    form = version.form
    start_draft(form_id=form.pk, by=None, at=timezone.now())
    save_draft(form_id=form.pk, document=ONE_PAGE | {"thanks": thanks}, by=None, at=timezone.now())
    with_address = publish_version(form_id=form.pk, by=form.created_by, at=timezone.now())
    ticket = tokens.issue(with_address, at=timezone.now() - dt.timedelta(minutes=1))
    assert f"form-action 'self' https://{SHOP}" in client.get(url(version))["Content-Security-Policy"]
    assert client.post(url(version), complete(ticket))["Location"].startswith(f"https://{SHOP}/call?hv=")
    type(form).objects.update(redirect_hosts=[])  # the list is asked at that moment, not when it was published
    answer = client.post(url(version), complete(ticket.anew(), HOT | {"email": "second@aldermoss.example"}))
    assert answer["Location"].startswith(url(version, "form_public_thanks"))


# --- a plain form on another page --------------------------------------------------------------------
def snippet(version):
    return inputs(embed.plain_snippet(version))


def test_a_plain_form_of_a_page_on_the_list_is_taken_in_once(client, version):
    said = snippet(version) | HOT
    for _ in range(2):
        answer = client.post(url(version, "form_embed_send"), said, headers={"origin": f"https://{SHOP}"})
        assert answer["Location"].startswith(url(version, "form_public_thanks"))
    assert sent() == [("", "handed_over")]
    assert Submission.objects.get().via == "snippet"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", f"https://{SHOP}.evil.example", "https://[::1"]
)
def test_from_elsewhere_it_is_looked_at_on_our_page_first(client, version, origin):
    answer = client.post(url(version, "form_embed_send"), snippet(version) | HOT, headers={"origin": origin})
    assert (answer.status_code, sent()) == (422, [])
    page = answer.content.decode()
    assert 'value="Aldermoss"' in page
    assert "Please look at your answers once more" in page


def test_what_an_answer_opens_is_asked_on_our_page(client, version):
    said = snippet(version)
    assert "contract_end" not in said["_shown"]
    answer = client.post(
        url(version, "form_embed_send"), said | HOT | {"how": "other"}, headers={"origin": "https://a.partner.example"}
    )
    assert (answer.status_code, sent()) == (422, [])
    assert "When does that contract end?" in answer.content.decode()


def test_the_snippets_hold_no_script_and_escape_what_marketing_wrote(agreement, publish):
    version = publish(ONE_PAGE | {"title": '"><script>alert(1)</script>', "submit": "<b>Go"})
    for html in (embed.plain_snippet(version), embed.frame_snippet(version.form)):
        assert "<script" not in html
        assert "<b>Go" not in html


# --- who is known ------------------------------------------------------------------------------------
@pytest.fixture
def known(now):
    return capture_lead(facts={"email": "rosa@aldermoss.example", "first_name": "Rosa", "last_name": "Lund",
                               "company": "Aldermoss", "employees": 640}, at=now)  # fmt: skip


def test_a_known_lead_is_not_asked_twice_and_reads_nothing_of_itself(client, version, known):
    link = known_link(version.form, known)
    html = client.get(link.partition("8000")[2]).content.decode()
    assert "Work e-mail" not in html
    assert "People in the company" not in html
    assert "Industry" in html
    for secret in ("rosa@", "Rosa", "Lund", "Aldermoss", "640"):
        assert secret not in html
    page = inputs(html)
    ticket = tokens.read(page["_token"][0], version.form)
    aged = tokens.Ticket(ticket.form, 1, ticket.visit, ticket.started_at - dt.timedelta(minutes=1), ticket.lead)
    said = {"_shown": page["_shown"], "how": "paper", "consent": "yes", "email": "thief@rival.example"}
    answer = client.post(url(version), complete(aged, {}) | said)
    assert answer.status_code == 302
    submission = Submission.objects.get()
    assert (submission.lead, submission.known, Lead.objects.count()) == (known, True, 1)


def test_who_types_an_address_of_somebody_else_is_not_taken_for_them(agreement, known, publish):
    thanks = [{"title": "Thank you", "redirect": f"https://{SHOP}/call"}]
    version = publish(ONE_PAGE | {"thanks": thanks}, redirect_hosts=[SHOP])
    ticket = tokens.issue(version, at=timezone.now() - dt.timedelta(minutes=1))
    typed = Client().post(url(version), complete(ticket, HOT | {"email": known.email}))
    token = typed["Location"].removeprefix(f"https://{SHOP}/call?hv=")
    assert visitors.lead_of(token) is None
    assert visitors.submission_of(token) == Submission.objects.get().pk
    named = tokens.issue(version, at=timezone.now() - dt.timedelta(minutes=1), lead=known)
    by_link = Client().post(url(version), complete(named, HOT))
    assert by_link["Location"].startswith(f"https://{SHOP}/call?hv={known.pk}:")
    assert set(Submission.objects.values_list("lead", flat=True)) == {known.pk}


ROSA = {"email": "rosa@aldermoss.example", "first_name": "Rosa", "company": "Aldermoss"}
SOMEBODY = {
    "nobody": None,
    "cold": ROSA,
    "hot": ROSA | {"employees": 640, "industry": "Food", "title": "Head of Maintenance", "source": "Demo request"},
}


@pytest.mark.parametrize("answers", [HOT, COLD], ids=["hot", "cold"])
@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("who", SOMEBODY)
def test_who_types_an_address_learns_nothing_of_whom_it_belongs_to(
    agreement, people, publish, who, answers, elsewhere
):
    at = timezone.now() - dt.timedelta(hours=1)
    if SOMEBODY[who]:
        lead = capture_lead(facts=SOMEBODY[who], at=at)
        assert bool(open_handoff(lead_id=lead.pk, by=None, at=at)) == (who == "hot")
    more = {"redirect": f"https://{SHOP}/a"} if elsewhere else {}
    first, last = form_cast.ROI["thanks"]
    document = ONE_PAGE | {"thanks": [first | more, last | more | ({"redirect": f"https://{SHOP}/b"} if more else {})]}
    version = publish(document, redirect_hosts=[SHOP])
    ticket = tokens.issue(version, at=timezone.now() - dt.timedelta(minutes=1))
    client = Client()
    answer = client.post(url(version), complete(ticket, answers | {"email": ROSA["email"]}))
    if elsewhere:
        address, _, token = answer["Location"].partition("?hv=")
        said = address[-1], re.sub("[0-9]+", "n", token.partition(":")[0])
        assert said == ("a" if answers is HOT else "b", "sn")
    else:
        html = client.get(answer["Location"]).content.decode()
        assert (first["title"] in html) == (answers is HOT)


def test_a_link_is_for_one_form_and_one_month_and_cannot_be_made_up(version, known, publish, monkeypatch):
    key = known_link(version.form, known).partition("k=")[2]
    assert lead_of(version.form, key) == known
    assert lead_of(publish(ONE_PAGE | {"title": "Other"}).form, key) is None
    assert lead_of(version.form, key[:-1] + ("A" if key[-1] != "A" else "B")) is None
    later = (timezone.now() + dt.timedelta(days=31)).timestamp()
    monkeypatch.setattr("time.time", lambda: later)
    assert lead_of(version.form, key) is None


def test_links_are_listed_for_leads_that_nobody_holds(version, known, open_lead):
    open_lead()
    out = io.StringIO()
    call_command("form_links", version.form.slug, stdout=out)
    rows = list(csv.reader(io.StringIO(out.getvalue().lstrip("\ufeff"))))
    assert [row[:2] for row in rows] == [["email", "first_name"], ["rosa@aldermoss.example", "Rosa"]]


# --- robots, sizes ------------------------------------------------------------------------------------
def test_a_filled_honeypot_is_kept_and_thanked_like_anybody(client, version, ticket):
    answer = client.post(url(version), complete(ticket, homepage_url="https://spam.example"))
    assert (answer.status_code, sent()) == (302, [("honeypot", "")])
    assert "Thank you" in client.get(answer["Location"]).content.decode()
    assert Lead.objects.count() == 0


def test_a_page_sent_at_once_is_kept_and_suspected(client, version):
    client.post(url(version), complete(tokens.issue(version, at=timezone.now())))
    assert sent() == [("too_fast", "")]


def test_many_from_one_address_are_suspected_then_refused(client, version, ticket):
    type(version.form).objects.update(most_per_address=2)
    for n in range(2 * limits.REFUSED_FROM + 1):
        said = COLD | {"email": f"{n}@school.example"}
        answer = client.post(url(version), complete(ticket.anew(), said), REMOTE_ADDR="203.0.113.7")
    assert answer.status_code == 429
    assert [rule for rule, _ in sent()] == ["", ""] + ["rate_address"] * (2 * limits.REFUSED_FROM - 2)
    other = client.post(url(version), complete(ticket.anew()), REMOTE_ADDR="203.0.113.8")
    assert other.status_code == 302
    assert sent()[-1] == ("", "handed_over")


def test_addresses_of_one_ipv6_house_count_as_one(rf):
    one, other, far = (
        limits.address_of(rf.get("/", REMOTE_ADDR=address))
        for address in ("2001:db8::1", "2001:db8::ffff", "2001:db8:1::1")
    )
    assert one == other != far


def test_the_form_stays_open_when_nobody_can_count(client, version, ticket, monkeypatch):
    def down(*_, **__):
        raise ConnectionError("no cache")

    monkeypatch.setattr("leads.intake.forms.public.limits.cache.add", down)
    assert client.post(url(version), complete(ticket)).status_code == 302


def test_under_load_the_thanks_come_at_once_and_the_worker_evaluates(client, version, ticket, settings):
    settings.FORMS_EVALUATE_A_SECOND = 1
    for n in range(6):
        said = HOT | {"email": f"{n}@aldermoss.example"}
        assert client.post(url(version), complete(ticket.anew(), said)).status_code == 302
    assert [outcome for _, outcome in sent()] == ["handed_over"] * 5 + ["later"]
    beat = settings.CELERY_BEAT_SCHEDULE["evaluate"]
    assert (beat["task"], beat["schedule"]) == (evaluate.name, 5)
    evaluate()
    assert Handoff.objects.count() == 6


def test_what_is_too_large_is_refused_before_it_is_read(client, version, ticket):
    answer = client.post(url(version), complete(ticket, HOT | {"more": "x" * 300_000}))
    assert (answer.status_code, sent()) == (413, [])
    long = client.post(url(version), complete(ticket, HOT | {"more": "x" * 6_000}))
    assert long.status_code == 422
    assert "Please write at most 5,000 characters" in long.content.decode()


def test_more_fields_than_a_form_has_are_refused(client, version):
    assert client.post(url(version), {f"f{n}": "x" for n in range(1_500)}).status_code == 400


# --- the attacker's list ------------------------------------------------------------------------------
TEXTS = ("company", "title", "more")


@pytest.fixture
def naughty(shared_data):
    return json.loads((shared_data / "csv" / "naughty-strings.json").read_text(encoding="utf-8"))


def test_what_would_run_is_found():
    assert dangers('<script>x</script><a href=" javascript:x">a</a><b onclick="x">') != []
    assert dangers("&lt;script&gt;<b>javascript:</b>") == []


def test_naughty_strings_are_read_by_every_kind_of_question_or_refused_in_words(naughty, version):
    for question in version.as_content().questions:
        for text in naughty:
            with suppress(Wrong):
                kept = json.dumps(read_answer(question, [text, text]), ensure_ascii=False)
                assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", kept.encode().decode())


def test_naughty_strings_are_kept_and_shown_escaped(client, version, ticket, naughty, settings):
    """In every field of text: sent, kept, shown to the visitor again, and to the rep."""
    settings.FORMS_EVALUATE_A_SECOND = 3
    type(version.form).objects.update(most_per_address=10_000)
    for n in range(0, len(naughty), 2):
        texts = dict(zip(TEXTS, (naughty[n], naughty[n - 1], "\n".join(naughty[n : n + 20])), strict=True))
        said = HOT | {key: text[:190] for key, text in texts.items()} | {"email": f"n{n}@aldermoss.example"}
        answer = client.post(url(version), complete(ticket.anew(), said))
        assert answer.status_code in (302, 422)  # blank and control-only ones are no answer to a required question
        if n % 40 == 0:
            again = client.post(url(version), complete(ticket.anew(), said | {"email": ""})).content.decode()
            assert dangers(again) == []
    kept = Submission.objects.filter(lead__isnull=False)
    assert kept.count() > 0.45 * len(naughty)
    for submission in kept:
        told = [Answered("f", 1, ticket.started_at, in_words(version.as_content(), submission.answers))]
        shown = render_to_string("leads/answered.html", {"answered": told, "now": timezone.now()})
        assert dangers(shown) == []
    handoff = Handoff.objects.select_related("owner").order_by("pk").last()
    client.force_login(handoff.owner)
    assert dangers(client.get(reverse("inbox_lead", args=[handoff.pk])).content.decode()) == []


VALUES = st.one_of(
    st.text(max_size=60), st.sampled_from([*HOT.values(), "other", "erp", "2027-03", "9" * 400, "-1", "\ud7ff"])
)
KEYS = st.sampled_from([
    *(each["key"] for page in ONE_PAGE["pages"] for each in page["questions"]),
    "_page", "_go", "_shown", "_hinted", "_token", "lead_id", "suspected_by", "homepage_url",
])  # fmt: skip


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, st.lists(VALUES, max_size=3), max_size=12), st.sampled_from(
    ["form_public", "form_embed", "form_public_part", "form_embed_send"]))  # fmt: skip
def test_fuzzed_posts_never_fail_and_never_unlock(version, ticket, posted, name):
    client = Client(raise_request_exception=False)
    said = complete(ticket.anew(), HOT) | posted
    said["_token"] = posted.get("_token") or ticket.anew().signed()
    answer = client.post(url(version, name), said, headers={"origin": f"https://{SHOP}"})
    assert answer.status_code < 500
    for submission in Submission.objects.all():
        if submission.answers.get("how") != "other":
            assert "contract_end" not in submission.answers
        assert set(submission.answers) <= set(version.as_content().by_key)
        assert (submission.lead is None) == bool(submission.suspected_by)

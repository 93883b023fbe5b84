"""The acts on the page of a version: propose, sign, send back, withdraw, comment, appoint a deputy."""

import datetime as dt

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sla.models import Comment, Deputy, Party, Signature, SLAVersion
from sla.services.deputy import appoint_deputy
from sla.services.terms import draft_from
from sla.services.version import propose_version, sign_version
from sla.starter import draft_version
from tests import cast

HTMX = {"headers": {"hx-request": "true"}}
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def fresh_tries():
    cache.clear()


def client_of(user):
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.fixture
def proposal(agreement, people):
    now = timezone.now()
    draft = draft_from(version_id=agreement.pk, by=people.marketer, at=now)
    return propose_version(version_id=draft.pk, effective_from=now, by=people.marketer, at=now)


def where(name, version):
    return reverse(f"agreement_{name}", args=[version.number])


def signing(version, **changes):
    given = {"read": "on", "typed_name": "Sara Leader", "password": PASSWORD, "party": "sales",
             "fingerprint": version.fingerprint}  # fmt: skip
    return {name: value for name, value in (given | changes).items() if value is not None}


def test_a_signature_asks_the_password_again_and_keeps_address_and_browser(proposal, people):
    client = client_of(people.sales_leader)
    answer = client.post(where("sign", proposal), signing(proposal), headers={"user-agent": "Firefox/140"})
    assert answer.status_code == 302
    row = Signature.objects.get(version=proposal)
    assert (row.signed_by, row.address, row.user_agent) == (people.sales_leader, "127.0.0.1", "Firefox/140")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"password": "wrong"}, "This is not your password."),
        ({"password": None}, "This is not your password."),
        ({"read": None}, "Say that you have read it."),
        ({"typed_name": "Somebody Else"}, "Type your name as it is written here: Sara Leader."),
        ({"fingerprint": "a" * 64}, "The fingerprint shown to you is not the one of this version."),
        ({"party": "marketing"}, "Only the signatory of this side"),
    ],
)
def test_a_signature_that_was_not_meant_is_not_given(proposal, people, changes, sentence):
    answer = client_of(people.sales_leader).post(where("sign", proposal), signing(proposal, **changes), **HTMX)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Signature.objects.filter(version=proposal).exists()


def test_passwords_cannot_be_tried_for_ever(proposal, people):
    client = client_of(people.sales_leader)
    for _ in range(10):
        client.post(where("sign", proposal), signing(proposal, password="guess"))
    answer = client.post(where("sign", proposal), signing(proposal))
    assert answer.status_code == 422
    assert "Too many tries" in answer.content.decode()


def test_a_second_click_says_that_this_side_has_signed(proposal, people):
    client = client_of(people.sales_leader)
    client.post(where("sign", proposal), signing(proposal))
    answer = client.post(where("sign", proposal), signing(proposal), **HTMX)
    assert answer.status_code == 409
    assert "This side has signed already" in answer.content.decode()


def test_only_who_signs_sees_the_form_and_a_deputy_sees_for_whom(proposal, people):
    page = where("version", proposal)
    assert "Sign for sales" in client_of(people.sales_leader).get(page).content.decode()
    assert "Sign for" not in client_of(people.manager).get(page).content.decode()
    now = timezone.now()
    appoint_deputy(party=Party.SALES, deputy=people.manager, begins_at=now, ends_at=now + dt.timedelta(days=3),
                   by=people.sales_leader, at=now)  # fmt: skip
    assert "as deputy for Sara Leader" in client_of(people.manager).get(page).content.decode()
    client_of(people.manager).post(where("sign", proposal), signing(proposal, typed_name="Mona Manager"))
    html = client_of(people.rep).get(page).content.decode()
    assert "<b>Deputy</b> for Sara Leader" in html


def test_a_leader_appoints_a_deputy_on_the_history_page_and_takes_it_back(agreement, people):
    client, page = client_of(people.sales_leader), reverse("agreement_history")
    until = (timezone.localdate() + dt.timedelta(days=7)).isoformat()
    client.post(reverse("agreement_deputy"), {"deputy": people.manager.pk, "ends_on": until})
    assert "Mona Manager" in client.get(page).content.decode()
    assert Deputy.objects.standing(at=timezone.now()).get().deputy == people.manager
    client.post(reverse("agreement_deputy"), {"dismiss": "1"})
    assert not Deputy.objects.standing(at=timezone.now()).exists()


def test_a_draft_is_proposed_and_shows_its_fingerprint(agreement, people):
    client = client_of(people.marketer)
    client.post(reverse("agreement_draft"), {"start_from": 1})
    version = SLAVersion.objects.get(number=2)
    answer = client.post(where("propose", version))
    assert answer.status_code == 302
    version.refresh_from_db()
    html = client.get(where("version", version)).content.decode()
    assert version.fingerprint in html
    assert "waiting for Linus Leader" in html
    assert "as soon as both have signed" in html


def test_an_incomplete_draft_is_not_proposed_and_the_page_says_what_is_missing(agreement, people):
    client = client_of(people.marketer)
    client.post(reverse("agreement_draft"), {"start_from": 1})
    version = SLAVersion.objects.get(number=2)
    version.commitments.filter(kind="decision", tier__key="hot").delete()
    answer = client.post(where("propose", version), **HTMX)
    assert answer.status_code == 422
    assert "Decision within is not set for the tier Hot." in answer.content.decode()


def test_a_draft_is_thrown_away_with_its_comments(agreement, people):
    client = client_of(people.marketer)
    client.post(reverse("agreement_draft"), {"start_from": 1})
    version = SLAVersion.objects.get(number=2)
    client.post(reverse("agreement_comment", args=[2, "sales"]), {"text": "Too slow"})
    assert client.post(where("discard", version)).status_code == 302
    assert list(SLAVersion.objects.values_list("number", flat=True)) == [1]
    assert not Comment.objects.exists()


def test_a_proposal_is_sent_back_with_a_comment_that_everybody_reads(proposal, people):
    client = client_of(people.sales_leader)
    refused = client.post(where("return", proposal), {"comment": " "}, **HTMX)
    assert refused.status_code == 422
    assert "Write a comment" in refused.content.decode()
    client.post(where("return", proposal), {"comment": "15 minutes at night is too short"})
    html = client_of(people.marketer).get(where("version", proposal)).content.decode()
    assert "Agreement v2 was returned" in html
    assert "15 minutes at night is too short" in html
    assert "never comes into force" in html
    assert client.post(where("sign", proposal), signing(proposal), **HTMX).status_code == 409


def test_who_proposed_withdraws_and_a_new_draft_starts_from_it(proposal, people):
    client = client_of(people.marketer)
    client.post(where("withdraw", proposal), {"comment": "Mixed up"})
    assert "Agreement v2 was withdrawn" in client.get(where("version", proposal)).content.decode()
    client.post(reverse("agreement_draft"), {"start_from": 2})
    assert SLAVersion.objects.get(number=3).started_from == proposal


def test_another_marketer_does_not_withdraw_a_proposal(proposal, people):
    other = cast.user("Milo Marketer", "marketer")
    assert client_of(other).post(where("withdraw", proposal)).status_code == 403


def test_a_comment_stands_under_its_section_and_none_comes_after_both_signatures(agreement, proposal, people):
    client = client_of(people.manager)
    on = reverse("agreement_comment", args=[proposal.number, "sales"])
    answer = client.post(on, {"text": "<b>Nights?</b>"}, **HTMX)
    assert "&lt;b&gt;Nights?&lt;/b&gt;" in answer.content.decode()
    assert client.post(on, {"text": ""}, **HTMX).status_code == 422
    assert "Nights?" in client.get(where("version", proposal)).content.decode()
    late = client.post(reverse("agreement_comment", args=[agreement.number, "sales"]), {"text": "Late"}, **HTMX)
    assert late.status_code == 409
    assert client_of(people.rep).post(on, {"text": "x"}).status_code == 403


def test_before_the_first_agreement_an_author_drafts_it_here(people):
    client = client_of(people.marketing_leader)
    assert "Draft the first agreement" in client.get(reverse("agreement")).content.decode()
    assert client.post(reverse("agreement_draft"))["Location"] == reverse("agreement_edit", args=[1])
    client.post(reverse("agreement_draft"))
    assert SLAVersion.objects.count() == 1


def test_any_two_versions_are_compared(agreement, proposal, people):
    draft_version(by=people.marketer, at=timezone.now(), bulk_limit=10)
    html = client_of(people.rep).get(reverse("agreement_compare", args=[3, 1])).content.decode()
    assert "<del>50</del>" in html
    assert "<ins>10</ins>" in html
    same = client_of(people.rep).get(reverse("agreement_compare", args=[2, 1])).content.decode()
    assert "v1 and v2 say the same" in same


def test_the_history_names_every_version_who_signed_it_and_what_ended_it(agreement, proposal, people):
    sign_version(version_id=proposal.pk, party=Party.SALES, by=people.sales_leader, at=timezone.now())
    client_of(people.marketer).post(where("withdraw", proposal), {"comment": "Mixed up"})
    html = client_of(people.manager).get(reverse("agreement_history")).content.decode()
    for said in ("Two versions of the agreement", "Withdrawn by Marta Marketer", "“Mixed up”", "Linus Leader",
                 "It was never in force", proposal.fingerprint, reverse("agreement_trend")):  # fmt: skip
        assert said in html, said


def test_the_cases_say_how_many_handoffs_stay_and_how_the_rate_went(agreement, open_lead, people):
    open_lead(at=timezone.now())
    client = client_of(people.sales_leader)
    stay = client.get(reverse("agreement_open", args=[1]), **HTMX).content.decode()
    assert "1 open handoff stays on v1." in stay
    trend = client.get(reverse("agreement_trend"), **HTMX).content.decode()
    assert "<svg" in trend
    assert "<h1>" not in trend
    assert client.get(reverse("agreement_trend")).content.decode().count("<h1>") == 1


def test_a_rep_reads_the_history_without_the_figures_that_are_not_theirs(agreement, people):
    html = client_of(people.rep).get(reverse("agreement_history")).content.decode()
    assert "In force since" in html
    assert reverse("agreement_trend") not in html

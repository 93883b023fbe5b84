"""Keys of programs: shown once, kept as a digest, good for what they were made for and no longer."""

import datetime as dt
import re

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from portal.accounts.services import change_person
from portal.keys import secrets
from portal.keys.auth import live_key
from portal.keys.models import ApiKey, KeyAct
from portal.keys.problem import KeyUnknown
from portal.keys.scopes import AGREEMENT_READ, FIGURES_READ, SCOPES
from portal.keys.services import KeyGone, PersonRequired, ScopesRequired, make_key, revoke_key
from portal.shared.refusal import NotPermitted
from tests import cast
from tests.api import Program, token_for

DAY = dt.timedelta(days=1)


def make(people, **changes):
    given = {"name": "CRM", "person_id": people.marketer.pk, "scopes": [AGREEMENT_READ], "days": 30}
    return make_key(**given | {"by": people.admin, "at": timezone.now()} | changes)


def test_the_secret_is_kept_nowhere(people):
    key, token = make(people)
    secret = secrets.taken_apart(token)[1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM keys_apikey k")
        kept = cursor.fetchone()[0]
    assert secret not in kept
    assert key.digest == secrets.digest(secret)
    assert len(secret) == 43  # 256 bits


def test_a_secret_is_compared_in_constant_time_and_an_unknown_prefix_costs_the_same(people, monkeypatch):
    _, token = make(people)
    compared = []
    monkeypatch.setattr(secrets.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    other = lambda letter: "A" if letter != "A" else "B"  # noqa: E731
    for wrong in (token[:-1] + other(token[-1]), token[:3] + other(token[3]) + token[4:]):
        with pytest.raises(KeyUnknown):
            live_key(wrong, at=timezone.now())
    assert len(compared) == 2
    assert live_key(token, at=timezone.now()).name == "CRM"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"scopes": []}, ScopesRequired), ({"scopes": ["everything"]}, ScopesRequired),
        ({"person_id": None}, PersonRequired), ({"person_id": 10**9}, PersonRequired),
    ],
)  # fmt: skip
def test_a_key_has_known_scopes_and_a_person(people, changes, refusal):
    with pytest.raises(refusal):
        make(people, **changes)


def test_only_an_admin_makes_and_revokes_keys(people):
    key, _ = make(people)
    for person in (people.marketer, people.sales_leader, people.rep):
        with pytest.raises(NotPermitted):
            make(people, by=person)
        with pytest.raises(NotPermitted):
            revoke_key(key_id=key.pk, by=person, at=timezone.now())


def test_who_made_and_revoked_a_key_is_noted_for_ever(people):
    key, _ = make(people)
    revoke_key(key_id=key.pk, by=people.admin, at=timezone.now())
    with pytest.raises(KeyGone):
        revoke_key(key_id=key.pk, by=people.admin, at=timezone.now())
    assert [(act.act, act.acted_by) for act in key.acts.all()] == [("revoked", people.admin), ("made", people.admin)]
    for statement in ("UPDATE keys_keyact SET act = 'made'", "DELETE FROM keys_keyact"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert KeyAct.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        "scopes = '{leads:read}'", "person_id = person_id + 1", "digest = repeat('0', 64)",
        "expires_at = now() + interval '1 year'", "revoked_at = NULL, revoked_by_id = NULL",
    ],
)  # fmt: skip
def test_a_key_keeps_its_terms_and_stays_revoked(people, change):
    key, _ = make(people)
    revoke_key(key_id=key.pk, by=people.admin, at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE keys_apikey SET {change}")
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.all().delete()


# --- at the door --------------------------------------------------------------------------------------
def test_a_key_opens_what_it_was_made_for(people, agreement):
    program = Program(people.marketer, AGREEMENT_READ)
    answer = program.get("agreement")
    assert (answer.status_code, program.said["number"]) == (200, agreement.number)
    assert program.said["fingerprint"] == agreement.fingerprint
    assert program.get("definition").json()["number"] == agreement.definition.number


def refused(answer, status, code):
    said = answer.json()
    assert (answer.status_code, said["code"], said["status"]) == (status, code, status)
    assert answer["Content-Type"] == "application/problem+json"
    assert said["type"].endswith(f"#{code}")
    return said


def test_without_a_key_nothing_opens(people, agreement):
    answer = Program().get("agreement")
    refused(answer, 401, "key_missing")
    assert answer["WWW-Authenticate"] == "Bearer"
    for token in ("", "x", "hk_12345678_short", "hk_" + "9" * 5000, "' OR 1=1 --", "hk_12345678_" + "a" * 43):
        assert Program(token=token or "x").get("agreement").status_code == 401


def test_a_session_opens_no_door_of_the_api(client, people, agreement):
    client.force_login(people.admin)
    refused(client.get("/api/v1/agreement"), 401, "key_missing")


def test_a_key_of_another_scope_is_refused_and_told_which_one_it_lacks(people, agreement):
    said = refused(Program(people.marketer, FIGURES_READ).get("agreement"), 403, "scope_missing")
    assert "agreement:read" in said["detail"]


def test_a_revoked_or_expired_key_opens_nothing_from_the_next_request_on(people, agreement):
    program = Program(people.marketer, AGREEMENT_READ)
    assert program.get("agreement").status_code == 200
    revoke_key(key_id=ApiKey.objects.get().pk, by=people.admin, at=timezone.now())
    refused(program.get("agreement"), 401, "key_revoked")
    late = token_for(people.marketer, AGREEMENT_READ, at=timezone.now() - 31 * DAY, days=30)
    refused(Program(token=late).get("agreement"), 401, "key_expired")


def test_a_key_ends_with_its_person(people, agreement):
    program = Program(people.marketer, AGREEMENT_READ)
    people.marketer.is_active = False
    people.marketer.save()
    refused(program.get("agreement"), 401, "person_left")


def test_a_key_may_what_its_person_may_and_no_more(people, agreement):
    """The permissions of pages are asked for the person, on every request."""
    someone = cast.user("Norole Nobody")
    program = Program(someone, *SCOPES)
    refused(program.get("agreement"), 403, "not_permitted")
    change_person(person_id=someone.pk, name=someone.name, roles=["rep"], by=people.admin)
    assert program.get("agreement").status_code == 200


def test_a_key_acts_for_others_only_where_it_was_made_for_that(people, agreement):
    someone = cast.user("Norole Nobody")
    alone, for_all = Program(someone, AGREEMENT_READ), Program(someone, AGREEMENT_READ, "people:act-for")
    named = {"On-Behalf-Of": people.rep.email.upper()}
    refused(alone.get("agreement", **named), 403, "scope_missing")
    assert for_all.get("agreement", **named).status_code == 200
    refused(for_all.get("agreement", **{"On-Behalf-Of": "who@tarnwick.example"}), 422, "person_unknown")


def test_when_a_key_was_last_used_is_noted_once_a_minute(people, agreement, django_assert_num_queries):
    program = Program(people.marketer, AGREEMENT_READ)
    program.get("agreement")
    first = ApiKey.objects.get().last_used_at
    program.get("agreement")
    assert timezone.now() - first < dt.timedelta(minutes=1)
    assert ApiKey.objects.get().last_used_at == first


def test_a_key_that_asks_too_often_is_told_when_to_come_again(people, agreement, settings):
    settings.API_REQUESTS_A_MINUTE = 3
    program = Program(people.marketer, AGREEMENT_READ)
    answers = [program.get("agreement") for _ in range(8)]  # a minute may begin in between
    late = answers[-1]
    refused(late, 429, "too_many_requests")
    assert 1 <= int(late["Retry-After"]) <= 60
    assert re.fullmatch(r'"minute";r=0;t=\d+', late["RateLimit"])
    assert answers[0]["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert Program(people.rep, AGREEMENT_READ).get("agreement").status_code == 200


# --- the page -----------------------------------------------------------------------------------------
def test_the_page_shows_a_new_key_once_and_never_again(client, people, agreement):
    client.force_login(people.admin)
    form = {
        "name": "CRM bridge",
        "person": people.marketer.pk,
        "scopes": ["agreement:read"],
        "days": 30,
    }
    answer = client.post(reverse("api_keys"), form)
    token = re.search(r"hk_\w{8}_[\w-]{43}", answer.content.decode()).group()
    assert "no-store" in answer["Cache-Control"]
    assert Program(token=token).get("agreement").status_code == 200
    page = client.get(reverse("api_keys")).content.decode()
    assert token not in page
    assert token[:11] in page
    assert "Marta Marketer" in page


def test_the_page_revokes_a_key_and_says_who_did(client, people):
    client.force_login(people.admin)
    key, _ = make(people, name="CRM bridge")
    page = client.post(reverse("api_key_revoke", args=[key.pk]), follow=True).content.decode()
    assert "The key of CRM bridge opens nothing any more." in page
    assert "Revoked the key of CRM bridge" in page
    assert "was revoked already" in client.post(
        reverse("api_key_revoke", args=[key.pk]), follow=True
    ).content.decode()  # fmt: skip


def test_the_page_says_what_is_missing(client, people):
    client.force_login(people.admin)
    answer = client.post(reverse("api_keys"), {"name": "CRM", "person": "x", "days": "30", "scopes": ["leads:read"]})
    assert answer.status_code == 422
    assert "Choose an active person" in answer.content.decode()
    assert not ApiKey.objects.exists()

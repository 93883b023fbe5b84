"""What every door of the API shares: problems with codes, sizes, types, the document and its page."""

import json

import pytest
from django.test import Client

from portal.keys import problem
from portal.keys.scopes import AGREEMENT_READ
from tests.api import Program


def test_an_address_that_there_is_not_is_a_problem_with_a_code(db):
    for where in ("nothing", "leads/1/2/3", "%00", "agreement/"):
        answer = Program().get(where)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer["Content-Type"] == "application/problem+json"


def test_a_method_that_is_not_taken_is_a_problem_that_names_those_that_are(db):
    for method in ("put", "patch", "delete"):
        answer = getattr(Client(), method)("/api/v1/agreement")
        assert (answer.status_code, answer.json()["code"], answer["Allow"]) == (405, "method_not_allowed", "GET")


def test_a_wrong_parameter_is_named_and_not_repeated(people, agreement):
    program = Program(people.marketer, AGREEMENT_READ)
    for query in ({"number": "<script>"}, {"number": 0}, {"numbre": 1}, {"number": "9" * 5000}):
        answer = program.get("agreement", query)
        assert (answer.status_code, program.said["code"]) == (422, "invalid")
        assert program.said["errors"][0]["at"].startswith("query.")
        assert "<script>" not in answer.content.decode()


def test_a_version_that_there_is_not_is_not_found(people, agreement):
    assert Program(people.marketer).get("agreement", {"number": 99}).status_code == 404


def test_a_fault_of_ours_is_a_problem_that_can_be_found_in_the_log(people, agreement, monkeypatch):
    monkeypatch.setattr("sla.api.plain", lambda content: 1 / 0)
    program = Program(people.marketer, raise_request_exception=False)
    answer = program.get("agreement")
    assert (answer.status_code, program.said["code"]) == (500, "server_fault")
    assert program.said["request_id"] == answer["X-Request-ID"]
    assert "division" not in answer.content.decode()


def test_answers_are_kept_by_no_cache(people, agreement):
    assert Program(people.marketer).get("agreement")["Cache-Control"] == "no-store"


def test_the_document_says_of_every_operation_how_it_refuses(client):
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for methods in document["paths"].values():
        for method, operation in methods.items():
            kinds = {status: said["content"] for status, said in operation["responses"].items() if status >= "400"}
            assert all(list(kind) == [problem.MEDIA_TYPE] for kind in kinds.values())
            assert {"404", "405", "422", "429", "500"} <= set(kinds)
            assert {"400", "409", "415"} <= set(kinds) or method == "get"
    assert set(document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == set(problem.KNOWN)


def test_the_page_tells_every_operation_and_every_code_without_a_script_from_elsewhere(client):
    page = client.get("/api/v1/docs")
    text, document = page.content.decode(), client.get("/api/v1/openapi.json").json()
    assert all(address in text for address in document["paths"])
    assert all(f'id="{code}"' in text for code in problem.KNOWN)
    assert "//" not in "".join(part for part in text.split('"') if part.endswith((".js", ".css")))
    assert "unsafe" not in page["Content-Security-Policy"]


@pytest.mark.parametrize("code", sorted(problem.KNOWN))
def test_a_code_is_a_word_that_a_program_can_compare(code):
    assert code.replace("_", "").isalpha()
    assert code == code.lower()
    json.dumps(problem.KNOWN[code])

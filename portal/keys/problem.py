"""Why the API says no: problem details (RFC 9457) with the same codes as pages, and a few that only requests know."""

import json
from http import HTTPStatus

import structlog
from django.http import HttpResponse

from portal.shared.refusal import NotPermitted, Refusal

DOCS = "/api/v1/docs"
MEDIA_TYPE = "application/problem+json"


class Problem(Refusal):
    """A refusal that only a request of a program knows; `headers` go with the answer."""

    status = HTTPStatus.BAD_REQUEST
    headers = {}


class BodyNotJson(Problem):
    code = "body_not_json"
    sentence = "The body is no JSON, or is nested too deep. Nothing was saved."


class KeyMissing(Problem):
    status, code = HTTPStatus.UNAUTHORIZED, "key_missing"
    sentence = "Send a key: Authorization: Bearer hk_…"


class KeyUnknown(Problem):
    status, code = HTTPStatus.UNAUTHORIZED, "key_unknown"
    sentence = "This key opens nothing."


class KeyExpired(Problem):
    status, code = HTTPStatus.UNAUTHORIZED, "key_expired"
    sentence = "This key has expired. An admin makes another one."


class KeyRevoked(Problem):
    status, code = HTTPStatus.UNAUTHORIZED, "key_revoked"
    sentence = "This key was revoked."


class PersonLeft(Problem):
    status, code = HTTPStatus.UNAUTHORIZED, "person_left"
    sentence = "The person whom this key acts as does not work here any more."


class ScopeMissing(Problem):
    status, code = HTTPStatus.FORBIDDEN, "scope_missing"
    sentence = "This key was not made for that."


class OriginRefused(Problem):
    status, code = HTTPStatus.FORBIDDEN, "origin_refused"
    sentence = "This page's origin is not one of the website's, or the website's key is not live."


class NotFound(Problem):
    status, code = HTTPStatus.NOT_FOUND, "not_found"
    sentence = "There is no such thing, or not for this key."


class MethodNotAllowed(Problem):
    status, code = HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed"
    sentence = "This address does not take that method; the header Allow names those it takes."


class BodyTooLarge(Problem):
    status, code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large"
    sentence = "The body is larger than this address takes. Nothing was saved."


class NotJsonType(Problem):
    status, code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type_not_json"
    sentence = "Send the body as application/json. Nothing was saved."


class Invalid(Problem):
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"
    sentence = "Some of what was sent is not as documented; `errors` says what. Nothing was saved."

    def __init__(self, errors):
        super().__init__()
        self.errors = errors


class PersonUnknown(Problem):
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "person_unknown"
    sentence = "On-Behalf-Of names nobody who works here. Nothing was saved."


class CursorInvalid(Problem):
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "cursor_invalid"
    sentence = "This cursor is not one that this list gave, with these filters. Begin without one."
    field = "cursor"


class IdempotencyKeyInvalid(Problem):
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_invalid"
    sentence = "An Idempotency-Key is 1 to 200 visible ASCII characters. Nothing was saved."


class IdempotencyKeyReused(Problem):
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused"
    sentence = "This Idempotency-Key was used for another request within the last 24 hours. Nothing was saved."


class TooManyRequests(Problem):
    status, code = HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests"
    sentence = "Too many requests. Retry-After says in how many seconds to come again. Nothing was saved."


class ServerFault(Problem):
    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "server_fault"
    sentence = "A fault of the portal's. It was logged under `request_id`; nothing of this request was saved."


# every code with its status and sentence: docs/api.md and the docs page list it
KNOWN = {one.code: (int(one.status), one.sentence) for one in Problem.__subclasses__()} | {
    NotPermitted.code: (int(HTTPStatus.FORBIDDEN), NotPermitted.sentence)
}


def answered_with(status, *refusals):
    """Register refusals of verbs that the API may pass on, with the status they are answered with."""
    KNOWN.update({one.code: (int(status), one.sentence) for one in refusals})


def status_of(refusal):
    return KNOWN.get(refusal.code, (HTTPStatus.UNPROCESSABLE_ENTITY,))[0]


def document(refusal):
    """The problem as a dict: type, title, status, detail, code, and where there are any field and errors."""
    said = {
        "type": f"{DOCS}#{refusal.code}",
        "title": refusal.code.replace("_", " ").capitalize(),
        "status": status_of(refusal),
        "detail": refusal.sentence,
        "code": refusal.code,
    }
    if refusal.field:
        said["field"] = refusal.field
    if errors := getattr(refusal, "errors", None):
        said["errors"] = errors
    return said


def answer(refusal):
    """The problem as a response; the log finds it by its request_id."""
    said = document(refusal) | {"request_id": structlog.contextvars.get_contextvars().get("request_id")}
    response = HttpResponse(json.dumps(said), status=said["status"], content_type=MEDIA_TYPE)
    for name, value in getattr(refusal, "headers", {}).items():
        response[name] = value
    if said["status"] == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response

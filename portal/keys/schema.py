"""The OpenAPI document as the doors really behave: problems, Idempotency-Key and On-Behalf-Of everywhere."""

from http import HTTPStatus

from portal.keys.problem import KNOWN, MEDIA_TYPE

PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; `detail` is one sentence for people.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": []},
        "field": {"type": "string", "description": "the input at fault, where there is one"},
        "errors": {
            "type": "array",
            "description": "of `invalid`: each wrong value",
            "items": {
                "type": "object",
                "required": ["at", "detail"],
                "properties": {"at": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "request_id": {"type": ["string", "null"], "description": "find it in the portal's log"},
    },
}
EVERYWHERE = (404, 405, 413, 422, 429, 500)
WITH_BODY = (400, 415)
WITH_KEY = (401, 403)
ON_BEHALF_OF = {
    "in": "header",
    "name": "On-Behalf-Of",
    "required": False,
    "description": "E-mail address of the person who acted; the key needs the scope people:act-for.",
    "schema": {"type": "string", "format": "email"},
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same key with the same request gets the same answer for 24 hours, and the work is done once.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}


def documented(document, scopes):
    """The document with what Ninja does not know of the doors; changes and returns it. scopes: {operation: scope}."""
    codes = sorted(KNOWN)
    shape = PROBLEM | {"properties": PROBLEM["properties"] | {"code": {"type": "string", "enum": codes}}}
    document["components"].setdefault("schemas", {})["Problem"] = shape
    document["info"]["license"] = {"name": "Apache-2.0"}
    for methods in document["paths"].values():
        for method, operation in methods.items():
            if scope := scopes.get(operation["operationId"]):
                operation["x-scope"] = scope
            _tell(method, operation)
    return document


def _tell(method, operation):
    keyed = bool(operation.get("security"))
    statuses = [*EVERYWHERE, *(WITH_BODY if method == "post" else ()), *(WITH_KEY if keyed else (403,))]
    for status in sorted(statuses):
        operation["responses"][status] = _problem(status)
    if method == "post":
        operation["responses"][409] = _problem(409)
    for parameter in operation["parameters"]:  # what is not given in an address is left out: nothing there is null
        kinds = [one for one in parameter["schema"].pop("anyOf", ()) if one != {"type": "null"}]
        parameter["schema"] |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}
    if keyed:
        operation["parameters"].append(ON_BEHALF_OF)
    if keyed and method == "post":
        operation["parameters"].append(IDEMPOTENCY_KEY)
    operation["responses"] = {str(status): said for status, said in sorted(operation["responses"].items(), key=str)}


def _problem(status):
    return {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }

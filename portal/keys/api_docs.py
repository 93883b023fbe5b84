"""The OpenAPI document as rows for the page that people read."""

from django.utils.html import format_html, format_html_join

from portal.keys.problem import KNOWN
from portal.keys.scopes import SCOPES

SHARED = ("Idempotency-Key", "On-Behalf-Of")  # told once for all operations


def told(document):
    """Context of the page: groups of operations with parameters and fields, problems, scopes."""
    groups = {}
    for address, methods in document["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(document, address, method, operation))
    return {
        "groups": [{"name": name, "operations": rows} for name, rows in groups.items()],
        "problems": sorted((status, code, _code_set(sentence)) for code, (status, sentence) in KNOWN.items()),
        "scopes": SCOPES.items(),
        "api": document["info"],
    }


def _operation(document, address, method, operation):
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    good = next(said for status, said in operation["responses"].items() if status.startswith("2"))
    answer = good.get("content", {}).get("application/json", {}).get("schema")
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "address": address,
        "summary": operation["summary"],
        "text": [_code_set(text) for text in operation.get("description", "").split("\n\n")],
        "scope": operation.get("x-scope", ""),
        "parameters": [
            _row(document, one["name"], one["schema"], one["required"])
            for one in operation["parameters"]
            if one["name"] not in SHARED
        ],
        "fields": _fields(document, body) if body else [],
        "answer": _fields(document, answer) if answer else [],
    }


def _fields(document, schema):
    schema = _resolved(document, schema)
    required = schema.get("required", ())
    return [_row(document, name, one, name in required) for name, one in schema.get("properties", {}).items()]


def _row(document, name, schema, required):
    shape = _resolved(document, schema)
    return {
        "name": name,
        "type": _words(document, schema),
        "required": required,
        "text": _code_set(shape.get("description", "")),
    }


def _code_set(text):
    """Text in which `such a word` is set as code."""
    said = [format_html("<code>{}</code>" if place % 2 else "{}", part) for place, part in enumerate(text.split("`"))]
    return format_html_join("", "{}", ((part,) for part in said))


def _resolved(document, schema):
    for one in schema.get("allOf", ()):
        schema = one | {key: value for key, value in schema.items() if key != "allOf"}
    if "$ref" in schema:
        return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _words(document, schema):
    """A type in a few words: "text, at most 120 characters", "list of Event", "whole number, 0 to 100, or null"."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    for several in ("anyOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_words(document, one) for one in schema[several]))
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    kind = schema.get("type", "any value")
    if kind == "array":
        return f"list of {_words(document, schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return "object of values"
    words = {"string": "text", "integer": "whole number"}.get(kind, kind)
    words = schema.get("format", words)
    return f"{words}{_limits(schema)}"


def _limits(schema):
    if "maxLength" in schema and "format" not in schema:
        return f", at most {schema['maxLength']} characters"
    if schema.get("maximum", 10**9) < 10**9:
        return f", {schema.get('minimum', 0)} to {schema['maximum']}"
    return ""

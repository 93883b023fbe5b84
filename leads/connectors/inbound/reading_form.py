"""The form that says how a connection is read → the importer's mapping document and the connection's own settings."""

import json

from leads.connectors.inbound import generic
from leads.connectors.inbound.facts import TAKEN
from leads.intake.imports import fields
from leads.intake.imports.problems import MappingRefused
from leads.intake.models import SavedMapping


def reading_of(post, connection):
    """The arguments of change_connection. Refuses: MappingRefused."""
    return {
        "name": post.get("name", ""),
        "mapping": document_of(post, connection.mapping),
        "overwrites": post.getlist("overwrites"),
        "ours": post.get("ours", "").splitlines(),
        "shares_ids": "shares_ids" in post,
        "event_kind": post.get("event_kind", ""),
        "paths": {name: post.get(f"path-{name}", "") for name in generic.PATHS},
        "properties": dict(_named(post.get("properties", ""))),
    }


def document_of(post, before):
    """The mapping document: pasted, taken from a saved matching, or column by column. Refuses: MappingRefused."""
    if pasted := post.get("document", "").strip():
        return _pasted(pasted)
    if saved := post.get("saved", ""):
        return _of_leads(SavedMapping.objects.filter(pk=saved).first() if saved.isdecimal() else None)
    columns = {name: post.get(f"from-{name}", "") for name in TAKEN} | {
        f"{fields.ATTRIBUTE}{name}": where for name, where in _named(post.get("attributes", ""))
    }
    columns = {name: where.strip() for name, where in columns.items() if where.strip()}
    known = before.get("columns", {})
    kept = {"columns": {name: _with_values(known.get(name), where) for name, where in columns.items()}}
    return kept | ({"defaults": before["defaults"]} if before.get("defaults") else {})


def _pasted(text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise MappingRefused("The document is no JSON. Nothing was changed.", field="document") from None


def _of_leads(saved):
    """A saved matching without what a file of history tells beside the lead's facts."""
    if saved is None:
        raise MappingRefused("There is no such saved matching. Nothing was changed.", field="saved")
    return {
        part: {name: value for name, value in saved.document.get(part, {}).items() if _is_fact(name)}
        for part in ("columns", "defaults")
    }


def _is_fact(name):
    return name in TAKEN or name.startswith(fields.ATTRIBUTE)


def _named(text):
    """(name, where) of each line "name = where"."""
    for line in text.splitlines():
        name, _, where = line.partition("=")
        if name.strip():
            yield name.strip(), where.strip()


def _with_values(before, where):
    """The column as the document has it, with the translations of values that it had."""
    return before | {"column": where} if isinstance(before, dict) else where

"""Changes to a definition as plain JSON, applied to its document: what an editor, an audit or a script asks for.

A change is one of:

- ``{"rule": key, "set": {"points": 5, …}}``, ``{"rule": key, "remove": true}``, ``{"add_rule": {…}}``
- ``{"tier": key, "set": {"total": 55, …}}``, ``{"tier": key, "remove": true}``, ``{"add_tier": {…}}``
- ``{"required_facts": [field, …]}``
"""

from collections.abc import Iterable, Mapping

from sla.scoring import Definition, DefinitionError


def apply(definition: Definition, changes: Iterable[Mapping], *, number: int | None = None) -> Definition:
    """The definition with the changes made in order, checked as a whole. Raises ``DefinitionError``."""
    document = definition.as_json() | ({} if number is None else {"number": number})
    for change in changes:
        _change(document, change)
    return Definition.from_json(document)


def _change(document: dict, change: Mapping) -> None:
    if "required_facts" in change:
        document["required_facts"] = change["required_facts"]
    elif "add_rule" in change:
        document["rules"].append(dict(change["add_rule"]))
    elif "add_tier" in change:
        document["tiers"].append(dict(change["add_tier"]))
    elif "rule" in change or "tier" in change:
        name = "rule" if "rule" in change else "tier"
        _alter(document[f"{name}s"], change[name], change, name)
    else:
        raise DefinitionError(f"A change names a rule, a tier or the required facts; found {dict(change)!r}.")


def _alter(items: list[dict], key: str, change: Mapping, name: str) -> None:
    found = next((item for item in items if item["key"] == key), None)
    if found is None:
        raise DefinitionError(f"The definition has no {name} {key!r}.")
    if change.get("remove"):
        items.remove(found)
    else:
        found.update(change.get("set", {}))

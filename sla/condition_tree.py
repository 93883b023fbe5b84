"""A condition as a tree to draw and to edit by plain form fields: JSON ↔ nodes ↔ fields; pure, no Django.

A node has a path ("c", "c.0", "c.0.1"), which names its fields: `c.0.field`, `c.0.op`, `c.0.value` … The hidden
fields `node` ("c.0:leaf") tell the shape. Groups: `all`, `any`, `none` (not any) and `not_all`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sla.conditions import ATTRIBUTE, DEEPEST, LEAD_FIELDS
from sla.words import field as called

ROOT = "c"
GROUPS = {
    "all": "all of these hold",
    "any": "one of these holds",
    "none": "none of these holds",
    "not_all": "not all of these hold",
}
OPS = {
    "equals": "is",
    "not_equals": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "matches": "matches the pattern",
    "between": "is from … to",
    "present": "is given",
    "absent": "is missing",
}
TAKES_VALUE = ("equals", "not_equals", "contains", "matches")
TAKES_VALUES = ("in", "not_in")
BUILT_IN = {called(name): name for name in LEAD_FIELDS}


@dataclass
class Node:
    """A group with its children, or a leaf: the leaf's condition as JSON has it."""

    kind: str
    leaf: dict = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    path: str = ROOT

    @property
    def is_leaf(self) -> bool:
        return self.kind == "leaf"

    @property
    def said(self) -> str:
        """The leaf's field as a person writes it."""
        return field_said(self.leaf.get("field", ""))

    @property
    def takes(self) -> str:
        """What the comparison is drawn with: "value", "values", "range", or "" for nothing."""
        op = self.leaf.get("op")
        if op in TAKES_VALUE:
            return "value"
        return "values" if op in TAKES_VALUES else "range" if op == "between" else ""

    @property
    def compares_whole(self) -> bool:
        """Whether a value that occurs is what one would compare with."""
        return self.leaf.get("op") in ("equals", "not_equals")

    @property
    def values(self) -> list[str]:
        return [str(value) for value in self.leaf.get("values", ())]

    @property
    def lines(self) -> str:
        """The values, one a line."""
        return "\n".join(self.values)

    @property
    def of_numbers(self) -> bool:
        """Whether the leaf compares with whole numbers, so that what is typed stays a number."""
        operands = self.leaf.get("values", [self.leaf.get("value")])
        return bool(operands) and all(isinstance(each, int) and not isinstance(each, bool) for each in operands)

    def shape(self) -> str:
        """What decides which fields are drawn: kinds, fields and ops, not the values compared with."""
        if self.is_leaf:
            return f"{self.leaf.get('field')}/{self.leaf.get('op')}"
        return f"{self.kind}({','.join(child.shape() for child in self.children)})"

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()


# --- JSON ↔ nodes -----------------------------------------------------------------------------------
def draw(condition: Mapping | None, path: str = ROOT) -> Node | None:
    """The tree of a condition; None of none."""
    if not condition:
        return None
    inner, kind = condition, next((key for key in ("all", "any") if key in condition), "leaf")
    if "not" in condition:
        inner = condition["not"]
        kind = "none" if "any" in inner else "not_all" if "all" in inner else "none_of_one"
    if kind == "leaf":
        return Node("leaf", leaf=dict(condition), path=path)
    parts = [inner] if kind == "none_of_one" else inner.get("any") or inner.get("all")
    children = [draw(part, f"{path}.{place}") for place, part in enumerate(parts)]
    return Node(kind.removesuffix("_of_one"), children=children, path=path)


def condition(node: Node | None) -> dict | None:
    """The condition of a tree; a group of one is what is in it."""
    if node is None:
        return None
    if node.is_leaf:
        return dict(node.leaf)
    parts = [part for child in node.children if (part := condition(child))]
    if not parts:
        return None
    if node.kind in ("none", "not_all"):
        return {"not": parts[0] if len(parts) == 1 else {"any" if node.kind == "none" else "all": parts}}
    return parts[0] if len(parts) == 1 else {node.kind: parts}


# --- form fields → nodes ------------------------------------------------------------------------------
def read(post, *, of_lead: bool = True) -> Node | None:
    """The tree as the fields of a form (with `get` and `getlist`) have it; None where they hold none."""
    nodes: dict[str, Node] = {}
    for text in post.getlist("node"):
        path, _, kind = text.partition(":")
        if path.count(".") > DEEPEST:
            continue
        if kind == "leaf":
            nodes[path] = Node("leaf", leaf=_leaf(post, path, of_lead), path=path)
        elif kind in GROUPS:
            chosen = post.get(f"{path}.kind")
            nodes[path] = Node(chosen if chosen in GROUPS else kind, path=path)
    for path, node in nodes.items():
        parent = nodes.get(path.rpartition(".")[0])
        if parent is not None and not parent.is_leaf:
            parent.children.append(node)
    return nodes.get(ROOT)


def act(root: Node | None, what: str, new: dict) -> Node | None:
    """The tree after an act: "and:PATH" or "or:PATH" sets `new` beside a node, "add:PATH" into a group, "remove:PATH"
    takes a node away.
    """
    verb, _, path = what.partition(":")
    if root is None:
        return Node("leaf", leaf=dict(new)) if verb in ("and", "or", "add") else None
    if verb == "remove":
        return _without(root, path)
    group = "all" if verb == "and" else "any"
    fresh = Node("leaf", leaf=dict(new))
    node = next((each for each in root.walk() if each.path == path), root)
    parent = next((each for each in root.walk() if any(child is node for child in each.children)), None)
    if node.kind == group or (verb == "add" and not node.is_leaf):
        node.children.append(fresh)
    elif parent is not None and parent.kind == group:
        place = next(i for i, child in enumerate(parent.children) if child is node)
        parent.children.insert(place + 1, fresh)
    else:
        inner = Node(node.kind, leaf=node.leaf, children=node.children)
        node.kind, node.leaf, node.children = group, {}, [inner, fresh]
    return root


def _without(node: Node, path: str) -> Node | None:
    if node.path == path:
        return None
    node.children = [left for child in node.children if (left := _without(child, path))]
    return node if node.is_leaf or node.children else None


def _leaf(post, path: str, of_lead: bool) -> dict:
    text = _text(post.get(f"{path}.field"))
    op = post.get(f"{path}.op")
    leaf = {"field": field_named(text) if of_lead else text, "op": op if op in OPS else "present"}
    typed = _number if post.get(f"{path}.as") == "number" else str
    several = [*post.getlist(f"{path}.values"), *(post.get(f"{path}.more") or "").splitlines()]
    values = list(dict.fromkeys(filter(None, map(_text, several))))
    value = _text(post.get(f"{path}.value"))
    if leaf["op"] in TAKES_VALUE:
        leaf["value"] = typed(value or next(iter(values), ""))
    elif leaf["op"] in TAKES_VALUES:
        leaf["values"] = [typed(each) for each in values or [value] if each]
    elif leaf["op"] == "between":
        bounds = {name: _number(_text(post.get(f"{path}.{name}"))) for name in ("min", "max")}
        leaf |= {name: bound for name, bound in bounds.items() if bound != ""}
    if leaf["op"] in TAKES_VALUE + TAKES_VALUES and post.get(f"{path}.case"):
        leaf["case"] = True
    return leaf


def lacking(node: Node | None) -> Node | None:
    """The first leaf whose comparison still lacks what to compare with, or its field."""
    for each in node.walk() if node else ():
        leaf, op = each.leaf, each.leaf.get("op")
        empty = (op in TAKES_VALUE and leaf["value"] == "") or (op in TAKES_VALUES and not leaf["values"])
        if each.is_leaf and (empty or not leaf["field"] or (op == "between" and not {"min", "max"} & set(leaf))):
            return each
    return None


def _text(typed: str | None) -> str:
    """What was typed, without what no column can hold."""
    return (typed or "").replace("\0", "").strip()


def _number(text: str):
    """The whole number that a text is, else the text."""
    sign, digits = (-1, text[1:]) if text.startswith(("-", "−")) else (1, text)
    return sign * int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else text


# --- names --------------------------------------------------------------------------------------------
def field_named(text: str) -> str:
    """The field that a person means: "company size" is employees, what is no column is an attribute."""
    plain = text.casefold()
    if plain in BUILT_IN or plain in LEAD_FIELDS:
        return BUILT_IN.get(plain, plain)
    return text if not text or text.startswith(ATTRIBUTE) else f"{ATTRIBUTE}{text}"


def field_said(name: str) -> str:
    """What to write for a field so that `field_named` finds it again."""
    plain = name.removeprefix(ATTRIBUTE)
    if plain == name:
        return called(name)
    return plain if field_named(plain) == name else name

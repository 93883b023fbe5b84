"""Conditions of scoring rules: their JSON is checked once, then it is a fast test that never raises; no Django.

A leaf is ``{"field": …, "op": …}`` with the operands of ``OPERANDS``; leaves combine by ``{"all": […]}``,
``{"any": […]}`` and ``{"not": …}``. What holds for every leaf:

- ``None``, empty and blank text and empty lists are *absent*. Every test of an absent value is false, ``absent``
  alone is true: so ``not_equals`` wants a value that differs, while ``{"not": {… equals …}}`` also holds without one.
- Text is compared trimmed, in Unicode NFC and without regard to case; ``"case": true`` keeps the case.
- A number among the operands compares as a number, also with text that is one ("674", "3.0"); text that is no
  number is never in a range. Operands are integers or decimal text ("2.5"), never floats: they are fingerprinted.
- Of a list (a question with several answers) one element has to pass; for ``not_equals``/``not_in`` none may.
- ``matches`` searches the first ``TEXT_SEEN`` characters; a pattern that could be tried in more than
  ``MOST_WAYS`` ways is refused, for it could stall on a hostile text.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from math import factorial, log10
from operator import methodcaller
from re import _parser as regex_parser
from unicodedata import normalize

type Test = Callable[[Mapping], bool]
type Getter = Callable[[Mapping], object]

LEAD_FIELDS = (
    *("external_id", "email", "phone", "first_name", "last_name", "title", "company", "domain", "employees"),
    *("industry", "country", "region", "product", "source", "campaign", "channel"),
)
ATTRIBUTE = "attributes."
OPERANDS = {  # op → (required, optional) keys beside "field" and "op"
    "equals": ({"value"}, {"case"}),
    "not_equals": ({"value"}, {"case"}),
    "in": ({"values"}, {"case"}),
    "not_in": ({"values"}, {"case"}),
    "contains": ({"value"}, {"case"}),
    "matches": ({"value"}, {"case"}),
    "between": (set(), {"min", "max"}),
    "present": (set(), set()),
    "absent": (set(), set()),
}
DEEPEST, MOST_PARTS, MOST_VALUES = 8, 100, 10_000
LONGEST_TEXT, LONGEST_PATTERN, TEXT_SEEN, MOST_WAYS = 500, 200, 128, 2 * 10**7
LISTS = (list, tuple)  # a constant: `list | tuple` would build a union at every call
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class DefinitionError(ValueError):
    """The definition, rule or condition cannot be used; the message says what to change."""


def lead_field(name: str) -> Getter:
    """How to read a field of a lead's facts: a column, or ``attributes.<name>`` (any name, spaces and dots too)."""
    if name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE):
        key = name[len(ATTRIBUTE) :]
        return lambda facts: (facts.get("attributes") or {}).get(key)
    if name not in LEAD_FIELDS:
        near = get_close_matches(name, LEAD_FIELDS, 1)
        hint = f"did you mean {near[0]!r}" if near else f"for anything else write 'attributes.{name}'"
        raise DefinitionError(f"A lead has no field {name!r}; {hint}.")
    return methodcaller("get", name)


def event_property(name: str) -> Getter:
    """How to read a property of an event."""
    return methodcaller("get", name)


def compile_condition(condition, getter: Callable[[str], Getter] = lead_field) -> Test:
    """The test ``(facts or properties) → bool`` of a condition. Raises ``DefinitionError``; the test never raises."""
    if sum(1 for _ in _walk(condition)) > MOST_PARTS:
        raise DefinitionError(f"A condition has at most {MOST_PARTS} parts.")
    return _compile(condition, getter)


def fields_of(condition: Mapping) -> list[str]:
    """The fields that a checked condition reads, each once, in the order in which it names them."""
    return list(dict.fromkeys(part["field"] for part in _walk(condition) if "field" in part))


def is_absent(value) -> bool:
    """Whether a value counts as missing: ``None``, blank text, or a list of nothing else."""
    if isinstance(value, LISTS):
        return all(is_absent(item) for item in value)
    return value is None or (isinstance(value, str) and not value.strip())


def number(value) -> int | Decimal | None:
    """The number that a value is, exactly, or None where it is none (booleans and NaN are none)."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    text = value.strip() if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)
    if len(text) > 40:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    return Decimal(text) if NUMBER.fullmatch(text) else None


# --- shape ----------------------------------------------------------------------------------------
def _walk(condition, depth: int = 1) -> Iterator[Mapping]:
    if not isinstance(condition, Mapping):
        raise DefinitionError(f"A condition is an object, not {condition!r}.")
    if depth > DEEPEST:
        raise DefinitionError(f"A condition nests at most {DEEPEST} deep.")
    yield condition
    for key in ("all", "any"):
        parts = condition.get(key, [])
        if not isinstance(parts, LISTS):
            raise DefinitionError(f"{key!r} takes a list of conditions.")
        for part in parts:
            yield from _walk(part, depth + 1)
    if "not" in condition:
        yield from _walk(condition["not"], depth + 1)


def _compile(condition: Mapping, getter: Callable[[str], Getter]) -> Test:
    kind = next((key for key in ("all", "any", "not") if key in condition), None)
    if kind is None:
        return _leaf(condition, getter)
    if len(condition) > 1:
        raise DefinitionError(f"{kind!r} stands alone; found {_names(condition)}.")
    if kind == "not":
        test = _compile(condition["not"], getter)
        return lambda record: not test(record)
    tests = [_compile(part, getter) for part in condition[kind]]
    if not tests:
        raise DefinitionError(f"{kind!r} needs at least one condition.")
    return _every(tests) if kind == "all" else _some(tests)


def _every(tests: list[Test]) -> Test:
    def every(record) -> bool:
        for test in tests:  # noqa: SIM110 (all() with a generator costs three times as much)
            if not test(record):
                return False
        return True

    return every


def _some(tests: list[Test]) -> Test:
    def some(record) -> bool:
        for test in tests:  # noqa: SIM110 (as above)
            if test(record):
                return True
        return False

    return some


def _leaf(condition: Mapping, getter: Callable[[str], Getter]) -> Test:
    field, op = condition.get("field"), condition.get("op")
    if "event" in condition:
        raise DefinitionError("An event condition is a rule's whole condition, it does not combine with others.")
    if not isinstance(field, str) or not field:
        raise DefinitionError("A condition names a 'field', or is one of 'all', 'any', 'not'.")
    if not isinstance(op, str) or op not in OPERANDS:
        raise DefinitionError(f"{field!r} has the unknown op {op!r}; known are {', '.join(OPERANDS)}.")
    required, optional = OPERANDS[op]
    given = set(condition) - {"field", "op"}
    if not required <= given <= required | optional:
        takes, found = (_names(keys) or "nothing" for keys in (required | optional, given))
        raise DefinitionError(f"{op!r} of {field!r} takes {takes}; found {found}.")
    if not isinstance(condition.get("case", False), bool):
        raise DefinitionError("'case' is true or false.")
    return _of_field(getter(field), op, condition)


def _of_field(get: Getter, op: str, condition: Mapping) -> Test:
    if op == "present":
        return lambda record: not is_absent(get(record))
    if op == "absent":
        return lambda record: is_absent(get(record))
    if op.startswith("not_"):
        same = _of_field(get, op.removeprefix("not_"), condition)
        return lambda record: not same(record) and not is_absent(get(record))
    passes = VALUE_TESTS[op](condition)

    def holds(record) -> bool:
        value = get(record)
        if value is None or value == "":
            return False
        if isinstance(value, LISTS):
            return any(passes(item) for item in value if not is_absent(item))
        return passes(value)

    return holds


def _names(keys) -> str:
    return ", ".join(sorted(map(str, keys)))


# --- tests of one value ---------------------------------------------------------------------------
def _text(value) -> str:
    """The value as trimmed NFC text; a boolean as JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = (value if isinstance(value, str) else str(value)).strip()
    return text if text.isascii() else normalize("NFC", text)


def _folded(value) -> str:
    if isinstance(value, str) and value.isascii():  # nearly every value of nearly every lead
        return value.strip().lower()
    return normalize("NFC", _text(value).casefold())


def _reader(condition: Mapping) -> Callable[[object], str]:
    return _text if condition.get("case") else _folded


def _operand(value) -> str | int | bool:
    """A value that the author wrote: text, an integer or a boolean."""
    if isinstance(value, float):
        raise DefinitionError(f"Write {value!r} as text, so that it is exact: '{value!r}'.")
    if not isinstance(value, str | int):
        raise DefinitionError(f"{value!r} is neither text nor a whole number nor true or false.")
    if isinstance(value, str) and not 0 < len(value.strip()) <= LONGEST_TEXT:
        raise DefinitionError(f"A text to compare with has 1 to {LONGEST_TEXT} characters; see 'absent' for none.")
    return value


def _is_number(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _equals(condition: Mapping) -> Callable:
    return _among([_operand(condition["value"])], _reader(condition))


def _in(condition: Mapping) -> Callable:
    values = condition["values"]
    if not isinstance(values, LISTS) or not 0 < len(values) <= MOST_VALUES:
        raise DefinitionError(f"'values' is a list of 1 to {MOST_VALUES} values.")
    return _among([_operand(value) for value in values], _reader(condition))


def _among(operands: list, read: Callable[[object], str]) -> Callable:
    numbers = frozenset(value for value in operands if _is_number(value))
    texts = frozenset(read(value) for value in operands if not _is_number(value))
    if not numbers:
        return lambda value: read(value) in texts
    return lambda value: number(value) in numbers or read(value) in texts


def _contains(condition: Mapping) -> Callable:
    read = _reader(condition)
    part = read(_operand(condition["value"]))
    return lambda value: part in read(value)


def _between(condition: Mapping) -> Callable:
    low, high = (_bound(condition.get(name), name) for name in ("min", "max"))
    if low is None and high is None:
        raise DefinitionError("'between' needs 'min', 'max' or both.")
    if low is not None and high is not None and low > high:
        raise DefinitionError(f"'between' runs from {low} to {high}, which nothing can be.")

    def within(value) -> bool:
        found = number(value)
        return found is not None and (low is None or low <= found) and (high is None or found <= high)

    return within


def _bound(value, name: str) -> int | Decimal | None:
    if value is None:
        return None
    found = None if isinstance(value, float) else number(value)
    if found is None:
        raise DefinitionError(f"{name!r} is a whole number or decimal text such as '2.5', not {value!r}.")
    return found


def _matches(condition: Mapping) -> Callable:
    pattern = condition["value"]
    if not isinstance(pattern, str) or not 0 < len(pattern) <= LONGEST_PATTERN:
        raise DefinitionError(f"A pattern is text of 1 to {LONGEST_PATTERN} characters.")
    flags = 0 if condition.get("case") else re.IGNORECASE
    try:
        search = re.compile(pattern, flags).search
        tree = regex_parser.parse(pattern, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise DefinitionError(f"The pattern {pattern!r} cannot be read: {error}.") from error
    if _ways_anywhere(tree) > log10(MOST_WAYS):
        raise DefinitionError(
            f"The pattern {pattern!r} could stall: use fewer of * + ? {{}} and |, and none inside another."
        )

    def matches(value) -> bool:
        text = _text(value)
        return text != "" and search(text[:TEXT_SEEN]) is not None

    return matches


def _ways_anywhere(tree) -> float:
    """log10 of the ways over all starting places; open repeats in a row share the text, hence the factorial."""
    wide = sum(str(op).endswith("_REPEAT") and int(arguments[1]) >= TEXT_SEEN for op, arguments in tree)
    return _ways(tree) + log10(TEXT_SEEN) - log10(factorial(wide + 1))


def _ways(pattern) -> float:
    """log10 of an upper bound of the ways in which a backtracking engine may try a parsed pattern at one place."""
    return sum(_ways_of(str(op), arguments) for op, arguments in pattern)


def _ways_of(op: str, arguments) -> float:
    if op.endswith("_REPEAT"):
        low, high, body = arguments[0], min(int(arguments[1]), TEXT_SEEN), arguments[2]
        tries = max(high - low, 0) + 2 if high != low else 1  # one above the choices, for the step itself
        return log10(tries) + max(high, low) * _ways(body)
    if op == "BRANCH":
        return log10(len(arguments[1])) + max(map(_ways, arguments[1]))
    if op == "GROUPREF_EXISTS":
        return log10(2) + sum(_ways(part) for part in arguments[1:] if part is not None)
    if op in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
        return _ways(arguments[-1])
    return _ways(arguments) if op == "ATOMIC_GROUP" else 0.0


VALUE_TESTS = {"equals": _equals, "in": _in, "contains": _contains, "between": _between, "matches": _matches}

"""What an item says of a lead: the importer's mapping document, with paths where a file has headings."""

from typing import NamedTuple

from leads.connectors.inbound.message import text_of
from leads.intake.imports import cells, fields
from leads.intake.imports.cells import Wrong
from leads.intake.imports.mapping import read_mapping
from leads.intake.imports.problems import ROWS, MappingRefused
from portal.keys.shapes import EXACT
from portal.shared.refusal import Refusal

TAKEN = (*fields.FACTS, "employees")  # of the importer's fields: those of a lead; decisions come in by nobody else
LONGEST_ATTRIBUTE, LONGEST_PROPERTY = 2000, 1000


class ItemRefused(Refusal):
    code = "item_refused"
    sentence = "The item cannot be taken."


class Facts(NamedTuple):
    """What was told of the lead, and what stands in where nothing was: {fact: value}, "attributes.x" among them.

    properties: {name: text, number or true and false} of the event.
    """

    told: dict
    defaults: dict
    properties: dict

    @property
    def email(self):
        return self.told.get("email")


def checked(document):
    """The importer's Mapping of a document that fills facts of leads alone. Refuses: MappingRefused."""
    mapping = read_mapping(document)
    if other := sorted(name for name in mapping.fields if name in fields.FIELDS and name not in TAKEN):
        said = f"{', '.join(other)}: a connection tells facts of the lead, nothing else."
        raise MappingRefused(said, field=other[0])
    return mapping


def read(mapping, find, properties):
    """The Facts of one item. Refuses: ItemRefused.

    find: path or name → the raw value, None where there is none. properties: {name of the event's: path or name}.
    """
    told = {}
    for name, column in mapping.columns.items():
        try:
            text = text_of(find(column.name))
        except ValueError:
            raise ItemRefused(f"{fields.label_of(name)}: an object stands there, no plain value.") from None
        if column.values:
            text = cells.ours(column.values, "")(text)
        if (value := _value(name, text)) != "":
            told[name] = value
    defaults = {name: _value(name, text) for name, text in mapping.defaults.items()}
    defaults = {name: value for name, value in defaults.items() if value != "" and name not in told}
    return Facts(told, defaults, _properties(properties, find))


def _properties(wanted, find):
    """What is told of the event: numbers, true and false stay what they are, lists become texts."""
    found = {}
    for name, path in wanted.items():
        value = find(path)
        try:
            value = value if isinstance(value, int | float) and abs(value) <= EXACT else text_of(value).strip()
        except ValueError:
            raise ItemRefused(f"{name}: an object stands there, no plain value.") from None
        if isinstance(value, str) and len(value) > LONGEST_PROPERTY:
            raise ItemRefused(f"{name}: longer than {LONGEST_PROPERTY:,} characters.")
        if value != "":
            found[name] = value
    return found


def _value(name, text):
    """The text as the fact keeps it; "" is none. Refuses: ItemRefused."""
    field = fields.FIELDS.get(name)
    kind = field.kind if field else fields.KEPT
    text = text if kind == fields.KEPT else text.strip()
    longest = field.longest if field and field.longest else LONGEST_ATTRIBUTE
    if len(text) > longest:
        _refuse(name, Wrong(name, text, "too_long", f"Longer than {longest} characters."))
    if kind == fields.EMAIL and text and not cells.EMAIL.fullmatch(text):
        _refuse(name, cells.wrong_email(text))
    if kind == fields.COUNT:
        number = cells.employees(text)
        return _refuse(name, number) if isinstance(number, Wrong) else number and int(number)
    return text


def _refuse(name, wrong):
    raise ItemRefused(f"{fields.label_of(name)}: {wrong.what or ROWS[wrong.code][0]}")

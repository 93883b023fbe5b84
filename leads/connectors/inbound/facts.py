"""What an item says of a lead: the importer's mapping document, with paths where a file has headings."""

from typing import NamedTuple

from leads.connectors.inbound.message import text_of
from leads.intake.imports import cells, fields
from leads.intake.imports.cells import Wrong
from leads.intake.imports.mapping import read_mapping
from leads.intake.imports.problems import ROWS, MappingRefused
from portal.shared.refusal import Refusal

TAKEN = (*fields.FACTS, "employees")  # of the importer's fields: those of a lead; decisions come in by nobody else
LONGEST_ATTRIBUTE = 2000


class ItemRefused(Refusal):
    code = "item_refused"
    sentence = "The item cannot be taken."


class Facts(NamedTuple):
    """What was told of the lead, and what stands in where nothing was: {fact: value}, "attributes.x" among them."""

    told: dict
    defaults: dict

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


def read(mapping, find):
    """The Facts of one item. find: path or name → the raw value, None where there is none. Refuses: ItemRefused."""
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
    return Facts(told, {name: value for name, value in defaults.items() if value != "" and name not in told})


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

"""The mapping document: which column becomes which field, how raw values become ours, and what stands in for none."""

from dataclasses import dataclass
from types import MappingProxyType

from leads.intake.imports import fields
from leads.intake.imports.dates import parser
from leads.intake.imports.problems import MappingRefused


@dataclass(frozen=True)
class Column:
    """One field's column, with the values that are written otherwise in the file."""

    name: str
    values: MappingProxyType | None = None


@dataclass(frozen=True)
class Mapping:
    """A checked document."""

    columns: dict[str, Column]
    defaults: dict[str, str]
    delimiter: str | None = None
    encoding: str | None = None
    dates: MappingProxyType = MappingProxyType({})

    @property
    def fields(self):
        return set(self.columns) | set(self.defaults)

    @property
    def attributes(self):
        """The names of the attributes that the file fills, in order."""
        names = dict.fromkeys([*self.columns, *self.defaults])
        return [name.removeprefix(fields.ATTRIBUTE) for name in names if name not in fields.FIELDS]


def read_mapping(document):
    """The Mapping of a JSON document. Refuses with the place that is wrong: MappingRefused."""
    document = _object(document, "The mapping")
    _known(document, {"format", "columns", "defaults", "$schema"}, "The mapping")
    written = _object(document.get("format", {}), "format")
    _known(written, {"delimiter", "encoding", "dates"}, "format")
    dates = _object(written.get("dates", {}), "format.dates")
    for name, pattern in dates.items():
        if name not in fields.MOMENTS:
            raise MappingRefused(f"format.dates.{name}: only {', '.join(fields.MOMENTS)} hold dates.", field=name)
        parser(_text(pattern, f"format.dates.{name}"))
    columns = {name: _column(name, value) for name, value in _object(document.get("columns", {}), "columns").items()}
    defaults = _object(document.get("defaults", {}), "defaults")
    for name in (*columns, *defaults):
        if not fields.is_field(name):
            raise MappingRefused(
                f"“{name}” is not a field. For anything beside the fields write attributes.{name}.", field=name
            )
    if "outcome" not in {*columns, *defaults} and (of_deal := {*columns, *defaults} & {*fields.DEAL}):
        name = min(of_deal)
        raise MappingRefused(
            f"{fields.label_of(name)} tells of a deal: say what its outcome is, by a column or a default.", field=name
        )
    return Mapping(
        columns=columns,
        defaults={name: _plain(value, f"defaults.{name}") for name, value in defaults.items()},
        delimiter=written.get("delimiter") and _text(written["delimiter"], "format.delimiter"),
        encoding=written.get("encoding") and _text(written["encoding"], "format.encoding"),
        dates=MappingProxyType(dates),
    )


def _column(name, value):
    if isinstance(value, str):
        return Column(value)
    value = _object(value, f"columns.{name}")
    _known(value, {"column", "values"}, f"columns.{name}")
    values = _object(value.get("values", {}), f"columns.{name}.values")
    values = {raw.strip(): _plain(ours, f"columns.{name}.values.{raw}") for raw, ours in values.items()}
    return Column(_text(value.get("column"), f"columns.{name}.column"), MappingProxyType(values) if values else None)


def _plain(value, where):
    """A value of the document as the text that a cell would hold; null is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise MappingRefused(f"{where} is a text or a number.")


def _text(value, where):
    if not isinstance(value, str) or not value:
        raise MappingRefused(f"{where} is a text that is not empty.")
    return value


def _object(value, where):
    if not isinstance(value, dict):
        raise MappingRefused(f"{where} is an object.")
    return value


def _known(value, names, where):
    if unknown := sorted(set(value) - names):
        raise MappingRefused(f"{where} does not know {', '.join(unknown)}; it takes {', '.join(sorted(names))}.")

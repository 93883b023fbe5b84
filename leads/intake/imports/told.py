"""What a file told an outcome with: remembered with the import, so that these columns may never speak for a lead."""

from leads.intake.imports.fields import ATTRIBUTE, label_of
from leads.intake.models import OutcomeColumn

OF_OUTCOME = (
    "decision", "reason", "decided_at", "note", "first_touch_at", "outcome", "closed_at", "amount", "loss_reason",
    "deal_product", "deal_id", "owner",
)  # fmt: skip


def remember(mapping, *, file_name, at):
    """Keep which columns of a file told an outcome, and the attributes that it filled from the very same ones."""
    OutcomeColumn.objects.bulk_create(
        [
            OutcomeColumn(attribute=name, field=field, file_name=file_name[-200:], read_at=at)
            for field, names in columns(mapping).items() for name in names if "\0" not in name
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def columns(mapping):
    """{field: names of attributes that repeat the column it is read from}; the column's heading is one itself."""
    found = {}
    for field in OF_OUTCOME:
        if column := mapping.columns.get(field):
            same = [
                name.removeprefix(ATTRIBUTE) for name, other in mapping.columns.items()
                if name.startswith(ATTRIBUTE) and other.name.casefold() == column.name.casefold()
            ]  # fmt: skip
            found[field] = list(dict.fromkeys([column.name, *same]))
    return found


def told_by_files():
    """{source as conditions name it, in lower case: one sentence} of what imports read an outcome from."""
    rows = OutcomeColumn.objects.order_by("-pk").values_list("attribute", "field", "file_name")
    return {
        f"{ATTRIBUTE}{name}".casefold(): f"The import of {file} read the {label_of(field).lower()} from it."
        for name, field, file in rows
    }

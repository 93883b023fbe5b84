"""What imports of the past told the outcome with: their columns may speak for no lead; reads only."""

from leads.intake.imports.fields import ATTRIBUTE, label_of
from leads.intake.models import ImportJob

OF_OUTCOME = (
    "decision", "reason", "decided_at", "note", "first_touch_at", "outcome", "closed_at", "amount", "loss_reason",
    "deal_product", "deal_id", "owner",
)  # fmt: skip


def told_by_files():
    """{source: sentence} of the attributes that repeat a column which some import read an outcome from."""
    jobs = ImportJob.objects.filter(status=ImportJob.Status.DONE).order_by("pk")
    found = {}
    for name, mapping in jobs.values_list("file_name", "mapping"):
        headings = {field: _heading(column) for field, column in mapping.get("columns", {}).items()}
        telling = {headings[field].casefold(): field for field in OF_OUTCOME if field in headings}
        for field, heading in headings.items():
            if field.startswith(ATTRIBUTE) and heading.casefold() in telling:
                what = label_of(telling[heading.casefold()]).lower()
                found[field] = f"The import of {name} read the {what} from it."
    return found


def _heading(column):
    return column["column"] if isinstance(column, dict) else column

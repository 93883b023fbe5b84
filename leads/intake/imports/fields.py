"""The fields a file can fill: what each one is called, what kind of value it takes and how long it may be."""

from dataclasses import dataclass

from leads.models import Lead

# kinds: kept (text as it stands), label (text without the blanks around it), and those that are read
KEPT, LABEL, KEY, EMAIL, COUNT, MOMENT, OWNER, DECISION, REASON, OUTCOME, AMOUNT, LOSS = (
    "kept", "label", "key", "email", "count", "moment", "owner", "decision", "reason", "outcome", "amount", "loss",
)  # fmt: skip
ATTRIBUTE = "attributes."


@dataclass(frozen=True)
class Field:
    """One field of the mapping document."""

    name: str
    label: str
    kind: str
    longest: int | None = None


def _of_lead(name, label, kind):
    return Field(name, label, kind, Lead._meta.get_field(name).max_length)


FIELDS = {
    field.name: field
    for field in (
        _of_lead("external_id", "Outside ID", KEY),
        _of_lead("email", "E-mail", EMAIL),
        _of_lead("phone", "Phone", KEPT),
        _of_lead("first_name", "First name", KEPT),
        _of_lead("last_name", "Last name", KEPT),
        _of_lead("title", "Job title", KEPT),
        _of_lead("company", "Company", KEPT),
        _of_lead("domain", "Web domain", LABEL),
        Field("employees", "Employees", COUNT),
        _of_lead("industry", "Industry", LABEL),
        _of_lead("country", "Country", LABEL),
        _of_lead("region", "Region", LABEL),
        _of_lead("product", "Product", LABEL),
        _of_lead("source", "Source", LABEL),
        _of_lead("campaign", "Campaign", LABEL),
        _of_lead("channel", "Channel", LABEL),
        Field("qualified_at", "Became an MQL on", MOMENT),
        Field("owner", "Owner", OWNER, 200),
        Field("first_touch_at", "First contact on", MOMENT),
        Field("decision", "Decision", DECISION),
        Field("reason", "Reason for rejection", REASON),
        Field("decided_at", "Decided on", MOMENT),
        Field("note", "Note", KEPT),
        Field("outcome", "Deal outcome", OUTCOME),
        Field("opened_at", "Deal opened on", MOMENT),
        Field("closed_at", "Deal closed on", MOMENT),
        Field("amount", "Deal amount", AMOUNT),
        Field("currency", "Deal currency", LABEL),
        Field("loss_reason", "Reason for the loss", LOSS),
        Field("deal_product", "Deal product", LABEL),
        Field("deal_id", "Deal ID", KEY),
    )
}
DEAL = tuple(name for name in FIELDS if FIELDS[name].label.startswith("Deal") or name == "loss_reason")
MOMENTS = tuple(name for name, field in FIELDS.items() if field.kind == MOMENT)
FACTS = tuple(name for name in FIELDS if name in {f.name for f in Lead._meta.fields} and name != "employees")


def is_field(name):
    """True for a field of the table and for ``attributes.<name>``."""
    return name in FIELDS or (name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE))


def label_of(name):
    """What people read: the field's label, or the attribute's own name."""
    return FIELDS[name].label if name in FIELDS else name.removeprefix(ATTRIBUTE)

"""What the leads list selects beside figures.rows: the leads behind the audit's parts, each named once."""

from leads import figures_clocks, figures_deals, figures_disputes, figures_left_out, figures_speed
from portal.accounts.models import User
from sla.models import ReasonCode

BANDS = {
    "5min": "within 5 minutes", "1h": "5 minutes to 1 hour", "24h": "1 to 24 hours", "later": "after 24 hours",
    "none": "none so far",
}  # fmt: skip
CLOCK = {figures_clocks.KEPT: "in time", figures_clocks.LATE: "its time ran out"}
CHOICES = {  # key of the address: (its name, what it may be, in words)
    "speed": ("First contact", BANDS),
    "dispute": ("Dispute", {"open": "waits for a ruling"}),
    "disputed": (
        "Disputed",
        {
            "any": "whatever came of it",
            "waiting": "waits for a ruling",
            "upheld": "upheld",
            "overturned": "overturned",
            "settled": "taken back before a ruling",
        },
    ),
    "contact_clock": ("First contact", CLOCK),
    "decision_clock": ("Decision", CLOCK),
    "deal": ("Deal", {"any": "recorded", "won": "won", "lost": "lost", "open": "open", "none": "none"}),
    "apart": ("Delivered and decided", {"yes": "in different months"}),
    "exploration": ("Threshold", {"yes": "below it, by exploration"}),
    "imported": ("Came by", {"yes": "import of the past"}),
    "clock": ("Clock", {"over": "ran out, and still open"}),
}
PEOPLE = {"rejected_by": "Rejected by", "answered_by": "Answered for by"}  # their values are ids; "": nobody
OF_DISPUTES = {"disputed", "disputed_month", "disputed_reason", "rejected_by"}
WORDS = (*CHOICES, *PEOPLE, "amended_month", "disputed_month", "disputed_reason")


def is_wrong(filters):
    """Whether a filter has a value that it cannot have."""
    if "answered_by" in filters and not any(f"{clock}_clock" in filters for clock in figures_clocks.CLOCKS):
        return True
    return any(key in filters and filters[key] not in allowed for key, (_, allowed) in CHOICES.items())


def narrow(query, filters, *, as_of, zone):
    """Of a queryset of handoffs those that the filters select; months are of `zone`."""
    if band := filters.get("speed"):
        query = figures_speed.among(query, band, as_of=as_of)
    if filters.get("dispute"):
        query = figures_disputes.under_dispute(query, as_of=as_of)
    if not OF_DISPUTES.isdisjoint(filters):
        query = figures_disputes.among(query, filters, as_of=as_of, zone=zone)
    for clock in figures_clocks.CLOCKS:
        if state := filters.get(f"{clock}_clock"):
            person = filters.get("answered_by") or None
            query = figures_clocks.among(query, clock, state, person=person, as_of=as_of)
    if state := filters.get("deal"):
        query = figures_deals.among(query, state, as_of=as_of)
    if filters.get("apart"):
        query = figures_left_out.decided_apart(query, filters, as_of=as_of, zone=zone)
    if filters.get("imported"):
        query = query.filter(is_historical=True)
    if month := filters.get("amended_month"):
        query = figures_left_out.amended_in(query, month, as_of=as_of, zone=zone)
    if filters.get("clock"):
        query = query.overdue(at=as_of)
    return query


def said(filters):
    """[(key, its name, its value in words)]"""
    found = [(key, name, words[filters[key]]) for key, (name, words) in CHOICES.items() if key in filters]
    for key, name in (("amended_month", "Decision amended"), ("disputed_month", "Dispute opened")):
        if month := filters.get(key):
            found.append((key, name, month.title))
    if code := filters.get("disputed_reason"):
        named = ReasonCode.objects.filter(code=code).order_by("-version_id").values_list("label", flat=True).first()
        found.append(("disputed_reason", "Reason disputed", named or code))
    for key, name in PEOPLE.items():
        if (person := filters.get(key)) is not None:
            named = User.objects.filter(pk=person or None).values_list("name", flat=True).first()
            found.append((key, name, named or person or "nobody"))
    return found

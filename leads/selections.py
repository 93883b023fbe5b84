"""What the leads list selects beside figures.rows: the leads behind the audit's parts, each named once."""

from leads import figures_deals, figures_disputes, figures_left_out, figures_speed

BANDS = {
    "5min": "within 5 minutes", "1h": "5 minutes to 1 hour", "24h": "1 to 24 hours", "later": "after 24 hours",
    "none": "none so far",
}  # fmt: skip
CHOICES = {  # key of the address: (its name, what it may be, in words)
    "speed": ("First contact", BANDS),
    "dispute": ("Dispute", {"open": "waits for a ruling"}),
    "deal": ("Deal", {"any": "recorded", "won": "won", "lost": "lost", "open": "open", "none": "none"}),
    "apart": ("Delivered and decided", {"yes": "in different months"}),
    "exploration": ("Threshold", {"yes": "below it, by exploration"}),
    "imported": ("Came by", {"yes": "import of the past"}),
    "clock": ("Clock", {"over": "ran out, and still open"}),
}
WORDS = (*CHOICES, "amended_month")


def is_wrong(filters):
    """Whether a filter has a value that it cannot have."""
    return any(key in filters and filters[key] not in allowed for key, (_, allowed) in CHOICES.items())


def narrow(query, filters, *, as_of, zone):
    """Of a queryset of handoffs those that the filters select; months are of `zone`."""
    if band := filters.get("speed"):
        query = figures_speed.among(query, band, as_of=as_of)
    if filters.get("dispute"):
        query = figures_disputes.under_dispute(query, as_of=as_of)
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
    if month := filters.get("amended_month"):
        found.append(("amended_month", "Decision amended", month.title))
    return found

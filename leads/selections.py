"""What the leads list selects beside figures.rows: the leads behind the audit's parts, each named once."""

from leads import figures_disputes, figures_speed

BANDS = {
    "5min": "within 5 minutes", "1h": "5 minutes to 1 hour", "24h": "1 to 24 hours", "later": "after 24 hours",
    "none": "none so far",
}  # fmt: skip
WORDS = {  # key of the address: (its name, what it may be, in words)
    "speed": ("First contact", BANDS),
    "dispute": ("Dispute", {"open": "waits for a ruling"}),
}


def is_wrong(filters):
    """Whether a filter has a value that it cannot have."""
    return any(key in filters and filters[key] not in allowed for key, (_, allowed) in WORDS.items())


def narrow(query, filters, *, as_of):
    """Of a queryset of handoffs those that the filters select."""
    if band := filters.get("speed"):
        query = figures_speed.among(query, band, as_of=as_of)
    if filters.get("dispute"):
        query = figures_disputes.under_dispute(query, as_of=as_of)
    return query


def said(filters):
    """[(key, its name, its value in words)]"""
    return [(key, name, words[filters[key]]) for key, (name, words) in WORDS.items() if key in filters]

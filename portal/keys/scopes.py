"""What a key may be for: each a part of the API. The person it acts as must be allowed the act as well."""

LEADS_READ, LEADS_WRITE, EVENTS_WRITE = "leads:read", "leads:write", "events:write"
HANDOFFS_READ, HANDOFFS_WRITE = "handoffs:read", "handoffs:write"
DEALS_READ, DEALS_WRITE = "deals:read", "deals:write"
FIGURES_READ, AGREEMENT_READ = "figures:read", "agreement:read"
ACT_FOR = "people:act-for"

SCOPES = {
    LEADS_WRITE: "Send leads",
    EVENTS_WRITE: "Send events of leads",
    LEADS_READ: "Read leads",
    HANDOFFS_READ: "Read handoffs",
    HANDOFFS_WRITE: "Log contacts, accept and reject",
    DEALS_READ: "Read deals",
    DEALS_WRITE: "Record won, lost and open deals",
    FIGURES_READ: "Read audits and figures",
    AGREEMENT_READ: "Read the agreement and the definition",
    ACT_FOR: "Act for other people, named in each request (On-Behalf-Of)",
}

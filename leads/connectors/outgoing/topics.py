"""What a receiver may hear of: the topics of outgoing webhooks, and which message of the outbox tells each."""

TOPICS = {
    "lead.captured": "A lead was captured",
    "handoff.opened": "A lead was handed over",
    "handoff.touched": "Sales logged a contact attempt",
    "handoff.accepted": "Sales accepted a lead",
    "handoff.rejected": "Sales rejected a lead",
    "handoff.breached": "A clock ran out",
    "lead.erased": "A person was forgotten",
    "agreement.signed": "A side signed the agreement",
    "audit.closed": "An audit was closed",
}
PING = "ping"  # a greeting, for trying an endpoint; nobody subscribes to it

"""What became of each handoff, as a label or as why it is none: one SQL expression for each question.

Bad timing is no evidence against fit, nor are wrong data: a rejection of these categories, and a deal lost for bad
timing, is no label. What nobody decided is no label either, nor a deal that is still open. Each lead counts once, with
its latest handoff that has a label, so that leads are independent of each other.
"""

from leads.models.deal import TIMING

YES, NO = "yes", "no"
ACCEPTED, WON = "accepted", "won"
# why a handoff is no label, in words
LEFT_OUT = {
    "undecided": "undecided",
    "timing": "rejected or lost for bad timing",
    "data": "rejected for bad data",
    "withdrawn": "withdrawn",
    "open_deal": "accepted, their deal still open",
    "no_deal": "accepted, without a deal",
    "earlier": "earlier cycles of a lead that has a later one",
}
_ACCEPTED = """CASE WHEN h.status = 'accepted' THEN 'yes' WHEN h.status = 'withdrawn' THEN 'withdrawn'
    WHEN h.status = 'open' THEN 'undecided' WHEN r.category IN ('fit', 'scoring') THEN 'no' ELSE r.category END"""
_WON = f"""CASE WHEN d.won THEN 'yes' WHEN d.open THEN 'open_deal' WHEN d.lost THEN 'no' WHEN d.timing THEN 'timing'
    WHEN h.status = 'accepted' THEN 'no_deal' ELSE {_ACCEPTED} END"""
_DEALS = f"""LEFT JOIN (
    SELECT handoff_id, bool_or(outcome = 'won') AS won, bool_or(outcome = 'open') AS open,
        bool_or(outcome = 'lost' AND loss_reason <> '{TIMING}') AS lost,
        bool_or(outcome = 'lost' AND loss_reason = '{TIMING}') AS timing
    FROM leads_deal deal WHERE handoff_id IS NOT NULL AND outcome <> 'void'
        AND NOT EXISTS (SELECT FROM leads_deal later WHERE later.supersedes_id = deal.id)
    GROUP BY handoff_id) d ON d.handoff_id = h.id"""


def labelled(question):
    """The SQL of the handoffs `h` with their `verdict`: YES, NO or a key of LEFT_OUT. Takes %(since)s and %(at)s."""
    verdict, deals = (_WON, _DEALS) if question == WON else (_ACCEPTED, "")
    return f"""SELECT h.id, h.lead_id, h.qualified_at, {verdict} AS verdict
        FROM leads_handoff h LEFT JOIN sla_reasoncode r ON r.id = h.reason_id {deals}
        WHERE h.qualified_at >= %(since)s AND h.qualified_at < %(at)s"""

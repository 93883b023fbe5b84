"""What pages show of other tables beside a handoff, each looked up by its key.

Joining nine tables takes the planner 3 ms, before it reads a row; the same names as sub-selects take 0.1 ms.
"""

from django.db.models.expressions import RawSQL

NAMES = {
    "owner_name": "SELECT o.name FROM accounts_user o WHERE o.id = leads_handoff.owner_id",
    "tier_name": "SELECT t.name FROM sla_tier t WHERE t.id = leads_handoff.tier_id",
    "tier_position": "SELECT t.position FROM sla_tier t WHERE t.id = leads_handoff.tier_id",
    "tier_steps": """SELECT coalesce(json_agg(json_build_array(t.name, t.total) ORDER BY t.total), '[]')
        FROM sla_tier t WHERE t.definition_id = leads_handoff.definition_id""",
    "definition_number": "SELECT d.number FROM sla_mqldefinition d WHERE d.id = leads_handoff.definition_id",
    "version_number": "SELECT v.number FROM sla_slaversion v WHERE v.id = leads_handoff.sla_version_id",
    "attempts_before_unreachable": """SELECT v.attempts_before_unreachable FROM sla_slaversion v
        WHERE v.id = leads_handoff.sla_version_id""",
    "decided_by_id": "SELECT d.decided_by_id FROM leads_decision d WHERE d.id = leads_handoff.standing_decision_id",
    "decided_by_name": """SELECT u.name FROM leads_decision d JOIN accounts_user u ON u.id = d.decided_by_id
        WHERE d.id = leads_handoff.standing_decision_id""",
}


def named(*names):
    """Those of NAMES (all without arguments) as annotations for a queryset of handoffs."""
    return {name: RawSQL(NAMES[name], ()) for name in names or NAMES}  # noqa: S611 (no input in it)

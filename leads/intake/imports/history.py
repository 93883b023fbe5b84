"""History: rows become handoffs of the past, with their decision and owner, and nothing is started or sent."""

WHY = "Owner in the imported file"
MULTI = "lead_id IN (SELECT lead_id FROM import_kept WHERE NOT is_new)"


def record(staging, *, by):
    """Make, decide or leave the handoffs that the kept rows tell of. by: user id of the importer, or None."""
    if staging.all_new:
        staging.sql("UPDATE import_kept SET act = 'make' WHERE qualified_at IS NOT NULL")
    else:
        _compare(staging)
    stamp = {"at": staging.at, "by": by, "why": WHY}
    if not staging.all_new:
        for statement in DECIDE_OPEN:
            staging.sql(statement, stamp)
    for statement in MAKE:
        staging.sql(statement, stamp)


def counts(staging):
    """(created, updated, unchanged) rows without a problem."""
    if staging.all_new:
        return staging.created, 0, 0
    return staging.rows(
        """SELECT count(*) FILTER (WHERE is_new),
            count(*) FILTER (WHERE NOT is_new AND (act IN ('make', 'decide') OR changed)),
            count(*) FILTER (WHERE NOT is_new AND act IS NULL AND NOT changed)
        FROM (SELECT k.is_new, k.act, EXISTS (SELECT 1 FROM import_changed c JOIN import_facts f USING (lead_id)
                WHERE f.lead_id = k.lead_id AND f.row = k.row)
                OR EXISTS (SELECT 1 FROM import_deal d WHERE d.row = k.row) AS changed
            FROM import_kept k WHERE k.problem IS NULL) r"""
    )[0]


def _compare(staging):
    for statement in COMPARE:
        staging.sql(statement)


COMPARE = (
    # a handoff of this lead and moment exists
    """UPDATE import_kept k SET existing_id = h.id FROM leads_handoff h
        WHERE k.problem IS NULL AND NOT k.is_new AND h.lead_id = k.lead_id AND h.qualified_at = k.qualified_at""",
    """UPDATE import_kept k SET problem = CASE
            WHEN h.status = 'open' AND h.decision_due_at IS NOT NULL THEN 'has_open_handoff'
            WHEN h.status <> 'open' AND (h.status, h.reason_id) IS DISTINCT FROM (k.decision, k.reason_id)
                THEN 'already_decided' END
        FROM leads_handoff h WHERE h.id = k.existing_id AND k.decision IS NOT NULL""",
    # rows of the file that tell of the same handoff: the first with a decision speaks for all
    f"""UPDATE import_kept k SET boss = r.boss, problem = coalesce(k.problem, CASE
            WHEN k.decision IS NOT NULL AND (k.decision, k.reason_id) IS DISTINCT FROM (r.decision, r.reason_id)
            THEN 'already_decided' END)
        FROM (SELECT row, first_value(row) OVER w AS boss, first_value(decision) OVER w AS decision,
                first_value(reason_id) OVER w AS reason_id
            FROM import_kept WHERE problem IS NULL AND {MULTI}
            WINDOW w AS (PARTITION BY lead_id, qualified_at ORDER BY decision IS NULL, row)) r
        WHERE r.row = k.row""",
    "CREATE INDEX ON import_kept (existing_id)",
    "ANALYZE import_kept",  # without it the planner takes the new columns for empty, and joins row by row
    """UPDATE import_kept k SET act = 'decide' FROM leads_handoff h
        WHERE h.id = k.existing_id AND h.status = 'open' AND k.decision IS NOT NULL AND k.problem IS NULL
        AND k.boss = k.row""",
    """UPDATE import_kept SET act = 'make'
        WHERE existing_id IS NULL AND problem IS NULL AND coalesce(boss, row) = row AND qualified_at IS NOT NULL""",
    "ANALYZE import_kept",
    # one open handoff a lead
    """UPDATE import_kept k SET act = NULL, problem = 'has_open_handoff'
        FROM leads_handoff h LEFT JOIN import_kept d ON d.existing_id = h.id AND d.act = 'decide'
        WHERE h.lead_id = k.lead_id AND h.status = 'open' AND d.row IS NULL
        AND k.act = 'make' AND k.decision IS NULL AND NOT k.is_new""",
    f"""UPDATE import_kept k SET act = NULL, problem = 'has_open_handoff'
        FROM (SELECT row, row_number() OVER (PARTITION BY lead_id ORDER BY row) AS n FROM import_kept
            WHERE act = 'make' AND decision IS NULL AND {MULTI}) r
        WHERE r.row = k.row AND r.n > 1""",
)
DECIDE_OPEN = (
    """INSERT INTO leads_decision (id, handoff_id, outcome, reason_id, attribute, field, signal, note,
            decided_at, recorded_at, decided_by_id, via, supersedes_id)
        SELECT k.decision_id, k.existing_id, k.decision, k.reason_id, '', '', '', coalesce(k.note, ''),
            k.decided_at, %(at)s, o.user_id, 'import', h.standing_decision_id
        FROM import_kept k JOIN leads_handoff h ON h.id = k.existing_id
        LEFT JOIN import_owner o ON o.no = k.owner_no WHERE k.act = 'decide'""",
    """UPDATE leads_handoff h SET status = k.decision, standing_decision_id = k.decision_id,
            decided_at = k.decided_at, reason_id = k.reason_id
        FROM import_kept k WHERE k.act = 'decide' AND h.id = k.existing_id""",
)
PREVIOUS = f"""
    SELECT k.row, coalesce(
        lag(k.handoff_id) OVER (PARTITION BY k.lead_id ORDER BY k.qualified_at),
        (SELECT h.id FROM leads_handoff h WHERE h.lead_id = k.lead_id AND h.qualified_at < k.qualified_at
            AND NOT EXISTS (SELECT 1 FROM leads_handoff n WHERE n.previous_id = h.id)
            ORDER BY h.qualified_at + interval '0' DESC LIMIT 1)) AS previous_id
    FROM import_kept k WHERE k.act = 'make' AND {MULTI}
"""
_OF_LEAD = "coalesce(k.{0}, (SELECT l.{0} FROM leads_lead l WHERE NOT k.is_new AND l.id = k.lead_id), '')"
MAKE = (
    f"""INSERT INTO leads_handoff (id, lead_id, previous_id, definition_id, sla_version_id, source, campaign, channel,
            industry, employees, qualified_at, recorded_at, is_historical, owner_id, first_touch_at, status,
            standing_decision_id, decided_at, reason_id, withdrawn_why)
        SELECT k.handoff_id, k.lead_id, p.previous_id, k.definition_id, k.version_id,
            {_OF_LEAD.format("source")}, {_OF_LEAD.format("campaign")}, {_OF_LEAD.format("channel")},
            {_OF_LEAD.format("industry")},
            coalesce(k.employees, (SELECT l.employees FROM leads_lead l WHERE NOT k.is_new AND l.id = k.lead_id)),
            k.qualified_at, %(at)s, true, o.user_id, greatest(k.first_touch_at, CASE
                WHEN k.first_touch_at IS NOT NULL THEN k.qualified_at END),
            coalesce(k.decision, 'open'), CASE WHEN k.decision IS NOT NULL THEN k.decision_id END,
            k.decided_at, k.reason_id, ''
        FROM import_kept k LEFT JOIN import_owner o ON o.no = k.owner_no
        LEFT JOIN ({PREVIOUS}) p ON p.row = k.row WHERE k.act = 'make'""",
    """INSERT INTO leads_decision (id, handoff_id, outcome, reason_id, attribute, field, signal, note,
            decided_at, recorded_at, decided_by_id, via)
        SELECT k.decision_id, k.handoff_id, k.decision, k.reason_id, '', '', '', coalesce(k.note, ''),
            k.decided_at, %(at)s, o.user_id, 'import'
        FROM import_kept k LEFT JOIN import_owner o ON o.no = k.owner_no
        WHERE k.act = 'make' AND k.decision IS NOT NULL""",
    """INSERT INTO leads_assignment (handoff_id, owner_id, assigned_at, recorded_at, assigned_by_id, why)
        SELECT k.handoff_id, o.user_id, k.qualified_at, %(at)s, %(by)s, %(why)s
        FROM import_kept k JOIN import_owner o ON o.no = k.owner_no WHERE k.act = 'make'""",
    """INSERT INTO leads_touch (handoff_id, kind, outcome, occurred_at, recorded_at, touched_by_id, note,
            via)
        SELECT k.handoff_id, 'call', 'reached', k.first_touch_at, %(at)s, o.user_id, '', 'import'
        FROM import_kept k LEFT JOIN import_owner o ON o.no = k.owner_no
        WHERE k.act = 'make' AND k.first_touch_at IS NOT NULL""",
)

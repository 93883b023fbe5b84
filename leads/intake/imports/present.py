"""Leads of now: those that reach a tier become open handoffs, routed, with their clocks running and told of."""

import json

from leads.exploring import is_drawn, lowest, takes
from leads.services.due import Case, Terms
from leads.services.route import close_desk, open_desk
from portal.accounts.models import User
from sla import scoring

BATCH = 2000
NAMED = "Named in the import"


def record(staging, *, present, by):
    """Open handoffs for the rows that qualify. Returns how many by tier name. by: user id, or None.

    Only leads that are new or learnt something are evaluated: the same file again changes nothing.
    Refuses: NobodyToRoute (nobody works here at all).
    """
    staging.sql(
        "CREATE TEMP TABLE import_mql (lead_id bigint, row integer, tier_id bigint, fit integer, behaviour integer,"
        " total integer, breakdown text, exploration boolean, owner_no integer, owner_id bigint, why text,"
        " rule_id bigint, queue_due_at timestamptz,"
        f" handoff_id bigint DEFAULT {staging.next_id('leads_handoff')}) ON COMMIT DROP"
    )
    staging.sql("ALTER TABLE import_mql ALTER breakdown SET STORAGE EXTERNAL")
    staging.sql(NEW_ONES, {"drawn": _drawn(staging, present)})
    if not staging.all_new:
        _score_again(staging, present)
    if not staging.value("SELECT count(*) FROM import_mql"):
        return
    staging.sql("ANALYZE import_mql")
    _route(staging)
    stamp = {
        "at": staging.at, "by": by, "version": present.version.pk, "definition": present.version.definition,
        **_due(staging, present),
    }  # fmt: skip
    for statement in OPEN:
        staging.sql(statement, stamp)


def counts(staging):
    """(created, updated, unchanged) rows without a problem."""
    if staging.all_new:
        return staging.created, 0, 0
    known, updated = staging.rows(
        """SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM import_changed c
            JOIN import_facts f USING (lead_id) WHERE f.lead_id = k.lead_id AND f.row = k.row)
            OR EXISTS (SELECT 1 FROM import_deal d WHERE d.row = k.row))
        FROM import_kept k WHERE NOT k.is_new AND k.problem IS NULL"""
    )[0]
    return staging.created, updated, known - updated


def qualified(staging):
    """[(tier's name or "by exploration", how many)] of the handoffs that were opened."""
    return staging.rows(
        "SELECT CASE WHEN m.exploration THEN 'by exploration' ELSE t.name END, count(*) FROM import_mql m"
        " JOIN sla_tier t ON t.id = m.tier_id GROUP BY m.exploration, t.name, t.position"
        " ORDER BY m.exploration, t.position"
    )


def _drawn(staging, present):
    """Ids of the new leads near the lowest tier that exploration draws: as if each were captured by itself."""
    version = present.version.row
    if version.exploration_share is None:
        return []
    near = staging.rows("SELECT lead_id FROM import_kept WHERE is_new AND exploration")
    return [lead for (lead,) in near if is_drawn(version.number, lead, version.exploration_share)]


MQL = "lead_id, row, tier_id, fit, behaviour, total, breakdown, exploration, owner_no"
# a new lead without later rows in the file has the score that its own row was given; sales has who has a deal
NEW_ONES = f"""
    INSERT INTO import_mql ({MQL})
    SELECT {MQL.replace("exploration", "exploration IS TRUE")} FROM import_kept k
    WHERE is_new AND tier_id IS NOT NULL AND (exploration IS NOT TRUE OR lead_id = ANY(%(drawn)s))
    AND NOT EXISTS (SELECT 1 FROM import_changed c WHERE c.lead_id = k.lead_id)
    AND lead_id NOT IN (SELECT lead_id FROM import_kept WHERE deal_outcome IS NOT NULL)
"""
ELIGIBLE = """
    SELECT l.id, f.row, f.owner_no, last.explored, l.external_id, l.email, l.phone, l.first_name, l.last_name,
        l.title, l.company, l.domain, l.employees, l.industry, l.country, l.region, l.product, l.source, l.campaign,
        l.channel, l.attributes
    FROM import_changed c JOIN import_facts f USING (lead_id) JOIN leads_lead l ON l.id = c.lead_id
    LEFT JOIN (SELECT DISTINCT ON (h.lead_id) h.lead_id, r.next_step,
            h.exploration AND h.sla_version_id = %(version)s AS explored
        FROM leads_handoff h LEFT JOIN sla_reasoncode r ON r.id = h.reason_id
        WHERE h.lead_id IN (SELECT lead_id FROM import_changed) ORDER BY h.lead_id, h.qualified_at DESC) last
        ON last.lead_id = l.id
    WHERE last.next_step IS DISTINCT FROM 'disqualify'
    AND l.id NOT IN (SELECT lead_id FROM import_kept WHERE deal_outcome IS NOT NULL) AND NOT EXISTS (
        SELECT 1 FROM leads_handoff h WHERE h.lead_id = l.id
        AND (h.status = 'open' OR coalesce(h.decided_at, h.qualified_at) + %(cool_off)s > %(at)s))
    ORDER BY l.id
"""
FACTS = (
    "external_id", "email", "phone", "first_name", "last_name", "title", "company", "domain", "employees",
    "industry", "country", "region", "product", "source", "campaign", "channel", "attributes",
)  # fmt: skip
EVENTS = """
    SELECT lead_id, kind, occurred_at, properties, suspected_by <> '' FROM leads_event
    WHERE lead_id = ANY(%(leads)s) AND occurred_at <= %(at)s
"""


def _score_again(staging, present):
    """Leads that learnt something are judged on all their facts and events.

    Open and cooling ones are left alone, and those that sales never wants again.
    """
    stamp = {"cool_off": present.version.row.cool_off, "at": staging.at, "version": present.version.pk}
    for leads in staging.batches(ELIGIBLE, stamp, BATCH):
        events = {}
        for lead, kind, when, properties, suspected in staging.rows(
            EVENTS, {"leads": [lead[0] for lead in leads], "at": staging.at}
        ):
            events.setdefault(lead, []).append(scoring.Event(kind, when, properties, suspected))
        _keep_qualified(staging, present, leads, events)


def _keep_qualified(staging, present, leads, events):
    definition = present.scorer.definition
    with staging.raw.cursor() as cursor, cursor.copy(f"COPY import_mql ({MQL}) FROM STDIN") as copy:
        for lead, row, owner, explored, *facts in leads:
            found = present.scorer.evaluate(dict(zip(FACTS, facts, strict=True)), events.get(lead, ()), staging.at)
            explores = not explored and takes(present.version.row, definition, lead, found)
            if found.tier or explores:
                tier, said = present.tiers[found.tier or lowest(definition).key], json.dumps(found.as_json())
                copy.write_row((lead, row, tier, found.fit, found.behaviour, found.total, said, explores, owner))


WAITING = """
    SELECT m.row, t.key, t.name, l.external_id, l.email, l.phone, l.first_name, l.last_name, l.title, l.company,
        l.domain, l.employees, l.industry, l.country, l.region, l.product, l.source, l.campaign, l.channel,
        l.attributes
    FROM import_mql m JOIN leads_lead l ON l.id = m.lead_id JOIN sla_tier t ON t.id = m.tier_id
    WHERE m.owner_id IS NULL ORDER BY m.row
"""


def _route(staging):
    """The file's owner where they may hold leads; else by the routing plan, one after the other."""
    staging.sql(
        "UPDATE import_mql m SET owner_id = o.user_id, why = %(why)s FROM import_owner o"
        " WHERE o.no = m.owner_no AND o.can_hold",
        {"why": NAMED},
    )
    if not staging.value("SELECT count(*) FROM import_mql WHERE owner_id IS NULL"):
        return
    staging.sql(
        "CREATE TEMP TABLE import_route (row integer, owner_id bigint, why text, rule_id bigint,"
        " queue_due_at timestamptz) ON COMMIT DROP"
    )
    _take_turns(staging)
    staging.sql("ANALYZE import_route")
    staging.sql(
        "UPDATE import_mql m SET owner_id = r.owner_id, rule_id = r.rule_id, queue_due_at = r.queue_due_at,"
        " why = left(CASE WHEN o.name IS NULL THEN '' ELSE"
        " 'The file names ' || o.name || ', who cannot hold leads. ' END || r.why, 200)"
        " FROM import_route r, (SELECT row, owner_no FROM import_mql) w"
        " LEFT JOIN import_owner o ON o.no = w.owner_no WHERE m.row = r.row AND w.row = r.row"
    )


def _take_turns(staging):
    """Route what no owner of the file holds, at a desk that counts what the file gives to its named owners."""
    desk = open_desk(at=staging.at)
    for owner, count in staging.rows("SELECT owner_id, count(*) FROM import_mql WHERE owner_id > 0 GROUP BY 1"):
        desk.open[owner] += count
    for leads in staging.batches(WAITING, {}, BATCH):
        facts = [dict(zip(FACTS, lead[3:], strict=True)) | {"tier": [*lead[1:3]]} for lead in leads]
        found = desk.route_all(facts)
        with staging.raw.cursor() as cursor, cursor.copy("COPY import_route FROM STDIN") as copy:
            for (row, *_), route in zip(leads, found, strict=True):
                due = staging.at + route.claim_within if route.to_queue else None
                copy.write_row((row, route.owner.pk, route.why, route.rule_id, due))
    close_desk(desk, at=staging.at)


def _due(staging, present):
    """Columns of when the clocks run out, for every tier and owner of the file."""
    pairs = staging.rows("SELECT DISTINCT tier_id, owner_id FROM import_mql")
    owners = User.objects.in_bulk({owner for _, owner in pairs})
    dues = Terms(present.version.row).due_many([Case(tier, owners[owner], staging.at) for tier, owner in pairs])
    names = ("calendars", "contact_due", "contact_warn", "decision_due", "decision_warn")
    columns = dict(zip(names, map(list, zip(*dues, strict=True)), strict=True))
    return {"tiers": [tier for tier, _ in pairs], "owners": [owner for _, owner in pairs], **columns}


OPEN = (
    """INSERT INTO leads_handoff (id, lead_id, previous_id, definition_id, sla_version_id, tier_id, fit, behaviour,
            total, breakdown, source, campaign, channel, industry, employees, qualified_at, recorded_at,
            is_historical, owner_id, queued_at, queue_due_at, calendar_id, contact_due_at, contact_warn_at,
            decision_due_at, decision_warn_at, status, withdrawn_why, exploration)
        SELECT m.handoff_id, m.lead_id, p.id,
            %(definition)s, %(version)s, m.tier_id, m.fit, m.behaviour, m.total, m.breakdown::jsonb,
            l.source, l.campaign, l.channel, l.industry, l.employees, %(at)s, %(at)s, false, m.owner_id,
            CASE WHEN m.queue_due_at IS NOT NULL THEN %(at)s END, m.queue_due_at,
            d.calendar, d.contact_due, d.contact_warn, d.decision_due, d.decision_warn, 'open', '', m.exploration
        FROM import_mql m JOIN leads_lead l ON l.id = m.lead_id
        LEFT JOIN (SELECT DISTINCT ON (lead_id) lead_id, id FROM leads_handoff
            WHERE lead_id IN (SELECT lead_id FROM import_changed) ORDER BY lead_id, qualified_at DESC) p
            ON p.lead_id = m.lead_id
        JOIN unnest(%(tiers)s::bigint[], %(owners)s::bigint[], %(calendars)s::bigint[],
            %(contact_due)s::timestamptz[], %(contact_warn)s::timestamptz[],
            %(decision_due)s::timestamptz[], %(decision_warn)s::timestamptz[])
            AS d(tier, owner, calendar, contact_due, contact_warn, decision_due, decision_warn)
            ON d.tier = m.tier_id AND d.owner = m.owner_id
        ORDER BY m.row""",
    """INSERT INTO leads_assignment (handoff_id, owner_id, assigned_at, recorded_at, assigned_by_id, why, rule_id,
            to_queue)
        SELECT handoff_id, owner_id, %(at)s, %(at)s, %(by)s, why, rule_id, queue_due_at IS NOT NULL
        FROM import_mql ORDER BY row""",
    """INSERT INTO outbox_message (topic, key, payload, recipient_id, created_at, next_attempt_at, attempts,
            last_error)
        SELECT 'handoff.opened', 'handoff.opened:' || handoff_id,
            jsonb_build_object('handoff', handoff_id, 'lead', lead_id), owner_id, %(at)s, %(at)s, 0, ''
        FROM import_mql ORDER BY row ON CONFLICT DO NOTHING""",
)

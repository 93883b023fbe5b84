"""The staging tables of one import, and the set-based steps that both kinds of import share."""

from itertools import chain, compress, repeat

from psycopg.errors import UniqueViolation

from leads.intake.imports import deals
from leads.intake.imports.fields import FACTS
from leads.intake.imports.rows import QUOTE
from portal.shared.settled import told

OF_LEAD = (*FACTS, "employees", "attributes")
COLUMNS = (
    *("lead_id", *OF_LEAD, "row", "owner_no", "qualified_at", "first_touch_at"),
    *("decision", "reason_id", "decided_at", "note", "version_id", "definition_id"),
    *("tier_id", "fit", "behaviour", "total", "breakdown", "exploration", *deals.COLUMNS),
)
COPY = f"COPY {{}} ({{}}) FROM STDIN WITH (FORMAT csv, DELIMITER E'\\t', QUOTE E'\\x{ord(QUOTE):02x}'{{}})"
TYPES = {  # others are text, JSON too: it is read and packed once, where it goes to stay
    **dict.fromkeys(("row", "employees", "owner_no", "fit", "behaviour", "total"), "integer"),
    **dict.fromkeys(("lead_id", "reason_id", "version_id", "definition_id", "tier_id"), "bigint"),
    **dict.fromkeys(("qualified_at", "first_touch_at", "decided_at", "deal_opened", "deal_closed"), "timestamptz"),
    "deal_amount": "numeric(17, 2)",
    "exploration": "boolean",
}
MAILBOX = r"regexp_replace(lower(btrim({0})), '\+[^@]*@', '@')"
TEXTS = tuple(name for name in FACTS if name not in ("external_id", "email"))
LEAD_COLUMNS = ("id", *OF_LEAD, "created_at", "updated_at")
TABLES = (
    "import_chunk",
    "import_kept",
    "import_owner",
    "import_facts",
    "import_changed",
    "import_mql",
    "import_route",
    "import_told",
    "import_known",
    "import_deal",
)
MANY = 1000  # rows from which on joining row by row, which stale statistics suggest, is never the better plan
LOCK = 727_230_110  # one import at a time: two of the same file must not race, two of any file must not deadlock


class Staging:
    """Holds a raw psycopg connection inside the import's transaction. One thread uses it at a time."""

    def __init__(self, connection, *, at, historical):
        self.raw, self.at, self.historical = connection, at, historical
        self.lead_id = self.next_id("leads_lead")
        self.staged = self.created = 0
        self.conflicts = False

    def sql(self, statement, parameters=None):
        """Run one statement; returns the number of rows it touched."""
        with self.raw.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.rowcount

    def rows(self, statement, parameters=None):
        with self.raw.cursor() as cursor:
            return cursor.execute(statement, parameters).fetchall()

    def batches(self, statement, parameters, size):
        """Lists of up to `size` rows at a time, of one run of the statement; others may run in between."""
        with self.raw.cursor("import_batches") as cursor:
            cursor.execute(statement, parameters)
            while rows := cursor.fetchmany(size):
                yield rows

    def value(self, statement, parameters=None):
        return self.rows(statement, parameters)[0][0]

    def prepare(self):
        self.sql("SET LOCAL default_statistics_target = 10")  # enough for a plan; autovacuum looks closer later
        self.sql(f"DROP TABLE IF EXISTS {', '.join(TABLES)}")
        for table in ("leads_lead", "leads_handoff"):  # whose ids are drawn ahead
            self.sql(f"SELECT {told(table)}")
        ids = {"handoff_id": "leads_handoff", "decision_id": "leads_decision"} if self.historical else {}
        defaults = [f"{name} bigint DEFAULT {self.next_id(table)}" for name, table in ids.items()]
        columns = [f"{name} {TYPES.get(name, 'text')}" for name in COLUMNS] + defaults
        self.sql(f"CREATE TEMP TABLE import_chunk ({', '.join(columns)}) ON COMMIT DROP")
        self.sql("ALTER TABLE import_chunk ALTER breakdown SET STORAGE EXTERNAL")
        self.sql(
            "CREATE TEMP TABLE import_kept (LIKE import_chunk INCLUDING STORAGE INCLUDING DEFAULTS, is_new boolean,"
            " ext_lead bigint, mail_lead bigint, existing_id bigint, boss integer, act text, problem text)"
            " ON COMMIT DROP"
        )
        self.sql(
            "CREATE TEMP TABLE import_owner (no integer, user_id bigint, can_hold boolean, name text) ON COMMIT DROP"
        )
        self.sql("CREATE TEMP TABLE import_changed (lead_id bigint) ON COMMIT DROP")
        self.sql(deals.NONE)

    def next_id(self, table):
        """The SQL of a table's next id; its sequence is looked up here, once, and not for every row."""
        sequence = self.value("SELECT pg_get_serial_sequence(%s, 'id')", (table,))
        return f"nextval('{sequence}'::regclass)"

    def take(self, chunk, told):
        """Insert the leads that are new, and keep the rows that later steps need.

        chunk: Lines; told: the columns of its other half. Until the first conflict leads are copied where they stay.
        """
        leads, more, needed = ([*chain(*parts)] for parts in zip(*chunk, strict=True))
        ids = self._new_ids(len(leads))
        self.staged += len(leads)
        if not self._copy_leads(ids, leads):
            self._stage(map("\t".join, zip(ids, leads, more, strict=True)), told)
            return
        self.created += len(leads)
        kept = compress(zip(ids, leads, more, repeat("t")), needed)
        self._copy("import_kept", ("lead_id", *OF_LEAD, *told, "is_new"), map("\t".join, kept))

    def _new_ids(self, count):
        """Ids for as many leads, as text."""
        ids = self.value(f"SELECT string_agg(({self.lead_id})::text, ' ') FROM generate_series(1, %s)", (count,))
        return ids.split() if ids else []

    def _copy(self, table, columns, lines, options=""):
        with self.raw.cursor() as cursor:
            with cursor.copy(COPY.format(table, ", ".join(columns), options)) as copy:
                copy.write("\n".join([*lines, ""]).encode())
            return cursor.rowcount

    def _copy_leads(self, ids, leads):
        """True when all of them were new."""
        if self.conflicts:
            return False
        at = self.at.isoformat()
        lines = map("\t".join, zip(ids, leads, repeat(f"{at}\t{at}")))
        try:
            with self.raw.transaction():
                self._copy("leads_lead", LEAD_COLUMNS, lines, f", FORCE_NOT_NULL ({', '.join(TEXTS)})")
        except UniqueViolation:
            self.conflicts = True
        return not self.conflicts

    def _stage(self, lines, told):
        """Leads that may be known: those that are not are inserted from a table of the chunk's rows."""
        self.sql("TRUNCATE import_chunk")
        staged = self._copy("import_chunk", ("lead_id", *OF_LEAD, *told), lines)
        created = self.sql(INSERT_LEADS, {"at": self.at})
        self.created += created
        if created in (0, staged):
            new = "true" if created else "false"
        else:
            new = "EXISTS (SELECT 1 FROM leads_lead l WHERE l.id = c.lead_id)"
        wanted = "" if self.historical else " WHERE tier_id IS NOT NULL OR deal_outcome IS NOT NULL OR NOT is_new"
        self.sql(f"INSERT INTO import_kept SELECT * FROM (SELECT c.*, {new} AS is_new FROM import_chunk c) c{wanted}")

    @property
    def all_new(self):
        """True when every row was a person nobody knew, each once: most later steps have nothing to do then."""
        return self.created == self.staged

    def ready(self):
        """After the last chunk: indexes and statistics for what follows."""
        self.sql("CREATE INDEX ON import_kept (lead_id)")
        self.sql("ANALYZE import_kept")
        if self.staged > MANY:
            self.sql("SET LOCAL enable_nestloop = off")
            self.sql("SET LOCAL jit = off")

    def settle(self):
        """Before the commit: what the triggers ask there, row by row, wants its indexes and true statistics."""
        if self.staged > MANY:
            self.sql("SET LOCAL enable_nestloop = on")
            self.sql("ANALYZE leads_lead, leads_handoff, leads_decision")

    def take_owners(self, owners):
        with self.raw.cursor() as cursor, cursor.copy("COPY import_owner FROM STDIN") as copy:
            for owner in owners:
                copy.write_row(owner)
        self.sql("ANALYZE import_owner")

    def find_known_leads(self):
        """Attach rows of people that are leads already (or came earlier in the file); refuse what fits two leads."""
        self.sql(ATTACH_KNOWN)
        self.sql("ANALYZE import_kept")
        for claim, taken in ((MAILBOX.format("email"), "mail_lead"), ("external_id", "ext_lead")):
            self.sql(
                f"UPDATE import_kept k SET problem = 'two_leads' FROM (SELECT row, lead_id, first_value(lead_id) OVER"
                f" (PARTITION BY {claim} ORDER BY row) AS first FROM import_kept WHERE NOT is_new AND problem IS NULL"
                f" AND {claim} IS NOT NULL AND {taken} IS NULL) c WHERE c.row = k.row AND c.lead_id <> c.first"
            )
        self.sql(
            "SELECT id FROM leads_lead WHERE id IN (SELECT lead_id FROM import_kept WHERE NOT is_new)"
            " ORDER BY id FOR UPDATE"
        )

    def update_facts(self):
        """Later rows win, empty cells overwrite nothing, and a lead that already says so is not touched."""
        self.sql(MERGE_FACTS)
        self.sql("ANALYZE import_facts")
        self.sql(UPDATE_LEADS, {"at": self.at})
        self.sql("ANALYZE import_changed")
        self.sql(JUDGE_AGAIN)

    def problems(self):
        """(row, outside id, e-mail, decision, code) of every row that the records refused."""
        return self.rows(
            "SELECT row, coalesce(external_id, ''), coalesce(email, ''), coalesce(decision, ''), problem"
            " FROM import_kept WHERE problem IS NOT NULL ORDER BY row"
        )


INSERT_LEADS = f"""
    INSERT INTO leads_lead ({", ".join(LEAD_COLUMNS)})
    SELECT lead_id, external_id, email, {", ".join(f"coalesce({name}, '')" for name in TEXTS)},
        employees, attributes::jsonb, %(at)s, %(at)s
    FROM import_chunk ON CONFLICT DO NOTHING
"""
ATTACH_KNOWN = f"""
    UPDATE import_kept k SET ext_lead = f.ext_lead, mail_lead = f.mail_lead,
        lead_id = coalesce(f.ext_lead, f.mail_lead), problem = CASE
            WHEN f.ext_lead <> f.mail_lead OR coalesce(f.ext_lead, f.mail_lead) IS NULL THEN 'two_leads' END
    FROM (SELECT k.row, e.id AS ext_lead, m.id AS mail_lead FROM import_kept k
        LEFT JOIN leads_lead e ON e.external_id = k.external_id
        LEFT JOIN leads_lead m ON m.email_key = {MAILBOX.format("k.email")} WHERE NOT k.is_new) f
    WHERE f.row = k.row
"""
_MERGED = ("external_id", "email", *TEXTS, "employees", "owner_no")
_REST = "NOT is_new AND problem IS NULL"
MERGE_FACTS = f"""
    CREATE TEMP TABLE import_facts ON COMMIT DROP AS
    WITH rest AS (SELECT *, count(*) OVER (PARTITION BY lead_id) AS n FROM import_kept WHERE {_REST})
    SELECT lead_id, row, {", ".join(_MERGED)}, attributes::jsonb FROM rest WHERE n = 1
    UNION ALL
    SELECT lead_id, max(row),
        {", ".join(f"(array_agg({name} ORDER BY row DESC) FILTER (WHERE {name} IS NOT NULL))[1]" for name in _MERGED)},
        (SELECT jsonb_object_agg(e.key, e.value) FROM (
            SELECT DISTINCT ON (a.key) a.key, a.value FROM import_kept k, jsonb_each(k.attributes::jsonb) a
            WHERE k.lead_id = rest.lead_id AND {_REST} ORDER BY a.key, k.row DESC) e)
    FROM rest WHERE n > 1 GROUP BY lead_id
"""
_NEWS = {
    "external_id": "coalesce(l.external_id, f.external_id)",
    "email": "coalesce(f.email, l.email)",
    **{name: f"coalesce(f.{name}, l.{name})" for name in (*TEXTS, "employees")},
    "attributes": "l.attributes || coalesce(f.attributes, '{}')",
}
UPDATE_LEADS = f"""
    WITH changed AS (
        UPDATE leads_lead l SET {", ".join(f"{name} = {news}" for name, news in _NEWS.items())}, updated_at = %(at)s
        FROM import_facts f WHERE l.id = f.lead_id
        AND ({", ".join(f"l.{name}" for name in _NEWS)}) IS DISTINCT FROM ({", ".join(_NEWS.values())})
        RETURNING l.id
    ) INSERT INTO import_changed SELECT id FROM changed
"""
# what was known of them in nurture is stale: the worker evaluates them anew
JUDGE_AGAIN = """
    DELETE FROM leads_place p USING import_changed c
    WHERE p.lead_id = c.lead_id AND (p.place IN ('nurture', 'suspected') OR p.disqualified_by <> '')
"""

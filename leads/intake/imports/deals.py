"""What a row tells of a deal: read with the row, recorded set-based once leads and handoffs are settled."""

import re

from django.conf import settings

from leads.intake.imports import cells
from leads.intake.imports.cells import Seen, Wrong
from leads.services.deal import code_of

COLUMNS = (
    *("deal_outcome", "deal_amount", "deal_currency", "deal_product", "deal_loss", "deal_opened", "deal_closed"),
    "deal_key",
)
LONGEST = 120


class Dealt:
    """The texts of COLUMNS for each row; none where the mapping tells no outcome."""

    def __init__(self, mapping):
        self.is_told = "outcome" in mapping.fields
        self.columns = COLUMNS if self.is_told else ()
        readers = {"outcome": cells.outcome, "amount": cells.amount, "currency": currency, "loss_reason": code_of}
        self._readers = {name: Seen(read) for name, read in readers.items()}
        self._places = {column: place for place, column in enumerate(self.columns)}

    def __call__(self, chunk, moments):
        """The columns. moments: {field: Moments or ""} of the chunk."""
        if not self.is_told:
            return ()
        blank = [""] * chunk.size
        told = {name: chunk.read(name, seen) if name in chunk else blank for name, seen in self._readers.items()}
        texts = {name: [*map(str.strip, chunk.texts(name))] for name in ("deal_product", "deal_id")}
        for name, column in texts.items():
            for place, text in enumerate(column):
                if len(text) > LONGEST:
                    chunk.refuse(place, Wrong(name, text, "too_long", f"Longer than {LONGEST} characters."))
        opened, closed = (moments.get(name, blank) for name in ("opened_at", "closed_at"))
        rows = zip(
            told["outcome"], told["amount"], told["currency"], texts["deal_product"], told["loss_reason"], opened,
            closed, texts["deal_id"], strict=True,
        )  # fmt: skip
        return [*zip(*[self._row(chunk, place, *row) for place, row in enumerate(rows)], strict=True)]

    def outcomes(self, columns):
        """Of the columns that were returned the outcomes, or None."""
        return columns[self._places["deal_outcome"]] if self.is_told else None

    def _row(self, chunk, place, outcome, amount, money, product, loss, opened, closed, key):
        if not outcome:
            return BLANK
        if opened and closed and closed.at < opened.at:
            chunk.refuse(place, Wrong("closed_at", closed.at.isoformat(), "deal_dates"))
            return BLANK
        money = (money or settings.ORGANISATION_CURRENCY) if amount else ""
        ended = closed.text if closed and outcome != "open" else ""
        lost = loss if outcome == "lost" else ""
        return outcome, amount, money, product, lost, opened.text if opened else "", ended, key


BLANK = ("",) * len(COLUMNS)


def currency(cell):
    text = cell.strip().upper()
    return text if not text or re.fullmatch("[A-Z]{3}", text) else Wrong("currency", text, "bad_currency")


def record(staging, *, by, zone):
    """Record the deals that the rows tell of: what is new of each is a row that supersedes. by: user id, or None.

    An empty cell overwrites nothing. What a deal was already said to be is not said again, so an older file does not
    undo what was corrected since. Returns (how many are new, how many corrected).
    """
    stamp = {"at": staging.at, "by": by, "zone": str(zone)}
    for statement in STEPS:
        staging.sql(statement, stamp)
    return staging.rows("SELECT count(*) FILTER (WHERE before_id IS NULL), count(before_id) FROM import_deal")[0]


NONE = """CREATE TEMP TABLE import_deal (row integer) ON COMMIT DROP"""
STEPS = (
    "DROP TABLE import_deal",
    # each deal's last row in the file, with the handoff that led to it
    """CREATE TEMP TABLE import_told ON COMMIT DROP AS
        SELECT DISTINCT ON (t.lead_id, t.deal_key, CASE WHEN t.deal_key IS NULL THEN t.handoff_id END) t.* FROM (
            SELECT k.row, k.lead_id, k.deal_key, k.deal_outcome AS outcome, k.deal_amount AS amount,
                k.deal_currency AS currency, k.deal_product AS product, k.deal_loss AS loss_reason,
                k.deal_opened AS opened_at, k.deal_closed AS closed_at,
                CASE WHEN k.qualified_at IS NOT NULL THEN (
                    SELECT h.id FROM leads_handoff h WHERE h.lead_id = k.lead_id AND h.qualified_at = k.qualified_at)
                ELSE (
                    SELECT h.id FROM leads_handoff h WHERE h.lead_id = k.lead_id AND h.status <> 'withdrawn'
                    AND (h.qualified_at AT TIME ZONE %(zone)s)::date
                        <= (coalesce(k.deal_closed, k.deal_opened, %(at)s) AT TIME ZONE %(zone)s)::date
                    ORDER BY h.qualified_at DESC LIMIT 1)
                END AS handoff_id
            FROM import_kept k WHERE k.deal_outcome IS NOT NULL AND k.problem IS NULL) t
        ORDER BY t.lead_id, t.deal_key, CASE WHEN t.deal_key IS NULL THEN t.handoff_id END, t.row DESC""",
    # the row that stands for it; one of no handoff yet becomes that of the file's last
    """CREATE TEMP TABLE import_known ON COMMIT DROP AS
        SELECT f.row, CASE WHEN row_number() OVER (PARTITION BY f.before_id ORDER BY f.row DESC) = 1
            THEN f.before_id END AS before_id
        FROM (SELECT t.row, (
                SELECT d.id FROM leads_deal d WHERE d.lead_id = t.lead_id
                AND d.external_id IS NOT DISTINCT FROM t.deal_key
                AND (t.deal_key IS NOT NULL OR d.handoff_id IS NULL OR d.handoff_id = t.handoff_id)
                AND NOT EXISTS (SELECT 1 FROM leads_deal n WHERE n.supersedes_id = d.id)
                ORDER BY d.handoff_id NULLS LAST LIMIT 1) AS before_id FROM import_told t) f""",
    """CREATE TEMP TABLE import_deal ON COMMIT DROP AS
        SELECT t.row, k.before_id, t.lead_id, t.deal_key, t.outcome,
            coalesce(b.handoff_id, t.handoff_id) AS handoff_id,
            coalesce(t.amount, b.amount) AS amount,
            CASE WHEN t.amount IS NOT NULL THEN t.currency ELSE coalesce(b.currency, '') END AS currency,
            coalesce(t.product, b.product, '') AS product,
            CASE WHEN t.outcome = 'lost' THEN coalesce(t.loss_reason, b.loss_reason, '') ELSE '' END AS loss_reason,
            coalesce(t.opened_at, b.opened_at) AS opened_at,
            CASE WHEN t.outcome <> 'open' THEN coalesce(t.closed_at, b.closed_at) END AS closed_at
        FROM import_told t JOIN import_known k USING (row) LEFT JOIN leads_deal b ON b.id = k.before_id
        WHERE b.id IS NULL OR b.handoff_id IS NULL AND t.handoff_id IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM leads_deal s WHERE s.lead_id = t.lead_id AND s.external_id IS NOT DISTINCT FROM t.deal_key
            AND (t.deal_key IS NOT NULL OR s.handoff_id IS NULL OR s.handoff_id = t.handoff_id)
            AND s.outcome = t.outcome AND (t.amount IS NULL OR (s.amount, s.currency) = (t.amount, t.currency))
            AND (t.product IS NULL OR s.product = t.product)
            AND (t.loss_reason IS NULL OR s.loss_reason = t.loss_reason)
            AND (t.opened_at IS NULL OR s.opened_at = t.opened_at)
            AND (t.closed_at IS NULL OR s.closed_at = t.closed_at))""",
    """INSERT INTO leads_deal (lead_id, handoff_id, external_id, outcome, amount, currency, product, loss_reason,
            opened_at, closed_at, note, via, recorded_at, recorded_by_id, supersedes_id)
        SELECT lead_id, handoff_id, deal_key, outcome, amount, currency, product, loss_reason,
            CASE WHEN closed_at IS NULL OR opened_at <= closed_at THEN opened_at END, closed_at, '', 'import',
            %(at)s, %(by)s, before_id
        FROM import_deal ORDER BY row""",
)

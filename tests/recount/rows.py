"""The raw rows, and what of them each figure counts: months, status at the cut-off, the audit's main figures."""

import datetime as dt
import json
from collections import Counter
from decimal import Decimal

from tests.recount.statistics import newcombe, noise, told_apart, wilson

TABLES = (
    "accounts_user", "accounts_team", "sla_slaversion", "sla_signature", "sla_mqldefinition", "sla_tier",
    "sla_commitment", "sla_reasoncode", "leads_lead", "leads_handoff", "leads_decision", "leads_touch",
    "leads_assignment", "leads_breach", "leads_dispute", "leads_ruling", "audit_excuse", "audit_excuseanswer",
    "audit_sampleitem", "audit_sample", "audit_coding",
)  # fmt: skip
JSONB = 3802  # PostgreSQL's number of the type
ORDER = ("fit", "timing", "data", "scoring")
TIERS = (("broken handoff", 0), ("misaligned", 5), ("average", 13), ("good", 25), ("best-in-class", 40))
COUNTS = ("mqls", "sqls", "rejected", "undecided", "withdrawn")
BANDS = ((1000, "1000+"), (200, "200-999"), (50, "50-199"), (1, "1-49"))


def dump(connection):
    """{table: its rows as dicts}, as the database has them; JSON is read."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            names = [column.name for column in cursor.description]
            is_json = {column.name for column in cursor.description if column.type_code == JSONB}
            found[table] = [
                {name: _read(value) if name in is_json else value for name, value in zip(names, row, strict=True)}
                for row in cursor.fetchall()
            ]
    return found


def _read(value):
    return json.loads(value) if isinstance(value, str) else value


def share(k, n):
    """{"value", "low", "high"} of k of n; None of none, without ends where k exceeds n."""
    if not n:
        return None
    low, high = wilson(k, n) if k <= n else (None, None)
    return {"value": Decimal(k) / n, "low": low, "high": high}


def tier(rate):
    """The benchmark, or both where the interval crosses a border."""
    if rate is None or rate["low"] is None:
        return None
    ends = [_band(rate[end]) for end in ("low", "high")]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _band(value):
    return [name for name, floor in TIERS if 100 * value > floor or (100 * value == floor and floor != 40)][-1]


class Recount:
    """The figures of a dump, in a zone, as known at a cut-off. Months are (year, month)."""

    def __init__(self, tables, *, zone, as_of):
        self.zone, self.as_of, self.tables = zone, as_of, tables
        self.by_id = {name: {row["id"]: row for row in rows} for name, rows in tables.items()}
        self.handoffs = tables["leads_handoff"]

    # --- when, and how it stood ----------------------------------------------------------------------

    def month_of(self, at):
        """The month of an instant in the zone; None of none, and of what was not known yet."""
        if at is None or at > self.as_of:
            return None
        local = at.astimezone(self.zone)
        return local.year, local.month

    def is_over(self, month):
        """Whether the first instant of the next month has come."""
        year, number = month
        later = dt.datetime(year + number // 12, number % 12 + 1, 1, tzinfo=self.zone)
        return later.astimezone(dt.UTC) <= self.as_of

    def status(self, handoff):
        """As it stood at the cut-off."""
        later = any(at is not None and at > self.as_of for at in (handoff["decided_at"], handoff["withdrawn_at"]))
        return "open" if later else handoff["status"]

    def delivered(self, month):
        return [h for h in self.handoffs if self.month_of(h["qualified_at"]) == month]

    def judged(self, month, basis):
        """Those by whose decisions the month is judged: made in it, or on its MQLs."""
        if basis == "cohort":
            return self.delivered(month)
        return [h for h in self.handoffs if self.month_of(h["decided_at"]) == month]

    def reason(self, handoff):
        return self.by_id["sla_reasoncode"].get(handoff["reason_id"])

    def rejected(self, month, basis="period"):
        return [h for h in self.judged(month, basis) if self.status(h) == "rejected"]

    def accepted(self, month, basis="period"):
        return [h for h in self.judged(month, basis) if self.status(h) == "accepted"]

    # --- the audit --------------------------------------------------------------------------------------

    def counts(self, month, basis, among=lambda handoff: True):
        """{mqls, sqls, rejected, undecided, withdrawn} of the handoffs that `among` lets through."""
        mqls = [self.status(h) for h in self.delivered(month) if among(h)]
        judged = Counter(self.status(h) for h in self.judged(month, basis) if among(h))
        return {
            "mqls": len(mqls), "sqls": judged["accepted"], "rejected": judged["rejected"],
            "undecided": mqls.count("open"), "withdrawn": mqls.count("withdrawn"),
        }  # fmt: skip

    def audit(self, month, basis, by=None):
        """What `manage.py audit --json` prints of a month, numbers exact."""
        counts, before = self.counts(month, basis), _before(month)
        rate = share(counts["sqls"], counts["mqls"])
        reasons = self.reasons(month, basis)
        return {
            "month": f"{month[0]:04}-{month[1]:02}",
            "time_zone": str(self.zone),
            "basis": basis,
            **counts,
            "rate": rate,
            "tier": tier(rate),
            "change": self.change(before, month, basis),
            "reasons": reasons,
            "top_reason": self.top(reasons),
            "breakdown": self.breakdown(month, basis, by) if by else [],
        }

    def change(self, before, month, basis):
        nothing = dict.fromkeys(("value", "low", "high", "verdict")) | {"since": f"{before[0]:04}-{before[1]:02}"}
        if not self.is_over(month):
            return nothing
        old, new = self.counts(before, basis), self.counts(month, basis)
        if not (old["mqls"] and new["mqls"]):
            return nothing
        if old["sqls"] > old["mqls"] or new["sqls"] > new["mqls"]:
            moved = Decimal(new["sqls"]) / new["mqls"] - Decimal(old["sqls"]) / old["mqls"]
            return nothing | {"value": moved}
        value, low, high = newcombe(old["sqls"], old["mqls"], new["sqls"], new["mqls"])
        verdict = "noise" if noise(low, high) else "real"
        return nothing | {"value": value, "low": low, "high": high, "verdict": verdict}

    def reasons(self, month, basis):
        """Codes with their share, the most frequent first; a label is that of the newest version used."""
        given = Counter((self.reason(h)["category"], self.reason(h)["code"]) for h in self.rejected(month, basis))
        near = [self.reason(h) for each in (_before(month), month) for h in self.rejected(each, basis)]
        labels = {(r["category"], r["code"]): r["label"] for r in sorted(near, key=lambda r: r["version_id"])}
        total = given.total()
        found = []
        for (category, code), n in sorted(given.items(), key=lambda item: (-item[1], item[0][1])):
            ends = share(n, total)
            kept = {"share": ends["value"], "low": ends["low"], "high": ends["high"]}
            found.append({"category": category, "code": code, "label": labels[category, code], "n": n} | kept)
        return found

    def top(self, reasons):
        """The top category's top code; a second candidate where the first two cannot be told apart."""
        totals = Counter()
        for each in reasons:
            totals[each["category"]] += each["n"]
        ranked = sorted(totals, key=lambda category: (-totals[category], ORDER.index(category)))
        if not ranked:
            return None
        of = {category: [each for each in reasons if each["category"] == category] for category in ranked}
        found = [of[ranked[0]][0]]
        if len(ranked) > 1 and not told_apart(totals[ranked[0]], totals[ranked[1]]):
            found.append(of[ranked[1]][0])
        elif len(of[ranked[0]]) > 1 and not told_apart(*(each["n"] for each in of[ranked[0]][:2])):
            found.append(of[ranked[0]][1])
        return found[0] | {"candidates": found}

    def value_of(self, handoff, by):
        """(key, what it is called) of a handoff along a dimension; ("", "") where none is known."""
        if by == "owner":
            owner = self.by_id["accounts_user"].get(handoff["owner_id"])
            return (str(owner["id"]), owner["name"]) if owner else ("", "")
        if by == "tier":
            found = self.by_id["sla_tier"].get(handoff["tier_id"])
            return (found["key"], found["name"]) if found else ("", "")
        if by == "definition":
            number = self.by_id["sla_mqldefinition"][handoff["definition_id"]]["number"]
            return str(number), f"Definition v{number}"
        if by == "segment":
            size = handoff["employees"] or 0
            return next(((key, key) for floor, key in BANDS if size >= floor), ("", ""))
        return handoff[by], handoff[by]

    def breakdown(self, month, basis, by):
        """Rows of a dimension, by key."""
        either = [*self.delivered(month), *self.judged(month, basis)]
        values = {self.value_of(h, by) for h in either}
        rows = []
        for key, label in values:
            counts = self.counts(month, basis, lambda h, key=key: self.value_of(h, by)[0] == key)
            shown = {name: counts[name] for name in COUNTS if name != "withdrawn"}
            if any(counts.values()):
                rate = share(counts["sqls"], counts["mqls"])
                rows.append({"key": label if by == "owner" else key, **shown, "rate": rate})
        return rows


def _before(month):
    year, number = month
    return (year, number - 1) if number > 1 else (year - 1, 12)

"""A closed audit on paper: the frozen record and its signatures alone, the same whenever it is printed."""

from leads import figures
from leads.audit import closing as record
from leads.audit import paper_parts as parts
from leads.audit.page import RULER
from leads.audit.tables import Column, Kind, Share, Table, count, share
from leads.figures import Month
from portal.accounts.models import Role
from portal.shared import charts, text, time
from sla.models import Party

SIGNING = "Each side signs the fingerprint below: the SHA-256 of these figures and of the audit closed before."
PROOF = "Tamper-evident: change a figure and it no longer fits. “What was signed” on the page has the text."
ROWS = 40
BASES = {figures.PERIOD: "by month of decision", figures.COHORT: "by month of delivery"}
COUNTS = (("MQLs", "mqls"), ("SQLs", "sqls"), ("Rejected", "rejected"), ("Undecided", "undecided"))


def closed(closing, zone, drawn=()):
    """The values of templates/audit/audit.typ for an audit.models.Closing; `drawn`: sections out of its record."""
    content, month = record.read(closing), Month(closing.month)
    signed = {row.party: row for row in closing.signatures.all()}
    before = closing.predecessor
    return {
        "title": f"MQL audit, {month.title}",
        "kicker": "MQL audit",
        "heading": month.title,
        "mark": closing.fingerprint[:16],
        "notice": _notice(closing, content, zone),
        "headline": _headline(content["bases"][figures.PERIOD], month),
        "sections": [_figures(content, has_ruler=not drawn), *drawn, *_reasons(content), *_breakdowns(content)],
        "signing": SIGNING,
        "signatures": [_signature(party, signed.get(party), zone) for party in Party],
        "fingerprint": closing.fingerprint,
        "predecessor": before.fingerprint if before else "",
        "predecessor_words": f"of the audit of {Month(before.month).title}, closed before" if before else "",
        "proof": PROOF,
    }


def _notice(closing, content, zone):
    said = f"Closed on {time.full(closing.closed_at, zone)}, {content['time_zone']}, and frozen"
    under = ", ".join(f"v{each['number']}" for each in content["agreements"])
    said += f"; no. {closing.number}, after it was opened again" if closing.number > 1 else ""
    return f"{said}. In force in this month: agreement {under}." if under else f"{said}."


def _headline(one, month):
    said = f"In {month.name} sales accepted {text.thousands(one['sqls'])} leads against"
    said += f" {text.thousands(one['mqls'])} MQLs"
    rate = _share(one["rate"], one["mqls"])
    if rate is None:
        return f"{said}."
    tier = f", {one['tier']} tier" if one["tier"] and rate.n >= text.FEW else ""
    return f"{said}: {parts.rated(rate)}{tier}."


def _figures(content, *, has_ruler):
    columns = (Column("Basis"), *(count(name) for name, _ in COUNTS), count("Withdrawn"), share("MQL to SQL"))
    columns = (*columns, Column("Tier"), Column("Change", Kind.CHANGE), Column("Verdict"))
    rows, rulers = [], []
    for basis, words in BASES.items():
        one = content["bases"][basis]
        rate = _share(one["rate"], one["mqls"])
        counts = (*(one[name] for _, name in COUNTS), one["withdrawn"])
        moved = _share(one["change"], one["mqls"])
        rows.append((f"B{words[1:]}", *counts, rate, one["tier"] or "", moved, one["change"]["verdict"] or ""))
        if rate and rate.low is not None:
            label = f"{text.percent(rate.value)}, interval {text.interval(rate.low, rate.high)} percent, {words}"
            rulers.append(parts.chart(charts.ruler(*rate[:3], RULER, label=f"Benchmark scale: {label}.")))
    table = Table("", columns, rows)
    return {"title": "The signed figures", "parts": [*rulers[: 1 if has_ruler else 0], parts.drawn(table)]}


def _reasons(content):
    for basis, words in BASES.items():
        one = content["bases"][basis]
        rows = [
            (charts.CATEGORIES[r["category"]], r["code"], r["label"], r["n"], _share(r, one["rejected"], "share"))
            for r in one["reasons"]
        ]
        columns = (Column("Category"), Column("Code"), Column("Reason"), count("Rejections"), share("Share"))
        found = parts.drawn(Table("", columns, rows))
        yield {
            "title": f"Why sales said no, {words}",
            "parts": [parts.said(_top(one["top_reason"])), *([found] if found else [])],
        }


def _top(top):
    if top is None:
        return "No rejections, so no top reason."
    names = [each["label"] for each in top["candidates"]]
    return (
        f"Top reason: {names[0]}." if len(names) == 1 else f"Two candidates for the top reason: {' and '.join(names)}."
    )


def _breakdowns(content):
    """One table a dimension: what was delivered, and on both bases what sales did of it."""
    cuts = content["breakdowns"]
    for by in cuts[figures.PERIOD]:
        cohort = {row["key"]: row for row in cuts[figures.COHORT][by]}
        columns = (
            Column(by.capitalize()), count("MQLs"), count("Undecided"), count("SQLs"), share("MQL to SQL"),
            count("SQLs of these MQLs"), share("Cohort"),
        )  # fmt: skip
        rows = [_row(row, cohort.get(row["key"])) for row in cuts[figures.PERIOD][by]]
        found = parts.drawn(Table("", columns, rows), ROWS)
        if found:
            yield {"title": f"The same figures by {by}", "parts": [found | {"more": _more(len(rows))}]}


def _row(row, cohort):
    own = (cohort["sqls"], _share(cohort["rate"], cohort["mqls"])) if cohort else (0, None)
    rate = _share(row["rate"], row["mqls"])
    return (row["key"] or "none", row["mqls"], row["undecided"], row["sqls"], rate, *own)


def _more(n):
    return f"The first {ROWS} of {n} rows; the signed text has them all." if n > ROWS else ""


def _share(kept, n, name="value"):
    """A Share out of the record, whose shares are decimal text; None where there is none."""
    if not kept or kept[name] is None:
        return None
    low, high = (None if kept[end] is None else float(kept[end]) for end in ("low", "high"))
    return Share(float(kept[name]), low, high, n)


def _signature(party, row, zone):
    if row is None:
        return {"party": party.label.lower(), "name": "", "words": "not signed", "digest": ""}
    role = Role(row.role).label.lower() if row.role in Role.values else row.role
    words = f"{row.name}, {role}. {time.full(row.signed_at, zone)}"
    return {"party": party.label.lower(), "name": row.name, "words": words, "digest": row.digest}

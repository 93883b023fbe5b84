"""The audit's tables of figures: reasons, breakdown, trend, speed, the fix, disputes, and what is left out."""

import datetime as dt

from leads import figures, selections
from leads.audit import left_out
from leads.audit.speed import MARKS
from leads.audit.tables import Column, Kind, Share, Table, count, rate, share, table
from portal.shared import charts, intervals

COUNTS = ("mqls", "sqls", "rejected", "undecided", "withdrawn")
COUNTED = tuple(count(name) for name in ("MQLs", "SQLs", "Rejected", "Undecided", "Withdrawn"))
REASON = (Column("Category"), Column("Code"), Column("Reason"))


def counts(found):
    return tuple(getattr(found, name) for name in COUNTS)


@table("reasons", of_days=True)
def reasons(asked):
    """Why sales said no, the most frequent reason first."""
    month = asked.last
    rows = (
        (charts.CATEGORIES[r.category], r.code, r.label, r.n, Share(r.share, r.low, r.high, month.counts.rejected))
        for r in month.reasons
    )
    return Table("Why sales said no", (*REASON, count("Rejections"), share("Share of the rejections")), rows)


@table("months", of_days=True)
def months(asked):
    """The months, or stretches of days, that end with this one; rejections by category."""
    name = "Month" if asked.period.__class__ is figures.Month else "Days"
    head = (Column(name), *COUNTED, share("MQL to SQL"), *(count(said) for said in charts.CATEGORIES.values()))
    rows = (
        (m.month.title, *counts(m.counts), rate(m.rate), *(m.categories[category] for category in charts.CATEGORIES))
        for m in asked.series
    )
    return Table("MQLs, decisions and reasons over time", head, rows)


@table("breakdown", of_days=True)
def breakdown(asked):
    """The same figures by one dimension, every row of it, the largest first."""
    found = asked.cut.rows
    head = (Column("Key", only_file=True), Column(asked.by.capitalize()), *COUNTED, share("MQL to SQL"))
    rows = ((row.key, row.label or "none", *counts(row.counts), rate(row.rate)) for row in found)
    return Table(f"Breakdown by {asked.by}", head, rows)


@table("heat", of_days=True)
def heat(asked):
    """The chosen pair of dimensions as the page shows it; nothing of a dimension against itself."""
    found = asked.heat
    if found is None:
        return Table("A dimension says nothing against itself", (Column("Nothing"),), ())
    title = f"{found.rows_name} by {found.columns_name.lower()}"
    return _of_reasons(title, found) if found.is_of_reasons else _of_pair(title, found)


def _of_reasons(title, found):
    pair, heads = found.pair, range(len(found.heads))
    rows = [
        (charts.CATEGORIES[line.key[0]], line.key[1], line.label,
         *(pair.cell(place, head).rejected for head in heads), line.counts.rejected)
        for place, line in enumerate(pair.lines)
    ]  # fmt: skip
    foot = (*(head.counts for head in pair.heads), pair.total)
    rows += [
        ("", "", name, *(getattr(each, what) for each in foot)) for name, what in (("MQLs", "mqls"), ("SQLs", "sqls"))
    ]
    reason = (REASON[0], Column("Code", only_file=True), REASON[2])
    return Table(title, (*reason, *(count(name) for name in (*found.heads, "All"))), rows)


def _of_pair(title, found):
    """Of each cell its MQLs, how many were accepted, and the share; on paper the share alone."""
    columns = [Column(found.rows_name)]
    for name in (*found.heads, "All"):
        counted = (Column(f"{name}, {what}", Kind.COUNT, only_file=True) for what in ("MQLs", "SQLs"))
        columns += [*counted, share(name)]
    lines = [(line["label"], (*line["cells"], line["total"])) for line in found.lines] + [("All", found.foot)]
    rows = ((label, *(value for cell in cells for value in _rated(cell))) for label, cells in lines)
    return Table(title, tuple(columns), rows)


def _rated(cell):
    return cell.figure.n, cell.sqls.n, rate(cell.rate)


@table("trend")
def trend(asked):
    """The rate by month with the range that chance explains, and the versions that began."""
    rows = (
        (
            row["month"].title, row["mqls"].n, row["sqls"].n, rate(row["rate"]),
            *(row["limits"][1:] if row["limits"] else (None, None)), row["verdict"], row["began"],
        )
        for row in asked.trend.rows
    )  # fmt: skip
    limits = (Column("Limit from", Kind.PERCENT), Column("Limit to", Kind.PERCENT))
    head = (Column("Month"), count("MQLs"), count("SQLs"), share("MQL to SQL"), *limits)
    return Table("MQL to SQL by month, with control limits", (*head, Column("Verdict"), Column("Began")), rows)


@table("speed", of_days=True)
def speed(asked):
    """MQLs by time to the first contact, and what became of them (cohort)."""
    bands = asked.speed.speed.bands
    rows = ((selections.BANDS[band.key].capitalize(), *counts(band.counts), rate(band.rate)) for band in bands)
    return Table("Speed to first contact", (Column("First contact"), *COUNTED, share("Accepted")), rows)


@table("waiting", of_days=True)
def waiting(asked):
    """The share contacted within a time, with those still waiting counted (Kaplan–Meier)."""
    contact = asked.speed.speed.contact
    rows = (
        (name, Share(*contact.done_within(dt.timedelta(minutes=minutes)), contact.n)) for minutes, name in MARKS
    )  # fmt: skip
    return Table("Contacted by time since qualification", (Column("Within"), share("Contacted")), rows)


@table("waits", of_days=True)
def waits(asked):
    """Median waits until contact, for an owner, and by one."""
    rows = (
        (name, wait.median, wait.known, wait.n, wait.waiting) for name, wait, *_ in asked.speed.waits
    )  # fmt: skip
    medians = (Column("Median", Kind.WAIT), Column("Median of those done", Kind.WAIT))
    return Table("Median waits", (Column("Wait"), *medians, count("Leads"), count("Not done")), rows)


@table("fix", of_days=True)
def fix(asked):
    """What the top reason's leads have in common, against the accepted ones; every sign that was compared."""
    head = (
        Column("Top reason", only_file=True), Column("Of"), Column("Sign"), count("Rejected"), count("of rejected"),
        count("Accepted"), count("of accepted"), Column("Lift", Kind.NUMBER), Column("Lift from", Kind.NUMBER),
        Column("Lift to", Kind.NUMBER), Column("Verdict"), Column("Proposed change", only_file=True),
    )  # fmt: skip
    return Table("What the top reason’s leads have in common", head, _signs(asked))


def _signs(asked):
    for each in asked.candidates:
        signs, proposed = each.signs, each.proposal.words if each.proposal else None
        for one in signs.found:
            sign, lift = one.sign, one.lift or (None, None, None)
            label = sign.label or ("No source" if sign.of == "source" else "not known")
            counted = sign.rejected, signs.rejected, sign.accepted, signs.accepted
            yield (each.reason.label, sign.of, label, *counted, *lift, one.verdict, proposed)
        for row in each.faults:
            came = "import of the past" if row["imported"] else "live"
            sign = f"{row['field']}, {row['source']}, {came}"
            yield (each.reason.label, "field at fault", sign, row["n"], *(None,) * 7, proposed)
        for words, n in each.returns:
            yield (each.reason.label, "come back", words, n, *(None,) * 7, proposed)


STATES = {"upheld": "Upheld", "overturned": "Overturned", "waiting": "Waiting", "settled": "Taken back"}


@table("disputes", of_days=True)
def disputes(asked):
    """Disputes opened in these days, by reason and by who rejected, and all of them."""
    found = asked.disputes.disputes
    groups = (("Reason", found.reasons), ("Rejected by", found.reps), ("All", (found.all,)))
    rows = (
        (
            by, each.label or "nobody: imported", each.opened, *(each.counts[state] for state in STATES),
            _overturned(each),
        )
        for by, rows in groups
        for each in rows
    )  # fmt: skip
    head = (Column("By"), Column("Name"), count("Opened"), *(count(name) for name in STATES.values()))
    return Table("Disputes", (*head, share("Overturned of the rulings")), rows)


def _overturned(each):
    return each.overturned_share and Share(*each.overturned_share)


@table("left-out")
def what_is_left_out(asked):
    """What the month's figures do not count as one might expect, and why."""
    found = left_out.in_words(asked.left_out, asked.period, asked.basis)
    rows = ((which, why, figure.n) for figure, which, why in found)
    return Table("Left out of some figures", (Column("Leads"), Column("Why"), count("Number")), rows)


def wilson(k, n):
    """The Share of k of n; None of none."""
    return Share(k / n, *intervals.wilson(k, n), n) if n else None

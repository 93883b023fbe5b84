"""The audit's tables of figures: reasons, breakdown, trend, speed, the fix, disputes, and what is left out."""

import datetime as dt

from leads import figures, figures_disputes, figures_left_out, figures_speed, figures_trend, selections
from leads.audit import left_out
from leads.audit.fix import candidates
from leads.audit.speed import MARKS, SpeedPart
from leads.audit.tables import Column, Kind, Share, Table, count, rate, share, table
from leads.audit.trend import TrendPart
from portal.shared import charts, intervals

COUNTS = ("mqls", "sqls", "rejected", "undecided", "withdrawn")
COUNTED = tuple(count(name) for name in ("MQLs", "SQLs", "Rejected", "Undecided", "Withdrawn"))
REASON = (Column("Category"), Column("Code"), Column("Reason"))
MONTHS_SHOWN = 12


def counts(found):
    return tuple(getattr(found, name) for name in COUNTS)


def _last(asked):
    (found,) = figures.series(asked.period, 1, **asked.how)
    return found


@table("reasons", of_days=True)
def reasons(asked):
    """Why sales said no, the most frequent reason first."""
    month = _last(asked)
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
        for m in figures.series(asked.period, MONTHS_SHOWN, **asked.how)
    )
    return Table("MQLs, decisions and reasons over time", head, rows)


@table("breakdown", of_days=True)
def breakdown(asked):
    """The same figures by one dimension, every row of it, the largest first."""
    found = figures.slices(asked.period, asked.by, **asked.how).rows
    head = (Column("Key"), Column(asked.by.capitalize()), *COUNTED, share("MQL to SQL"))
    rows = ((row.key, row.label or "none", *counts(row.counts), rate(row.rate)) for row in found)
    return Table(f"Breakdown by {asked.by}", head, rows)


@table("trend")
def trend(asked):
    """The rate by month with the range that chance explains, and the versions that began."""
    found = figures_trend.trend(figures.series(asked.period, MONTHS_SHOWN, **asked.how), **asked.when)
    rows = (
        (
            row["month"].title, row["mqls"].n, row["sqls"].n, rate(row["rate"]),
            *(row["limits"][1:] if row["limits"] else (None, None)), row["verdict"], row["began"],
        )
        for row in TrendPart(found, asked.basis, asked.as_of, asked.zone).rows
    )  # fmt: skip
    limits = (Column("Limit from", Kind.NUMBER), Column("Limit to", Kind.NUMBER))
    head = (Column("Month"), count("MQLs"), count("SQLs"), share("MQL to SQL"), *limits)
    return Table("MQL to SQL by month, with control limits", (*head, Column("Verdict"), Column("Began")), rows)


def _speed(asked):
    return SpeedPart(asked.period, figures_speed.speed(asked.period, **asked.when))


@table("speed", of_days=True)
def speed(asked):
    """MQLs by time to the first contact, and what became of them (cohort)."""
    bands = _speed(asked).speed.bands
    rows = ((selections.BANDS[band.key].capitalize(), *counts(band.counts), rate(band.rate)) for band in bands)
    return Table("Speed to first contact", (Column("First contact"), *COUNTED, share("Accepted")), rows)


@table("waiting", of_days=True)
def waiting(asked):
    """The share contacted within a time, with those still waiting counted (Kaplan–Meier)."""
    contact = _speed(asked).speed.contact
    rows = (
        (name, Share(*contact.done_within(dt.timedelta(minutes=minutes)), contact.n)) for minutes, name in MARKS
    )  # fmt: skip
    return Table("Contacted by time since qualification", (Column("Within"), share("Contacted")), rows)


@table("waits", of_days=True)
def waits(asked):
    """Median waits until contact, for an owner, and by one."""
    rows = (
        (name, wait.median, wait.known, wait.n, wait.waiting) for name, wait, *_ in _speed(asked).waits
    )  # fmt: skip
    medians = (Column("Median", Kind.WAIT), Column("Median of those done", Kind.WAIT))
    return Table("Median waits", (Column("Wait"), *medians, count("Leads"), count("Not done")), rows)


@table("fix")
def fix(asked):
    """What the top reason's leads have in common, against the accepted ones; every sign that was compared."""
    head = (
        Column("Top reason"), Column("Of"), Column("Sign"), count("Rejected"), count("of rejected"),
        count("Accepted"), count("of accepted"), Column("Lift", Kind.NUMBER), Column("Lift from", Kind.NUMBER),
        Column("Lift to", Kind.NUMBER), Column("Verdict"), Column("Proposed change"),
    )  # fmt: skip
    return Table("What the top reason’s leads have in common", head, _signs(asked))


def _signs(asked):
    for each in candidates(_last(asked), **asked.how):
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
    found = figures_disputes.disputes(asked.period, **asked.how)
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
    found = figures_left_out.left_out(asked.period, **asked.how)
    rows = ((which, why, figure.n) for figure, which, why in left_out.in_words(found, asked.period, asked.basis))
    return Table("Left out of some figures", (Column("Leads"), Column("Why"), count("Number")), rows)


def wilson(k, n):
    """The Share of k of n; None of none."""
    return Share(k / n, *intervals.wilson(k, n), n) if n else None

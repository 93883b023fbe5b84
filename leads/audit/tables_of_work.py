"""The audit's tables of people's work: promises kept, clocks by person, quality of the reasons, actions."""

from leads.audit import promises, quality
from leads.audit.by_month import by_month
from leads.audit.tables import Column, Kind, Share, Table, count, share, table
from leads.audit.tables_of_figures import wilson
from portal.accounts.permissions import May
from sla.models import Party
from sla.models.reasons import Category

NOTHING = "Nothing to keep"


@table("scorecard", of_days=True)
def scorecard(asked):
    """Both sides' promises, each under the version a handoff was made under; of days without those of a month."""
    head = (
        Column("Side"), Column("Promise"), Column("Terms"), count("Agreement"), count("Kept"), count("Not kept"),
        share("Share kept"), Column("Verdict"), count("Excused"), share("Share kept without the excused"),
        Column("Verdict without the excused"),
    )  # fmt: skip
    return Table("Both sides’ promises", head, _promises(asked))


def _promises(asked):
    for party in Party:
        for one in asked.card.of(party):
            broken = None if one.is_volume else one.n - one.k
            kept = one.ends and Share(one.share, *one.ends, one.n)
            said = promises.name(one), promises.terms(one), one.version.number
            yield (party.label, *said, one.k, broken, kept, one.verdict or NOTHING, *_excused(one))


def _excused(promise):
    """How many breaches were excused, and the promise without them."""
    less = promise.without_excused
    if less is None:
        return None, None, "Excused"
    return promise.excused, less.ends and Share(less.share, *less.ends, less.n), less.verdict or NOTHING


@table("by-month", of_days=True)
def what_is_promised_by_the_month(asked):
    """Volume and joint target of the month that is asked for, or in which the days end: all of it so far."""
    found = by_month(asked)
    head = (
        Column("Month"), Column("Side"), Column("Promise"), Column("Terms"), count("Agreement"), count("MQLs"),
        count("Accepted"), Column("Verdict"),
    )  # fmt: skip
    rows = (
        (found.title, row.side, row.name, row.terms, row.version, row.n, row.accepted, row.verdict)
        for row in found.rows
    )
    return Table("Promised for the whole month", head, rows)


@table("clocks", may=May.SEE_SCORECARD, of_days=True)
def clocks(asked):
    """Clocks kept by team and person, of the people that the person may see."""
    rows = (
        (
            one.team or "No team", one.person.name, one.contact[1], wilson(*one.contact[:2]), one.contact[2],
            one.decision[1], wilson(*one.decision[:2]), one.decision[2],
        )
        for one in asked.people
    )  # fmt: skip
    head = (
        Column("Team"), Column("Person"), count("First contacts"), share("First contacts in time"),
        count("First contacts excused"), count("Decisions"), share("Decisions in time"), count("Decisions excused"),
    )  # fmt: skip
    return Table("Clocks kept, by team and rep", head, rows)


@table("flags", of_days=True)
def flags(asked):
    """Flags on the month's rejections."""
    shares, _ = asked.flags
    rows = ((quality.FLAGS[flag], one.k, one.n, wilson(one.k, one.n)) for flag, one in shares.items())
    return Table("Flags on the rejections", (Column("Rejections"), count("Leads"), count("Of"), share("Share")), rows)


@table("one-reason", of_days=True)
def one_reason(asked):
    """Reps who give one reason most of the time."""
    rows = (
        (one.name, Category(one.category).label, one.code, one.label, one.share.k, one.share.n,
         wilson(one.share.k, one.share.n))
        for one in asked.one_reason
    )  # fmt: skip
    head = (Column("Rep"), Column("Category"), Column("Code"), Column("Reason"), count("Leads"), count("Of"))
    return Table("One reason for most of a rep’s rejections", (*head, share("Share")), rows)


@table("recoding")
def recoding(asked):
    """How far a second person codes alike: Cohen's kappa."""
    found = asked.agreement
    rows = (
        (by, one.n, one.agreed, one.value, one.low, one.high, one.words)
        for by, one in (("Category", found.categories), ("Reason", found.codes))
        if one
    )
    numbers = (Column(name, Kind.NUMBER) for name in ("Kappa", "95% from", "95% to"))
    head = (Column("By"), count("Coded twice"), count("Coded alike"), *numbers, Column("In words"))
    return Table("Agreement of two coders", head, rows)


@table("differences")
def differences(asked):
    """Where two coders differ; nothing before the sample is coded, as it would tell the second what the first said."""
    found = asked.agreement
    pairs = found.apart if found.coded == found.drawn else ()
    rows = ((Category(first).label, Category(second).label, n) for first, second, n in pairs)
    return Table("Where the two coders differ", (Column("First code"), Column("Second code"), count("Leads")), rows)


@table("actions")
def actions_decided(asked):
    """Earlier actions with their measured effect, then this audit's own."""
    head = (
        Column("Audit of"), Column("Action"), Column("Owner"), Column("Due", Kind.DAY), Column("Expected"),
        Column("Status"), Column("What was done"), share("Before"), share("After"), Column("Change", Kind.CHANGE),
        Column("Verdict"),
    )  # fmt: skip
    found = asked.actions
    return Table("Actions", head, (_action(item) for item in (*found.before, *found.decided)))


def _action(item):
    row, effect = item.revision, item.effect
    moved = (_side(effect.before), _side(effect.after), _change(effect)) if effect else (None, None, None)
    status = "Closed" if row.is_closed else "Open"
    said = f"{row.action.month:%Y-%m}", row.text, row.owner.name, row.due_on, item.measured_by, status, row.note
    return (*said, *moved, item.verdict if effect else None)


def _side(side):
    return None if side.share is None else Share(side.share, *(side.ends or (None, None)), side.n)


def _change(effect):
    change = effect.change
    return change and Share(change.difference, change.low, change.high, effect.after.n)

"""What the audit says of the top reason: what its leads have in common, and one change with its expected effect."""

from dataclasses import dataclass

from leads import figures, figures_fix, remedy
from leads.audit.links import Figure, leads_url
from portal.shared import text
from sla.models.reasons import Category

SHOWN = 8  # signs and faults in a table
ABOUT = {
    Category.SCORING: "Rules whose points were pivotal: without them the lead had been under its tier’s threshold",
    Category.FIT: "What reps said does not fit, by the lead’s value",
    Category.TIMING: "Sources that bring leads too early",
    Category.DATA: "Fields at fault, by source",
}
RETURNS = (
    ("30", "within 30 days"), ("90", "31 to 90 days"), ("180", "91 to 180 days"), ("later", "after 180 days"),
    ("none", "no day named"),
)  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A top reason with its Figure; `signs`, `faults` or `returns` tell what its leads have in common."""

    reason: figures.Reason
    figure: Figure
    signs: figures_fix.Signs
    found_faults: list  # as figures_fix.faults gives them
    found_returns: dict  # as figures_fix.returns gives them
    proposal: remedy.Proposal | None
    rejected: dict  # filters (see figures.rows) of the reason's rejections
    accepted: dict  # and of the acceptances they are compared with

    @property
    def about(self):
        return ABOUT[Category(self.reason.category)]

    @property
    def faults(self):
        return _faults(self.found_faults, self.rejected)

    @property
    def returns(self):
        return _returns(self.found_returns)

    @property
    def rows(self):
        return [_row(each, self.signs) | self._links(each.sign) for each in self.signs.found[:SHOWN]]

    def _links(self, sign):
        """The leads behind a source's numbers; the list cannot select by rule or named value."""
        if sign.of != "source":
            return {}
        here = {"source": sign.key}
        return {
            "rejected_url": Figure.of(sign.rejected, self.rejected | here).url,
            "accepted_url": Figure.of(sign.accepted, self.accepted | here).url,
        }

    @property
    def hidden(self):
        return max(0, len(self.signs.found) - SHOWN)

    @property
    def why_none(self):
        """Why no change is proposed; empty where one is."""
        if self.proposal is not None:
            return ""
        if self.reason.category == Category.DATA:
            return "No change of the definition: the field most often at fault is one that it cannot ask for, or does."
        if not self.signs.rejected:
            return "No change proposed: these rejections have no stored score."
        if not self.signs.accepted:
            return "No change proposed: there is no acceptance to compare with."
        return "No change proposed: nothing marks these rejections off from the acceptances beyond chance."


def title_of(found):
    """The finding as a heading, of the Candidates."""
    if not found:
        return "Nothing was rejected, so nothing to fix"
    if len(found) == 2:
        return "Two candidates to fix, as they cannot be told apart"
    first = found[0]
    return f"Fix first: {first.proposal.words}" if first.proposal else f"{first.reason.label}: no change stands out"


def candidates(month, *, basis, as_of, zone):
    """The Candidates of a MonthFigures: one; two where the first two reasons cannot be told apart; none."""
    asked = {"basis": basis, "as_of": as_of, "zone": zone}
    return [_candidate(month.month, reason, asked) for reason in figures.top_reasons(month)]


def _candidate(month, reason, asked):
    is_of = reason.category
    return candidate(
        month, asked["basis"], reason, figures_fix.signs(month, reason, **asked),
        figures_fix.faults(month, reason, **asked) if is_of == Category.DATA else [],
        figures_fix.returns(month, reason, **asked) if is_of == Category.TIMING else {},
        remedy.propose(month, reason, **asked),
    )  # fmt: skip


def candidate(month, basis, reason, signs, faults, returns, proposal):
    """The Candidate of a figures.Month out of what was found."""
    wanted = figures.counted("rejected", month, basis) | {"category": reason.category, "reason": reason.code}
    return Candidate(
        reason, Figure.of(reason.n, wanted), signs, faults, returns, proposal, rejected=wanted,
        accepted=figures.counted("sqls", month, basis),
    )  # fmt: skip


def _row(each, signs):
    sign = each.sign
    return {
        "label": sign.label or ("No source" if sign.of == "source" else "not known"),
        "sub": {"fit": "fit", "behaviour": "behaviour"}.get(sign.of, sign.of.replace("_", " ")),
        "rejected": sign.rejected,
        "accepted": sign.accepted,
        "rejected_share": text.percent(sign.rejected / signs.rejected, 0) if signs.rejected else "",
        "accepted_share": text.percent(sign.accepted / signs.accepted, 0) if signs.accepted else "",
        "lift": f"{text.rounded(each.lift.ratio)}×" if each.lift else "",
        "between": f"{text.rounded(each.lift.low)}–{text.rounded(each.lift.high)}" if each.lift else "",
        "verdict": each.verdict,
    }


def _faults(found, wanted):
    return tuple(
        {
            "field": (field or "not named").replace("_", " "),
            "source": source or "No source",
            "imported": imported,
            "n": n,
            "url": leads_url(wanted | {"source": source}),
        }
        for field, source, imported, n in found[:SHOWN]
    )


def _returns(found):
    return tuple((words, found.get(key, 0)) for key, words in RETURNS if found.get(key))

"""The second half of a row: for history its moments and decision under the law of then, for now its score."""

import datetime as dt

from leads.intake.imports import cells
from leads.intake.imports.cells import Seen, Wrong
from leads.intake.imports.deals import Dealt
from leads.intake.imports.fields import MOMENTS
from leads.intake.imports.scores import Scores
from leads.services.refusals import NoteRequired, ReasonRequired, ReasonUnknown

SKEW = dt.timedelta(minutes=5)


class _Judge:
    """What both kinds read: moments, the deal, and the decision that they tell of."""

    def __init__(self, mapping, law, dates, *, at, zone):
        self.law, self.zone = law, zone
        self._decides = bool({*self.decided_by} & mapping.fields)
        self._moments = {
            name: Seen(cells.moment_of(
                name, dates.get(name), default=mapping.defaults.get(name), zone=zone, latest=at + SKEW,
            )) for name in MOMENTS if name in mapping.fields
        }  # fmt: skip
        self.deal = Dealt(mapping)
        self.told = (*self.columns, *self.deal.columns)
        self._decision = Seen(cells.decision)

    def _known(self, chunk):
        """({field: moments}, the deal's columns, decisions, reasons' texts)."""
        moments = {name: chunk.read(name, seen) for name, seen in self._moments.items()}
        deal = self.deal(chunk, moments)
        return moments, deal, *self._decisions(chunk, self.deal.outcomes(deal))

    def _decisions(self, chunk, outcomes):
        """A deal that was won was accepted, whatever else is noted; without a decision a reason tells a rejection."""
        blank = [""] * chunk.size
        if not self._decides:
            return blank, blank
        reasons = [*map(str.strip, chunk.texts("reason"))]
        if "decision" in chunk:
            decisions = chunk.read("decision", self._decision)
        else:
            decisions = ["rejected" if reason else "" for reason in reasons]
        if outcomes:
            decisions = [
                "accepted" if outcome == "won" else decision
                for decision, outcome in zip(decisions, outcomes, strict=True)
            ]
        return decisions, [
            reason if decision == "rejected" else ""
            for decision, reason in zip(decisions, reasons, strict=True)
        ]  # fmt: skip


class Scored(_Judge):
    """Leads of now: their score. law: the Present."""

    columns = ("tier_id", "fit", "behaviour", "total", "breakdown", "exploration")
    decided_by = ("decision", "reason")  # a deal that was won decides nothing now

    def __init__(self, mapping, law, dates, *, at, zone):
        super().__init__(mapping, law, dates, at=at, zone=zone)
        self._scores = Scores(law, zone=zone, at=at, reach=law.version.row.exploration_reach)

    def __call__(self, chunk, facts, attributes):
        """(the texts of `columns`, the attributes as JSON)."""
        _, deal, decisions, reasons = self._known(chunk)
        notes = chunk.texts("note")
        for place in [place for place, decision in enumerate(decisions) if decision]:
            decision = decisions[place]
            wrong = _reason(self.law.version, decision, reasons[place], notes[place])[1]
            chunk.refuse(place, wrong or Wrong("decision", decision, "history_only"))
        texts = attributes.texts(chunk, {"note": notes} if "note" in chunk else {})
        return [*self._scores(facts, texts, chunk.size), *deal], attributes.objects(texts, chunk.size)

    def needed(self, columns):
        """Rows that reach a tier, or may be drawn below it, or tell of a deal: the others have no handoff."""
        if self.deal.is_told:
            return [*map(any, zip(columns[0], columns[len(self.columns)], strict=True))]
        return [*map(bool, columns[0])]


class Decided(_Judge):
    """History: the moments, and the decision under the version that was in force. law: the Past."""

    columns = (
        *("qualified_at", "first_touch_at", "decision", "reason_id", "decided_at", "note"),
        *("version_id", "definition_id"),
    )
    decided_by = ("decision", "reason", "outcome")

    def __call__(self, chunk, facts, attributes):
        """(the texts of `columns`, the attributes as JSON)."""
        moments, deal, decisions, reasons = self._known(chunk)
        notes, blank = chunk.texts("note"), [""] * chunk.size
        told = (*(moments.get(name, blank) for name in ("qualified_at", "first_touch_at", "decided_at")), decisions)
        outcomes, rows = self.deal.outcomes(deal) or blank, []
        for place, row in enumerate(zip(*told, reasons, notes, outcomes, strict=True)):
            found, wrong = self._row(*row)
            if wrong:
                chunk.refuse(place, wrong)
            rows.append(found)
        more = {}
        if "note" in chunk:
            more["note"] = ["" if decision else note for decision, note in zip(decisions, notes, strict=True)]
        texts = attributes.texts(chunk, more)
        return [*zip(*rows, strict=True), *deal], attributes.objects(texts, chunk.size)

    def needed(self, columns):
        """All rows: each has a handoff or a deal."""
        return [True] * len(columns[0])

    def _row(self, qualified, touched, decided, decision, reason, note, outcome):
        """(the texts of `columns`, None), or (blanks, what is wrong); blanks too where it tells of a deal alone."""
        if not qualified and outcome and decision != "rejected":
            return BLANK, None
        if not qualified:
            return BLANK, Wrong("qualified_at", "", "qualified_at_required")
        version = self.law.at(qualified.at)
        moments, law = (qualified.text, touched and touched.text), (str(version.pk), str(version.definition))
        if not decision:
            return (*moments, "", "", "", "", *law), None
        decided, wrong = self._decided(decided or qualified, qualified)
        if wrong:
            return BLANK, wrong
        code, wrong = _reason(version, decision, reason, note)
        return (*moments, decision, code, decided.text, note, *law), wrong

    def _decided(self, decided, qualified):
        """When it was decided: the qualification's own moment where the file says only the day."""
        if decided.at >= qualified.at:
            return decided, None
        local = decided.at.astimezone(self.zone)
        if not decided.timed and local.date() == qualified.at.astimezone(self.zone).date():
            return qualified, None
        return None, Wrong("decided_at", local.isoformat(), "decided_before_qualified")


BLANK = ("",) * len(Decided.columns)


def _reason(version, decision, text, note):
    """(the reason's key as text, None) under the same rules as a rejection by hand, or ("", what is wrong)."""
    if decision != "rejected":
        return "", None
    if not text:
        return "", Wrong("reason", "", ReasonRequired.code)
    reason = version.reason(text)
    if reason is None:
        return "", Wrong("reason", text, ReasonUnknown.code)
    if reason.note_required and text == reason.code and not note.strip():
        return "", Wrong("note", "", NoteRequired.code)
    return str(reason.pk), None

"""The actions of an audit as the page shows them: what earlier ones moved, and what was decided this time."""

from dataclasses import dataclass

from leads.audit.action_forms import measures
from leads.audit.effects import CANNOT_TELL, DID_NOT, WORKED, Effect, effects
from leads.audit.models import ActionRevision
from portal.shared import text

CHIPS = {WORKED: ("ok", "check"), DID_NOT: ("late", "x"), CANNOT_TELL: ("idle", "circle-dashed")}
EARLIER_SHOWN = 50


@dataclass(frozen=True)
class Item:
    """One action as it stands, with its revisions, oldest first, and its Effect where a later month can tell."""

    revision: ActionRevision
    history: tuple[ActionRevision, ...]
    measured_by: str
    effect: Effect | None = None

    @property
    def chip(self):
        """(colour, icon) of the verdict."""
        return CHIPS[self.effect.verdict if self.effect else CANNOT_TELL]

    @property
    def verdict(self):
        return self.effect.verdict if self.effect else CANNOT_TELL


@dataclass(frozen=True)
class Actions:
    """`before`: last month's, and older ones that are still open; `decided`: this audit's own."""

    before: tuple[Item, ...]
    decided: tuple[Item, ...]

    @property
    def title(self):
        """The outcome of the earlier ones in one sentence, as the section's heading."""
        if not self.before:
            n = len(self.decided)
            return f"{text.in_words(n).capitalize()} action{'' if n == 1 else 's'} decided" if n else "No actions yet"
        worked, did_not = (sum(item.verdict == v for item in self.before) for v in (WORKED, DID_NOT))
        n, early = len(self.before), len(self.before) - worked - did_not
        parts = [
            f"{text.in_words(count)} {said}"
            for count, said in ((worked, "worked"), (did_not, "did not"), (early, "cannot be told yet"))
            if count
        ]
        return f"Of {text.in_words(n)} earlier action{'' if n == 1 else 's'}, {', '.join(parts)}"


def actions(month, *, as_of, zone):
    """The Actions of a figures.Month's audit; three queries."""
    rows = ActionRevision.objects.filter(action__month__lte=month.first)
    rows = rows.select_related("action", "owner", "written_by", "definition").order_by("action", "number")
    histories = {}
    for row in rows:
        histories.setdefault(row.action_id, []).append(row)
    last = {key: history[-1] for key, history in histories.items()}
    recent = month.plus(-1).first
    before = [r for r in last.values() if r.action.month == recent or (r.action.month < recent and not r.is_closed)]
    before = sorted(before, key=lambda r: (r.action.month, r.action_id), reverse=True)[:EARLIER_SHOWN]
    measured, names = effects(before, month, as_of=as_of, zone=zone), dict(measures())

    def item(revision):
        history, effect = histories[revision.action_id], measured.get(revision.action_id)
        return Item(revision, tuple(history), _measured_by(revision, names), effect)

    decided = tuple(item(revision) for revision in last.values() if revision.action.month == month.first)
    return Actions(tuple(item(revision) for revision in before), decided)


def _measured_by(revision, names):
    """ "MQL to SQL, +3.0 points", "Content-only interest, −5.0 points of all rejections"."""
    points = text.points(float(revision.expected) / 100 * (1 if revision.measure == ActionRevision.RATE else -1))
    name = names.get(revision.measure, revision.measure).rsplit(", ", 1)[0]
    return f"{name}, {points}" + ("" if revision.measure == ActionRevision.RATE else " of the rejections")

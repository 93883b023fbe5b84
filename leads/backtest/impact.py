"""What the last 90 days would have been under a proposed agreement: times kept, and the leads it would have let in.

Every handoff of the window is given the due times that the proposed terms would have given it, for the owner it began
with, and is judged by what really happened: the first touch that those terms count, and the decision. Nobody behaves
otherwise because a promise is shorter, so this is what the terms would have asked, not a forecast.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Min, Value
from django.db.models.functions import Concat

from leads.backtest import jobs
from leads.backtest.columns import score
from leads.backtest.load import WINDOW, TooMany, load
from leads.backtest.tally import Tally, tally
from leads.models import Handoff, Touch
from leads.services.due import Case, Terms
from portal.accounts.models import User
from portal.shared.intervals import wilson
from sla.models import SLAVersion

CLOCKS = ("contact", "decision")
MONTH = dt.timedelta(days=365.25 / 12)


@dataclass
class Kept:
    """Clocks that stopped in time, and clocks that stopped late or ran out; those still running are in neither."""

    kept: int = 0
    missed: int = 0

    @property
    def n(self):
        return self.kept + self.missed

    @property
    def share(self):
        return self.kept / self.n if self.n else None

    @property
    def interval(self):
        return wilson(self.kept, self.n) if self.n else (None, None)

    def add(self, due, stopped, ended, at):
        """Count one clock that was due then; `ended` without a stop in time is nobody's fault."""
        if stopped is not None and stopped <= due:
            self.kept += 1
        elif stopped is not None or (ended or at) > due:
            self.missed += 1


@dataclass
class Impact:
    """`was` and `would`: {(clock, tier's name): Kept}.

    `moves`: the Tally of the two definitions, None where there were too many leads, or where both judge alike, which
    `same_definition` says.
    """

    handoffs: int = 0
    was: dict = field(default_factory=lambda: defaultdict(Kept))
    would: dict = field(default_factory=lambda: defaultdict(Kept))
    moves: Tally | None = None
    same_definition: bool = True

    def total(self, side, clock):
        """All tiers of a clock together."""
        rows = [kept for (of, _), kept in getattr(self, side).items() if of == clock]
        return Kept(sum(row.kept for row in rows), sum(row.missed for row in rows))

    def tiers(self):
        """Names of the tiers that either side has, in no order of rank."""
        return list(dict.fromkeys(tier for side in (self.was, self.would) for _, tier in side))


def impact(version: SLAVersion, against: SLAVersion, *, at: dt.datetime) -> Impact:
    """The window before `at` under `version` beside what was; `against` is the version in force."""
    found = Impact()
    tiers = _new_tiers(found, version, against, at)
    rows = list(
        _of_the_window(at).values_list(
            "pk", "tier__key", "tier__name", "qualified_at", "first_touch_at", "decided_at", "withdrawn_at",
            "contact_due_at", "decision_due_at",
        )
    )  # fmt: skip
    found.handoffs = len(rows)
    for _, _, tier, _, touched, decided, withdrawn, contact_due, decision_due in rows:
        ended = decided or withdrawn
        found.was["contact", tier].add(contact_due, touched, ended, at)
        found.was["decision", tier].add(decision_due, decided, withdrawn, at)
    _judge_again(found, version, [row for row in rows if tiers(row[0], row[1])], tiers, at)
    return found


def _judge_again(found, version, rows, tiers, at):
    """Give each handoff the proposed due times, and count what it kept."""
    mine = {tier.key: tier for tier in version.definition.tiers.all()}
    owners, touched = _first_owners(at), _first_touches(version.touch_kinds, at)
    keys = [tiers(row[0], row[1]) for row in rows]
    cases = [Case(mine[key].pk, owners.get(row[0]), row[3]) for key, row in zip(keys, rows, strict=True)]
    for key, row, due in zip(keys, rows, Terms(version).due_many(cases) if cases else [], strict=True):
        decided, withdrawn = row[5], row[6]
        name = mine[key].name
        found.would["contact", name].add(due.contact_due_at, touched.get(row[0]), decided or withdrawn, at)
        found.would["decision", name].add(due.decision_due_at, decided, withdrawn, at)


def _new_tiers(found, version, against, at):
    """A function (handoff, its tier's key) → the key of its tier under `version`, or None: no MQL under it."""
    draft, before = version.definition.as_definition(), against.definition.as_definition()
    keys = {tier.key for tier in draft.tiers}
    as_it_was = lambda _, key: key if key in keys else None  # noqa: E731
    if (draft.rules, draft.tiers) == (before.rules, before.tiers):
        return as_it_was
    found.same_definition = False
    try:
        loaded = load((draft, before), at=at, most=jobs.AT_ONCE)
    except TooMany:
        return as_it_was
    scored = score(draft, loaded.panel)
    found.moves = tally(scored, score(before, loaded.panel), loaded.outcomes, loaded.handoffs)
    judged = dict(zip(loaded.handoffs.tolist(), scored.tiers.tolist(), strict=True))
    return lambda pk, key: (
        (scored.names[judged[pk]] if judged[pk] >= 0 else None) if pk in judged else as_it_was(pk, key)
    )


def _of_the_window(at):
    """The handoffs that were promised something: history and exploration were not."""
    within = {"qualified_at__gt": at - WINDOW, "qualified_at__lte": at}
    return Handoff.objects.filter(**within, is_historical=False, exploration=False)


def _first_owners(at):
    """{handoff: the User who held it first}, of the window."""
    pairs = _of_the_window(at).order_by("pk", "assignments__assigned_at", "assignments__pk").distinct("pk")
    people = User.objects.in_bulk()
    return {pk: people.get(owner) for pk, owner in pairs.values_list("pk", "assignments__owner")}


def _first_touches(kinds, at):
    """{handoff: its earliest touch of a kind that counts}, of the window."""
    touches = Touch.objects.filter(handoff__qualified_at__gt=at - WINDOW, handoff__qualified_at__lte=at)
    counted = touches.annotate(what=Concat("kind", Value(":"), "outcome")).filter(what__in=kinds).order_by()
    return dict(counted.values_list("handoff").annotate(first=Min("occurred_at")))


def a_month(count):
    """A count of the window as a count a month, in whole leads."""
    return round(count * (MONTH / WINDOW))

"""What is promised for a whole month: volume and joint target, of the month asked for or in which the days end."""

from dataclasses import dataclass

from django.db.models import Count, Q

from leads import lifecycle
from leads.audit import promises
from leads.audit import scorecard as score
from leads.audit.excused import excused_commitments
from leads.audit.signed import answers
from leads.periods import Month
from portal.shared import text
from sla import words
from sla.models import Commitment

OPEN, EXCUSED = "Month not over", "Excused"


@dataclass(frozen=True)
class Counted:
    """One promise: `n` MQLs, or `accepted` of them (joint target); judged only when the month is over."""

    side: str
    name: str
    terms: str
    version: int
    n: int
    accepted: int | None
    verdict: str

    @property
    def said(self):
        """ "312 delivered", "62 of 312 accepted" """
        if self.accepted is None:
            return f"{text.thousands(self.n)} delivered"
        return f"{text.thousands(self.accepted)} of {text.thousands(self.n)} accepted"


@dataclass(frozen=True)
class ByMonth:
    """`rows` (Counted) of a Month, all of it up to the cut-off, never a part in proportion to some days."""

    month: Month
    is_over: bool
    rows: tuple[Counted, ...]

    @property
    def title(self):
        """ "November 2026 so far" """
        return self.month.title if self.is_over else f"{self.month.title} so far"


def by_month(asked):
    """The ByMonth of the month that is asked for, or in which the days end: as signed where it is closed."""
    month = asked.period if isinstance(asked.period, Month) else Month(asked.period.last.replace(day=1))
    found = asked if month == asked.period else answers(
        month, basis=asked.basis, by=asked.by, as_of=asked.as_of, zone=asked.zone, person=asked.person
    )  # fmt: skip
    card = found.card if found.is_signed else _card(month, found)
    over = month.ends(found.zone) <= found.as_of
    rows = [_volume(one, over) for one in card.promises if one.is_volume]
    return ByMonth(month, over, (*rows, *_joint(card, over)))


def _card(month, asked):
    """The Scorecard of what is promised for a month alone."""
    decided = Q(decided_at__lte=asked.as_of, status=lifecycle.ACCEPTED)
    handoffs = score.qualified(month, **asked.when).order_by()
    rows = handoffs.values_list("sla_version").annotate(n=Count("pk"), accepted=Count("pk", filter=decided))
    found = {version: (n, accepted) for version, n, accepted in rows}
    n, accepted = (sum(counts[i] for counts in found.values()) for i in (0, 1))
    first = min(score.versions(found), key=lambda version: version.number, default=None)
    pardoned = excused_commitments(month, as_of=asked.as_of)
    volumes = first.commitments.all() if first else ()
    return score.Scorecard(
        tuple(
            score.volume(one, first, n, is_excused=one.pk in pardoned)
            for one in volumes if one.kind == Commitment.Kind.MQLS
        ),
        first, n, accepted,
    )  # fmt: skip


def _volume(promise, over):
    verdict = EXCUSED if promise.is_excused else promise.verdict if over else OPEN
    side = promise.party.capitalize()
    return Counted(
        side, promises.name(promise), promises.terms(promise), promise.version.number, promise.n, None, verdict
    )


def _joint(card, over):
    version = card.version
    if version is None:
        return
    wanted = [f"{words.target('acceptance', version.target_rate)} of the MQLs"] if version.target_rate else []
    wanted += [f"≥ {text.thousands(version.target_accepted)} leads a month"] if version.target_accepted else []
    if wanted:
        kept = score.KEPT if card.attainment.joint == 1 else score.BREACHED
        terms = f"{' and '.join(wanted)} accepted"
        yield Counted("Both", "Joint target", terms, version.number, card.mqls, card.accepted, kept if over else OPEN)

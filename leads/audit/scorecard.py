"""The scorecard of both sides: each promise, under the version a handoff was made under, kept or breached with counts.

Everything is of the MQLs qualified in one month, or in some days, and of what became of them (cohort), as of an
instant. What is promised for a whole month is not judged over days (see leads.audit.by_month). Clocks are told by
leads.clock_states, so that a contact logged late, which a ClockCorrection tells of, counts as kept.
"""

from collections import Counter
from dataclasses import dataclass, replace

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from leads import lifecycle
from leads.audit.excused import excused_commitments, excused_counts, excused_late
from leads.figures_clocks import at_fault
from leads.models import Handoff, Touch
from leads.periods import Month
from portal.accounts.models import User
from portal.shared import intervals
from sla.models import Commitment, Party, ReasonCode, SLAVersion

KEPT, BREACHED, UNCLEAR = "Kept", "Breached", "Unclear"
CLOCKS = {Commitment.Kind.FIRST_CONTACT: "contact", Commitment.Kind.DECISION: "decision"}
COVERED, ATTEMPTS = "covered", "attempts"  # promises that stand on the version itself
K = Commitment.Kind
GROUP = ("sla_version", "tier", "source", "campaign")  # what counts are told apart by
STATES = ("kept", "late", "excused")
EVERY = 1000  # per mille: a promise without a share is one of all


@dataclass(frozen=True)
class Promise:
    """One promise of one version: `k` of `n` against `target` per mille; a volume is `n`, from `target` to `most`.

    excused: of the n − k breaches those that the other side excused; is_excused: the promise of this month as a whole.
    """

    version: SLAVersion
    party: str
    kind: str
    k: int
    n: int
    target: int = EVERY
    most: int | None = None
    commitment: Commitment | None = None
    excused: int = 0
    is_excused: bool = False
    in_words: tuple[str, str] | None = None  # its name and terms, where it was read out of a record

    @property
    def without_excused(self):
        """The same without the breaches that the other side excused; None where the promise itself was excused."""
        return None if self.is_excused else replace(self, n=self.n - self.excused, excused=0)

    @property
    def is_volume(self):
        return self.kind == K.MQLS

    @property
    def share(self):
        return None if self.is_volume or not self.n else self.k / self.n

    @property
    def ends(self):
        """Wilson's 95 % interval of the share, shares of 1."""
        return None if self.share is None else intervals.wilson(self.k, self.n)

    @property
    def verdict(self):
        """Unclear: below the target, but the interval still holds it. None where there was nothing to keep."""
        if self.is_volume:
            return KEPT if self.target <= self.n <= (self.most or self.n) else BREACHED
        if self.share is None:
            return None
        if self.k * EVERY >= self.target * self.n:
            return KEPT
        return UNCLEAR if self.target < EVERY and self.ends[1] >= self.target / EVERY else BREACHED

    @property
    def attainment(self):
        """How much of the promise was kept, a share of 1 and at most 1; None where there was nothing to keep."""
        if self.is_volume:
            over = self.most / self.n if self.most and self.n > self.most else 1
            return min(1, self.n / self.target if self.target else 1, over)
        return None if self.share is None else min(1, self.share * EVERY / self.target if self.target else 1)


@dataclass(frozen=True)
class Attainment:
    """Of the joint target: the lowest of three, shares of 1, each None where nothing was promised or delivered."""

    marketing: float | None
    sales: float | None
    joint: float | None

    @property
    def value(self):
        known = [part for part in (self.marketing, self.sales, self.joint) if part is not None]
        return min(known) if known else None


@dataclass(frozen=True)
class Scorecard:
    """`promises` of both sides, by version; `accepted` of `mqls` against the joint target of `version`."""

    promises: tuple[Promise, ...]
    version: SLAVersion | None
    mqls: int
    accepted: int

    def of(self, party):
        return [promise for promise in self.promises if promise.party == party]

    @property
    def attainment(self):
        sides = [self._least(party) for party in (Party.MARKETING, Party.SALES)]
        return Attainment(*sides, self._joint())

    @property
    def without_excused(self):
        """The Scorecard as if what the other side excused had not been promised."""
        kept = (promise.without_excused for promise in self.promises)
        return replace(self, promises=tuple(promise for promise in kept if promise))

    @property
    def has_excused(self):
        return any(promise.excused or promise.is_excused for promise in self.promises)

    def _least(self, party):
        return min((p.attainment for p in self.of(party) if p.attainment is not None), default=None)

    def _joint(self):
        if self.version is None or not self.mqls:
            return None
        parts = []
        if self.version.target_rate:
            parts.append(self.accepted / self.mqls * EVERY / self.version.target_rate)
        if self.version.target_accepted:
            parts.append(self.accepted / self.version.target_accepted)
        return min(1, *parts) if parts else None


def scorecard(period, *, as_of, zone):
    """The Scorecard of a Month or a Span; one query for the counts, a few for each version that was in it.

    Volume and joint target are promised for a month: they are judged under the version that its first MQL had. The
    Scorecard of a Span has no volume, and its attainment means nothing.
    """
    rows = list(_counted(qualified(period, as_of, zone), as_of))
    for clock in CLOCKS.values():
        excused = excused_counts(qualified(period, as_of, zone), clock, GROUP, as_of=as_of)
        for row in rows:
            row[f"{clock}_excused"] = excused[tuple(row[name] for name in GROUP)]
    is_month = isinstance(period, Month)
    pardoned = excused_commitments(period, as_of=as_of) if is_month else ()
    known = sorted(versions({row["sla_version"] for row in rows}), key=lambda v: v.number)
    mqls, accepted = _sum(rows, "mqls"), _sum(rows, "accepted")
    first = known[0] if known else None
    promises = []
    for version in known:
        inside = [row for row in rows if row["sla_version"] == version.pk]
        delivered = mqls if is_month and version == first else None
        found = _promises(version, inside, period=period, as_of=as_of, zone=zone, mqls=delivered)
        promises += [replace(p, is_excused=p.commitment.pk in pardoned) if p.commitment else p for p in found]
    return Scorecard(tuple(promises), first, mqls, accepted)


def versions(keys):
    """The SLAVersions of some ids, with what a promise is judged by."""
    return SLAVersion.objects.filter(pk__in=keys).prefetch_related("commitments__tier").select_related("definition")


def qualified(period, as_of, zone):
    """The handoffs of a period's MQLs, exploration apart, as a queryset."""
    start, end = period.begins(zone), period.ends(zone)
    within = {"qualified_at__gte": start, "qualified_at__lt": end, "qualified_at__lte": as_of}
    return Handoff.objects.filter(**within, exploration=False)


def _counted(handoffs, as_of):
    """Rows of counts by version, tier, source and campaign."""
    states = handoffs.with_clock_states(at=as_of).order_by()
    decided = Q(decided_at__lte=as_of)
    clocks = {
        f"{clock}_{state}": Count("pk", filter=Q(**{f"{clock}_state": state}))
        for clock in CLOCKS.values()
        for state in ("kept", "late")
    }
    return states.values(*GROUP).annotate(
        mqls=Count("pk"), accepted=Count("pk", filter=decided & Q(status=lifecycle.ACCEPTED)), **clocks
    )


def _sum(rows, name):
    return sum(row[name] for row in rows)


def _covers(version, row):
    return (not version.sources or row["source"] in version.sources) and (
        not version.campaigns or row["campaign"] in version.campaigns
    )


def volume(commitment, version, mqls, *, is_excused=False):
    """The Promise of so many MQLs a month."""
    return Promise(
        version, commitment.party, commitment.kind, mqls, mqls, commitment.at_least, commitment.at_most, commitment,
        is_excused=is_excused,
    )  # fmt: skip


def _promises(version, rows, *, period, as_of, zone, mqls):
    """The Promises of one version over its own rows; `mqls`: of the whole month, where its volume is judged here."""
    kept = {c.tier_id: c.at_least for c in version.commitments.all() if c.kind == K.SHARE_KEPT}
    covered = [row for row in rows if _covers(version, row)]
    n = _sum(covered, "mqls")
    for one in version.commitments.all():
        said = {"commitment": one, "version": version, "party": one.party, "kind": one.kind}
        if one.kind in CLOCKS:
            inside = [row for row in rows if row["tier"] == one.tier_id]
            k, late, excused = (_sum(inside, f"{CLOCKS[one.kind]}_{state}") for state in STATES)
            target = kept.get(one.tier_id, kept.get(None, EVERY))
            yield Promise(k=k, n=k + late, target=target, excused=excused, **said)
        elif one.kind == K.SHARE_KEPT:
            inside = [row for row in rows if one.tier_id in (None, row["tier"])]
            k, late, excused = (sum(_sum(inside, f"{clock}_{state}") for clock in CLOCKS.values()) for state in STATES)
            yield Promise(k=k, n=k + late, target=one.at_least, excused=excused, **said)
        elif one.kind == K.ACCEPTANCE:
            yield Promise(k=_sum(covered, "accepted"), n=n, target=one.at_least, **said)
        elif one.kind == K.COMPLETE_FACTS:
            yield Promise(k=_complete(version, period, as_of, zone), n=n, target=one.at_least, **said)
        elif mqls is not None:
            yield volume(one, version, mqls)
    if version.sources or version.campaigns:
        yield Promise(version, Party.MARKETING, COVERED, n, _sum(rows, "mqls"))
    yield from _attempts(version, period, as_of, zone)


def _complete(version, period, as_of, zone):
    """How many covered MQLs have every fact that the version's definition requires, as the leads are known now."""
    handoffs = qualified(period, as_of, zone).filter(sla_version=version).select_related("lead")
    definition = version.definition.as_definition()
    return sum(
        not definition.lacks(h.lead.facts())
        for h in handoffs.iterator(chunk_size=2000)
        if _covers(version, {"source": h.source, "campaign": h.campaign})
    )


def _attempts(version, period, as_of, zone):
    """Of the rejections "unable to reach" (imported ones apart), those with the agreed attempts before them."""
    rejected = qualified(period, as_of, zone).filter(
        sla_version=version, reason__unreachable=True, decided_at__lte=as_of, is_historical=False
    )
    if not ReasonCode.objects.filter(version=version, unreachable=True).exists():
        return
    tries = Touch.objects.filter(handoff=OuterRef("pk"), occurred_at__lte=OuterRef("decided_at")).order_by()
    tries = Coalesce(Subquery(tries.values("handoff").annotate(n=Count("pk")).values("n")), 0)
    enough = Q(tries__gte=version.attempts_before_unreachable)
    found = rejected.annotate(tries=tries).aggregate(n=Count("pk"), k=Count("pk", filter=enough))
    yield Promise(version, Party.SALES, ATTEMPTS, found["k"], found["n"])


@dataclass(frozen=True)
class Answered:
    """Clocks that one person answered for, each (kept, kept or breached, of the breaches those that were excused).

    A breach is of whoever held the lead then.
    """

    person: User
    team: str
    contact: tuple[int, int, int]
    decision: tuple[int, int, int]


def by_person(period, *, people, as_of, zone):
    """Answered of each of `people` (a queryset of users) whose clocks stopped or ran out, by team and name."""
    counts = Counter()
    for clock in CLOCKS.values():
        fault = at_fault(clock)
        found = qualified(period, as_of, zone).with_clock_states(at=as_of).order_by().annotate(fault=fault)
        for state, who in (("kept", "owner"), ("late", "fault")):
            inside = found.filter(**{f"{clock}_state": state}).values_list(who).annotate(n=Count("pk"))
            counts.update({(person, clock, state): n for person, n in inside})
        late = excused_late(qualified(period, as_of, zone), clock, as_of=as_of).annotate(fault=fault)
        by_fault = late.values_list("fault").annotate(n=Count("pk"))
        counts.update({(person, clock, "excused"): n for person, n in by_fault})
    known = people.select_related("team").filter(pk__in={person for person, *_ in counts} - {None})
    found = [_answered(person, counts) for person in known]
    return sorted(found, key=lambda one: (one.team, one.person.name, one.person.pk))


def _answered(person, counts):
    def clock(name):
        kept, late, excused = (counts[person.pk, name, state] for state in STATES)
        return kept, kept + late, excused

    return Answered(person, person.team.name if person.team else "", clock("contact"), clock("decision"))

"""How far the reasons themselves can be trusted: flags on a month's rejections, and whether two people code alike.

Flags are questions, not verdicts. They count the rejections decided in the month that stand and the reader may see.
"""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q

from leads import figures
from leads.audit.models import Coding, SampleItem
from leads.models import Assignment, Decision
from portal.shared import intervals, kappa, text
from sla.conditions import is_absent, lead_field
from sla.models import ReasonCode
from sla.models.reasons import Category

HURRY = dt.timedelta(seconds=20)
ONE_REASON, AT_LEAST = 0.6, 20  # flagged: one reason over this share of a rep's rejections, where there are so many
ENOUGH, GOOD = 20, 0.6  # recoded leads before kappa says anything; from "substantial" on the ranking holds
READ_AT_ONCE = 2000
FLAGS = {
    "hurried": "Decided in under 20 seconds",
    "bad-data": "“Bad data” on complete records",
    "bulk": "Rejected in bulk",
}
HEADINGS = {  # by the Agreement's verdict
    "low": "Do not act on this ranking yet: two people do not code alike",
    "good": "Two people code alike: the ranking of reasons holds",
    "unsure": "Two people seem to code alike; more leads would make it certain",
    "undefined": "Everybody gave one reason: agreement cannot be told",
    "few": "Not yet known whether two people would give the same reasons",
}


@dataclass(frozen=True)
class Share:
    """`k` of `n` with Wilson's 95 % interval; all None without any."""

    k: int
    n: int

    @property
    def value(self):
        return self.k / self.n if self.n else None

    @property
    def low(self):
        return intervals.wilson(self.k, self.n)[0]

    @property
    def high(self):
        return intervals.wilson(self.k, self.n)[1]


@dataclass(frozen=True)
class OneReason:
    """A rep who gives one reason most of the time."""

    owner: int
    name: str
    code: str
    category: str
    label: str
    share: Share


@dataclass(frozen=True)
class Agreement:
    """What the month's recoded leads say of the first codes; kappa is None where it has no meaning."""

    drawn: int
    coded: int
    codes: kappa.Kappa | None
    categories: kappa.Kappa | None
    pairs: Counter

    @property
    def verdict(self):
        """ "few", "undefined" (everybody gave one reason), "low", "unsure" (the interval reaches below), "good"."""
        if self.coded < ENOUGH:
            return "few"
        if self.codes is None:
            return "undefined"
        found = [each for each in (self.codes, self.categories) if each]
        if min(each.value for each in found) < GOOD:
            return "low"
        return "unsure" if min(each.low for each in found) < GOOD else "good"

    @property
    def apart(self):
        """[(first category, second category, how often)] where the two differ, the most frequent first."""
        found = [(a, b, n) for (a, b), n in self.pairs.items() if a != b]
        return sorted(found, key=lambda each: (-each[2], each[0], each[1]))


def rejections(month, *, as_of, zone, among):
    """The handoffs behind every flag."""
    return figures.rows({"decided_month": month, "status": "rejected"}, as_of=as_of, zone=zone, among=among)


def hurried(found):
    """Decided in under 20 s after the lead was given to who held it; without an assignment, after it was qualified.

    That the page was opened is not recorded: the assignment is the earliest instant at which it could be. Imported
    decisions carry the times of another system and are left out.
    """
    since = F("decided_at") - HURRY
    given = Assignment.objects.filter(
        handoff=OuterRef("pk"), owner=OuterRef("owner"), to_queue=False,
        assigned_at__gt=OuterRef("decided_at") - HURRY, assigned_at__lte=OuterRef("decided_at"),
    )  # fmt: skip
    return timed(found).filter(Exists(given) | Q(qualified_at__gt=since))


def timed(found):
    """Those whose times this portal took itself."""
    return found.exclude(standing_decision__via=Decision.Via.IMPORT)


def in_bulk(found):
    return found.filter(standing_decision__via=Decision.Via.BULK)


def flagged(flag, found):
    """Of a month's rejections those that one of FLAGS counts."""
    if flag == "bad-data":
        return found.filter(pk__in=bad_data(found).complete)
    return hurried(found) if flag == "hurried" else in_bulk(found)


def flags_of(found):
    """({flag: Share}, "bad data" that cannot be judged) of a month's rejections."""
    data = bad_data(found)
    shares = {
        "hurried": Share(hurried(found).count(), timed(found).count()),
        "bad-data": Share(len(data.complete), data.told),
        "bulk": Share(in_bulk(found).count(), found.count()),
    }
    return shares, data.untold


@dataclass(frozen=True)
class BadData:
    """ "Bad data" on leads: `complete` lists those that had every required fact and were not changed since.

    `untold`: the lead was changed since, or its definition requires no facts.
    """

    complete: tuple[int, ...]
    told: int
    untold: int


def bad_data(found):
    """Rejections for bad data, seen beside the facts that the lead's definition requires."""
    complete, told, untold = [], 0, 0
    rows = found.filter(reason__category=Category.DATA).select_related("lead", "definition").defer("breakdown")
    for handoff in rows.order_by("-decided_at", "-pk").iterator(chunk_size=READ_AT_ONCE):
        required = handoff.definition.required_facts
        if not required or handoff.lead.updated_at > handoff.decided_at:
            untold += 1
            continue
        told, facts = told + 1, handoff.lead.facts()
        if not any(is_absent(lead_field(name)(facts)) for name in required):
            complete.append(handoff.pk)
    return BadData(tuple(complete), told, untold)


def one_reason(found):
    """OneReason of each rep with at least 20 rejections, of leads they hold, most of them for one reason."""
    given = found.filter(owner__isnull=False).order_by().values_list(
        "owner_id", "owner__name", "reason__code", "reason__category"
    )  # fmt: skip
    people = defaultdict(list)
    for owner, name, code, category, n in given.annotate(n=Count("pk")):
        people[owner, name].append((n, code, category))
    flagged = []
    for (owner, name), counts in people.items():
        total, (most, code, category) = sum(n for n, *_ in counts), max(counts)
        if total >= AT_LEAST and most > ONE_REASON * total:
            flagged.append(OneReason(owner, name, code, category, _label(code), Share(most, total)))
    return sorted(flagged, key=lambda each: (-each.share.value, each.name))


def _label(code):
    return ReasonCode.objects.filter(code=code).order_by("-version_id").values_list("label", flat=True).first()


def flagged_in_words(n, period):
    """The heading of a period's flags, of which `n` were raised; one rejection may have several."""
    if not n:
        return f"No flag on the rejections {period.within}"
    return f"{text.thousands(n)} flag{'' if n == 1 else 's'} on the rejections {period.within}"


def agreement(month):
    """The Agreement between first and second codes of all samples of a figures.Month."""
    coded = Coding.objects.filter(item__sample__month=month.first).order_by("pk")
    pairs = list(
        coded.values_list(
            "item__decision__reason__code", "reason__code", "item__decision__reason__category", "reason__category"
        )
    )
    return Agreement(
        drawn=SampleItem.objects.filter(sample__month=month.first).count(),
        coded=len(pairs),
        codes=_kappa([(a, b) for a, b, *_ in pairs]),
        categories=_kappa([(a, b) for *_, a, b in pairs]),
        pairs=Counter((a, b) for *_, a, b in pairs),
    )


def _kappa(pairs):
    return kappa.cohen(kappa.table(pairs, sorted({code for pair in pairs for code in pair})))

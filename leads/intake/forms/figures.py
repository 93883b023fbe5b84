"""How many begin a form and finish it, where the others leave, and how many become MQLs; reads only.

A visit begins with the first answer or page sent (who only looks is in no count). It finished when a submission that
is not suspected has its token; it left when it stood still for IDLE without one. Completion = finished ÷ (finished +
left), of the form's own page and of frames: a plain form on another page tells nothing of those who leave. MQL rate =
submissions that became a handoff at once (or by the worker, see Submission.with_mql) ÷ submissions that count.
"""

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef, Q

from leads.intake.forms import content as form_content
from leads.intake.forms.models import FormVersion, Progress, Submission
from portal.shared.intervals import distinguishable, wilson
from portal.shared.text import FEW

SPAN = dt.timedelta(days=90)
IDLE = dt.timedelta(minutes=30)
SENDS = (Submission.Via.HOSTED, Submission.Via.IFRAME)


@dataclass(frozen=True)
class Share:
    """k of n with Wilson's 95 % interval; value None over none at all."""

    k: int = 0
    n: int = 0

    @property
    def value(self):
        return self.k / self.n if self.n else None

    @property
    def interval(self):
        return wilson(self.k, self.n) if self.n else (None, None)

    @property
    def low(self):
        return self.interval[0]

    @property
    def high(self):
        return self.interval[1]

    @property
    def few(self):
        """Too few to lean on."""
        return self.n < FEW


@dataclass(frozen=True)
class Figures:
    """Of a form, or of one version of it. sent: submissions that count, whatever way they came."""

    finished: int = 0
    left: int = 0
    sent: int = 0
    mqls: int = 0
    suspected: int = 0

    def __add__(self, other):
        return Figures(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def begun(self):
        return self.finished + self.left

    @property
    def completion(self):
        return Share(self.finished, self.begun)

    @property
    def mql(self):
        return Share(self.mqls, self.sent)


@dataclass(frozen=True)
class Stop:
    """One question: `came` visits stood before it or went past it, `left` of them left there."""

    key: str
    label: str
    left: Share


@dataclass(frozen=True)
class DropOff:
    """Where a version's visits left, question by question; most: the Stop where most leave, where that is certain."""

    figures: Figures = field(default_factory=Figures)
    stops: tuple = ()
    most: Stop | None = None


def by_version(*, at, forms=None, since=None):
    """{(form's id, version's number): Figures} of `forms` (ids; None: all) over the SPAN before `at`."""
    since = since or at - SPAN
    mine = {} if forms is None else {"version__form__in": list(forms)}
    grouped = ("version__form", "version__number")
    found = {}
    counted, hosted = Q(lead__isnull=False), Q(via__in=SENDS)
    sent = Submission.objects.filter(submitted_at__gt=since, submitted_at__lte=at, **mine).with_mql().order_by()
    for form, number, finished, all_sent, mqls, suspected in sent.values_list(*grouped).annotate(
        finished=Count("pk", filter=counted & hosted),
        all_sent=Count("pk", filter=counted),
        mqls=Count("pk", filter=counted & Q(is_mql=True)),
        held=Count("pk", filter=~Q(suspected_by="") & Q(freed_at=None)),
    ):
        found[form, number] = Figures(finished, 0, all_sent, mqls, suspected)
    for form, number, left in _left(since, at).filter(**mine).values_list(*grouped).annotate(Count("pk")):
        found[form, number] = found.get((form, number), Figures()) + Figures(left=left)
    return found


def drop_off(version, *, at, since=None):
    """The DropOff of one FormVersion over the SPAN before `at`."""
    since = since or at - SPAN
    content = version.as_content()
    figures = by_version(at=at, forms=[version.form_id], since=since).get((version.form_id, version.number), Figures())
    left = dict(_left(since, at).filter(version=version).values_list("question").annotate(Count("pk")))
    stops, still_there = [], figures.begun
    for question in content.questions:
        if question.type == form_content.HIDDEN:
            continue
        gone = left.pop(question.key, 0)
        stops.append(Stop(question.key, question.label, Share(gone, still_there)))
        still_there -= gone
    ended = left.pop("", 0)
    stops.append(Stop("", "Before sending it", Share(ended, still_there)))
    return DropOff(figures, tuple(stops), _most(stops, figures.begun))


def _most(stops, begun):
    """The stop where most leave, unless the second could as well be the first."""
    first, *others = sorted(stops, key=lambda stop: -stop.left.k)
    second = others[0].left.k if others else 0
    return first if first.left.k and distinguishable(first.left.k, second, begun) else None


def _left(since, at):
    """Visits that began after `since` and left: not sent (suspected or not), and still for IDLE."""
    sent = Submission.objects.filter(token=OuterRef("visit"))
    visits = Progress.objects.filter(started_at__gt=since, started_at__lte=at, updated_at__lte=at - IDLE)
    return visits.filter(~Exists(sent)).order_by()


def newest_versions():
    """{form's id: its newest published FormVersion}."""
    newest = FormVersion.objects.published().order_by("form_id", "-number").distinct("form_id")
    return {version.form_id: version for version in newest}

"""Door of the scorecard: both sides' promises for who reads the audit, and the clocks of the people one may see."""

from collections import defaultdict
from types import SimpleNamespace

from django.utils import timezone
from django.views.decorators.http import require_GET

from leads import figures_clocks
from leads.audit import promises
from leads.audit import scorecard as score
from leads.audit.by_month import OPEN, by_month
from leads.audit.links import Figure
from leads.audit.views import asked_for
from leads.periods import DAY, FORTNIGHT, WEEK, Month, Span
from portal.accounts.permissions import May, may, require
from portal.shared import charts, intervals, text
from portal.shared.htmx import answer
from sla import words
from sla.models import Party

CHIPS = {
    score.KEPT: ("ok", "check"),
    score.BREACHED: ("late", "x"),
    score.UNCLEAR: ("warn", "circle-dashed"),
    OPEN: ("idle", "clock"),
    None: ("idle", "circle-dashed"),
}


@require_GET
def audit_scorecard(request, month):
    """Promises kept and breached in a month or some days; a rep sees their own clocks, a manager the team's."""
    require(request.user, May.SEE_SCORECARD)
    asked, now, zone = asked_for(request, month, of_days=True), timezone.now(), timezone.get_default_timezone()
    found, reads = asked.period, may(request.user, May.READ_AUDIT)
    card, today = asked.card if reads else None, now.astimezone(zone).date()
    of_days, later = isinstance(found, Span), found.plus(1)
    context = {
        "asked": asked,
        "month": found,
        "reads": reads,
        "card": card,
        "title": promises.kept_in_words(card, found) if card else "Your clocks",
        "sides": [(party.label, [_row(p, card, found) for p in card.of(party)]) for party in Party] if card else (),
        "attainment": card and not of_days and card.attainment,
        "less": card and not of_days and card.has_excused and card.without_excused.attainment,
        "by_month": _by_month(asked) if card and of_days else None,
        "months": [Month(day) for day in sorted({each.replace(day=1) for each in (found.first, found.last)})]
        if of_days else [found],
        "teams": _teams(asked.people, found),
        "previous": found.plus(-1),
        "next": later if (later.last if of_days else later.first) <= today else None,
        "last_days": [Span.until(today - DAY, days) for days in (WEEK, FORTNIGHT)],
    }  # fmt: skip
    also = ("attained",) if reads and not of_days else ()
    return answer(request, "audit/scorecard.html", context, part="scorecard", also=also)


def _by_month(asked):
    found = by_month(asked)
    return {"found": found, "rows": [(row, CHIPS.get(row.verdict, CHIPS[None])) for row in found.rows]}


def _row(promise, card, period):
    ends = promise.ends
    return {
        "promise": promise,
        "name": promises.name(promise),
        "terms": promises.terms(promise),
        "version": promise.version.number if len({p.version.pk for p in card.promises}) > 1 else None,
        "chip": CHIPS[promise.verdict],
        "verdict": promise.verdict or "Nothing to keep",
        "interval": ends and SimpleNamespace(low=ends[0], high=ends[1]),
        "breached": promise.n - promise.k,
        "less": _without(promise) if promise.excused and not promise.is_excused else None,
        "bar": ends and charts.interval(
            promise.share, *ends, target=promise.target / score.EVERY,
            label=f"Result and interval against the target of {words.percent(promise.target)}",
        ),
    }  # fmt: skip


def _without(promise):
    """The same without the breaches that were excused."""
    less, ends = promise.without_excused, promise.without_excused.ends
    return {
        "share": less.share,
        "interval": ends and SimpleNamespace(low=ends[0], high=ends[1]),
        "n": less.n,
        "verdict": less.verdict or "Nothing to keep",
    }


def _teams(people, month):
    """[(team, its sums, [(person, their sums)])]; sums are a cell a clock, a person's with their lists."""
    teams = defaultdict(list)
    for one in people:
        teams[one.team].append(one)
    return [
        (team or "No team", _cells(rows), [(one.person, _listed(_cells([one]), one.person.pk, month)) for one in rows])
        for team, rows in teams.items()
    ]


def _cells(rows):
    cells = []
    for clock in score.CLOCKS.values():
        k, n, excused = (sum(getattr(one, clock)[i] for one in rows) for i in (0, 1, 2))
        cell = _cell(k, n)
        cell.excused, cell.less = excused, _cell(k, n - excused)
        cells.append(cell)
    return cells


def _listed(cells, person, month):
    for clock, cell in zip(score.CLOCKS.values(), cells, strict=True):
        of = {"qualified_month": month, "answered_by": person}
        cell.kept = Figure.of(cell.k, of, **{f"{clock}_clock": figures_clocks.KEPT})
        cell.late = Figure.of(cell.n - cell.k, of, **{f"{clock}_clock": figures_clocks.LATE})
    return cells


def _cell(k, n):
    low, high = intervals.wilson(k, n) if n else (None, None)
    return SimpleNamespace(k=k, n=n, share=k / n if n else None, low=low, high=high, few=n < text.FEW)

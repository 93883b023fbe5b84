"""The audit on paper: an open month as a draft, a closed one from its frozen record; and the review of some days."""

from leads import figures
from leads.audit import paper_parts as parts
from leads.audit import quality
from leads.audit.asked import Asked
from leads.audit.fix import title_of
from leads.audit.models import Closing
from leads.audit.paper_closed import closed
from leads.audit.promises import kept_in_words
from leads.audit.review import agenda, worst_words
from leads.audit.signed import answers
from portal.accounts.permissions import May, may
from portal.shared import paper, text, time

TEMPLATE = "audit/audit.typ"
ROWS = 40  # of a table: every row of it is in its file


def month_pdf(asked: Asked) -> bytes:
    """The PDF of a month: the frozen record where it is closed, else what is known then, marked as a draft."""
    closing = Closing.objects.of(asked.period)
    return paper.pdf(TEMPLATE, _closed(closing, asked) if closing else _open(asked))


def review_pdf(asked: Asked) -> bytes:
    """The PDF of a review: the figures of some days and the agenda."""
    return paper.pdf(TEMPLATE, _review(asked))


def _paper(asked, kicker, sections, **more):
    as_of = f"As of {time.full(asked.as_of, asked.zone)}, {asked.zone.key}."
    limited = "" if may(asked.person, May.SEE_ALL_HANDOFFS) else f" {May.SEE_ALL_HANDOFFS.refusal}"
    return {
        "title": f"{kicker}, {asked.period.title}",
        "kicker": kicker,
        "heading": asked.period.title,
        "mark": as_of,
        "notice": f"{as_of}{limited}",
        "headline": parts.headline(asked.page),
        "sections": _kept(sections),
        "signatures": [],
        "fingerprint": "",
        **more,
    }


def _open(asked):
    found = _paper(asked, "MQL audit", (*_sections(asked), _breakdown(asked, asked.page)))
    return found | {"notice": f"Draft: this month is not closed, and its figures may still move. {found['notice']}"}


def _closed(closing, asked):
    """One paper, whatever was asked: by month of decision, and in tables both bases; clocks of whom the person sees.

    The first closings kept no more than their figures and breakdowns.
    """
    signed = answers(
        asked.period, basis=figures.PERIOD, by="source", as_of=asked.as_of, zone=asked.zone, person=asked.person
    )
    return closed(closing, signed.zone, _kept(_sections(signed)) if signed.is_signed else ())


def _sections(asked):
    """What the page of a month shows, but for the breakdown."""
    page = asked.page
    return (
        _result(asked, page), _top(page), _fix(asked), _reasons(asked, page), _trend(asked), _heat(asked, page),
        _speed(asked), _disputes(asked), _scorecard(asked), _actions(asked), _quality(asked),
    )  # fmt: skip


def _kept(sections):
    """Those with something to print."""
    return [{**one, "parts": [part for part in one["parts"] if part]} for one in sections if one]


def _review(asked):
    page = asked.page
    return _paper(
        asked, "Conversion review",
        (
            _result(asked, page), _agenda(asked, page), _top(page), _fix(asked), _reasons(asked, page),
            _heat(asked, page), _breakdown(asked, page), _speed(asked), _disputes(asked), _promises(asked),
            _flags(asked),
        ),
    )  # fmt: skip


# --- sections: each {"title", "parts"}, or None where there is nothing to print -----------------------------


def _result(asked, page):
    by = "month" if isinstance(asked.period, figures.Month) else "day"
    side = "decision" if asked.basis == figures.PERIOD else "delivery"
    found = [parts.chart(page.ruler)] if page.ruler else []
    found += [parts.stats(_tiles(page)), parts.note(f"By {by} of {side}.")]
    if isinstance(asked.period, figures.Month):
        found.append(parts.table("left-out", asked))
    return {"title": "Result", "parts": found}


def _tiles(page):
    tiles = [(label, text.thousands(figure.n), note, False) for label, figure, note, _ in page.tiles]
    rate = page.audit.rate
    moved = page.aside.removesuffix(".")
    tiles.append(
        ("MQL to SQL", text.percent(rate.value) if rate else "–", moved or "no MQLs", bool(rate and rate.few))
    )
    words, note = page.first_contact
    return [*tiles, ("Median first contact", words, note, False)]


def _agenda(asked, page):
    found = agenda(page, person=asked.person)
    groups = (
        ("Waits for somebody", found.waits), ("Moved beyond chance", found.real),
        ("Noise: no need to explain it", found.noise),
    )  # fmt: skip
    listed = [parts.listed(title, [item.text for item in items]) for title, items in groups if items]
    worst = [worst_words(row, asked.as_of) for row in found.worst]
    listed += [parts.listed("Open leads longest past their clock", worst)] if worst else []
    return {"title": "Agenda", "parts": listed or [parts.said("Nothing waits, and nothing moved.")]}


def _top(page):
    found = page.candidates
    if not found:
        return {"title": "Top reason", "parts": [parts.said("No rejections, so no top reason.")]}
    title = " and ".join(each["reason"].label for each in found)
    if len(found) == 1:
        return {"title": f"Top reason: {title}", "parts": [parts.said(_share(found[0], page))]}
    cannot = "These numbers cannot tell which of the two comes first."
    shares = [parts.said(_share(each, page)) for each in found]
    return {"title": f"Two candidates for the top reason: {title}", "parts": [parts.said(cannot), *shares]}


def _share(each, page):
    reason, change = each["reason"], each["change"]
    said = (
        f"{reason.label}: {text.thousands(reason.n)} of {text.thousands(page.audit.now.counts.rejected)} rejections,"
    )
    said += f" {text.percent(reason.share)} ({text.interval(reason.low, reason.high)})."
    if not (change and change.value is not None):
        return said
    verdict = "noise" if change.verdict == "noise" else f"a real change of {text.points(change.value)}"
    before = f"{text.thousands(each['before'])} of {text.thousands(each['before_total'])}"
    return f"{said} In {page.month.before} it was {before}: {verdict}."


def _fix(asked):
    found = asked.candidates
    if not found:
        return None
    drawn = [parts.table("fix", asked, most=ROWS)]
    for each in found:
        drawn.append(parts.said(f"Proposed: {each.proposal.words}." if each.proposal else each.why_none))
        if each.proposal and each.proposal.effect:
            drawn.append(parts.said(_effect(each.proposal.effect, asked)))
    return {"title": title_of(found), "parts": drawn}


def _effect(effect, asked):
    rates = " becomes ".join(parts.rated(rate) for rate in (effect.before, effect.after))
    return (
        f"Of the {text.thousands(effect.mqls)} MQLs of {asked.period.title} with a score,"
        f" {text.thousands(effect.kept_back)} would not have been sent, among them"
        f" {text.thousands(effect.kept_back_sqls)} of the {text.thousands(effect.sqls)} that sales accepted: {rates}."
    )


def _reasons(asked, page):
    charts = parts.charts(
        (page.reasons_chart, "Rejected leads by reason", _legend(page)),
        (page.rate_chart, "MQL to SQL", "Bars show 95% intervals."),
    )
    return {
        "title": page.reasons_title,
        "parts": [charts, parts.table("reasons", asked, most=ROWS), parts.table("months", asked)],
    }


def _legend(page):
    """From the baseline up, as the bars are stacked."""
    said = [f"{name.lower()} {text.thousands(figure.n)} ({change})" for _, name, figure, change in page.legend]
    return f"From the baseline up: {', '.join(reversed(said))}."


def _trend(asked):
    part = asked.trend
    steps = [
        f"From definition v{before} to v{after} the rate moved by {text.points(change.difference)}"
        f" ({text.interval(change.low, change.high)}): {verdict}."
        for before, after, change, verdict in part.steps
    ]
    waits = [
        f"{text.points(each.change)}: {text.thousands(each.mqls)} MQLs before and after, {_months(each.months)}"
        for each in part.waits
    ]
    drawn = [parts.said(words) for words in (part.why_none, *steps) if words]
    drawn += [parts.charts((part.chart, "MQL to SQL, with control limits", "Dashed: the range that chance explains."))]
    drawn += [parts.listed("How long until a change shows", waits)] if waits else []
    return {"title": part.title, "parts": [*drawn, parts.table("trend", asked)]}


def _months(n):
    return f"{text.thousands(n)} month{'' if n == 1 else 's'} of waiting"


def _heat(asked, page):
    if asked.heat is None or not asked.heat.pair.lines:
        return None
    found = parts.table("heat", asked)
    return {"title": page.sources_title if asked.columns == "source" else found["title"], "parts": [found]}


def _breakdown(asked, page):
    return {"title": page.breakdown_title, "parts": [parts.table("breakdown", asked, most=ROWS)]}


def _speed(asked):
    part = asked.speed
    if not part.mqls:
        return {"title": part.title, "parts": []}
    drawn = [
        parts.charts(
            (part.chart, "Speed to first contact, and acceptance", "Clock time, not business hours."),
            (part.curve, "Still without a contact", "With those still waiting counted (Kaplan–Meier)."),
        ),
        *(parts.table(name, asked) for name in ("speed", "waits", "waiting")),
    ]
    return {"title": part.title, "parts": drawn}


def _disputes(asked):
    part, found = asked.disputes, asked.disputes.disputes
    waiting = f"{text.thousands(found.open_now)} rejections wait for a ruling: with them the rate is"
    without = f", without them {parts.rated(part.rate_without)}" if found.open_mqls else ""
    drawn = [parts.said(f"{waiting} {parts.rated(part.rate)}{without}.")]
    return {"title": part.title, "parts": [*drawn, parts.table("disputes", asked)] if found.all.opened else drawn}


def _scorecard(asked):
    attained = asked.card.attainment
    names = ("Joint target attained", "Marketing", "Sales", "Joint")
    notes = ("the lowest of the three", "its promise that came least far", "its promise that came least far", "")
    values = (attained.value, attained.marketing, attained.sales, attained.joint)
    tiles = [
        (name, "–" if value is None else text.percent(value), note, False)
        for name, value, note in zip(names, values, notes, strict=True)
    ]
    drawn = [parts.stats(tiles), parts.table("scorecard", asked), parts.table("clocks", asked, most=ROWS)]
    return {"title": kept_in_words(asked.card, asked.period), "parts": drawn}


def _promises(asked):
    """As _scorecard, of some days: what is promised for a month stands apart, as of the month."""
    drawn = [parts.table("scorecard", asked), parts.table("by-month", asked)]
    return {
        "title": kept_in_words(asked.card, asked.period),
        "parts": [*drawn, parts.table("clocks", asked, most=ROWS)],
    }


def _actions(asked):
    found = parts.table("actions", asked, most=ROWS)
    return {"title": asked.actions.title, "parts": [found] if found else [parts.said("Nothing was decided so far.")]}


def _flags(asked):
    n = sum(share.k for share in asked.flags[0].values())
    drawn = [parts.table(name, asked, most=ROWS) for name in ("flags", "one-reason")]
    return {"title": quality.flagged_in_words(n, asked.period), "parts": drawn}


def _quality(asked):
    found = asked.agreement
    drawn = [parts.table(name, asked, most=ROWS) for name in ("flags", "one-reason", "recoding", "differences")]
    return {"title": quality.HEADINGS[found.verdict], "parts": drawn}

"""The agreement on paper: a version as a PDF of a few pages, the same bytes for the same version and signatures."""

from django.utils import timezone

from portal.accounts.models import Role
from portal.shared import paper as printed
from portal.shared.time import full
from sla import words
from sla.models import Category, Commitment, Party, ScoringRule, SLAVersion
from sla.models.version import TOUCHES

PREAMBLE = (
    "Marketing and sales agree how a lead changes hands. Marketing delivers leads that meet the definition both have"
    " signed; sales contacts and decides each of them in the time below and says why when the answer is no. Both read"
    " the result once a month and fix what it shows."
)
MEASURES = {
    Commitment.Kind.MQLS: ("Volume", "MQLs delivered in a month"),
    Commitment.Kind.ACCEPTANCE: ("Acceptance", "Share of the month’s MQLs that sales accepts"),
    Commitment.Kind.COMPLETE_FACTS: ("Complete facts", "Share of MQLs with every fact the definition requires"),
    Commitment.Kind.SHARE_KEPT: ("Reliability", "Share of clocks that stop in time"),
}
AXES = (
    (ScoringRule.Axis.FIT, "Fit: who they are"),
    (ScoringRule.Axis.BEHAVIOUR, "Behaviour: what they did"),
    (ScoringRule.Axis.DISQUALIFIER, "Never an MQL"),
)
CLOCKS = {
    SLAVersion.ClockBasis.ELAPSED: "Clocks run around the clock, on every day of the week.",
    SLAVersion.ClockBasis.OWNER: "Clocks run in the business hours of whoever holds the lead, or else in these:",
    SLAVersion.ClockBasis.CALENDAR: "Clocks run in these hours, and stop on the agreed holidays:",
}


def pdf(version: SLAVersion) -> bytes:
    """The version as PDF/UA-1 (tagged, for screen readers too): A4, no date of its own, so that it can be compared."""
    return printed.pdf("sla/agreement.typ", paper(version))


def paper(version: SLAVersion) -> dict:
    """What the paper says, as the plain values that templates/sla/agreement.typ draws."""
    zone = timezone.get_default_timezone()
    begins = full(version.effective_from, zone) if version.effective_from else "not fixed yet"
    return {
        "title": f"Agreement v{version.number}",
        "kicker": "Service-level agreement between marketing and sales",
        "authors": [version.proposed_by.name] if version.proposed_by else [],
        "standing": f"{version.summary}. Begins: {begins}." if version.summary else f"Begins: {begins}.",
        "preamble": PREAMBLE,
        "sections": _sections(version),
        "signing": "Each side signs the fingerprint below: the SHA-256 of these terms and of the version before them.",
        "signatures": [_signature(party, version, zone) for party in Party],
        "fingerprint": version.fingerprint or "",
        "short_fingerprint": (version.fingerprint or "draft")[:16],
        "predecessor": version.predecessor.fingerprint if version.predecessor else "",
        "predecessor_words": f"of v{version.predecessor.number}, which it follows" if version.predecessor else "",
        "proof": f"Tamper-evident: change a word and it no longer fits. The bundle of v{version.number} has the text.",
    }


def _sections(version):
    commitments = list(version.commitments.select_related("tier"))
    tiers = list(version.definition.tiers.all())
    return [
        {"title": "What counts as an MQL", "parts": _definition(version, tiers)},
        {"title": "Marketing’s commitments", "parts": _marketing(version, commitments)},
        {"title": "Sales’s commitments", "parts": _sales(version, commitments, tiers)},
        {"title": "The joint target", "parts": [_text(_target(version))]},
        {"title": "Clocks, touches and escalation", "parts": _clocks(version)},
        {"title": "Reasons for a rejection", "parts": _reasons(version)},
        {"title": "Review and change", "parts": _review(version)},
    ]


def _definition(version, tiers):
    lowest = min((tier.total for tier in tiers), default=0)
    rules = list(version.definition.rules.all())
    parts = [
        _text(
            f"A lead that reaches {lowest} points under definition v{version.definition.number} and meets no"
            f" disqualifier. A lead that was decided comes back at the earliest after {words.span(version.cool_off)}."
        ),
        _list((tier.name, words.tier(tier)) for tier in tiers),
    ]
    if facts := version.definition.required_facts:
        parts.append(_text(f"A complete lead has: {words.some([words.field(fact) for fact in facts], 'and')}."))
    for axis, title in AXES:
        rows = [[rule.label, words.rule(rule)] for rule in rules if rule.axis == axis]
        parts += [_table([title, "Rule"], [2, 3], rows)] if rows else []
    return parts


def _marketing(version, commitments):
    parts = [_measured(c for c in commitments if c.party == Party.MARKETING)]
    covered = (("Sources covered", version.sources), ("Campaigns covered", version.campaigns))
    parts += [_text(f"{name}: {words.some(values, 'and')}.") for name, values in covered if values]
    return parts


def _sales(version, commitments, tiers):
    business = version.clock_basis != SLAVersion.ClockBasis.ELAPSED
    within = {
        (c.kind, c.tier_id): words.span(c.within, business=business) for c in commitments if c.within is not None
    }
    kinds = ((Commitment.Kind.FIRST_CONTACT, "First contact within"), (Commitment.Kind.DECISION, "Decision within"))
    rows = [[name, *(within.get((kind, tier.pk), "not agreed") for tier in tiers)] for kind, name in kinds]
    attempts = version.attempts_before_unreachable
    return [
        _table(["Commitment", *(tier.name for tier in tiers)], [3, *(2 for _ in tiers)], rows),
        _measured(c for c in commitments if c.kind == Commitment.Kind.SHARE_KEPT),
        _text(
            f"Every rejection has a reason code. “Unable to reach” needs {attempts} logged attempts. A decision can be"
            f" taken back for {words.span(version.undo_within)}; at most {version.bulk_limit} leads are decided in one"
            " step."
        ),
    ]


def _target(version):
    promises = []
    if version.target_rate is not None:
        promises.append(f"an MQL-to-SQL rate of {words.target('acceptance', version.target_rate)}")
    if version.target_accepted is not None:
        promises.append(f"{version.target_accepted:,} accepted leads a month")
    said = "No joint target is agreed."
    if promises:
        said = (
            f"Both sides aim at {words.some(promises, 'and')}. Attainment is the lowest of marketing’s, of sales’s and"
            " of the joint one: volume alone never counts."
        )
    return f"{said}{_exploration(version)}"


def _exploration(version):
    if version.exploration_share is None:
        return ""
    which = words.exploration(version.exploration_share, version.exploration_reach)
    return (
        f" So that the threshold can be judged, {which} go to sales, drawn by chance and marked. They count in no rate"
        " and in no promise of either side."
    )


def _clocks(version):
    hours = ""
    if version.clock_basis != SLAVersion.ClockBasis.ELAPSED:
        hours = f" {words.week(version.calendar.week, version.calendar.zone)}."
    touches = [TOUCHES[kind].lower() for kind in sorted(version.touch_kinds)]
    steps = [[_at(step), step.get_kind_display()] for step in version.escalation_steps.all()]
    return [
        _text(f"{CLOCKS[version.clock_basis]}{hours} They start when the lead is qualified and are never set back."),
        _text(f"What stops the contact clock: {words.some(touches)}."),
        *([_table(["When", "What happens"], [3, 2], steps)] if steps else []),
    ]


def _at(step):
    clock = step.get_clock_display()
    if step.share is not None:
        return f"{clock}: {step.share}% of the time has passed"
    return f"{clock}: {words.span(step.after)} past the due time" if step.after else f"{clock}: at the due time"


def _reasons(version):
    offered = [reason for reason in version.reasons.all() if not reason.retired]
    parts = []
    for category in Category:
        rows = [[r.code, r.label, r.meaning] for r in offered if r.category == category]
        parts += [_table(["Code", category.label, "Both teams mean"], [1, 4, 8], rows)] if rows else []
    return parts


def _review(version):
    bands = [
        f"{band['name']} from {words.target('acceptance', band['from_per_mille']).removeprefix('≥ ')}"
        for band in version.benchmarks
    ]
    said = (
        f"Both sides review the conversion {version.get_review_cadence_display().lower()} and close the MQL audit once"
        f" a month. Marketing may dispute a rejection once, within {words.span(version.dispute_within)}. Either side"
        " may propose a new version; the one in force applies until both have signed the next, and open handoffs stay"
        f" on theirs. A lead rejected for its timing comes back within {words.span(version.recycle_within)}."
    )
    people = (("marketing", version.marketing_signatory), ("sales", version.sales_signatory))
    named = [f"For {side} {person.name} signs." for side, person in people if person]
    benchmarks = [f"Rates are read against: {'; '.join(bands)} ({version.benchmark_source})."] if bands else []
    return [_text(text) for text in (said, *named, *benchmarks)]


def _signature(party, version, zone):
    signature = next((s for s in version.signatures.all() if s.party == party), None)
    if signature is None:
        return {"party": party.label.lower(), "name": "", "words": "not signed", "digest": ""}
    role = Role(signature.role).label if signature.role in Role.values else signature.role
    deputy = f", deputy for {signature.deputy_for.name}" if signature.deputy_for else ""
    said = f"{signature.name}, {role.lower()}{deputy}. {full(signature.signed_at, zone)}"
    name = signature.typed_name or signature.name
    return {"party": party.label.lower(), "name": name, "words": said, "digest": signature.digest}


def _text(text):
    return {"kind": "text", "text": text}


def _list(items):
    return {"kind": "list", "items": [{"name": name, "text": text} for name, text in items]}


def _table(head, widths, rows):
    return {"kind": "table", "head": head, "widths": widths, "rows": rows}


def _measured(commitments):
    rows = [[*MEASURES[c.kind], words.target(c.kind, c.at_least, c.at_most)] for c in commitments]
    return _table(["Commitment", "Measure", "Target"], [3, 6, 2], rows)

"""Two versions of the agreement term by term, in plain words: pure, no Django.

A version's signed content (a dict, see docs/verify.md) is read as numbered terms, each with a sentence; two contents
are compared by their terms. A content signed before a term existed is simply without it.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sla import definition_diff, words
from sla.scoring import Definition

SECTIONS = {
    "mql": "What counts as an MQL",
    "marketing": "Marketing’s commitments",
    "sales": "Sales’s commitments",
    "target": "The joint target",
    "clocks": "Clocks and contacts",
    "escalation": "When time runs out",
    "windows": "Windows",
    "reasons": "Reasons for a rejection",
    "review": "Review and signatories",
}
NUMBERS = {key: number for number, key in enumerate(SECTIONS, 1)}
KINDS = {
    "mqls": ("marketing", "Volume, MQLs a month"),
    "acceptance": ("marketing", "Acceptance"),
    "complete_facts": ("marketing", "Complete facts"),
    "first_contact": ("sales", "First contact"),
    "decision": ("sales", "Decision"),
    "share_kept": ("sales", "Share of clocks kept"),
}
BASES = {
    "elapsed": "around the clock",
    "calendar": "the agreement’s business hours",
    "owner": "the owner’s business hours",
}
STEPS = {"warn_owner": "warn the owner", "tell_manager": "tell the manager", "to_queue": "give the lead to the queue"}
CLOCKS = {"contact": "first contact", "decision": "decision"}
CADENCES = {"weekly": "every week", "fortnightly": "every two weeks", "monthly": "every month"}
NEXT = {
    "nurture": "back to nurture",
    "recycle": "comes back on a date",
    "fix_data": "marketing corrects the data",
    "disqualify": "not contacted again",
}
WINDOWS = {
    "undo_within_seconds": "Undo within",
    "cool_off_seconds": "Comes back at the earliest after",
    "dispute_within_seconds": "Dispute within",
    "recycle_within_seconds": "A day to come back lies within",
}


@dataclass(frozen=True)
class Term:
    """One thing agreed: its key within the version, section, name, and what it says in words."""

    key: str
    section: str
    name: str
    said: str

    @property
    def paragraph(self):
        return f"§ {NUMBERS[self.section]}"


@dataclass(frozen=True)
class Change:
    """One difference. kind: changed, added or removed; before and after in words, "" where there was nothing."""

    kind: str
    section: str
    name: str
    before: str
    after: str

    @property
    def paragraph(self):
        return f"§ {NUMBERS[self.section]}"

    @property
    def sentence(self):
        """ "First contact, Hot: 1 hour → 15 minutes"; "Reason 15: new: Supplier or competitor"."""
        if self.kind == "added":
            return f"{self.name}: new, {self.after}"
        return f"{self.name}: no longer {self.before}" if self.kind == "removed" else self.arrow

    @property
    def arrow(self):
        return f"{self.name}: {self.before} → {self.after}"


@dataclass(frozen=True)
class Comparison:
    """What changes from one version to another, and how many terms stay as they are."""

    changes: tuple
    unchanged: int

    @property
    def all_terms(self):
        return self.unchanged + sum(change.kind != "removed" for change in self.changes)


def compare(before: Mapping, after: Mapping, *, people: Mapping = {}) -> Comparison:
    """The Comparison of two contents. ``people``: names by number, for signatories."""
    old, new = ({term.key: term for term in terms(content, people=people)} for content in (before, after))
    order = sorted(dict.fromkeys([*new, *old]), key=lambda key: NUMBERS[(new.get(key) or old[key]).section])
    changes = [*_definition(before, after)]
    changes += [_change(old.get(key), new.get(key)) for key in order if _said(old, key) != _said(new, key)]
    same = sum(_said(old, key) == term.said for key, term in new.items())
    return Comparison(tuple(sorted(changes, key=lambda change: NUMBERS[change.section])), same)


def terms(content: Mapping, *, people: Mapping = {}) -> list[Term]:
    """Every term of a content but the definition's rules, in the order of the contract."""
    return [
        Term(key, section, name, said)
        for reader in (_mql, _promises, _target, _clocks, _steps, _windows, _reasons, _review)
        for key, section, name, said in reader(content, people)
    ]


def _said(terms, key):
    return terms[key].said if key in terms else None


def _change(old, new):
    term = new or old
    kind = "added" if old is None else "removed" if new is None else "changed"
    return Change(kind, term.section, term.name, old.said if old else "", new.said if new else "")


def _definition(before, after) -> Iterator[Change]:
    """The definition's own changes, named by its rules and tiers."""
    if before["definition"] == after["definition"]:
        return
    old, new = (Definition.from_json(content["definition"]) for content in (before, after))
    for change in definition_diff.compare(old, new):
        name = f"{change.name}, {change.part.lower()}" if change.part else change.name
        yield Change(change.kind, "mql", f"{change.section}: {name}", change.before, change.after)


# --- the terms of a content: (key, section, name, words) --------------------------------------------
def _mql(content, people):
    yield "definition", "mql", "Definition", f"definition v{content['definition']['number']}"


def _promises(content, people):
    business = content["clock_basis"] != "elapsed"
    tiers = {tier["key"]: tier["name"] for tier in content["definition"]["tiers"]}
    for one in content["commitments"]:
        section, name = KINDS[one["kind"]]
        tier = f", {tiers.get(one['tier'], one['tier'])}" if one["tier"] else ""
        if one["within_seconds"] is not None:
            said = words.span(_duration(one["within_seconds"]), business=business)
        else:
            said = words.target(one["kind"], one["at_least"], one["at_most"])
        yield f"{one['kind']} {one['tier'] or ''}", section, f"{name}{tier}", said
    covers = content.get("covers")
    if covers:
        yield "sources", "marketing", "Sources covered", _all_or(covers["sources"])
        yield "campaigns", "marketing", "Campaigns covered", _all_or(covers["campaigns"])
    yield "attempts", "sales", "Attempts before “unable to reach”", str(content["attempts_before_unreachable"])


def _target(content, people):
    target = content.get("target") or {}
    if target.get("rate") is not None:
        yield "target rate", "target", "Rate of accepted MQLs", f"≥ {words.percent(target['rate'])}"
    if target.get("accepted") is not None:
        yield "target accepted", "target", "Accepted leads a month", f"≥ {target['accepted']:,}"
    if explored := content.get("exploration"):
        yield "exploration", "target", "Exploration", words.exploration(explored["share"], explored["reach"])


def _clocks(content, people):
    yield "basis", "clocks", "Clocks run in", BASES[content["clock_basis"]]
    calendar = content["calendar"]
    yield "week", "clocks", "Business hours", words.week(calendar["week"], calendar["zone"])
    yield from _special_days(calendar["exceptions"])
    for touch in content.get("touches", ()):
        yield f"touch {touch}", "clocks", f"A contact: {words.TOUCHES.get(touch, touch)}", "counts"


def _special_days(exceptions):
    """Days without work by the year, for there are many; days with other hours each."""
    closed = defaultdict(list)
    for day, hours in sorted(exceptions.items()):
        date = dt.date.fromisoformat(day)
        if hours:
            said = " and ".join(f"{start}–{end}" for start, end in hours)
            yield f"exception {day}", "clocks", f"On {date:%-d %B %Y}", said
        else:
            closed[date.year].append(f"{date:%-d %B}")
    for year, days in closed.items():
        yield f"closed {year}", "clocks", f"Closed in {year}", ", ".join(days)


def _steps(content, people):
    counted = {}
    for step in content.get("escalation_steps", ()):
        key = (step["clock"], step["kind"])
        counted[key] = counted.get(key, 0) + 1
        name = f"{STEPS[step['kind']].capitalize()}, {CLOCKS[step['clock']]}"
        yield f"step {key} {counted[key]}", "escalation", name, step_said(step["share"], step["after_seconds"])


def step_said(share, after_seconds) -> str:
    """When a step happens: "when 75% of the time has passed", "as soon as it is missed", "4 hours after"."""
    if share is not None:
        return f"when {share}% of the time has passed"
    return (
        f"{words.span(_duration(after_seconds))} after it was missed" if after_seconds else "as soon as it is missed"
    )


def _windows(content, people):
    for key, name in WINDOWS.items():
        if content.get(key) is not None:
            yield key, "windows", name, words.span(_duration(content[key]))
    yield "bulk", "windows", "Leads decided in one step, at most", str(content["bulk_limit"])


def _reasons(content, people):
    for reason in content["reasons"]:
        yield f"reason {reason['code']}", "reasons", f"Reason {reason['code']}", reason_said(reason)


def reason_said(reason: Mapping) -> str:
    """A reason in words: label, meaning, what it asks, what happens next, or that it is retired."""
    label = reason["label"]
    if reason["retired"]:
        into = reason.get("merged_into")
        return f"{label}: retired, told as {into}" if into else f"{label}: retired"
    asks = f", asks {reason['detail'].replace('_', ' ')}" if reason["detail"] else ""
    asks += " (required)" if reason["detail_required"] else ""
    asks += ", a comment is required" if reason["note_required"] else ""
    asks += ", only after the agreed attempts" if reason["unreachable"] else ""
    days = f" after {reason['recycle_days']} days" if reason["recycle_days"] else ""
    return f"{label}: {reason['meaning'].rstrip('.')}{asks}; {NEXT[reason['next_step']]}{days}"


def _review(content, people):
    if content.get("review_cadence"):
        yield "cadence", "review", "Both read the audit", CADENCES[content["review_cadence"]]
    benchmarks = content.get("benchmarks") or {}
    for band in benchmarks.get("bands", ()):
        said = f"from {words.percent(band['from_per_mille'])}"
        yield f"band {band['name']}", "review", f"Benchmark: {band['name']}", said
    if benchmarks.get("source"):
        yield "benchmark source", "review", "Source of the benchmarks", benchmarks["source"]
    for party, person in (content.get("signatories") or {}).items():
        who = f"any leader of {party}" if person is None else people.get(person, f"person {person}")
        yield f"signatory {party}", "review", f"Signs for {party}", who


def _all_or(names):
    return words.some(list(names), last="and") if names else "all"


def _duration(seconds):
    return dt.timedelta(seconds=seconds)

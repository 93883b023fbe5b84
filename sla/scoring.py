"""Definition × lead facts and events → evaluation: pure, no Django, no clock, integer points.

The arithmetic, in full:

- A rule over facts gives its points when its condition holds.
- A rule over events counts the events of its kind that pass ``where``, are not suspected (mail scanners, bots), and
  happened in ``(at − window_days, at]``. It fires from ``minimum_count`` on. It gives its points once, or with
  ``per_event`` once for each counted event.
- Decay is linear: at age ``a`` days the points of an event are ``points × max(0, decay_days − a) / decay_days``,
  full at age 0, nothing from ``decay_days`` on; age counts in microseconds. Without ``per_event`` the age is that of
  the latest counted event. A rule's sum is made exactly and rounded once, towards zero, so order cannot matter.
- ``cap`` bounds what ``per_event`` may give: never more than ``+cap``, never less than ``−cap``; after decay.
- ``axis`` says which sum the points join: fit or behaviour; total = fit + behaviour, either may be negative.
- A disqualifier gives no points; when one fires the lead is in nurture, whatever its points.
- The tier is the first by position whose thresholds on total, fit and behaviour are all met (``>=``); none: nurture.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

from sla import conditions, words
from sla.conditions import DefinitionError
from sla.fingerprint import utc_text

__all__ = [
    *("Definition", "DefinitionError", "Evaluation", "Event", "Rule", "RuleResult", "Score", "Scorer", "Tier"),
    *("compile", "evaluate"),
]

type Axis = Literal["fit", "behaviour", "disqualifier"]
AXES = ("fit", "behaviour", "disqualifier")
MOST_POINTS, MOST_DAYS, MOST_COUNT = 10_000, 36_500, 10_000
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1) // MICROSECOND


# --- the definition -------------------------------------------------------------------------------
@dataclass(frozen=True)
class Rule:
    """A condition and its points. ``condition`` is JSON: over facts, or ``{"event": kind, "where": {…}}``."""

    key: str
    label: str
    axis: Axis
    condition: dict
    points: int = 0
    window_days: int | None = None
    minimum_count: int = 1
    per_event: bool = False
    cap: int | None = None
    decay_days: int | None = None

    def __post_init__(self):
        try:
            _check_rule(self)
            _compile_rule_condition(self)
        except DefinitionError as error:
            raise DefinitionError(f"Rule {self.key!r}: {error}") from None

    @property
    def counts_events(self) -> bool:
        """Whether the rule is tested on events (else on the lead's facts)."""
        return isinstance(self.condition, Mapping) and "event" in self.condition


@dataclass(frozen=True)
class Tier:
    """A priority band. ``position`` 1 is the highest; a threshold of ``None`` on fit or behaviour asks nothing."""

    key: str
    name: str
    position: int
    total: int
    fit: int | None = None
    behaviour: int | None = None

    def __post_init__(self):
        _check_text("Tier", key=self.key, name=self.name)
        _check_whole(f"Tier {self.key!r}", 1, 1000, position=self.position)
        _check_whole(f"Tier {self.key!r}", -(10**6), 10**6, total=self.total)
        _check_whole(f"Tier {self.key!r}", -(10**6), 10**6, optional=True, fit=self.fit, behaviour=self.behaviour)

    def takes(self, fit: int, behaviour: int) -> bool:
        """Whether these points reach every threshold of the tier."""
        return (
            fit + behaviour >= self.total
            and (self.fit is None or fit >= self.fit)
            and (self.behaviour is None or behaviour >= self.behaviour)
        )


@dataclass(frozen=True)
class Definition:
    """A numbered set of rules and tiers; making one that cannot be used raises ``DefinitionError``.

    ``required_facts``: the fields that a lead with complete facts has, as conditions name them.
    """

    number: int
    rules: tuple[Rule, ...]
    tiers: tuple[Tier, ...]
    required_facts: tuple[str, ...] = ()

    def __post_init__(self):
        for name in ("rules", "tiers", "required_facts"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _check_unique("required facts", "name", list(self.required_facts))
        for name in self.required_facts:
            conditions.lead_field(name)
        _check_whole("Definition", 1, 10**9, number=self.number)
        _check_unique("rules", "key", [rule.key for rule in self.rules])
        _check_unique("tiers", "key", [tier.key for tier in self.tiers])
        _check_unique("tiers", "position", [tier.position for tier in self.tiers])
        if not self.tiers:
            raise DefinitionError("A definition needs at least one tier; without one no lead could ever qualify.")

    def lacks(self, facts: Mapping) -> list[str]:
        """The required facts that a lead does not have; none: its facts are complete."""
        return [name for name in self.required_facts if conditions.is_absent(conditions.lead_field(name)(facts))]

    def as_json(self) -> dict:
        """Plain JSON without floats, fit for a fingerprint; ``from_json`` reads it back.

        Required facts stand in it only where there are any, so that what was signed without them stays as it was.
        """
        required = {"required_facts": list(self.required_facts)} if self.required_facts else {}
        return {
            "number": self.number,
            "rules": [asdict(rule) for rule in self.rules],
            "tiers": [asdict(tier) for tier in self.tiers],
        } | required

    @classmethod
    def from_json(cls, document: Mapping) -> "Definition":
        """The definition of a document as ``as_json`` writes it; what has a default may be left out."""
        values = _arguments(cls, document, "A definition")
        rules, tiers = (_list_of(values[name], name) for name in ("rules", "tiers"))
        required = _list_of(values.get("required_facts", ()), "required_facts")
        return cls(
            number=values["number"],
            rules=tuple(Rule(**_arguments(Rule, rule, f"Rule {place}")) for place, rule in enumerate(rules, 1)),
            tiers=tuple(Tier(**_arguments(Tier, tier, f"Tier {place}")) for place, tier in enumerate(tiers, 1)),
            required_facts=tuple(required),
        )


# --- what is judged, and the outcome --------------------------------------------------------------
@dataclass(frozen=True)
class Event:
    """Something the lead did, at an aware instant (kept in UTC). A suspected one is kept, and never counts."""

    kind: str
    occurred_at: datetime
    properties: Mapping = field(default_factory=dict)
    suspected: bool = False

    def __post_init__(self):
        object.__setattr__(self, "occurred_at", _utc(self.occurred_at))


class Score(NamedTuple):
    """The sums alone: cheap, for millions of leads. ``tier`` is the tier's key, ``None`` is nurture."""

    fit: int
    behaviour: int
    total: int
    tier: str | None
    disqualified: bool


class RuleResult(NamedTuple):
    """One rule on one lead. ``fired``: the condition held (decay may still leave no points). ``saw``: in words."""

    key: str
    label: str
    axis: Axis
    points: int
    fired: bool
    saw: str


@dataclass(frozen=True)
class Evaluation:
    """The outcome with its breakdown, rules in the definition's order.

    ``tier`` is a tier's key, ``None`` is nurture; ``disqualified_by`` the key of the rule that shut the lead out
    (the first by alphabet where several did), ``definition`` the definition's number, ``at`` an aware instant.
    """

    definition: int
    fit: int
    behaviour: int
    total: int
    tier: str | None
    disqualified_by: str | None
    rules: tuple[RuleResult, ...]
    at: datetime

    @property
    def qualified(self) -> bool:
        """Whether the lead reached a tier."""
        return self.tier is not None

    def as_json(self) -> dict:
        """Plain JSON, as it is stored with the handoff: integer points, ``at`` in UTC with microseconds."""
        return vars(self) | {"rules": [rule._asdict() for rule in self.rules], "at": utc_text(self.at)}

    @classmethod
    def from_json(cls, document: Mapping) -> "Evaluation":
        """The evaluation of a stored document."""
        rules = tuple(RuleResult(**rule) for rule in document["rules"])
        return cls(**{**document, "rules": rules, "at": datetime.fromisoformat(document["at"])})


# --- scoring --------------------------------------------------------------------------------------
def evaluate(
    definition: Definition, facts: Mapping, events: Sequence[Event], at: datetime, *, zone: tzinfo = UTC
) -> Evaluation:
    """The evaluation of one lead. For many leads ``compile`` once. ``zone`` is for the words in ``saw`` only."""
    return compile(definition, zone=zone).evaluate(facts, events, at)


def compile(definition: Definition, *, zone: tzinfo = UTC) -> "Scorer":
    """A scorer to keep and use again: ``scorer(facts, events, at)`` → ``Score``, ``scorer.evaluate(…)`` → all."""
    return Scorer(definition, zone)


class Scorer:
    """A definition made ready. ``facts``: the lead's columns by name, and ``attributes`` (a mapping)."""

    __slots__ = ("_disqualifiers", "_judges", "_sums", "_tiers", "_zone", "definition")

    def __init__(self, definition: Definition, zone: tzinfo = UTC):
        self.definition, self._zone = definition, zone
        self._judges = [_judge(rule) for rule in definition.rules]
        self._tiers = sorted(definition.tiers, key=lambda tier: tier.position)
        self._sums = {axis: _FastSum(definition.rules, axis) for axis in AXES}
        self._disqualifiers = bool(self._sums["disqualifier"])

    def __call__(self, facts: Mapping, events: Sequence[Event], at: datetime) -> Score:
        """The sums and the tier; a fraction of the cost of ``evaluate``, and always equal to it."""
        by_kind = _counting(events, at) if events else {}
        at = _utc(at)
        fit = self._sums["fit"](facts, by_kind, at)
        behaviour = self._sums["behaviour"](facts, by_kind, at)
        disqualified = self._disqualifiers and self._sums["disqualifier"].fires(facts, by_kind, at)
        return Score(fit, behaviour, fit + behaviour, self._tier(fit, behaviour, disqualified), disqualified)

    def evaluate(self, facts: Mapping, events: Sequence[Event], at: datetime) -> Evaluation:
        """The sums with the points and the words of every rule."""
        by_kind, at = _counting(events, at), _utc(at)
        results = tuple(
            RuleResult(rule.key, rule.label, rule.axis, *judge(facts, by_kind, at, self._zone))
            for rule, judge in zip(self.definition.rules, self._judges, strict=True)
        )
        fit, behaviour = (sum(result.points for result in results if result.axis == axis) for axis in AXES[:2])
        shut_out = min((result.key for result in results if result.axis == AXES[2] and result.fired), default=None)
        tier = self._tier(fit, behaviour, shut_out is not None)
        return Evaluation(self.definition.number, fit, behaviour, fit + behaviour, tier, shut_out, results, at)

    def _tier(self, fit: int, behaviour: int, disqualified: bool) -> str | None:
        if disqualified:
            return None
        for tier in self._tiers:
            if tier.takes(fit, behaviour):
                return tier.key
        return None


class _FastSum:
    """The points of one axis without words: rules over facts and rules over events apart, as most leads lack one."""

    __slots__ = ("facts", "seen")

    def __init__(self, rules: Iterable[Rule], axis: Axis):
        rules = [rule for rule in rules if rule.axis == axis]
        self.facts = [(_compile_rule_condition(rule), rule.points) for rule in rules if not rule.counts_events]
        self.seen = [(_sightings(rule), rule) for rule in rules if rule.counts_events]

    def __bool__(self) -> bool:
        return bool(self.facts or self.seen)

    def __call__(self, facts: Mapping, by_kind: Mapping, at: datetime) -> int:
        points = 0
        for holds, worth in self.facts:
            if holds(facts):
                points += worth
        if by_kind:
            for sightings, rule in self.seen:
                points += _points_of(rule, sightings(by_kind, at), at)
        return points

    def fires(self, facts: Mapping, by_kind: Mapping, at: datetime) -> bool:
        return any(holds(facts) for holds, _ in self.facts) or any(
            len(sightings(by_kind, at)) >= rule.minimum_count for sightings, rule in self.seen
        )


def _counting(events: Iterable[Event], at: datetime) -> dict[str, list[Event]]:
    """The events that may count at ``at``, by kind: none of the future, none suspected."""
    by_kind: dict[str, list[Event]] = {}
    for event in events:
        if not event.suspected and event.occurred_at <= at:
            by_kind.setdefault(event.kind, []).append(event)
    return by_kind


def _judge(rule: Rule) -> Callable:
    """``(facts, events by kind, at, zone) → (points, fired, saw)`` of a rule."""
    if rule.counts_events:
        sightings = _sightings(rule)

        def judge_events(facts, by_kind, at, zone):
            seen = sightings(by_kind, at)
            fired = len(seen) >= rule.minimum_count
            return _points_of(rule, seen, at), fired, _saw_events(rule, seen, at, zone)

        return judge_events
    holds, says = _compile_rule_condition(rule), [_speaker(name) for name in conditions.fields_of(rule.condition)]

    def judge_facts(facts, by_kind, at, zone):
        fired = holds(facts)
        said = says[0](facts) if len(says) == 1 else ", ".join([say(facts) for say in says])
        return (rule.points if fired else 0), fired, said if len(said) <= LONGEST_SAW else f"{said[:LONGEST_SAW]}…"

    return judge_facts


def _sightings(rule: Rule) -> Callable[[Mapping, datetime], list[datetime]]:
    """``(events by kind, at) → instants`` of the events that the rule counts."""
    kind, where = rule.condition["event"], _compile_rule_condition(rule)
    window = None if rule.window_days is None else timedelta(days=rule.window_days)

    def sightings(by_kind, at):
        since = None if window is None else at - window
        return [
            event.occurred_at
            for event in by_kind.get(kind, ())
            if (since is None or event.occurred_at > since) and where(event.properties)
        ]

    return sightings


def _points_of(rule: Rule, seen: list[datetime], at: datetime) -> int:
    if len(seen) < rule.minimum_count:
        return 0
    counted = seen if rule.per_event else [max(seen)]
    points = rule.points * len(counted)
    if rule.decay_days is not None:
        whole = rule.decay_days * DAY
        left = sum(max(0, whole - (at - instant) // MICROSECOND) for instant in counted)
        points = abs(rule.points) * left // whole * (1 if rule.points > 0 else -1)
    return points if rule.cap is None else max(-rule.cap, min(rule.cap, points))


def _utc(instant: datetime) -> datetime:
    """The instant in UTC: two times of one summer-time zone would subtract as wall clocks do."""
    if instant.tzinfo is UTC:
        return instant
    if instant.utcoffset() is None:
        raise ValueError(f"{instant!r} has no time zone.")
    return instant.astimezone(UTC)


# --- in words -------------------------------------------------------------------------------------
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NOUNS = {"page_viewed": ("visit", "visits"), "form_submitted": ("form", "forms")}
LONGEST_SAW = 120


def _saw_events(rule: Rule, seen: list[datetime], at: datetime, zone: tzinfo) -> str:
    within = "" if rule.window_days is None else f" in {rule.window_days} {_plural(rule.window_days, 'day', 'days')}"
    if not seen:
        return f"none{within}"
    kind, count = rule.condition["event"], len(seen)
    what = f"{count} {_plural(count, *NOUNS[kind])}" if kind in NOUNS else f"{count} × {words.event(kind)}"
    last, now = max(seen).astimezone(zone), at.astimezone(zone)
    year = "" if last.year == now.year else f" {last.year}"
    return f"{what}, last {last.day} {MONTHS[last.month - 1]}{year} {last:%H:%M}"


def _speaker(name: str) -> Callable[[Mapping], str]:
    """``facts → words`` for one field: the value, with the name of an attribute before it, or that there is none."""
    get, plain = conditions.lead_field(name), name.removeprefix(conditions.ATTRIBUTE)
    none, before = f"no {name.replace('_', ' ')}", ""
    if plain != name:
        none, before = f"no {plain}", f"{plain}: "

    def say(facts):
        value = get(facts)
        if conditions.is_absent(value):
            return none
        return _employees(value) if name == "employees" else before + _in_words(value)

    return say


def _in_words(value) -> str:
    if isinstance(value, conditions.LISTS):
        return " / ".join(str(item) for item in value)
    return str(value).strip()


def _employees(value) -> str:
    count = conditions.number(value)
    return f"{_in_words(value)} employees" if count is None else f"{count:,} {_plural(count, 'employee', 'employees')}"


def _plural(count, one: str, many: str) -> str:
    return one if count == 1 else many


# --- checks ---------------------------------------------------------------------------------------
def _compile_rule_condition(rule: Rule) -> conditions.Test:
    """The test of the facts, or for an event rule of the event's properties."""
    if not rule.counts_events:
        return conditions.compile_condition(rule.condition)
    kind, where = rule.condition["event"], rule.condition.get("where")
    if not isinstance(kind, str) or not kind.strip():
        raise DefinitionError("'event' names a kind of event, for example 'page_viewed'.")
    if unknown := set(rule.condition) - {"event", "where"}:
        raise DefinitionError(f"An event condition takes 'event' and 'where'; found {', '.join(sorted(unknown))}.")
    if where is None:
        return lambda properties: True
    return conditions.compile_condition(where, conditions.event_property)


def _check_rule(rule: Rule) -> None:
    _check_text("Rule", key=rule.key, label=rule.label)
    if rule.axis not in AXES:
        raise DefinitionError(f"the axis is {rule.axis!r}; known are {', '.join(AXES)}.")
    _check_whole("It", -MOST_POINTS, MOST_POINTS, points=rule.points)
    _check_whole("It", 1, MOST_COUNT, minimum_count=rule.minimum_count)
    _check_whole("It", 1, MOST_DAYS, optional=True, window_days=rule.window_days, decay_days=rule.decay_days)
    _check_whole("It", 1, 10**6, optional=True, cap=rule.cap)
    if not isinstance(rule.per_event, bool):
        raise DefinitionError("'per_event' is true or false.")
    if rule.axis == "disqualifier" and (rule.points or rule.per_event or rule.decay_days):
        raise DefinitionError("a disqualifier has no points: it fires or not.")
    if rule.cap is not None and not rule.per_event:
        raise DefinitionError("'cap' goes with 'per_event'; a rule that counts once needs none.")
    about_events = (rule.window_days, rule.decay_days, rule.per_event or None, rule.minimum_count - 1 or None)
    if not rule.counts_events and any(value is not None for value in about_events):
        raise DefinitionError("count, window, 'per_event' and decay are for events; this one tests facts.")


def _check_text(what: str, **values) -> None:
    for name, value in values.items():
        if not isinstance(value, str) or not 0 < len(value.strip()) <= 200:
            raise DefinitionError(f"{what} needs a {name} of 1 to 200 characters, not {value!r}.")


def _check_whole(what: str, low: int, high: int, *, optional: bool = False, **values) -> None:
    for name, value in values.items():
        if optional and value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise DefinitionError(f"{what} has {name} {value!r}; it is a whole number from {low} to {high}.")


def _check_unique(what: str, name: str, values: list) -> None:
    if twice := sorted({value for value in values if values.count(value) > 1}):
        raise DefinitionError(f"Two {what} have the same {name}: {', '.join(map(str, twice))}.")


def _list_of(value, name: str) -> Sequence:
    if not isinstance(value, list | tuple):
        raise DefinitionError(f"{name!r} is a list.")
    return value


def _arguments(made: type, document, what: str) -> dict:
    if not isinstance(document, Mapping):
        raise DefinitionError(f"{what} is an object, not {document!r}.")
    known = {part.name: part for part in fields(made)}
    if unknown := sorted(set(map(str, document)) - set(known)):
        raise DefinitionError(f"{what} does not know {', '.join(unknown)}.")
    missing = [name for name, part in known.items() if name not in document and not _has_default(part)]
    if missing:
        raise DefinitionError(f"{what} lacks {', '.join(missing)}.")
    return dict(document)


def _has_default(part) -> bool:
    return part.name in (
        "points",
        "window_days",
        "minimum_count",
        "per_event",
        "cap",
        "decay_days",
        "fit",
        "behaviour",
        "required_facts",
    )

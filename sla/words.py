"""The agreement in words: durations, rules and conditions as a person would say them; pure, no Django, no clock."""

import datetime as dt
from collections.abc import Mapping, Sequence

FIELDS = {
    "employees": "company size",
    "title": "job title",
    "email": "e-mail address",
    "domain": "e-mail domain",
    "external_id": "outside id",
    "first_name": "first name",
    "last_name": "last name",
}
SPELLED = {"email": "e-mail", "roi": "ROI"}  # in the names of events
DAYS = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday",
    "sun": "Sunday",
}  # fmt: skip
# What a contact attempt can be, as "kind:outcome"
TOUCHES = {
    "call:reached": "a call that reaches the lead",
    "call:voicemail": "a voicemail",
    "call:no_answer": "a call that nobody answers",
    "meeting:reached": "a meeting",
    "meeting:no_answer": "a meeting that the lead missed",
    "email:reached": "an exchange by e-mail with the lead",
    "email:sent": "an e-mail that a person sent",
    "message:reached": "an exchange of messages with the lead",
    "message:sent": "a message that a person sent",
}
HOURS = ((dt.timedelta(hours=1), "hour"), (dt.timedelta(minutes=1), "minute"))
UNITS = ((dt.timedelta(days=365), "year"), (dt.timedelta(days=1), "day"), *HOURS)
MOST_LISTED = 8


def span(length: dt.timedelta, *, business: bool = False) -> str:
    """A promised time in its largest whole unit: "15 minutes", "1 hour", "5 days", "5 years"; "10 business hours".

    Business time knows no days: a day of it is 24 hours of work, which nobody means.
    """
    for unit, name in HOURS if business else UNITS:
        count, rest = divmod(length, unit)
        if count and not rest:
            return f"{count} {'business ' if business and name != 'minute' else ''}{name}{'' if count == 1 else 's'}"
    return f"{int(length.total_seconds())} seconds"


def target(kind: str, at_least: int, at_most: int | None = None) -> str:
    """What is promised: shares in per mille become per cent ("≥ 25%"), counts a range ("550–645")."""
    if kind != "mqls":
        return f"≥ {percent(at_least)}"
    return f"≥ {at_least:,}" if at_most is None else f"{at_least:,}–{at_most:,}"


def exploration(share: int, reach: int) -> str:
    """Which leads go to sales all the same: "2% of the leads up to 10 points below the lowest tier"."""
    return f"{percent(share)} of the leads up to {reach} point{'' if reach == 1 else 's'} below the lowest tier"


def rule(rule) -> str:
    """A scoring rule (its key apart) as one sentence: "+20 when company size is 200–5,000"."""
    if rule.axis == "disqualifier":
        return f"Never an MQL when {when(rule)}"
    how = "each time" if rule.per_event else "when"
    return f"{points(rule.points)} {how} {when(rule)}{_limits(rule)}"


def points(number: int) -> str:
    """Points with their sign and a true minus: +20, −5."""
    return f"+{number}" if number >= 0 else f"−{-number}"


def tier(tier) -> str:
    """A tier's thresholds: "80 points or more, 40 of them for fit"."""
    words = f"{tier.total} points or more"
    parts = [f"{tier.fit} of them for fit"] if tier.fit is not None else []
    parts += [f"{tier.behaviour} of them for behaviour"] if tier.behaviour is not None else []
    return ", ".join([words, *parts])


def condition(condition: Mapping) -> str:
    """A condition over facts as a clause: "industry is Food or Packaging, and country is present"."""
    if "all" in condition:
        return ", and ".join(_bracketed(part) for part in condition["all"])
    if "any" in condition:
        return ", or ".join(_bracketed(part) for part in condition["any"])
    if "not" in condition:
        return f"it is not so that {_bracketed(condition['not'])}"
    return _leaf(condition)


def field(name: str) -> str:
    """What a field is called: "company size"; an attribute by its own name."""
    plain = name.removeprefix("attributes.")
    return FIELDS.get(name, plain.replace("_", " "))


def event(kind: str) -> str:
    """What an event is called: "webinar attended", "ROI completed"."""
    return " ".join(SPELLED.get(word, word) for word in kind.split("_"))


def week(week: Mapping, zone: str) -> str:
    """Working hours: "Monday to Friday, 08:00–18:00, Europe/Berlin time"."""
    runs: list[list] = []
    for day in DAYS:
        hours = " and ".join(f"{start}–{end}" for start, end in week.get(day, ()))
        if not hours:
            continue
        if runs and runs[-1][2] == hours and _follows(runs[-1][1], day):
            runs[-1][1] = day
        else:
            runs.append([day, day, hours])
    said = [f"{_days(first, last)}, {hours}" for first, last, hours in runs]
    return f"{'; '.join(said)}, {zone} time"


def some(items: Sequence[str], last: str = "or") -> str:
    """A list in words: "Food, Packaging or Logistics"."""
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def when(rule) -> str:
    """When a rule fires, as a clause: "company size is 200–5,000"."""
    if "event" not in rule.condition:
        return condition(rule.condition)
    words = f"“{event(rule.condition['event'])}” happened"
    if rule.condition.get("where"):
        words += f" with {condition(rule.condition['where'])}"
    if rule.minimum_count > 1:
        words += f" {rule.minimum_count} times or more"
    if rule.window_days is not None:
        words += f" in the last {span(dt.timedelta(days=rule.window_days))}"
    return words


def _limits(rule) -> str:
    limits = []
    if rule.cap is not None:
        limits.append(f"up to {rule.cap} points")
    elif rule.per_event:
        limits.append("without a limit")
    if rule.decay_days is not None:
        limits.append(f"fading to nothing over {span(dt.timedelta(days=rule.decay_days))}")
    return "".join(f", {limit}" for limit in limits)


def _leaf(leaf: Mapping) -> str:
    name, op = field(leaf["field"]), leaf["op"]
    if op == "between":
        return f"{name} is {_range(leaf.get('min'), leaf.get('max'))}"
    if op in ("present", "absent"):
        return f"{name} is {'given' if op == 'present' else 'missing'}"
    if op in ("in", "not_in"):
        return f"{name} is {'not ' if op == 'not_in' else ''}{_listed(leaf['values'])}"
    verb = {"equals": "is", "not_equals": "is not", "contains": "contains", "matches": "has one of"}[op]
    if op == "matches":
        return f"{name} {_pattern(leaf['value'])}"
    return f"{name} {verb} {leaf['value']}"


def _pattern(value: str) -> str:
    """Plain alternatives read as words; any other pattern is quoted."""
    parts = value.split("|")
    if all(part and part.replace(" ", "").isalnum() for part in parts):
        return f"contains {_listed(parts)}"
    return f"matches the pattern {value}"


def _listed(values: Sequence) -> str:
    values = [str(value) for value in values]
    if len(values) > MOST_LISTED:
        values = [*values[:MOST_LISTED], f"{len(values) - MOST_LISTED} more"]
    return some(values)


def _range(low, high) -> str:
    if low is None:
        return f"at most {_number(high)}"
    return f"at least {_number(low)}" if high is None else f"{_number(low)}–{_number(high)}"


def _number(value) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _bracketed(part: Mapping) -> str:
    said = condition(part)
    return f"({said})" if {"all", "any"} & set(part) else said


def percent(per_mille: int) -> str:
    """A share in per mille as per cent: 255 is "25.5%"."""
    whole, tenth = divmod(per_mille, 10)
    return f"{whole}.{tenth}%" if tenth else f"{whole}%"


def _follows(day: str, then: str) -> bool:
    order = list(DAYS)
    return order.index(then) == order.index(day) + 1


def _days(first: str, last: str) -> str:
    return DAYS[first] if first == last else f"{DAYS[first]} to {DAYS[last]}"

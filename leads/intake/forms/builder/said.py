"""A form in words: its questions, conditions and thank-yous; pure, no Django."""

from leads.intake.forms import content as form
from sla.words import field, some

TYPES = {
    form.TEXT: "Text",
    form.EMAIL: "E-mail address",
    form.PHONE: "Phone number",
    form.NUMBER: "Number",
    form.CHOICE: "One of a list",
    form.SEVERAL: "Several of a list",
    form.RANGE: "Scale",
    form.DATE: "Date",
    form.CONSENT: "Consent",
    form.HIDDEN: "Hidden",
}
OPS = {
    "equals": "is",
    "not_equals": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "matches": "matches the pattern",
    "between": "is from … to",
    "present": "is answered",
    "absent": "is not answered",
}
LISTED = ("equals", "not_equals", "in", "not_in", "present", "absent")
TYPED = ("equals", "not_equals", "contains", "matches", "present", "absent")
COUNTED = ("equals", "not_equals", "between", "present", "absent")
OPS_OF = {
    form.CHOICE: LISTED,
    form.SEVERAL: LISTED,
    form.NUMBER: COUNTED,
    form.RANGE: COUNTED,
    form.DATE: ("equals", "not_equals", "present", "absent"),
    form.CONSENT: ("present", "absent"),
}
OUTCOMES = {
    "handed_over": "became an MQL",
    "open": "is with sales already",
    "nurture": "stays in nurture",
    "cooling_off": "is cooling off",
    "disqualified": "is disqualified",
    "later": "is evaluated in a moment",
}


def ops(kind):
    """The comparisons that make sense for answers of a type."""
    return OPS_OF.get(kind, TYPED)


def condition(tree, questions):
    """A condition over answers as a clause. questions: {key: question as the document has it}."""
    if "all" in tree:
        return ", and ".join(_bracketed(part, questions) for part in tree["all"])
    if "any" in tree:
        return ", or ".join(_bracketed(part, questions) for part in tree["any"])
    if "not" in tree:
        return f"it is not so that {_bracketed(tree['not'], questions)}"
    return _leaf(tree, questions)


def _bracketed(tree, questions):
    words = condition(tree, questions)
    return f"({words})" if "all" in tree or "any" in tree else words


def _leaf(leaf, questions):
    question = questions.get(leaf["field"])
    name = f"“{label(question)}”" if question else f"“{leaf['field']}”, which nobody is asked,"
    op = leaf["op"]
    labels = {c["value"]: c.get("label") or c["value"] for c in (question or {}).get("choices", ())}
    named = [str(labels.get(each, each)) for each in leaf.get("values", [leaf.get("value")]) if each is not None]
    if op in ("present", "absent"):
        if question and question["type"] == form.CONSENT:
            return f"{name} is {'ticked' if op == 'present' else 'not ticked'}"
        return f"{name} {OPS[op]}"
    if op == "between":
        low, high = leaf.get("min"), leaf.get("max")
        span = f"{low}–{high}" if None not in (low, high) else f"{low} or more" if high is None else f"{high} or less"
        return f"{name} is {span}"
    if op in ("in", "not_in"):
        return f"{name} is {'' if op == 'in' else 'not '}{some(named)}"
    return f"{name} {OPS[op]} {named[0] if named else '…'}"


def label(question):
    return question.get("label") or question["key"]


def fills(name):
    """What a fact of a lead is called: "company size"; the whole name and attributes by their own."""
    return {form.WHOLE_NAME: "first and last name", "": "nothing"}.get(name) or field(name)


def short(question):
    """A question in a line: type, whether it must be answered."""
    kind = TYPES[question["type"]].lower()
    if question["type"] in (form.CHOICE, form.SEVERAL):
        kind = f"{'one' if question['type'] == form.CHOICE else 'several'} of {len(question.get('choices', ()))}"
    if question["type"] == form.TEXT and question.get("multiline"):
        kind = "long text"
    if question["type"] == form.HIDDEN:
        return _hidden(question)
    at_times = "required at times" if question.get("require") else "optional"
    return f"{kind}, {'required' if question.get('required') else at_times}"


def _hidden(question):
    if question.get("parameter"):
        return f"hidden, from {question['parameter']}"
    return f"hidden, always “{question['default']}”" if question.get("default") else "hidden, empty"


def asked(question, questions):
    """When a question is asked, as a clause, or "" where always."""
    return f"only when {condition(question['show'], questions)}" if question.get("show") else ""


def whom(thanks, tiers):
    """For whom a thank-you is: "Hot leads", "everybody". tiers: {key: name}."""
    named = [tiers.get(key, key) for key in thanks.get("tiers", ())]
    outcomes = [OUTCOMES[each] for each in thanks.get("outcomes", ())]
    parts = ([f"{some(named)} leads"] if named else []) + ([f"who {some(outcomes)}"] if outcomes else [])
    return ", ".join(parts) or "everybody else"

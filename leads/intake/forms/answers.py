"""One answer: what was posted for a question becomes the value that is kept, or a sentence for the visitor; pure.

Kept values are what JSON and conditions know: text, an integer, decimal text, a list of texts, "yes" for a consent.
None is no answer. Whether one is needed is the form's to say (`walk`).
"""

import re
from datetime import date
from decimal import Decimal

from leads.intake.forms import content
from sla.conditions import compile_condition, number
from sla.fingerprint import decimal_text

YES = "yes"
SEEN = 20_000  # characters of one posted text that are looked at
ADDRESS = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?=.{4,253}$)([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,60}[^\W_]"
)
THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+")
PHONE = re.compile(r"[0-9+()/.\-– x#]+")


class Wrong(ValueError):
    """The answer cannot be kept; its text is the sentence that the visitor reads."""


def clean(text, *, lines=False):
    """The text without what no column can hold and no person types: control characters, halves of characters."""
    if not isinstance(text, str):
        return ""
    text = text[:SEEN].replace("\r\n", "\n").replace("\r", "\n")
    kept = "\n\t" if lines else ""
    return "".join(
        " " if letter in "\n\t" and not lines else letter
        for letter in text
        if (letter >= " " or letter in kept or letter in "\n\t")
        and letter != "\x7f"
        and not "\ud800" <= letter <= "\udfff"
    ).strip()


def read_answer(question, posted):
    """The kept value of the texts `posted` for a question, or None. Raises ``Wrong``, and nothing else."""
    texts = [clean(text, lines=question.multiline) for text in posted[: content.MOST_POSTED]]
    texts = [text for text in texts if text]
    if not texts:
        return None
    return READERS[question.type](question, texts)


def _text(question, texts):
    text = texts[0]
    room = content.FILLS.get(question.fills) or (240 if question.fills == content.WHOLE_NAME else None)
    most = min(filter(None, (question.longest, room, content.LONGEST_ANSWER if question.multiline else 500)))
    if len(text) > most:
        raise Wrong(f"Please write at most {most:,} characters; these are {len(text):,}.")
    if question.shortest and len(text) < question.shortest:
        raise Wrong(f"Please write at least {question.shortest:,} characters.")
    if question.pattern and not _fits(question.pattern)({"it": text}):
        raise Wrong(question.pattern_says or "Please look at this answer again: it is not written as expected.")
    return text


def _email(question, texts):
    text = texts[0]
    if len(text) > content.FILLS["email"] or not ADDRESS.fullmatch(text) or ".." in text or text[0] == ".":
        raise Wrong("Please write an e-mail address such as name@company.com.")
    return text


def _phone(question, texts):
    text = texts[0]
    if len(text) > content.FILLS["phone"] or not PHONE.fullmatch(text) or sum(map(str.isdigit, text)) < 5:
        raise Wrong("Please write a phone number in digits, with + and the country’s code if you like.")
    return text


def _number(question, texts):
    found = number(_plain_number(texts[0], question.whole))
    if found is None:
        raise Wrong("Please write a number in digits.")
    if isinstance(found, Decimal) and found == found.to_integral_value() and abs(found) < 10**15:
        found = int(found)
    if question.whole and not isinstance(found, int):
        raise Wrong("Please write a whole number.")
    _check_bounds(question, found)
    most = content.MOST_EMPLOYEES if question.fills == content.EMPLOYEES else 10**15
    if not (0 if question.fills == content.EMPLOYEES else -most) <= found <= most:
        raise Wrong("Please write a smaller number." if found > 0 else "Please write a number that is not negative.")
    return found if isinstance(found, int) else decimal_text(found)


def _range(question, texts):
    found = number(texts[0])
    if not isinstance(found, int):
        raise Wrong("Please choose a whole number.")
    _check_bounds(question, found)
    if (found - question.min) % (question.step or 1) and found != question.max:
        raise Wrong(f"Please choose {question.min:,}, then steps of {question.step:,}.")
    return found


def _check_bounds(question, found):
    low, high = (None if each is None else number(each) for each in (question.min, question.max))
    if low is not None and found < low:
        raise Wrong(f"Please choose {low:,} or more.")
    if high is not None and found > high:
        raise Wrong(f"Please choose {high:,} or less.")


def _choice(question, texts):
    if texts[0] not in {choice.value for choice in question.choices}:
        raise Wrong("Please choose one of the answers.")
    return texts[0]


def _several(question, texts):
    if set(texts) - {choice.value for choice in question.choices}:
        raise Wrong("Please choose among the answers.")
    chosen = [choice.value for choice in question.choices if choice.value in texts]
    if question.fewest and len(chosen) < question.fewest:
        raise Wrong(f"Please choose at least {question.fewest}.")
    if question.most and len(chosen) > question.most:
        raise Wrong(f"Please choose at most {question.most}.")
    return chosen


def _date(question, texts):
    text, by_day = texts[0], question.precision == "day"
    try:
        date.fromisoformat(text if by_day else f"{text}-01")
    except ValueError:
        example = "31 October 2026 as 2026-10-31" if by_day else "October 2026 as 2026-10"
        raise Wrong(f"Please write {example}.") from None
    if len(text) != (10 if by_day else 7):
        raise Wrong("Please write the date as 2026-10-31." if by_day else "Please write the month as 2026-10.")
    if question.min and text < question.min:
        raise Wrong(f"Please choose {question.min} or later.")
    if question.max and text > question.max:
        raise Wrong(f"Please choose {question.max} or earlier.")
    return text


def _consent(question, texts):
    return YES


def _hidden(question, texts):
    return texts[0][: content.FILLS.get(question.fills, 500)]


READERS = {
    content.TEXT: _text, content.EMAIL: _email, content.PHONE: _phone, content.NUMBER: _number,
    content.CHOICE: _choice, content.SEVERAL: _several, content.RANGE: _range, content.DATE: _date,
    content.CONSENT: _consent, content.HIDDEN: _hidden,
}  # fmt: skip


def _plain_number(text, whole):
    """Digits as `number` reads them: without marks of thousands, and with a point before the decimals."""
    text = re.sub(r"[\u00a0\u2009\u202f]", " ", text).replace("\u2212", "-").strip()
    if THOUSANDS.fullmatch(text) and (whole or not re.search(r"[.,]", text) or len(re.findall(r"[.,' ]", text)) > 1):
        return re.sub(r"[.,' ]", "", text)
    return text.replace(",", ".")


def _fits(pattern):
    return compile_condition({"field": "it", "op": "matches", "value": pattern}, lambda name: lambda it: it["it"])


def facts_of(questions, kept):
    """What a lead learns of the kept answers: {field of a lead: value, "attributes": {…}}; None where nothing is."""
    facts, attributes = {}, {}
    for question in questions:
        if not question.fills or question.key not in kept:
            continue
        value = _fact(question, kept[question.key])
        if question.fills.startswith("attributes."):
            attributes[question.fills.removeprefix("attributes.")] = value
        elif question.fills == content.WHOLE_NAME:
            first, _, last = value.partition(" ")
            facts |= {"first_name": first[:120], "last_name": last.strip()[:120]}
        else:
            facts[question.fills] = int(number(value)) if question.fills == content.EMPLOYEES else str(value)
    return facts | {"attributes": attributes}


def _fact(question, value):
    facts = {choice.value: choice.fact for choice in question.choices if choice.fact is not None}
    if isinstance(value, list):
        return [facts.get(each, each) for each in value]
    return facts.get(value, value)


def scored(questions, kept):
    """{"answers.<key>": value} of what an event may carry for ever: answers of lists and numbers, no personal text."""
    may = (content.CHOICE, content.SEVERAL, content.NUMBER, content.RANGE, content.CONSENT)
    return {f"answers.{each.key}": kept[each.key] for each in questions if each.type in may and each.key in kept}

"""What is wrong with a form as a whole: rings, references forward, questions that can never be asked; pure, no Django.

That a question is dead is claimed only when it is certain: the answers of lists and numbers are tried out, one of
each kind that the conditions tell apart; of a text that is matched by a pattern or a part nothing is assumed. Where
there are more than ``MOST_TRIED`` combinations, nothing is claimed.
"""

import itertools
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor, prod

from leads.intake.forms import content as form
from leads.intake.forms.answers import YES
from leads.intake.forms.logic import reads
from sla.conditions import compile_condition, number

MOST_TRIED, MOST_GROUPS = 20_000, 12
OTHER = "\N{REPLACEMENT CHARACTER} anything else"  # stands for a text that no condition names
MAYBE = None  # beside True and False: an answer could make it hold, and another one could not


@dataclass(frozen=True)
class Fault:
    """One thing that keeps a form from being published.

    code: unknown, forward, ring, skip_back, dead, no_email, no_questions, thanks (and of the verb: tier, address).
    key: of the question or page at fault, "" of the form as a whole. sentence: for the author.
    """

    code: str
    key: str
    sentence: str


def faults(content):
    """Every Fault of a Content, in the order of the form; none: it can be published."""
    found = [*_references(content), *_rings(content), *_skips(content)]
    if not found:
        found += _dead(content)
    return [*found, *_email(content), *_empty(content), *_thanks(content)]


# --- references -------------------------------------------------------------------------------------
def _references(content):
    """Conditions that read what is not there, or what is asked later."""
    place = {question.key: n for n, question in enumerate(content.questions)}
    for question in content.questions:
        for name in dict.fromkeys(name for condition in question.conditions for name in reads(condition)):
            if name not in place:
                yield Fault(
                    "unknown", question.key, f"“{_said(question)}” depends on {name!r}, which nobody is asked."
                )
            elif place[name] >= place[question.key]:
                later = _said(content.by_key[name])
                what = "itself" if name == question.key else f"“{later}”, which is asked later"
                yield Fault("forward", question.key, f"“{_said(question)}” depends on {what}.")
    asked = set()
    for page in content.pages:
        asked |= {question.key for question in page.questions}
        for name in dict.fromkeys(name for skip in page.skips for name in reads(skip.when)):
            if name not in asked:
                yield Fault(
                    "unknown",
                    page.key,
                    f"A skip after page “{page.title or page.key}” reads {name!r}, which is not asked by then.",
                )


def _rings(content):
    """Questions that depend on each other in a ring, each ring once."""
    needs = {
        each.key: [n for c in each.conditions for n in reads(c) if n in content.by_key] for each in content.questions
    }
    told = set()
    for start in needs:
        ring = _ring(needs, start)
        if ring and frozenset(ring) not in told and len(ring) > 1:
            told.add(frozenset(ring))
            names = " → ".join(f"“{_said(content.by_key[key])}”" for key in [*ring, ring[0]])
            yield Fault("ring", ring[0], f"These questions wait for each other: {names}.")


def _ring(needs, start):
    """The keys from `start` back to it, or none."""
    stack, seen = [(start, (start,))], set()
    while stack:
        key, way = stack.pop()
        for name in needs[key]:
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                stack.append((name, (*way, name)))
    return ()


def _skips(content):
    place = {page.key: n for n, page in enumerate(content.pages)}
    for n, page in enumerate(content.pages):
        for skip in page.skips:
            if place.get(skip.to, -1) <= n:
                yield Fault(
                    "skip_back",
                    page.key,
                    f"After page “{page.title or page.key}” the form skips to {skip.to!r}, which is no later page.",
                )


# --- questions that are never asked -----------------------------------------------------------------
def _dead(content):
    """Questions whose condition cannot hold, and pages that every way skips."""
    for question, needed in _with_needs(content):
        fields = _closure(content, needed)
        tried = _tries(content, fields)
        if tried is None:
            continue
        if not any(_reaches(content, question, answers) for answers in tried):
            yield Fault("dead", question.key, f"“{_said(question)}” is never asked: its conditions cannot hold.")


def _with_needs(content):
    """(question, keys that decide whether it is asked) of each that something decides about."""
    on_the_way = set()
    for page in content.pages:
        for question in page.questions:
            needed = set(on_the_way) | set(reads(question.show) if question.show else ())
            if needed:
                yield question, needed
        on_the_way |= {name for skip in page.skips for name in reads(skip.when)}


def _closure(content, keys):
    """The keys, and those that decide whether these are asked, in the order of the form."""
    found, left = set(), list(keys)
    while left:
        key = left.pop()
        if key not in found:
            found.add(key)
            show = content.by_key[key].show
            left += reads(show) if show else ()
    return [question.key for question in content.questions if question.key in found]


def _tries(content, fields):
    """Every combination of answers to `fields` that conditions can tell apart, or None where there are too many."""
    leaves = [leaf for question in content.questions for c in question.conditions for leaf in _leaves(c)]
    leaves += [leaf for page in content.pages for skip in page.skips for leaf in _leaves(skip.when)]
    choices = [_candidates(content.by_key[key], [leaf for leaf in leaves if leaf["field"] == key]) for key in fields]
    if None in choices or prod(map(len, choices)) > MOST_TRIED:
        return None
    return (dict(zip(fields, answers, strict=True)) for answers in itertools.product(*choices))


def _reaches(content, wanted, answers):
    """Whether the walk may ask `wanted` under these answers: an answer only counts where its question may be asked."""
    kept = {}
    steps = {page.key: n for n, page in enumerate(content.pages)}
    places = {0}
    for place, page in enumerate(content.pages):
        if place not in places:
            continue
        for question in page.questions:
            asked = True if question.show is None else may_hold(question.show, kept, content.by_key)
            if question is wanted:
                return asked is not False
            if asked is not False and answers.get(question.key) is not None:
                kept[question.key] = answers[question.key]
        places |= set(_followers(content, page, place, steps, kept))
    return False


def _followers(content, page, place, steps, kept):
    """The places that may follow a page."""
    for skip in page.skips:
        held = may_hold(skip.when, kept, content.by_key)
        if held is not False:
            yield steps[skip.to]
        if held is True:
            return
    yield place + 1


def may_hold(condition, kept, questions):
    """True, False, or MAYBE where it hangs on a text that nobody can try out."""
    if "not" in condition:
        held = may_hold(condition["not"], kept, questions)
        return MAYBE if held is MAYBE else not held
    for name, settles in (("all", False), ("any", True)):
        if name in condition:
            held = [may_hold(part, kept, questions) for part in condition[name]]
            return settles if settles in held else MAYBE if MAYBE in held else not settles
    question = questions[condition["field"]]
    if question.key in kept and question.type not in LISTED and condition["op"] in UNTRIED[question.type in COUNTED]:
        return MAYBE
    return _test(condition)(kept)


LISTED, COUNTED = (form.CHOICE, form.SEVERAL, form.CONSENT), (form.NUMBER, form.RANGE)
UNTRIED = {True: ("contains", "matches"), False: ("contains", "matches", "between")}  # of numbers, of free text


def _test(condition):
    return compile_condition(condition, lambda name: lambda answers: answers.get(name))


def _candidates(question, leaves):
    """Answers of which at least one behaves like any possible answer towards these leaves; None: too many."""
    if question.type in (form.CHOICE, form.SEVERAL):
        alike = _alike(question, leaves)
        found = [group[0] for group in alike] if question.type == form.CHOICE else _subsets(question, alike)
    elif question.type in COUNTED:
        found = _numbers(question, leaves)
    elif question.type == form.CONSENT:
        found = [YES]
    else:
        found = [*(str(each) for leaf in leaves for each in _named(leaf)), OTHER]
    return None if found is None else [*found, None]


def _alike(question, leaves):
    """The values of a list in groups that no leaf tells apart."""
    groups, tests = {}, [_test(leaf) for leaf in leaves]
    for choice in question.choices:
        alike = tuple(test({question.key: choice.value}) for test in tests)
        groups.setdefault(alike, []).append(choice.value)
    return list(groups.values())


def _subsets(question, alike):
    """One value of each group, in every combination that the question takes; None where that is too many."""
    if len(alike) > MOST_GROUPS:
        return None
    sizes = range(1, min(question.most or len(alike), len(alike)) + 1)
    chosen = (groups for size in sizes for groups in itertools.combinations(alike, size))
    return [[group[0] for group in each] for each in chosen if sum(map(len, each)) >= (question.fewest or 1)]


def _numbers(question, leaves):
    """The numbers that leaves name, and others between, before and behind them, as far as the question takes them."""
    named = [each for leaf in leaves for each in (*_named(leaf), leaf.get("min"), leaf.get("max"))]
    named += [question.min, question.max, 0]
    marks = sorted({Decimal(found) for each in named if each is not None and (found := number(each)) is not None})
    between = [(low + high) / 2 for low, high in itertools.pairwise(marks)]
    tried = {marks[0] - 1, *marks, *between, marks[-1] + 1}
    if question.whole:
        tried = {whole for mark in marks for near in (floor(mark), ceil(mark)) for whole in (near - 1, near, near + 1)}
    low, high = (None if each is None else number(each) for each in (question.min, question.max))
    return sorted(each for each in tried if (low is None or each >= low) and (high is None or each <= high))


def _named(leaf):
    """The values that a leaf compares with."""
    return [each for each in (leaf.get("value"), *leaf.get("values", ())) if each is not None]


def _leaves(condition):
    if "field" in condition:
        return [condition]
    parts = [*condition.get("all", ()), *condition.get("any", ()), *([condition["not"]] if "not" in condition else ())]
    return [leaf for part in parts for leaf in _leaves(part)]


# --- what a form needs ------------------------------------------------------------------------------
def _email(content):
    """A lead needs an address: one question that everybody answers."""
    passed = _passed_over(content)
    asked = [
        question
        for page in content.pages
        for question in page.questions
        if question.fills == "email" and question.required and question.show is None and page.key not in passed
    ]
    if not asked:
        yield Fault(
            "no_email",
            "",
            "Ask everybody for their e-mail address: a required question that fills “E-mail”, without conditions, "
            "on a page that nobody skips.",
        )


def _passed_over(content):
    """Keys of the pages that some skip leads past."""
    place = {page.key: n for n, page in enumerate(content.pages)}
    spans = [(n, place.get(skip.to, n)) for n, page in enumerate(content.pages) for skip in page.skips]
    return {page.key for n, page in enumerate(content.pages) if any(start < n < end for start, end in spans)}


def _empty(content):
    for page in content.pages:
        if not page.questions:
            yield Fault("no_questions", page.key, f"Page “{page.title or page.key}” asks nothing.")


def _thanks(content):
    if not (content.thanks and content.thanks[-1].fits_everything):
        yield Fault("thanks", "", "The last thank-you is for everybody: it names no outcome and no tier.")


def _said(question):
    return question.label or question.key

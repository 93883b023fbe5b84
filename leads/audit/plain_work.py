"""As leads.audit.plain, for people's work: promises, clocks by person, quality of the reasons, actions.

Names of people who work are kept as they were, as in any minutes; nothing here tells of a lead.
"""

import datetime as dt
from collections import Counter
from types import SimpleNamespace

from leads.audit import promises, quality
from leads.audit.action_page import Actions, Item
from leads.audit.effects import Effect, Side
from leads.audit.scorecard import Answered, Promise, Scorecard
from leads.periods import Month
from portal.shared import intervals, kappa

PROMISE = ("party", "kind", "k", "n", "target", "most", "excused", "is_excused")
VERSION = ("number", "target_rate", "target_accepted")


def card(found):
    return {
        "promises": [
            {name: getattr(one, name) for name in PROMISE}
            | {"in_words": [promises.name(one), promises.terms(one)], "version": one.version.number}
            for one in found.promises
        ],
        "version": found.version and {name: getattr(found.version, name) for name in VERSION},
        "sums": [found.mqls, found.accepted],
    }


def card_of(plain):
    def promise(one):
        version = SimpleNamespace(number=one["version"], pk=one["version"])
        return Promise(version=version, in_words=tuple(one["in_words"]), **{name: one[name] for name in PROMISE})

    version = plain["version"] and SimpleNamespace(**plain["version"])
    return Scorecard(tuple(map(promise, plain["promises"])), version, *plain["sums"])


def people(found):
    return [
        {
            "person": one.person.pk, "name": one.person.name, "team": one.team, "contact": list(one.contact),
            "decision": list(one.decision),
        }
        for one in found
    ]  # fmt: skip


def people_of(plain, seen):
    """Those whose ids are among `seen`; None: all."""
    return [
        Answered(
            SimpleNamespace(pk=one["person"], name=one["name"]), one["team"], tuple(one["contact"]),
            tuple(one["decision"]),
        )
        for one in plain
        if seen is None or one["person"] in seen
    ]  # fmt: skip


def flags(found):
    shares, untold = found
    return {"shares": {flag: [one.k, one.n] for flag, one in shares.items()}, "untold": untold}


def flags_of(plain):
    """In the order of quality.FLAGS, as the text has its keys in that of their letters."""
    kept = plain["shares"]
    return {flag: quality.Share(*kept[flag]) for flag in quality.FLAGS if flag in kept}, plain["untold"]


def one_reason(found):
    return [[one.owner, one.name, one.code, one.category, one.label, one.share.k, one.share.n] for one in found]


def one_reason_of(plain):
    return [quality.OneReason(*said, quality.Share(k, n)) for *said, k, n in plain]


def agreement(found):
    return {
        "drawn": found.drawn,
        "coded": found.coded,
        "codes": found.codes and list(found.codes),
        "categories": found.categories and list(found.categories),
        "pairs": [[*pair, n] for pair, n in sorted(found.pairs.items())],
    }


def agreement_of(plain):
    def coders(one):
        return one and kappa.Kappa(*map(float, one[:3]), *one[3:])

    pairs = Counter({(first, second): n for first, second, n in plain["pairs"]})
    return quality.Agreement(
        plain["drawn"], plain["coded"], coders(plain["codes"]), coders(plain["categories"]), pairs
    )  # fmt: skip


def samples(found):
    return [
        {
            "number": one.number, "size": one.size, "population": one.population, "seed": one.seed,
            "drawn_at": one.drawn_at, "drawn_by": one.drawn_by.name,
        }
        for one in found
    ]  # fmt: skip


def samples_of(plain):
    return [
        SimpleNamespace(**one | {
            "drawn_at": dt.datetime.fromisoformat(one["drawn_at"]), "drawn_by": SimpleNamespace(name=one["drawn_by"]),
        })
        for one in plain
    ]  # fmt: skip


def actions(found):
    return {"before": [_action(one) for one in found.before], "decided": [_action(one) for one in found.decided]}


def _action(item):
    row = item.revision
    return {
        "action": row.action_id,
        "revision": row.number,
        "month": f"{row.action.month:%Y-%m}",
        "text": row.text,
        "owner": row.owner.name,
        "due_on": row.due_on,
        "measure": row.measure,
        "expected": row.expected,
        "measured_by": item.measured_by,
        "definition": row.definition and row.definition.number,
        "closed": row.is_closed,
        "note": row.note,
        "effect": item.effect and _effect(item.effect),
    }


def _effect(found):
    return {
        "before": [str(found.before.month), found.before.k, found.before.n],
        "after": [str(found.after.month), found.after.k, found.after.n],
        "change": found.change and list(found.change),
        "verdict": found.verdict,
    }


def actions_of(plain):
    return Actions(*(tuple(_action_of(one) for one in plain[part]) for part in ("before", "decided")))


def _action_of(one):
    number = one["definition"]
    revision = SimpleNamespace(
        action_id=one["action"], action=SimpleNamespace(month=Month.parse(one["month"]).first), number=one["revision"],
        text=one["text"], owner=SimpleNamespace(name=one["owner"]), due_on=dt.date.fromisoformat(one["due_on"]),
        definition=number and SimpleNamespace(number=number), definition_id=number, is_closed=one["closed"],
        note=one["note"], measure=one["measure"], expected=one["expected"],
    )  # fmt: skip
    return Item(revision, (revision,), one["measured_by"], one["effect"] and _effect_of(one["effect"]))


def _effect_of(plain):
    sides = (Side(Month.parse(month), k, n) for month, k, n in (plain["before"], plain["after"]))
    change = plain["change"] and intervals.Change(*map(float, plain["change"]))
    return Effect(*sides, change, plain["verdict"])

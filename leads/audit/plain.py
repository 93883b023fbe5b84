"""The figures of an audit as plain values for its signed text, and back: each kind of figure by a pair of functions.

What a closing froze is read for ever: never change what a function writes without raising record.FORMAT, and keep
reading what earlier formats wrote. Shares are floats here; the record makes them decimals of six digits, and they come
back as text. Lengths of time are whole microseconds.
"""

import datetime as dt
from collections import Counter

from leads import figures_disputes, figures_fix, figures_left_out, figures_speed, figures_trend, remedy
from leads.figures import Counts, FirstContact, Month, MonthFigures, Reason, Row
from leads.figures_pairs import CATEGORY, OTHERS, REASON, Line, Pair
from portal.shared import intervals, survival

NAMES = ("mqls", "sqls", "rejected", "undecided", "withdrawn")
MICROSECOND = dt.timedelta(microseconds=1)


def counts(found):
    return [getattr(found, name) for name in NAMES]


def counts_of(plain):
    return Counts(*plain)


def number(plain):
    """A share or another number as it was kept; None stays."""
    return None if plain is None else float(plain)


def length(found):
    return None if found is None else found // MICROSECOND


def length_of(plain):
    return None if plain is None else plain * MICROSECOND


# --- months, breakdowns, first contact ----------------------------------------------------------------


def months(series):
    """A series of MonthFigures; `reasons` names each (category, code) that occurs."""
    return {
        "reasons": [[*key, label] for key, label in sorted(series[-1].labels.items())],
        "months": [
            {
                "month": str(one.month),
                "counts": counts(one.counts),
                "rejections": [[*key, n] for key, n in sorted(one.rejections.items()) if n],
            }
            for one in series
        ],
    }


def months_of(plain):
    labels = {(category, code): label for category, code, label in plain["reasons"]}
    return [
        MonthFigures(
            Month.parse(one["month"]), counts_of(one["counts"]),
            Counter({(category, code): n for category, code, n in one["rejections"]}), labels,
        )
        for one in plain["months"]
    ]  # fmt: skip


def rows(found):
    return [[row.key, row.label, *counts(row.counts)] for row in found]


def rows_of(plain):
    return tuple(Row(key, label, counts_of(numbers)) for key, label, *numbers in plain)


def contact(found):
    return [length(found.median), found.n, found.within_5_min]


def contact_of(plain):
    median, n, fast = plain
    return FirstContact(length_of(median), n, fast)


# --- two dimensions -----------------------------------------------------------------------------------


def pair(found):
    def line(one):
        return {"key": one.key, "label": one.label, "filters": one.filters, "counts": counts(one.counts)}

    return {
        "rows": found.rows,
        "columns": found.columns,
        "lines": [line(one) for one in found.lines],
        "heads": [line(one) for one in found.heads],
        "cells": [[i, j, *counts(each)] for (i, j), each in sorted(found.cells.items())],
        "total": counts(found.total),
    }


def pair_of(plain):
    of_reasons = plain["rows"] in (REASON, CATEGORY)

    def line(one, reasons=False):
        key = tuple(one["key"]) if reasons and one["key"] != OTHERS else one["key"]
        return Line(key, one["label"], one["filters"], counts_of(one["counts"]))

    return Pair(
        plain["rows"], plain["columns"], tuple(line(one, of_reasons) for one in plain["lines"]),
        tuple(line(one) for one in plain["heads"]),
        {(i, j): counts_of(numbers) for i, j, *numbers in plain["cells"]}, counts_of(plain["total"]),
    )  # fmt: skip


# --- trend, speed -------------------------------------------------------------------------------------


def began(found):
    return [{"at": one.at, "version": one.version, "definition": one.definition, "new": one.new} for one in found]


def began_of(plain):
    return tuple(
        figures_trend.Began(dt.datetime.fromisoformat(one["at"]), one["version"], one["definition"], one["new"])
        for one in plain
    )


def speed(found, minutes):
    """A Speed; of each curve the steps in force at some `minutes`, and where half are done."""
    times = [length(dt.timedelta(minutes=at)) for at in minutes]
    waits = (found.contact, found.routing, found.owner)
    return {
        "bands": [[band.key, *counts(band.counts)] for band in found.bands],
        "waits": [_wait(one, times) for one in waits],
        "imported": found.imported,
        "shared": [length(each) for each in found.shared],
    }


def _wait(found, times):
    curve = found.curve
    kept = {step for at in times if (step := curve.waiting_after(at))}
    kept |= {step for step in curve.steps if step.at == curve.quantile(0.5)}
    steps = [[one.at, one.waiting, one.low, one.high, one.at_risk, one.happened] for one in sorted(kept)]
    return {"steps": steps, "n": curve.n, "censored": curve.censored, "known": length(found.known)}


def speed_of(plain):
    return figures_speed.Speed(
        tuple(figures_speed.Band(key, counts_of(numbers)) for key, *numbers in plain["bands"]),
        *(_wait_of(one) for one in plain["waits"]), plain["imported"],
        tuple(length_of(each) for each in plain["shared"]),
    )  # fmt: skip


def _wait_of(plain):
    steps = tuple(
        survival.Step(at, *map(float, (waiting, low, high)), at_risk, happened)
        for at, waiting, low, high, at_risk, happened in plain["steps"]
    )
    return figures_speed.Wait(survival.Curve(steps, plain["n"], plain["censored"]), length_of(plain["known"]))


# --- disputes, what is left out -----------------------------------------------------------------------


def disputes(found):
    def disputed(one):
        return {"key": one.key, "label": one.label, "counts": dict(one.counts)}

    return {
        "all": disputed(found.all),
        "reasons": [disputed(one) for one in found.reasons],
        "reps": [disputed(one) for one in found.reps],
        "open_now": found.open_now,
        "open_mqls": found.open_mqls,
    }


def disputes_of(plain):
    def disputed(one):
        return figures_disputes.Disputed(one["key"], one["label"], Counter(one["counts"]))

    return figures_disputes.Disputes(
        disputed(plain["all"]), tuple(map(disputed, plain["reasons"])), tuple(map(disputed, plain["reps"])),
        plain["open_now"], plain["open_mqls"],
    )  # fmt: skip


def left_out(found):
    return [[one.kind, one.n] for one in found]


def left_out_of(plain, month, basis):
    return tuple(
        figures_left_out.LeftOut(kind, n, figures_left_out.filters_of(kind, month, basis)) for kind, n in plain
    )


# --- the top reason and its fix -----------------------------------------------------------------------


def reason(found):
    return [found.category, found.code, found.label, found.n, found.share, found.low, found.high]


def reason_of(plain):
    category, code, label, n, *shares = plain
    return Reason(category, code, label, n, *map(float, shares))


def signs(found):
    return {
        "found": [
            {
                "sign": [one.sign.key, one.sign.of, one.sign.label, one.sign.rejected, one.sign.accepted],
                "lift": one.lift and list(one.lift),
                "change": list(one.change),
            }
            for one in found.found
        ],
        "sides": [found.rejected, found.accepted, found.left_out],
    }


def signs_of(plain):
    return figures_fix.Signs(
        tuple(
            figures_fix.Compared(
                figures_fix.Sign(*one["sign"]), one["lift"] and intervals.Lift(*map(float, one["lift"])),
                intervals.Change(*map(float, one["change"])),
            )
            for one in plain["found"]
        ),
        *plain["sides"],
    )  # fmt: skip


def proposal(found):
    effect = found and found.effect
    sums = effect and [effect.mqls, effect.sqls, effect.kept_back, effect.kept_back_sqls]
    return found and {"words": found.words, "effect": sums}


def proposal_of(plain):
    """The Proposal in words: nothing can be drafted from what was signed."""
    return plain and remedy.Proposal(None, (), plain["words"], plain["effect"] and remedy.Effect(*plain["effect"]))

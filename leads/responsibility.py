"""Who held a handoff how long: pure. Every instant is routing's or one owner's, so that the parts sum exactly."""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from leads.clocks import passed

ROUTING = None  # nobody holds it yet, or it waits in the queue


class Given(NamedTuple):
    """One assignment: when, to whom (anything hashable), and whether to the queue, whose owner holds nothing by it."""

    at: dt.datetime
    owner: object
    to_queue: bool = False


@dataclass(frozen=True)
class Spell:
    """A stretch of time in one pair of hands: elapsed, and worked in the handoff's own business hours."""

    holder: object
    start: dt.datetime
    end: dt.datetime
    elapsed: dt.timedelta
    worked: dt.timedelta


def spells(start, end, given, hours=None):
    """The Spells from `start` (qualified) to `end` (decided, withdrawn or now), in order, without gaps or overlaps.

    given: Givens in order of their time; one before `start` counts from `start`, one after `end` not at all.
    hours: the handoff's WorkingHours; None: around the clock, worked is elapsed.
    """
    edges, holders = [start], [ROUTING]
    for each in given:
        if each.at >= end:
            break
        edges.append(max(each.at, edges[-1]))
        holders.append(ROUTING if each.to_queue else each.owner)
    edges.append(max(end, start))
    found = []
    for holder, begins, ends in zip(holders, edges, edges[1:], strict=False):
        if begins == ends:
            continue
        if found and found[-1][0] == holder:
            begins = found.pop()[1]
        found.append((holder, begins, ends))
    return [Spell(holder, a, b, b - a, passed(a, b, hours)) for holder, a, b in found]


def shares(found):
    """{holder: (elapsed, worked)} over all Spells of one, in order of the first; the sums are those of the Spells."""
    summed = {}
    for spell in found:
        elapsed, worked = summed.get(spell.holder, (dt.timedelta(0), dt.timedelta(0)))
        summed[spell.holder] = (elapsed + spell.elapsed, worked + spell.worked)
    return summed

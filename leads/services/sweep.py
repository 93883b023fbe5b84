"""The sweep: what clocks ask for by now, each thing once: breaches, warnings, reports, moves to the queue."""

import datetime as dt
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction

from leads import escalation
from leads.escalation import CONTACT, EPOCH, RAN_OUT, TELL_MANAGER, TO_QUEUE, WARN_OWNER, Step, moment
from leads.models import Breach, Escalation, Handoff
from leads.services.escalate import LATE, Note, tell_all
from leads.services.queue import to_queue
from portal.accounts.models import Role, User
from portal.shared.time import duration
from sla.models import EscalationStep
from sla.services.whose_hours import working_hours

BATCH = 1000
CLOCKS = ("contact", "decision")
TAKEN = (WARN_OWNER, TELL_MANAGER, TO_QUEUE)
# Narrow rows, oldest first; what a verb or another sweep holds is taken up by the next sweep.
DUE = """
SELECT w.handoff_id, w.plan, h.status = 'open', h.owner_id, u.team_id, h.sla_version_id, h.calendar_id,
    CASE WHEN h.is_historical THEN (SELECT min(a.assigned_at) FROM leads_assignment a WHERE a.handoff_id = h.id)
    ELSE h.qualified_at END, h.contact_due_at, h.decision_due_at, h.first_touch_at,
    coalesce(h.decided_at, h.withdrawn_at), h.queued_at IS NOT NULL, w.next_at
FROM leads_watch w JOIN leads_handoff h ON h.id = w.handoff_id LEFT JOIN accounts_user u ON u.id = h.owner_id
WHERE w.next_at <= %s AND (w.next_at, w.handoff_id) > (%s, %s) ORDER BY w.next_at, w.handoff_id LIMIT %s
"""
LOCK = " FOR UPDATE OF w, h SKIP LOCKED"
# The owner is whom the newest assignment before the due time names.
BREACH = """
INSERT INTO leads_breach (handoff_id, clock, due_at, sla_version_id, recorded_at, owner_id)
SELECT DISTINCT ON (h.id, b.clock) h.id, b.clock, due.at, h.sla_version_id, %s, a.owner_id
FROM json_to_recordset(%s) AS b(handoff_id bigint, clock text) JOIN leads_handoff h ON h.id = b.handoff_id
CROSS JOIN LATERAL (SELECT CASE b.clock WHEN 'contact' THEN h.contact_due_at ELSE h.decision_due_at END AS at) due
LEFT JOIN leads_assignment a ON a.handoff_id = h.id AND a.assigned_at <= due.at
ORDER BY h.id, b.clock, a.assigned_at DESC, a.id DESC
ON CONFLICT DO NOTHING RETURNING handoff_id, clock
"""
# an instant of a plan
MOMENT = "timestamptz 'epoch' + {}::bigint * interval '1 microsecond'"
TAKE = f"""
INSERT INTO leads_escalation (handoff_id, clock, step_id, due_at, taken_at)
SELECT e.handoff_id, e.clock, e.step_id, {MOMENT.format("e.at")}, %s
FROM json_to_recordset(%s) AS e(handoff_id bigint, clock text, step_id bigint, at bigint)
ON CONFLICT DO NOTHING RETURNING handoff_id, clock, step_id
"""
NEXT = f"""
UPDATE leads_watch w SET next_at = {MOMENT.format("(n.plan -> 0 ->> 0)")}, plan = n.plan
FROM json_to_recordset(%s) AS n(handoff_id bigint, plan jsonb) WHERE w.handoff_id = n.handoff_id
"""


@dataclass
class Swept:
    """What a sweep wrote, or would write: how many handoffs it looked at, and how many of each."""

    looked_at: int = 0
    ran_out: int = 0
    warned: int = 0
    reported: int = 0
    queued: int = 0


class Case(NamedTuple):
    """One handoff as the sweep sees it; times are aware."""

    id: int
    plan: list | None
    is_open: bool
    owner: int | None
    team: int | None
    version: int
    calendar: int | None
    start: dt.datetime
    contact_due: dt.datetime | None
    decision_due: dt.datetime
    touched: dt.datetime | None
    ended: dt.datetime | None
    in_queue: bool

    def due(self, clock):
        return self.contact_due if clock == CONTACT else self.decision_due

    def stop(self, clock):
        """When the clock stopped; None while it runs. A decision without any contact stops both."""
        return self.touched or self.ended if clock == CONTACT else self.ended


class Asked(NamedTuple):
    """What one entry of a plan asks for, by now: `step` is None where the clock ran out."""

    case: Case
    entry: list
    step: Step | None


def sweep_clocks(*, at, batch=BATCH, dry_run=False):
    """Write what running clocks ask for by `at` (aware), a transaction for each `batch` handoffs. Returns the Swept.

    Each thing once, however often, late or in parallel it runs: the database knows what was done. What came due while
    nothing ran is told each person in one summary. dry_run: nothing is written and nothing locked, only counted.
    """
    law, swept, after = Law(), Swept(), (EPOCH, 0)
    look = _count if dry_run else _write
    while after:
        after = look(law, swept, after, at, batch)
    return swept


class Law:
    """Steps of versions, hours of calendars, managers of teams: each read once for a sweep."""

    def __init__(self):
        self._steps, self._managers = {}, {}

    def steps(self, version):
        """{id: Step} of a version of the agreement."""
        if version not in self._steps:
            fields = EscalationStep.objects.filter(version=version).values_list(*Step._fields)
            self._steps[version] = {row[0]: Step(*row) for row in fields}
        return self._steps[version]

    def managers(self, team):
        """Ids of those who hear of a breach: the team's managers, else all managers, else the sales leaders."""
        if team not in self._managers:
            people, role = User.objects.active(), Role.SALES_MANAGER
            asked = (people.holding(role).filter(team=team), people.holding(role), people.holding(Role.SALES_LEADER))
            found = (list(some.order_by("id").values_list("id", flat=True)) for some in asked)
            self._managers[team] = next(filter(None, found), [])
        return self._managers[team]

    def plan(self, case):
        dues = {clock: case.due(clock) for clock in CLOCKS if case.due(clock)}
        hours = working_hours([case.calendar]).get(case.calendar)
        return escalation.plan(start=case.start, dues=dues, steps=self.steps(case.version).values(), hours=hours)


@transaction.atomic(durable=True)
def _write(law, swept, after, at, batch):
    """One batch; returns where the next one goes on, or None after the last."""
    cases, last = _due(DUE + LOCK, after, at, batch)
    asked, watches = _ask(law, cases, at)
    new = _new(BREACH, asked.get(RAN_OUT, ()), at)
    taken = {kind: _new(TAKE, asked.get(kind, ()), at) for kind in TAKEN}
    _add(swept, len(cases), new, taken)
    tell_all(_notes(law, new, taken), at=at)
    for each in taken[TO_QUEUE]:
        _queue(each, at)
    if watches:
        _run(NEXT, [json.dumps(watches)])
    return last


def _count(law, swept, after, at, batch):
    """As `_write`, without writing: what is there already is not counted again."""
    cases, last = _due(DUE, after, at, batch)
    asked, _ = _ask(law, cases, at)
    ids = [case.id for case in cases]
    done = set(Breach.objects.filter(handoff__in=ids).values_list("handoff", "clock"))
    done |= set(Escalation.objects.filter(handoff__in=ids).values_list("handoff", "clock", "step"))
    new = [each for each in asked.get(RAN_OUT, ()) if _key(each) not in done]
    taken = {kind: [each for each in asked.get(kind, ()) if _key(each) not in done] for kind in TAKEN}
    _add(swept, len(cases), new, taken)
    return last


def _add(swept, looked_at, ran_out, taken):
    swept.looked_at += looked_at
    swept.ran_out += len(ran_out)
    swept.warned += len(taken[WARN_OWNER])
    swept.reported += len(taken[TELL_MANAGER])
    swept.queued += len(taken[TO_QUEUE])


def _due(sql, after, at, batch):
    """(Cases, where to go on: None when these were the last)."""
    rows = _run(sql, [at, *after, batch])
    last = (rows[-1][-1], rows[-1][0]) if len(rows) == batch else None
    plans = json.loads(f"[{','.join(row[1] or 'null' for row in rows)}]")
    return [Case(row[0], plan, *row[2:-1]) for row, plan in zip(rows, plans, strict=True)], last


def _ask(law, cases, at):
    """({kind: [Asked]}, rows of NEXT) of the cases."""
    asked, watches, until = defaultdict(list), [], escalation.instant(at)
    for case in cases:
        stops = {clock: case.stop(clock) for clock in CLOCKS}
        entries = law.plan(case) if case.plan is None else case.plan
        now, later = escalation.found(entries, until=until, stops=stops, is_open=case.is_open)
        for entry in now:
            step = law.steps(case.version)[entry[2]] if entry[2] else None
            if _still_asked(case, entry, step, at):
                asked[step.kind if step else RAN_OUT].append(Asked(case, entry, step))
        watches.append({"handoff_id": case.id, "plan": later or None})
    return asked, watches


def _still_asked(case, entry, step, at):
    """A warning only before the due time, a move to the queue only while the clock runs; a breach however late.

    Of a clock that stopped long ago nobody is told any more: there is nothing left to do about it.
    """
    if step is None:
        return True
    clock = entry[1]
    running = case.is_open and case.stop(clock) is None
    if step.kind == TELL_MANAGER:
        return running or at - moment(entry[0]) <= LATE
    if step.kind == TO_QUEUE:
        return running and not case.in_queue
    return running and case.owner is not None and at <= case.due(clock)


def _key(asked):
    key = (asked.case.id, asked.entry[1])
    return (*key, asked.step.id) if asked.step else key


def _new(sql, asked, at):
    """Insert what is asked for; returns those that were not there yet."""
    if not asked:
        return []
    rows = [
        {"handoff_id": case.id, "clock": clock, "step_id": step, "at": instant}
        for case, (instant, clock, step), _ in asked
    ]
    new = set(_run(sql, [at, json.dumps(rows)]))
    return [each for each in asked if _key(each) in new]


def _notes(law, ran_out, taken):
    """Whom to tell what."""
    for each in ran_out:
        yield Note("clock.ran_out", each, None)
    for each in taken[WARN_OWNER]:
        yield Note("clock.warned", each, each.case.owner)
    for each in taken[TELL_MANAGER]:
        for manager in law.managers(each.case.team):
            yield Note("clock.reported", each, manager)
    for each in taken[TO_QUEUE]:
        if each.case.owner:
            yield Note("clock.moved", each, each.case.owner)


def _queue(asked, at):
    """The lead goes to the default queue; its clocks go on."""
    handoff = Handoff.objects.select_related("lead").defer("breakdown").get(pk=asked.case.id)
    clock = EscalationStep.Clock(asked.entry[1]).label
    to_queue(handoff, at=at, why=f"{clock} overdue for {duration(asked.step.after)}")


def _run(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []

"""Writes the invention set-wise in one transaction, past nothing: every constraint and trigger looks at every row.

No messages are written: these things are past, and nobody waits to be told of them.
"""

import datetime as dt
import json

from django.db import connection, transaction
from django.db.models import JSONField

from leads import lifecycle
from leads.demo.invent import ACCEPTED, OPEN, WITHDRAWN
from leads.models import Assignment, Decision, Event, Handoff, Lead, Touch
from leads.services.due import Case, Terms
from sla.models import ReasonCode

SIGNALS = ("guide", "webinar", "email_click")


@transaction.atomic(durable=True)
def write(invention, *, who, versions):
    """Insert leads, events, handoffs, assignments, touches and decisions. who: leads.demo.company.people()."""
    _Writer(invention, who, versions).write()


class _Writer:
    def __init__(self, invention, who, versions):
        self.cases, self.nurture, self.who, self.versions = invention.cases, invention.nurture, who, versions
        self.tiers = [{tier.key: tier for tier in version.definition.tiers.all()} for version in versions]
        self.reasons = [{reason.code: reason for reason in version.reasons.all()} for version in versions]

    def write(self):
        people = list({id(one): one for one in [case.person for case in self.cases] + self.nurture}.values())
        people.sort(key=_created)
        self.lead_of = dict(zip(map(id, people), _ids(Lead, len(people)), strict=True))
        insert(Lead, [self._lead(person) for person in people])
        insert(Event, [event for person in people for event in self._events(person)])
        self.cases.sort(key=lambda case: case.qualified_at)
        self.handoff_of = dict(zip(map(id, self.cases), _ids(Handoff, len(self.cases)), strict=True))
        decided = sorted((c for c in self.cases if c.outcome not in (OPEN, WITHDRAWN)), key=lambda c: c.decided_at)
        self.decision_of = dict(zip(map(id, decided), _ids(Decision, len(decided)), strict=True))
        self.due = self._due()
        insert(Handoff, [self._handoff(case) for case in self.cases])
        insert(Assignment, [row for case in self.cases for row in self._assignments(case)])
        insert(Touch, [row for case in self.cases for row in self._touches(case)])
        insert(Decision, [self._decision(case) for case in decided])

    def _lead(self, person):
        created = _created(person)
        return Lead(
            id=self.lead_of[id(person)], **person.facts, recycle_on=person.recycle_on, created_at=created,
            updated_at=created,
        )  # fmt: skip

    def _events(self, person):
        lead = self.lead_of[id(person)]
        return [
            Event(lead_id=lead, kind=kind, occurred_at=when, recorded_at=when, origin="website", properties=properties)
            for kind, when, properties in sorted(person.events, key=lambda event: event[1])
        ]

    def _handoff(self, case):
        facts, evaluation = case.person.facts, case.evaluation
        version = self.versions[case.law]
        return Handoff(
            id=self.handoff_of[id(case)],
            lead_id=self.lead_of[id(case.person)],
            previous_id=case.previous and self.handoff_of[id(case.previous)],
            definition=version.definition,
            sla_version=version,
            tier=self.tiers[case.law][evaluation.tier],
            fit=evaluation.fit,
            behaviour=evaluation.behaviour,
            total=evaluation.total,
            breakdown=evaluation.as_json(),
            source=facts["source"],
            campaign=facts["campaign"],
            channel=facts["channel"],
            industry=facts["industry"],
            employees=facts["employees"],
            qualified_at=case.qualified_at,
            recorded_at=case.qualified_at,
            owner=self.who.reps[case.owner],
            is_historical=case.left,
            **({} if case.left else self.due[id(case)].as_fields()),
            first_touch_at=_first_touch(case, version),
            **self._state(case),
        )

    def _due(self):
        """{id of a case: its Due}, reckoned set-wise under each version."""
        due = {}
        for law, version in enumerate(self.versions):
            cases = [case for case in self.cases if case.law == law]
            asked = [
                Case(self.tiers[law][case.evaluation.tier].pk, self.who.reps[_first_owner(case)], case.qualified_at)
                for case in cases
            ]
            due |= zip(map(id, cases), Terms(version).due_many(asked), strict=True)
        return due

    def _state(self, case):
        if case.outcome == OPEN:
            return {"status": lifecycle.OPEN}
        if case.outcome == WITHDRAWN:
            return {
                "status": lifecycle.WITHDRAWN,
                "withdrawn_at": case.decided_at,
                "withdrawn_by": self._manager(case.owner),
                "withdrawn_why": "Merged with a lead of the same person",
            }
        return {
            "status": lifecycle.ACCEPTED if case.outcome == ACCEPTED else lifecycle.REJECTED,
            "standing_decision_id": self.decision_of[id(case)],
            "decided_at": case.decided_at,
            "reason": self.reasons[case.law].get(case.outcome),
        }

    def _assignments(self, case):
        handoff, at = self.handoff_of[id(case)], case.qualified_at
        first = _first_owner(case)
        yield Assignment(
            handoff_id=handoff, owner=self.who.reps[first], assigned_at=at, recorded_at=at, why="Fewest open leads"
        )
        if case.first_owner is not None:
            manager, later = self._manager(case.owner), at + (case.decided_at - at) / 50
            yield Assignment(
                handoff_id=handoff, owner=self.who.reps[case.owner], assigned_at=later, recorded_at=later,
                assigned_by=manager, why=f"Reassigned by {manager.name}: {self.who.reps[first].name} is away",
            )  # fmt: skip

    def _touches(self, case):
        return [
            Touch(
                handoff_id=self.handoff_of[id(case)], kind=kind, outcome=outcome, occurred_at=when, recorded_at=when,
                touched_by=self.who.reps[case.owner],
            )
            for kind, outcome, when in case.touches
        ]  # fmt: skip

    def _decision(self, case):
        at, reason = case.decided_at, self.reasons[case.law].get(case.outcome)
        return Decision(
            id=self.decision_of[id(case)],
            handoff_id=self.handoff_of[id(case)],
            outcome=Decision.Outcome.REJECTED if reason else Decision.Outcome.ACCEPTED,
            reason=reason,
            note=case.note,
            decided_at=at,
            recorded_at=at,
            decided_by=self.who.reps[case.owner],
            **(self._detail(case, reason) if reason else {}),
        )

    def _detail(self, case, reason):
        """The one answer that the reason asks for."""
        if reason.detail == ReasonCode.Detail.RECYCLE_ON:
            return {"recycle_on": case.recycle_on}
        if reason.detail == ReasonCode.Detail.DUPLICATE_OF:
            return {"duplicate_of_id": self._earlier_lead(case)}
        if reason.detail == ReasonCode.Detail.SIGNAL:
            return {"signal": reason.detail_default or _heaviest(case.evaluation)}
        return {reason.detail: reason.detail_default}

    def _earlier_lead(self, case):
        lead = self.lead_of[id(case.person)]
        return lead - 1 if lead > min(self.lead_of.values()) else lead + 1

    def _manager(self, owner):
        return self.who.managers[self.who.reps[owner].team_id]


def _created(person):
    return min(when for _, when, _ in person.events) - dt.timedelta(minutes=1)


def _first_touch(case, version):
    """The earliest contact that counts under the version."""
    return min((at for kind, outcome, at in case.touches if f"{kind}:{outcome}" in version.touch_kinds), default=None)


def _first_owner(case):
    return case.owner if case.first_owner is None else case.first_owner


def _heaviest(evaluation):
    """The rule that gave most points for behaviour."""
    return max((rule for rule in evaluation.rules if rule.key in SIGNALS), key=lambda rule: rule.points).key


def _ids(model, count):
    """Fresh ids in order: rows that name each other are inserted without a second pass."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def insert(model, rows):
    """COPY the rows: a fifth of the time of INSERT. Rows without an id are numbered by the table's sequence."""
    fields = [f for f in model._meta.concrete_fields if not f.generated and not (f.primary_key and rows[0].pk is None)]
    columns = ", ".join(f.column for f in fields)
    values = [(f.attname, _as_json if isinstance(f, JSONField) else None) for f in fields]
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([write(getattr(row, name)) if write else getattr(row, name) for name, write in values])


def _as_json(value):
    return None if value is None else json.dumps(value)

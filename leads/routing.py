"""Who gets a lead: a routing plan over people, their load and their absences as they stand; it only reads.

A Desk picks owners one after the other and keeps count as it goes. leads.services.route lets it work on the records;
leads.dry_run lets it work on last month's leads.
"""

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from leads.models import AccountOwner, Handoff, RoutingRule
from leads.plan import Law, domain_of, short
from leads.turns import take_turn
from portal.accounts.models import Role, User
from portal.shared.refusal import Refusal

CLAIM_WITHIN = dt.timedelta(hours=1)  # of the default queue while no plan is in force
LONGEST_WHY, MOST_WEIGHTS = 200, 6
HOLDERS = [Role.REP.value, Role.SALES_MANAGER.value]
ANSWERS_FOR_ALL = (Role.SALES_MANAGER, Role.SALES_LEADER, Role.ADMIN)


class NobodyToRoute(Refusal):
    code = "nobody_to_route"
    sentence = "Nobody works here yet, so no lead can be handed over. Add a person under People."


@dataclass(frozen=True)
class Route:
    """Whose lead it is, and why in one line. `claim_within` is set where the lead waits in the default queue."""

    owner: User
    why: str
    rule_id: int | None = None
    claim_within: dt.timedelta | None = None

    @property
    def to_queue(self):
        return self.claim_within is not None

    def on_handoff(self, at):
        """Fields of the Handoff that is made at `at`."""
        return {"owner": self.owner, **queue_fields(at, self.claim_within)}


def queue_fields(at, claim_within):
    """Fields of a Handoff that waits in the default queue from `at`, or of one that does not."""
    if claim_within is None:
        return {"queued_at": None, "queue_due_at": None}
    return {"queued_at": at, "queue_due_at": at + claim_within}


class Seat(NamedTuple):
    """A person who can hold leads, as a desk sees them; `away`: whether they are absent on that day."""

    pk: int
    email: str
    name: str
    roles: list
    team_id: int | None
    is_active: bool
    away: bool

    def user(self):
        """The User, with what else is known of them read when it is asked for."""
        return User.from_db(connection.alias, (*Seat._fields[1:-1], "id"), self[:-1])


# in SQL, for it is asked before every routing: the same people as User.objects.active(), `away` as Absence.on
PEOPLE = """
    SELECT json_agg(json_build_array(u.id, u.email, u.name, u.roles, u.team_id, u.is_active, EXISTS (
        SELECT 1 FROM accounts_absence a WHERE a.person_id = u.id AND a.first_day <= %(day)s AND a.last_day >= %(day)s
        AND (a.back_on IS NULL OR a.back_on > %(day)s))) ORDER BY u.id)::text
    FROM accounts_user u WHERE u.is_active AND u.roles && %(roles)s::varchar[]
"""


def asked_of_people(at):
    """Parameters of PEOPLE."""
    return {"day": timezone.localdate(at, timezone.get_default_timezone()), "roles": HOLDERS}


def people_on(at):
    """{id: Seat} of active people who can hold leads, as they are on that day."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, asked_of_people(at))
        return seated(cursor.fetchone()[0])


@lru_cache(maxsize=8)
def seated(told):
    """{id: Seat} of what PEOPLE tells; nobody changes it, for the next lead finds the same people."""
    return {row[0]: Seat(*row) for row in json.loads(told or "[]")}


def open_leads():
    """Counter {id: open leads in the person's inbox}; what waits in the default queue burdens nobody."""
    with connection.cursor() as cursor:
        cursor.execute(*asked_of_loads())
        return Counter(dict(cursor.fetchall()))


@cache
def asked_of_loads():
    """The statement of `open_leads`: making it outlasts asking it."""
    held = Handoff.objects.in_inbox().filter(queued_at=None).order_by().values_list("owner")
    return held.annotate(Count("pk")).query.sql_with_params()


def queue_owner(wanted=None, *, besides=None):
    """Who answers for the default queue: `wanted` (an id) while active, else a manager, a leader, an admin.

    Refuses NobodyToRoute where nobody works here at all.
    """
    active = User.objects.active().exclude(pk=besides)
    if wanted and (found := active.filter(pk=wanted).first()):
        return found
    for role in ANSWERS_FOR_ALL:
        if found := active.holding(role).order_by("id").first():
            return found
    found = active.order_by("id").first()
    if found is None:
        raise NobodyToRoute
    return found


@dataclass
class Desk:
    """Picks owners in turn. people: {id: Seat}; credits: {rule's id: {id: credit}}.

    `open` is each one's load and counts on with every pick, read when first asked for; `learnt` is what is known of
    accounts, `news` what the picks added to it.
    """

    law: Law | None
    people: dict
    credits: dict = field(default_factory=dict)
    loads: Counter | None = None
    given: Counter = field(default_factory=Counter)  # picks that `loads`, not read yet, will have to count
    learnt: dict = field(default_factory=dict)
    news: dict = field(default_factory=dict)
    besides: int | None = None  # somebody who gets nothing, whatever the rules say

    turned: bool = False  # whether a pick moved the credits
    _queue_owner: User | None = None
    _users: dict = field(default_factory=dict)

    @property
    def open(self):
        if self.loads is None:
            self.loads = open_leads() + self.given
        return self.loads

    def route(self, facts):
        """The Route of a lead with these facts (see facts_of); counts it at once."""
        if self.law is None:
            return self.least_busy("Fewest open leads")
        rule = next((rule for rule in self.law.rules if rule.test(facts)), None)
        if rule is None:
            return self.queue(f"Plan {self.law.number}: no rule fits")
        before = f"Plan {self.law.number}, rule {rule.position}, {rule.text} → {rule.target}"
        pick = Desk._person if rule.person_id else PICKS[rule.method]
        return pick(self, rule, facts, before)

    def route_all(self, many):
        """The Routes of many leads' facts, in order; what is known of their companies is read at once."""
        many = list(many)
        if self.law and any(rule.method == RoutingRule.Method.ACCOUNT for rule in self.law.rules):
            self.learn({domain for facts in many if (domain := domain_of(facts)) not in self.learnt})
        return [self.route(facts) for facts in many]

    def least_busy(self, before, team_id=None):
        """The present rep with room and the fewest open leads, of the team if it has one; else the queue."""
        reps = self._free(lambda one: Role.REP in one.roles)
        reps = [pk for pk in reps if team_id and self.people[pk].team_id == team_id] or reps
        if not reps:
            return self.queue(f"{before}: no rep is there with room")
        who = min(reps, key=lambda pk: (self.open[pk], pk))
        return self._give(who, f"{before}: {self.open[who]}")

    def _person(self, rule, facts, before):
        if rule.person_id in self._free(lambda one: one.pk == rule.person_id):
            return self._give(rule.person_id, before, rule)
        return self.queue(f"{before}, who is {self._why_not(rule.person_id)}", rule)

    def _round_robin(self, rule, facts, before):
        reps = self._members(rule)
        if not reps:
            return self._nobody(rule, before)
        weights = {pk: rule.weights.get(pk, 1) for pk in sorted(reps)}
        self.turned = True
        who = take_turn(self.credits.setdefault(rule.pk, {}), weights)
        return self._give(who, f"{before}; {_ratio(weights)}; {self._name(who)}’s turn", rule)

    def _least_loaded(self, rule, facts, before):
        reps = self._members(rule)
        if not reps:
            return self._nobody(rule, before)
        who = min(reps, key=lambda pk: (self.open[pk], pk))
        return self._give(who, f"{before}; fewest open leads: {self.open[who]}", rule)

    def _account(self, rule, facts, before):
        domain = domain_of(facts)
        if not domain:
            return self._round_robin(rule, facts, f"{before}; no company domain")
        named = self.law.named.get(domain)
        owner = named or self._known(domain)
        # a named owner may sit in another team; a learnt one has to be of this one
        if owner in (self._free(lambda one: one.pk == named) if named else self._members(rule)):
            return self._give(owner, f"{before}; {'named owner' if named else 'owner'} of {domain}", rule)
        found = self._round_robin(
            rule, facts, f"{before}; {domain} {'has an owner who is not free' if owner else 'is new'}"
        )
        if not found.to_queue and not owner:
            self.learnt[domain] = self.news[domain] = found.owner.pk
        return found

    def _known(self, domain):
        if domain not in self.learnt:
            self.learn([domain])
        return self.learnt[domain]

    def learn(self, domains):
        """Read who looks after these companies, in one query."""
        self.learnt |= dict.fromkeys(domains)
        self.learnt |= dict(AccountOwner.objects.filter(domain__in=domains).values_list("domain", "owner"))

    def _members(self, rule):
        """Ids of the team's reps who may get a lead now."""
        return self._free(
            lambda one: one.team_id == rule.team_id and Role.REP in one.roles and rule.weights.get(one.pk, 1) > 0
        )

    def _free(self, wanted):
        """Ids of people who are there, have room and are `wanted`."""
        return [
            pk
            for pk, one in self.people.items()
            if not one.away and pk != self.besides and wanted(one) and not self._is_full(pk)
        ]

    def _is_full(self, pk):
        most = self.law and self.law.capacities.get(pk, self.law.most_open)
        return most is not None and self.open[pk] >= most

    def _give(self, pk, why, rule=None):
        (self.given if self.loads is None else self.loads)[pk] += 1
        if pk not in self._users:
            self._users[pk] = self.people[pk].user()
        return Route(self._users[pk], short(why, LONGEST_WHY), rule and rule.pk)

    def _nobody(self, rule, before):
        """The queue, and why: how many of the team are away, full or without a turn."""
        team = [pk for pk, one in self.people.items() if one.team_id == rule.team_id and Role.REP in one.roles]
        reasons = [self._why_not(pk, rule.weights.get(pk, 1)) for pk in team]
        counted = [f"{reasons.count(reason)} {reason}" for reason in dict.fromkeys(reasons)]
        return self.queue(f"{before}: nobody free ({', '.join(counted) or 'no rep in the team'})", rule)

    def _why_not(self, pk, weight=1):
        if pk not in self.people or pk == self.besides:
            return "not active"
        return "away" if self.people[pk].away else "with weight 0" if not weight else "full"

    def queue(self, why, rule=None):
        """The Route into the default queue."""
        if self._queue_owner is None:
            self._queue_owner = queue_owner(self.law and self.law.queue_owner_id, besides=self.besides)
        text = short(why, LONGEST_WHY - 16)
        within = self.law.claim_within if self.law else CLAIM_WITHIN
        return Route(self._queue_owner, f"{text}: default queue", rule and rule.pk, within)

    def _name(self, pk):
        return short(self.people[pk].name, 40)


PICKS = {
    RoutingRule.Method.ROUND_ROBIN: Desk._round_robin,
    RoutingRule.Method.LEAST_LOADED: Desk._least_loaded,
    RoutingRule.Method.ACCOUNT: Desk._account,
}


def _ratio(weights):
    """ "round robin 2:1:1"; of many people only how many."""
    if len(weights) > MOST_WEIGHTS:
        return f"round robin of {len(weights)}"
    return f"round robin {':'.join(map(str, weights.values()))}"

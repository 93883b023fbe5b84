"""Invents the leads: pure and seeded, so the same instant gives the same company; every score is a real evaluation.

The outcome is drawn first, from the month's and the source's figures; then facts and behaviour that explain it, until
the definition in force really lifts the lead over a threshold.
"""

import datetime as dt
from dataclasses import dataclass, field
from random import Random
from zoneinfo import ZoneInfo

from leads.demo import words
from sla import scoring
from sla.clock import WorkingHours
from sla.starter import WEEK

SEED = 20240112
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
OPENING, CLOSING = 8, 18  # the office, hours of the day in its own zone
EARLIEST, LATEST = 7, 21  # when somebody answers on a telephone
OPEN, WITHDRAWN, ACCEPTED = "open", "withdrawn", "accepted"
NURTURE_A_MONTH = 75
RETURNS_AFTER, RETURNING, WITHDRAWN_SHARE, REASSIGNED_SHARE = 120 * DAY, 0.02, 0.003, 0.03

LEFT_EVERY = 25  # one in so many MQLs of a past month was never decided
IN_TIME_AFTER_ALL = 0.75  # share of late first contacts that somebody makes in time instead

# what the inboxes hold now: tier, contacted?, working minutes until the next due time (negative: overdue), by rep
OVERDUE = (("standard", False, -35), ("standard", True, -150))
SOON = (("hot", False, 9), ("standard", False, 26), ("standard", True, 48), ("hot", False, 41))
LATER = (
    ("hot", True, 95), ("standard", False, 140), ("standard", False, 215), ("standard", True, 290),
    ("hot", True, 370), ("standard", False, 395), ("standard", False, 440), ("hot", True, 480),
    ("standard", False, 505), ("standard", False, 530), ("standard", True, 860), ("standard", True, 1240),
    ("standard", True, 1610), ("standard", True, 1990), ("standard", True, 2350), ("standard", True, 2600),
)  # fmt: skip
INBOXES = ((1, 3, 10), (1, 1, 10), (1, 2, 12), (1, 1, 9), (2, 2, 14), (1, 1, 11))  # overdue, within the hour, later
# promised in working time; decisions usually take a part of USUAL, in elapsed time
CONTACT = {"hot": HOUR, "standard": 10 * HOUR}
DECISION = {"hot": 10 * HOUR, "standard": 50 * HOUR}
USUAL = {"hot": DAY, "standard": 5 * DAY}


@dataclass
class Person:
    """A lead: facts as in leads.models.lead.FACTS, and what it did: (kind, instant, properties)."""

    facts: dict
    events: list = field(default_factory=list)
    recycle_on: dt.date | None = None


@dataclass
class Case:
    """One handoff: `outcome` is open, accepted, withdrawn or a reason code; owners and law are positions in lists."""

    person: Person
    law: int
    qualified_at: dt.datetime
    evaluation: scoring.Evaluation
    owner: int
    outcome: str
    touches: list = field(default_factory=list)  # (kind, outcome, instant)
    decided_at: dt.datetime | None = None
    note: str = ""
    recycle_on: dt.date | None = None
    first_owner: int | None = None
    previous: "Case | None" = None
    left: bool = False  # of a past month and still undecided: it came with history, outside every inbox


class Invention:
    """Thirteen months that end at `at` (aware).

    laws: (in force from, definition); hours: the office's calendar as a document; `share` scales the volume.
    """

    def __init__(self, *, at, laws, zone: ZoneInfo, hours=None, share=1.0):
        self.at, self.zone, self.share = at, zone, share
        self.office = WorkingHours.from_json(hours or {"zone": zone.key, "week": WEEK})
        self.laws = [(begins, scoring.compile(definition, zone=zone)) for begins, definition in laws]
        self.random = Random(SEED)  # noqa: S311 (an invention, not a secret)
        self.mailboxes: set[str] = set()
        self.cases: list[Case] = []
        self.nurture: list[Person] = []
        self.may_return: list[Case] = []

    def all(self):
        """Fill `cases` and `nurture`; returns self."""
        for position, (begins, ends) in enumerate(months(self.at, self.zone)):
            self._month(position, begins, ends)
        self._inboxes()
        return self

    # --- a month ------------------------------------------------------------------------------
    def _month(self, position, begins, ends):
        mqls, accepted, categories = words.MONTHS[position]
        whole = (next_month(begins, self.zone) - begins) / DAY
        part = min(1.0, (ends - begins) / DAY / whole) * self.share
        mix = self._mix(position)
        lift = accepted / sum(mqls * share * self._rate(s) for s, share in enumerate(mix))
        for turn in range(round(mqls * part)):
            moment = self._moment(begins, ends)
            if self.at - moment < HOUR:
                continue
            source = self.random.choices(range(len(mix)), mix)[0]
            if ends < self.at and turn % LEFT_EVERY == LEFT_EVERY // 2:
                self._left(source, moment)
                continue
            outcome = self._outcome(source, lift, categories)
            self._decided(source, outcome, moment)
        for _ in range(round(NURTURE_A_MONTH * part)):
            self._below_threshold(self._moment(begins, ends))

    def _mix(self, position):
        """Shares of MQLs by source: content grows over the year."""
        growth = 0.68 + 0.32 * min(position, 11) / 11
        weights = [
            n * (growth if source in ("Webinar", "Guide download") else 1)
            for source, n in zip(words.SOURCES, words.DELIVERED, strict=True)
        ]
        return [weight / sum(weights) for weight in weights]

    def _rate(self, source):
        return words.ACCEPTED[source] / words.DELIVERED[source]

    def _outcome(self, source, lift, categories):
        if self.random.random() < WITHDRAWN_SHARE:
            return WITHDRAWN
        if self.random.random() < min(0.9, self._rate(source) * lift):
            return ACCEPTED
        late = words.MONTHS[11][2]
        weights = [
            by_source[source] * categories[words.CATEGORY[code[0]]] / late[words.CATEGORY[code[0]]]
            for code, by_source in words.REASONS.items()
        ]
        return self.random.choices(list(words.REASONS), weights)[0]

    def _moment(self, begins, ends):
        """An instant with the rhythm of a week: few at weekends, most in office hours."""
        days = max(1, round((ends - begins) / DAY))
        for _ in range(50):
            day = (begins.astimezone(self.zone) + self.random.randrange(days) * DAY).date()
            if day.weekday() >= 5 and self.random.random() > 0.12:
                continue
            hour = self.random.choices(
                range(24), [1, 0, 0, 0, 0, 1, 3, 8, 16, 20, 21, 18, 12, 17, 19, 18, 14, 9, 6, 5, 5, 4, 3, 2]
            )[0]
            moment = dt.datetime.combine(day, dt.time(hour), self.zone) + self.random.randrange(3600) * dt.timedelta(
                seconds=1
            )
            if begins <= moment < ends:
                return moment.astimezone(dt.UTC)
        return begins + (ends - begins) * self.random.random()

    # --- one case -----------------------------------------------------------------------------
    def _decided(self, source, outcome, moment):
        back = self._who_returns(moment)
        person = back.person if back else self._person(source, outcome)
        law, evaluation = self._qualify(person, source, outcome, moment)
        if evaluation.tier is None:
            return
        case = Case(person, law, moment, evaluation, self._owner(), outcome, previous=back)
        if self.random.random() < REASSIGNED_SHARE:
            case.first_owner = self.random.choice(
                [n for n in range(6) if n != case.owner and n // 3 == case.owner // 3]
            )
        self._work(case)
        self.cases.append(case)
        if outcome.startswith("2"):
            self.may_return.append(case)

    def _left(self, source, moment):
        """A lead of the past that nobody decided; half of them were tried once."""
        person = self._person(source, OPEN)
        law, evaluation = self._qualify(person, source, OPEN, moment)
        if evaluation.tier is None:
            return
        case = Case(person, law, moment, evaluation, self._owner(), OPEN, left=True)
        if self.random.random() < 0.5:
            case.touches = self._touches(self._in_office(moment + self.random.uniform(1, 60) * HOUR), 1, reached=False)
        self.cases.append(case)

    def _who_returns(self, moment):
        """Now and then a lead that was too early comes back as a new cycle."""
        if self.random.random() > RETURNING:
            return None
        ready = [n for n, case in enumerate(self.may_return[:60]) if case.decided_at < moment - RETURNS_AFTER]
        return self.may_return.pop(self.random.choice(ready)) if ready else None

    def _owner(self):
        return self.random.choices(range(6), (104, 98, 112, 89, 118, 91))[0]

    def _qualify(self, person, source, outcome, moment, tier=None):
        """Let the person act until the definition lifts them over a threshold (of `tier`); (law, evaluation)."""
        law = max(n for n, (begins, _) in enumerate(self.laws) if begins <= moment)
        scorer = self.laws[law][1]
        wanted = [(kind, moment - self._lately(outcome)) for kind in self._behaviour(source, outcome)]
        for more in range(14):
            person.events += [self._event(person, kind, when) for kind, when in wanted]
            seen = [scoring.Event(kind, when, properties) for kind, when, properties in person.events]
            score = scorer(person.facts | {"attributes": {}}, seen, moment)
            if score.tier and (tier is None or score.tier == tier):
                break
            if tier == "standard" and score.tier == "hot":
                break
            wanted = [(self._one_more(source, outcome, more), moment - self._lately(outcome))]
        self._latest_is(person, moment)
        seen = [scoring.Event(kind, when, properties) for kind, when, properties in person.events]
        return law, scorer.evaluate(person.facts | {"attributes": {}}, seen, moment)

    def _latest_is(self, person, moment):
        """The last thing a lead did is what lifted it: it happened just then."""
        if person.events:
            last = max(range(len(person.events)), key=lambda n: person.events[n][1])
            kind, _, properties = person.events[last]
            person.events[last] = (kind, moment - dt.timedelta(seconds=2), properties)

    def _behaviour(self, source, outcome):
        """Kinds of events that a lead of this source starts with."""
        pick = self.random.randint
        content = ["guide_downloaded"] * pick(1, 3) + ["webinar_attended"] * pick(0, 2)
        if outcome in ("41", "42", "43"):
            return content + ["email_clicked"] * pick(0, 2)
        return {
            "Demo request": ["page_viewed", "form_submitted"] + ["pricing_viewed"] * pick(0, 3),
            "ROI calculator": ["page_viewed", "roi_completed"] + ["pricing_viewed"] * pick(0, 3),
            "Webinar": ["webinar_attended", *["guide_downloaded"] * pick(0, 1), "email_clicked"],
            "Guide download": ["guide_downloaded"] * pick(1, 2) + ["email_clicked"] * pick(0, 2),
            "Trade fair": ["fair_visited"] + ["email_clicked"] * pick(0, 3),
            "Paid search": ["page_viewed"] * pick(1, 3) + ["pricing_viewed"] * pick(1, 3),
            "Partner referral": ["referred"] + ["pricing_viewed"] * pick(0, 2),
        }[words.SOURCES[source]]

    def _one_more(self, source, outcome, more):
        if outcome == "41" or words.SOURCES[source] in ("Webinar", "Guide download"):
            return ("guide_downloaded", "webinar_attended", "guide_downloaded")[more % 3]
        return ("pricing_viewed", "roi_completed", "guide_downloaded", "pricing_viewed", "webinar_attended")[more % 5]

    def _lately(self, outcome):
        """How long before the handoff: old activity for reason 42."""
        days = self.random.uniform(32, 58) if outcome == "42" else self.random.expovariate(1 / 6)
        return min(days, 60) * DAY

    def _event(self, person, kind, when):
        pages = {"page_viewed": "/product/", "pricing_viewed": "/pricing/"}
        if kind in pages:
            return kind, when, {"page": pages[kind]}
        if kind in ("guide_downloaded", "webinar_attended"):
            titles = words.CAMPAIGNS["Guide download" if kind == "guide_downloaded" else "Webinar"]
            return kind, when, {"title": self.random.choice(titles)}
        return kind, when, {"campaign": person.facts["campaign"]} if kind in ("fair_visited", "referred") else {}

    # --- who it is ----------------------------------------------------------------------------
    def _person(self, source, outcome):
        """Facts that explain the outcome; beside it one in four has another weak spot."""
        random = self.random
        weak = {"11": "size", "12": "industry", "13": "title", "14": "country"}.get(outcome)
        if weak is None and random.random() < (0.12 if outcome == ACCEPTED else 0.3):
            weak = random.choice(("size", "industry", "title", "country"))
        industries = words.OTHER_INDUSTRIES if weak == "industry" else words.INDUSTRIES
        countries = words.OTHER_COUNTRIES if weak == "country" else words.COUNTRIES
        industry, country = random.choice(list(industries)), random.choice(list(countries))
        name = random.choice(words.COMPANY_HEADS) + random.choice(words.COMPANY_TAILS)
        first, last = random.choice(words.FIRST_NAMES), random.choice(words.LAST_NAMES)
        if outcome == "33":
            first, last = random.choice((("Test", "Test"), ("Asdf", "Qwer"), ("Nobody", "Atall")))
        source_name = words.SOURCES[source]
        return Person(
            {
                "external_id": None,
                "email": self._mailbox(first, last, name),
                "phone": f"{words.DIALLING.get(country, '+00')} 555 {random.randrange(10**4, 10**5)}",
                "first_name": first,
                "last_name": last,
                "title": random.choice(words.OTHER_TITLES if weak == "title" else words.TITLES),
                "company": f"{name} {random.choice(industries[industry])}",
                "domain": f"{name.lower()}.example",
                "employees": random.randrange(6, 190) if weak == "size" else int(200 * 24 ** random.random()) + 5,
                "industry": industry,
                "country": country,
                "region": countries[country],
                "product": random.choice(words.PRODUCTS),
                "source": source_name,
                "campaign": random.choice(words.CAMPAIGNS[source_name]),
                "channel": words.CHANNELS[source],
            }
        )

    def _mailbox(self, first, last, company):
        local, n = f"{first}.{last}".lower(), 1
        address = f"{local}@{company.lower()}.example"
        while address in self.mailboxes:
            n += 1
            address = f"{local}{n}@{company.lower()}.example"
        self.mailboxes.add(address)
        return address

    def _below_threshold(self, moment):
        """A lead that did too little: it waits in nurture."""
        source = self.random.choices(range(7), (1, 2, 8, 9, 4, 5, 1))[0]
        person = self._person(source, self.random.choice(("11", "12", "13", "14")))
        if self.random.random() < 0.6:
            person.facts["title"] = self.random.choice(words.OTHER_TITLES)
        kinds = self.random.choices(("page_viewed", "guide_downloaded", "email_clicked"), k=self.random.randint(1, 3))
        person.events = [self._event(person, kind, moment - n * 3 * DAY) for n, kind in enumerate(kinds)]
        seen = [scoring.Event(*event) for event in person.events]
        if self.laws[-1][1](person.facts | {"attributes": {}}, seen, self.at).tier is None:
            self.nurture.append(person)

    # --- what sales does ------------------------------------------------------------------------
    def _work(self, case):
        """Contact attempts and the decision, all before now."""
        moment = case.qualified_at
        first = self._first_touch(case)
        if first:
            case.touches = self._touches(
                first,
                3 if case.outcome == "34" else self.random.choices((1, 2, 3), (6, 3, 1))[0],
                reached=case.outcome != "34",
            )
        start = case.touches[-1][2] if case.touches else moment
        usual = USUAL[case.evaluation.tier]
        decided = max(start + self.random.randint(4, 50) * MINUTE, moment + usual * self.random.betavariate(1.3, 3.6))
        if self.random.random() < 0.06:
            decided += usual
        self._not_after_now(case, self._in_office(decided))
        case.note = self.random.choice(words.NOTES.get(case.outcome, ("",)))
        if case.outcome != "41" and self.random.random() < 0.5:
            case.note = ""
        weeks = {"21": 26, "22": 52, "23": self.random.randint(20, 70)}.get(case.outcome)
        if weeks:
            case.recycle_on = (case.decided_at + weeks * 7 * DAY).date()
        # whose day has passed was looked at then: nobody comes back all at once on the first day of the demo
        ahead = case.recycle_on and case.recycle_on > self.at.date()
        case.person.recycle_on = case.recycle_on if ahead else None

    def _first_touch(self, case):
        """Quick contact goes with acceptance, as in the figures; the night and the weekend wait for the morning."""
        won = case.outcome == ACCEPTED
        weights = [yes if won else all_ - yes for _, all_, yes in words.SPEED]
        if case.outcome == "34":
            weights[-1] = 0
        slot = self.random.choices(range(6), weights)[0]
        most = words.SPEED[slot][0]
        if most is None:
            return None
        if case.evaluation.tier == "hot":
            most = min(most, 60) if self.random.random() < 0.8 else most
        least = words.SPEED[slot - 1][0] if slot and words.SPEED[slot - 1][0] < most else 1
        touched = self._in_office(case.qualified_at + self.random.uniform(least, most) * MINUTE)
        within = CONTACT[case.evaluation.tier]
        if touched > case.qualified_at + within and self.random.random() < IN_TIME_AFTER_ALL:
            return self._in_time(case.qualified_at, within) or touched
        return touched

    def _in_time(self, moment, within):
        """An instant within the time, between the early morning and the evening; None where none is found."""
        for _ in range(8):
            found = moment + within * self.random.uniform(0.05, 0.97)
            if EARLIEST <= found.astimezone(self.zone).hour < LATEST:
                return found
        return None

    def _touches(self, first, attempts, *, reached=True):
        """Attempts from `first` on; the first of them is a contact where `reached`."""
        made, when = [], first
        for n in range(attempts):
            kind = self.random.choices(("call", "email", "meeting", "message"), (6, 4, 1, 1))[0]
            outcome = {"email": "sent", "message": "sent", "meeting": "reached"}.get(kind)
            answered = self.random.choice(("no_answer", "voicemail", "reached"))
            made.append((kind, outcome or ("reached" if reached and not n else answered), when))
            when = self._in_office(when + self.random.uniform(20, 900) * MINUTE) if n + 1 < attempts else when
        return made

    def _in_office(self, moment):
        """The moment, or the next opening of the office after it (one in eight works on anyway)."""
        local = moment.astimezone(self.zone)
        if self.random.random() < 0.12 or (local.weekday() < 5 and OPENING <= local.hour < CLOSING):
            return moment
        day = local.date() + (DAY if local.hour >= CLOSING else 0 * DAY)
        while day.weekday() >= 5:
            day += DAY
        opening = dt.datetime.combine(day, dt.time(OPENING), self.zone) + self.random.randint(1, 80) * MINUTE
        return max(moment, opening.astimezone(dt.UTC))

    def _not_after_now(self, case, decided):
        """What would happen only tomorrow happened faster, so that the past is past."""
        if decided > self.at - MINUTE:
            squeeze = (self.at - MINUTE - case.qualified_at) / (decided - case.qualified_at)
            case.touches = [
                (k, o, case.qualified_at + (when - case.qualified_at) * squeeze) for k, o, when in case.touches
            ]
            decided = case.qualified_at + (decided - case.qualified_at) * squeeze
        case.decided_at = decided

    # --- what waits now ---------------------------------------------------------------------------
    def _inboxes(self):
        for owner, (overdue, soon, later) in enumerate(INBOXES):
            step = owner % 3  # not every inbox alike
            for tier, contacted, minutes in OVERDUE[:overdue] + SOON[:soon] + (LATER[step:] + LATER[:step])[:later]:
                minutes += self.random.randint(-4, 4) if abs(minutes) < 60 else self.random.randint(-30, 30)
                self._waiting(owner, tier, contacted, minutes)

    def _waiting(self, owner, tier, contacted, minutes):
        """An open handoff whose next clock runs out in so many working minutes from now."""
        within = (DECISION if contacted else CONTACT)[tier]
        moment = self._begun(minutes, within)
        for _ in range(60):
            source = self.random.choice((0, 0, 1)) if tier == "hot" else self.random.choice((1, 2, 2, 3, 3, 4, 5, 6))
            person = self._person(source, ACCEPTED if tier == "hot" else self.random.choice(("41", "21", ACCEPTED)))
            law, evaluation = self._qualify(person, source, OPEN, moment, tier=tier)
            if evaluation.tier == tier:
                break
        case = Case(person, law, moment, evaluation, owner, OPEN)
        if contacted:
            first = moment + (self.at - moment) * self.random.uniform(
                0.02, min(0.6, CONTACT[tier] / (self.at - moment))
            )
            case.touches = self._touches_before_now(first)
        self.cases.append(case)

    def _begun(self, minutes, within):
        """When a clock of `within` working time began that runs out so many working minutes from now.

        At night and at weekends these are minutes of the last working hours, or of the next.
        """
        return min(self.office.add(self.at, minutes * MINUTE - within), self.at - (abs(minutes) % 9 + 1) * MINUTE)

    def _touches_before_now(self, first):
        return [touch for touch in self._touches(first, self.random.choice((1, 1, 2))) if touch[2] < self.at]


def months(at, zone):
    """(first instant, end) of the twelve whole months before `at` and of the month so far, in the zone, as UTC."""
    local = at.astimezone(zone)
    starts = []
    for back in range(12, -1, -1):
        year, month = divmod(local.year * 12 + local.month - 1 - back, 12)
        starts.append(dt.datetime(year, month + 1, 1, tzinfo=zone).astimezone(dt.UTC))
    return list(zip(starts, [*starts[1:], at], strict=True))


def next_month(begins, zone):
    local = (begins + 32 * DAY).astimezone(zone)
    return dt.datetime(local.year, local.month, 1, tzinfo=zone).astimezone(dt.UTC)

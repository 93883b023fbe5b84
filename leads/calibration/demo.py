"""Two rounds of deals at Tarnwick, by the real verbs: one marked to its end, one that waits for its people."""

import datetime as dt
from random import Random

from leads.calibration.annotation import mark_item, start_round, waiting_for
from leads.calibration.models import RoundItem
from leads.calibration.models.annotation import NO, UNKNOWN, YES
from leads.demo import words
from leads.demo.company import office_day
from leads.demo.deals import fits_in_size
from leads.periods import Month, Months
from portal.outbox.deliver import deliver_due

SEED = 20240114
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
SIZES = ((20, 20), (25, 25))  # won and lost deals of the two rounds
LEFT_AFTER = 9  # deals of the second one that somebody has marked
ALIKE = 0.9  # share of answers in which the second person says what the first one says
READY = {RoundItem.WON: {"budget": 0.7, "authority": 0.75, "need": 0.95, "timeline": 0.75},
         RoundItem.LOST: {"budget": 0.5, "authority": 0.5, "need": 0.3, "timeline": 0.45}}  # fmt: skip
REGIONS = set(words.COUNTRIES.values())
TAGS = {  # what somebody says, of which share of won and of lost deals
    "named a go-live date": (0.55, 0.05), "asked for a price": (0.5, 0.25), "collects ideas": (0.05, 0.4),
}  # fmt: skip


def go_on(who, *, at, zone):
    """Rounds drawn before `at` (aware) by the marketer, as far as the deals go; returns the Rounds."""
    pairs = (("Maren Oduya", "Sanna Whitlock"), ("Noor Belhadi", "Dmitri Abara"))
    drawn = []
    for (won, lost), names, days in zip(SIZES, pairs, (20, 3), strict=True):
        when, people = office_day(at - days * DAY), [who.by_name[name] for name in names]
        months = Months.until(Month.of(when, zone), 12)
        deals = RoundItem.objects.count()
        drawn.append(
            start_round(
                months=months, annotators=people, seed=f"{SEED + deals:x}", won=won, lost=lost, shows_score=True,
                by=who.marketer, at=when, zone=zone,
            )
        )  # fmt: skip
        deliver_due(at=when)
    finished, begun = drawn
    _mark(finished, finished.annotators.order_by("place"), finished.size)
    _mark(begun, begun.annotators.filter(place=1), LEFT_AFTER)
    deliver_due(at=at)
    return drawn


def _mark(made, annotators, most):
    """The first `most` items, marked by each of the annotators a minute apart."""
    chance = Random(SEED)  # noqa: S311 (an invention, not a secret)
    people = [each.person for each in annotators.select_related("person")]
    for item in waiting_for(people[0], made).select_related("handoff__lead")[:most]:
        said, tags = _answers(item, made, chance), _tags(item, chance)
        for place, person in enumerate(people):
            answers = said if place == 0 else {key: _second(value, chance) for key, value in said.items()}
            at = made.drawn_at + (place + 1) * HOUR + item.position * MINUTE
            spoken = [tag for tag in tags if place == 0 or chance.random() < ALIKE]
            mark_item(
                number=made.number, position=item.position, answers=answers, words=", ".join(spoken), by=person, at=at
            )


def _answers(item, made, chance):
    handoff = item.handoff
    facts = {
        "size": fits_in_size(handoff.employees), "industry": handoff.industry in words.INDUSTRIES,
        "role": handoff.lead.title in words.TITLES, "region": handoff.lead.region in REGIONS,
    }  # fmt: skip
    shares = READY[item.outcome]
    ready = {key: UNKNOWN if chance.random() < 0.1 else _yes(chance.random() < share) for key, share in shares.items()}
    return ready | {key: _yes(fits) for key, fits in facts.items()}


def _second(value, chance):
    return value if chance.random() < ALIKE else chance.choice((YES, NO, UNKNOWN))


def _tags(item, chance):
    lost = item.outcome == RoundItem.LOST
    return [tag for tag, shares in TAGS.items() if chance.random() < shares[lost]]


def _yes(truth):
    return YES if truth else NO

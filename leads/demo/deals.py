"""What became of Tarnwick's accepted leads: deals won, lost and open, with a truth behind them that can be found.

Companies of the right size and trade whose operations people ask win more often; content sources win less. Written
set-wise, past nothing: the table's checks and its trigger look at every row.
"""

import datetime as dt
from decimal import Decimal
from math import exp
from random import Random

from leads.demo import words
from leads.demo.write import insert
from leads.models import Deal, Handoff

SEED = 20240113
DAY = dt.timedelta(days=1)
ASKED_FOR_OFFERS = 0.84  # share of accepted leads that became an opportunity
BASE = -3.4
ODDS = {"size": 1.1, "industry": 0.7, "title": 0.9}  # log odds of being won
OF_SOURCE = {"Demo request": 0.6, "Partner referral": 0.7, "Webinar": -0.5, "Guide download": -0.7}
DAYS_TO_CLOSE = (38.0, 0.7)  # median, spread of the logarithm
LOSSES = {"timing": 30, "price": 22, "competitor": 18, "no_decision": 16, "fit": 14}
WANTED = ("id", "lead_id", "owner_id", "decided_at", "source", "industry", "employees", "lead__title", "lead__product")


def write_deals(*, at):
    """Deals of the handoffs accepted before `at` (aware); returns how many. The same handoffs give the same deals."""
    chance = Random(SEED)  # noqa: S311 (an invention, not a secret)
    accepted = Handoff.objects.filter(status=Handoff.Status.ACCEPTED).order_by("qualified_at", "pk")
    deals = [deal for row in accepted.values(*WANTED) if (deal := _deal(row, chance, at))]
    if deals:
        insert(Deal, deals)
    return len(deals)


def _deal(row, chance, at):
    opened = row["decided_at"] + chance.uniform(1, 9) * DAY
    length = chance.lognormvariate(0, DAYS_TO_CLOSE[1]) * DAYS_TO_CLOSE[0]
    drawn, won = chance.random(), chance.random() < _chance_to_win(row)
    amount, lost_for = _amount(row, chance), chance.choices(list(LOSSES), LOSSES.values())[0]
    if drawn > ASKED_FOR_OFFERS or opened >= at:
        return None
    closed = opened + length * DAY
    outcome = "open" if closed >= at else "won" if won else "lost"
    ended = outcome != "open"
    return Deal(
        lead_id=row["lead_id"], handoff_id=row["id"], outcome=outcome, amount=amount, currency="EUR",
        product=row["lead__product"], loss_reason=lost_for if outcome == "lost" else "", opened_at=opened,
        closed_at=closed if ended else None, via=Deal.Via.PAGE, recorded_at=closed if ended else opened,
        recorded_by_id=row["owner_id"],
    )  # fmt: skip


def _chance_to_win(row):
    odds = BASE + OF_SOURCE.get(row["source"], 0.0)
    odds += ODDS["size"] * fits_in_size(row["employees"])
    odds += ODDS["industry"] * (row["industry"] in words.INDUSTRIES)
    odds += ODDS["title"] * (row["lead__title"] in words.TITLES)
    return 1 / (1 + exp(-odds))


def fits_in_size(employees):
    """Whether Tarnwick's product is made for companies of this size."""
    return 200 <= (employees or 0) < 2000


def _amount(row, chance):
    """A yearly licence by the size of the company, in whole hundreds."""
    seats = min(row["employees"] or 100, 3000) ** 0.6
    return Decimal(round(seats * chance.uniform(2.2, 5.4)) * 100)

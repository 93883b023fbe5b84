"""The verbs of a round: draw won and lost deals by chance, and mark one of them."""

import re

from django.db import transaction
from django.db.models import Count, Max
from django.shortcuts import get_object_or_404

from leads import figures, figures_deals
from leads.calibration import as_known, drawing
from leads.calibration.models import Annotator, Mark, Round, RoundItem
from leads.calibration.models.annotation import ANSWERS
from leads.calibration.readiness import FIT, READINESS
from leads.models import Deal
from leads.models.deal import TIMING
from portal.accounts.permissions import May, may, require
from portal.outbox.services import tell
from portal.shared.locks import wait_for_others
from portal.shared.refusal import NotPermitted, Refusal

SIZE = 50  # won, and as many lost
ASKED = (
    ("budget", "Did they have the budget?", READINESS),
    ("authority", "Could this person decide, or bring who does?", READINESS),
    ("need", "Did they have the need that we serve?", READINESS),
    ("timeline", "Did they want it soon?", READINESS),
)
FITTING = (
    ("size", "Does the size of the company fit?", FIT),
    ("industry", "Does the industry fit?", FIT),
    ("role", "Does the role of the person fit?", FIT),
    ("region", "Does the region fit?", FIT),
)
MOST_TAGS, LONGEST_TAG, MOST_QUESTIONS = 12, 60, 8


class TwoPeople(Refusal):
    code = "two_people"
    sentence = "Two different people of sales mark a round. Nothing was drawn."
    field = "second"


class NothingToCompare(Refusal):
    code = "nothing_to_compare"
    sentence = "These months have no won or no lost deal that was not drawn already. Nothing was drawn."


class AnswersMissing(Refusal):
    code = "answers_missing"
    sentence = "Answer each question; “unknown” is an answer too. Nothing was saved."


class TooManyTags(Refusal):
    code = "too_many_tags"
    sentence = f"At most {MOST_TAGS} tags of {LONGEST_TAG} characters each. Nothing was saved."
    field = "words"


@transaction.atomic(durable=True)
def start_round(
    *, months, annotators, seed, by, at, zone, won=SIZE, lost=SIZE, is_blind=True, shows_score=False, fitting=()
):
    """Draw up to `won` and `lost` deals of the handoffs qualified in a periods.Months. Returns the Round.

    Each kind is drawn in proportion to source and size band (calibration.drawing); a handoff is drawn once, whatever
    the round. Where the round is blind, leads that one of the two annotators holds are left out: they know.
    fitting: further questions of fit, in words. Refuses: NotPermitted, TwoPeople, NothingToCompare.
    """
    require(by, May.START_ROUNDS)
    if len({each.pk for each in annotators}) != 2 or not all(may(each, May.ANNOTATE) for each in annotators):
        raise TwoPeople
    wait_for_others("calibration.round")
    known = annotators if is_blind else ()
    strata = {state: _strata(state, months, known, at, zone) for state in (RoundItem.WON, RoundItem.LOST)}
    sizes = {RoundItem.WON: won, RoundItem.LOST: lost}
    drawn = {state: drawing.draw(found, sizes[state], seed) for state, found in strata.items()}
    if not all(drawn.values()):
        raise NothingToCompare
    made = Round.objects.create(
        number=(Round.objects.aggregate(last=Max("number"))["last"] or 0) + 1, seed=seed,
        won=len(drawn[RoundItem.WON]), lost=len(drawn[RoundItem.LOST]),
        population_won=_size(strata[RoundItem.WON]), population_lost=_size(strata[RoundItem.LOST]),
        qualified_from=months.begin.first, qualified_to=months.end.first, is_blind=is_blind, shows_score=shows_score,
        questions=questions(fitting), drawn_at=at, drawn_by=by,
    )  # fmt: skip
    RoundItem.objects.bulk_create(_items(made, drawn, strata))
    _name(made, annotators, at)
    return made


@transaction.atomic(durable=True)
def mark_item(*, number, position, answers, by, at, signals=(), words=""):
    """What one of the two saw in an item; said again it is a correction, which supersedes. Returns the Mark.

    answers: {question: yes, no or unknown}; signals: keys of as_known.shown that mattered; words: tags, with commas
    between. The same again changes nothing. Refuses: NotPermitted, AnswersMissing, TooManyTags.
    """
    require(by, May.ANNOTATE)
    items = RoundItem.objects.select_related("round__drawn_by", "handoff__lead")
    item = get_object_or_404(items, round__number=number, position=position)
    if not item.round.annotators.filter(person=by).exists():
        raise NotPermitted("Only the two people who were named mark this round.")
    asked = [question["key"] for question in item.round.questions]
    if set(answers) != set(asked) or not all(answer in ANSWERS for answer in answers.values()):
        raise AnswersMissing
    told = {
        "answers": {key: answers[key] for key in asked},
        "signals": sorted(as_known.signals(item) & set(signals)),
        "tags": tags_of(words),
    }
    wait_for_others(f"calibration.mark.{number}")  # of two who end at once, the second tells that both are done
    before = Mark.objects.filter(item=item, marked_by=by, superseded_by=None).first()
    if before and told == {name: getattr(before, name) for name in told}:
        return before
    mark = Mark.objects.create(item=item, marked_by=by, marked_at=at, supersedes=before, **told)
    if before is None and finished_at(item.round):
        tell("calibration.round_finished", key=number, at=at, to=item.round.drawn_by, payload={"round": number})
    return mark


def waiting_for(user, made):
    """The items of a Round that this person has not marked, in their order; none for others."""
    if not made.annotators.filter(person=user).exists():
        return RoundItem.objects.none()
    return made.items.exclude(marks__marked_by=user).order_by("position")


def finished_at(made):
    """When both had marked every item for the first time; None before that."""
    first = Mark.objects.filter(item__round=made, supersedes=None).aggregate(n=Count("pk"), last=Max("marked_at"))
    return first["last"] if first["n"] == 2 * made.size else None


def questions(fitting=()):
    """What a round asks: readiness, fit, and further questions of fit in words."""
    own = [words.strip() for words in fitting if words.strip()][:MOST_QUESTIONS]
    more = [(f"fit_{place}", words[:120], FIT) for place, words in enumerate(own, 1)]
    return [{"key": key, "label": label, "about": about} for key, label, about in (*ASKED, *FITTING, *more)]


def tags_of(words):
    """The tags of what somebody wrote, with commas, semicolons or lines between; each once, in lower case."""
    found = [" ".join(part.casefold().split()) for part in re.split(r"[,;\n]", words.replace("\0", ""))]
    found = [*dict.fromkeys(filter(None, found))]
    if len(found) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in found):
        raise TooManyTags
    return found


def _name(made, annotators, at):
    """Put down who marks the round, and tell them."""
    Annotator.objects.bulk_create(
        Annotator(round=made, person=each, place=place) for place, each in enumerate(annotators, 1)
    )
    for each in annotators:
        tell("calibration.round_drawn", key=f"{made.pk}-{each.pk}", at=at, to=each, payload={"round": made.number})


def _strata(state, months, known, at, zone):
    """{(source, segment): handoffs} with a deal of that outcome which nobody drew yet."""
    found = figures.rows({"qualified_month": months}, as_of=at, zone=zone)
    found = figures_deals.among(found, state, as_of=at).filter(annotated=None)
    strata = {}
    for pk, owner, *stratum in found.order_by("pk").values_list("pk", "owner_id", "source", "segment"):
        if owner is None or owner not in {each.pk for each in known}:
            strata.setdefault(tuple(stratum), []).append(pk)
    return strata


def _size(strata):
    return sum(map(len, strata.values()))


def _items(made, drawn, strata):
    """The items, won and lost mixed by the seed."""
    of = {pk: stratum for found in strata.values() for stratum, keys in found.items() for pk in keys}
    outcomes = {pk: state for state, keys in drawn.items() for pk in keys}
    losses = _losses(drawn[RoundItem.LOST])
    for position, pk in enumerate(drawing.in_order(list(outcomes), f"{made.seed}:place"), 1):
        source, segment = of[pk]
        yield RoundItem(
            round=made, position=position, handoff_id=pk, outcome=outcomes[pk], loss_reason=losses.get(pk, ""),
            source=source, segment=segment,
        )  # fmt: skip


def _losses(handoffs):
    """{handoff: why it was lost}; bad timing only where every one of its deals was lost for it."""
    found = {}
    rows = Deal.objects.standing().filter(handoff__in=handoffs, outcome=Deal.Outcome.LOST)
    for pk, reason in rows.order_by("pk").values_list("handoff_id", "loss_reason"):
        found[pk] = reason if found.get(pk, TIMING) == TIMING else found[pk]
    return found

"""Excusing breaches: one side proposes with a reason, the other side's leader co-signs or declines."""

from django.db import transaction
from django.shortcuts import get_object_or_404

from leads.audit.closed import require_open
from leads.audit.models import PROPOSERS, Excuse, ExcuseAnswer
from leads.models import Breach
from leads.periods import Month
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.locks import wait_for_others
from portal.shared.refusal import NotPermitted, Refusal
from sla.models import Commitment, Party
from sla.models.party import LEADER

MOST = 100  # at a time


class WhyExcuse(Refusal):
    code = "why_excuse"
    sentence = "Say why the breach should be excused: the other side reads it. Nothing was saved."
    field = "why"


class NothingChosen(Refusal):
    code = "nothing_chosen"
    sentence = f"Choose between one and {MOST} of them. Nothing was saved."


class AlreadyProposed(Refusal):
    code = "already_proposed"
    sentence = "Somebody proposed one of them meanwhile, or it is excused already. Nothing was saved."


class AlreadyAnswered(Refusal):
    code = "already_answered"
    sentence = "One of them was answered meanwhile. Nothing was saved."


class OwnSide(Refusal):
    code = "own_side"
    sentence = "The other side answers; nobody co-signs the proposal of their own side. Nothing was saved."


class WhyDecline(Refusal):
    code = "why_decline"
    sentence = "Say why it is declined: it stays beside the breach. Nothing was saved."
    field = "note"


def sides(user):
    """The parties that the person may propose for, in order."""
    return [party for party in Party if user.holds(*PROPOSERS[party])]


@transaction.atomic(durable=True)
def propose_excuses(*, breach_ids, party, why, by, at, zone):
    """Propose that breaches of clocks be excused, all for one reason. Returns the Excuses.

    Refuses: NotPermitted, NothingChosen, WhyExcuse, MonthClosed (of any of them), AlreadyProposed.
    """
    role = _speaks_for(party, by)
    breaches = list(Breach.objects.standing().filter(pk__in=breach_ids).select_related("handoff").order_by("pk"))
    if not 1 <= len(breaches) == len(set(breach_ids)) <= MOST:
        raise NothingChosen
    months = sorted({Month.of(breach.handoff.qualified_at, zone) for breach in breaches})
    targets = [{"breach": breach} for breach in breaches]
    return _propose(targets, months, party=party, role=role, why=why, by=by, at=at)


@transaction.atomic(durable=True)
def propose_commitment(*, commitment_id, month, party, why, by, at):
    """Propose that a side's breach of a commitment in a figures.Month be excused. Returns the Excuse.

    Refuses: NotPermitted, WhyExcuse, MonthClosed, AlreadyProposed.
    """
    role = _speaks_for(party, by)
    commitment = get_object_or_404(Commitment, pk=commitment_id)
    targets = [{"commitment": commitment, "month": month.first}]
    return _propose(targets, [month], party=party, role=role, why=why, by=by, at=at)[0]


@transaction.atomic(durable=True)
def answer_excuses(*, excuse_ids, party, agreed, by, at, zone, note=""):
    """The other side's leader co-signs excuses (`agreed`), or declines them with a word. Returns the ExcuseAnswers.

    Refuses: NotPermitted, NothingChosen, OwnSide, WhyDecline, MonthClosed (of any of them), AlreadyAnswered.
    """
    require(by, May.ANSWER_EXCUSES)
    role = LEADER[Party(party)]
    if not by.holds(role):
        raise NotPermitted(f"Only the {Role(role).label.lower()} answers for {Party(party).label.lower()}.")
    rows = Excuse.objects.filter(pk__in=excuse_ids).select_related("breach__handoff", "proposed_by", "answer")
    excuses = list(rows.order_by("pk"))
    if not 1 <= len(excuses) == len(set(excuse_ids)) <= MOST:
        raise NothingChosen
    if any(excuse.party == party or excuse.proposed_by_id == by.pk for excuse in excuses):
        raise OwnSide
    if not agreed and not note.strip():
        raise WhyDecline
    for month in sorted({month_of(excuse, zone) for excuse in excuses}):
        require_open(month)
    wait_for_others("audit.excuse")
    if ExcuseAnswer.objects.filter(excuse__in=excuses).exists():
        raise AlreadyAnswered
    said = {"party": party, "role": role, "name": by.name, "answered_at": at, "answered_by": by}
    answers = ExcuseAnswer.objects.bulk_create(
        ExcuseAnswer(excuse=excuse, agreed=agreed, note=note.strip(), **said) for excuse in excuses
    )
    for person in {excuse.proposed_by for excuse in excuses}:
        theirs = [excuse for excuse in excuses if excuse.proposed_by == person]
        payload = {"month": str(month_of(theirs[0], zone)), "n": len(theirs), "agreed": agreed, "by": by.name}
        tell("audit.excuse_answered", key=f"{answers[0].pk}-{person.pk}", at=at, to=person, payload=payload)
    return answers


def month_of(excuse, zone):
    """The figures.Month that an Excuse is about: of the commitment, else in which the lead was handed over."""
    return Month(excuse.month) if excuse.month else Month.of(excuse.breach.handoff.qualified_at, zone)


def _propose(targets, months, *, party, role, why, by, at):
    if not why.strip():
        raise WhyExcuse
    for month in months:
        require_open(month)
    wait_for_others("audit.excuse")
    before = [list(Excuse.objects.filter(**target).select_related("answer")) for target in targets]
    if any(not hasattr(excuse, "answer") or excuse.answer.agreed for found in before for excuse in found):
        raise AlreadyProposed
    said = {"party": party, "role": role, "why": why.strip(), "proposed_at": at, "proposed_by": by}
    excuses = Excuse.objects.bulk_create(
        Excuse(number=len(found) + 1, **target, **said) for target, found in zip(targets, before, strict=True)
    )
    payload = {"month": str(months[0]), "n": len(excuses), "why": why.strip()[:200], "by": by.name}
    for person in User.objects.active().holding(LEADER[Party(party).other]).exclude(pk=by.pk):
        tell("audit.excuse_proposed", key=f"{excuses[0].pk}-{person.pk}", at=at, to=person, payload=payload)
    return excuses


def _speaks_for(party, by):
    """The role in which a person proposes for a party."""
    require(by, May.PROPOSE_EXCUSES)
    held = [role for role in PROPOSERS[Party(party)] if by.holds(role)]
    if not held:
        raise NotPermitted(f"Only {Party(party).label.lower()} proposes for {Party(party).label.lower()}.")
    return held[-1]

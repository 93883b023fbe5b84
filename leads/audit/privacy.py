"""What the audit holds of a person: words about breaches of their handoffs; importing it registers that."""

from leads.audit.models import Excuse, ExcuseAnswer
from leads.models.erasure import ERASED
from leads.services.privacy.holders import holds
from leads.services.privacy.letters import forget
from portal.outbox.models import Message


def erase(person, *, at):
    """Why a breach was to be excused, and what the other side said; that it was, and by whom, stays."""
    if person.lead is None:
        return 0
    mine = Excuse.objects.filter(breach__handoff__lead=person.lead).exclude(why=ERASED)
    said = [why[:200] for why in mine.values_list("why", flat=True)]
    told = forget(Message.objects.filter(topic="audit.excuse_proposed", payload__why__in=said))
    asked = mine.update(why=ERASED)
    answered = ExcuseAnswer.objects.filter(excuse__breach__handoff__lead=person.lead).exclude(note__in=["", ERASED])
    return told + asked + answered.update(note=ERASED)


def give(person):
    mine = Excuse.objects.filter(breach__handoff__lead=person.lead, breach__isnull=False)
    return list(mine.values("proposed_at", "why", "answer__note"))


holds("Excuses", erase=erase, give=give)

"""What a blind round keeps from the two who mark it: the outcomes of its deals, until they have marked all of it."""

from django.db.models import Exists, OuterRef

from leads.calibration.models import Round, RoundItem
from leads.models import Handoff
from leads.models.deal import keeps_outcomes


def kept_from(user):
    """The handoffs of blind rounds of which this person has still a deal to mark."""
    unmarked = RoundItem.objects.filter(round=OuterRef("pk")).exclude(marks__marked_by=user)
    under_way = Round.objects.filter(Exists(unmarked), is_blind=True, annotators__person=user)
    return Handoff.objects.filter(annotated__round__in=under_way)


keeps_outcomes(kept_from)

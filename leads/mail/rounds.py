"""What the two people of a round are written."""

from django.urls import reverse

from leads.calibration.models import Round
from leads.mail.kinds import ROUND
from portal.outbox.mail import Mail, writes


@writes("calibration.round_drawn", ROUND)
def drawn(payload):
    made = Round.objects.select_related("drawn_by").get(number=payload["round"])
    people = " and ".join(each.person.name for each in made.annotators.select_related("person"))
    said = (
        f"{made.drawn_by.name} drew {made.won} won and {made.lost} lost deals for {people} to mark, each as it was at"
        " the handoff. Neither sees the other’s answers before both are done."
    )
    return Mail(f"{made.size} deals to mark", said, reverse("round_mark", args=[made.number]))

"""What the two people of a round are written, and who drew it."""

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


@writes("calibration.round_finished", ROUND)
def finished(payload):
    number = payload["round"]
    said = "Both have marked every deal: see how far they agree, and what tells won from lost."
    return Mail(f"Round {number} is marked", said, reverse("round", args=[number]))

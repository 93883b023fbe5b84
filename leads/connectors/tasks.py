"""What the worker does for the connections."""

from celery import shared_task
from django.utils import timezone

from leads.connectors.inbound import keep
from leads.connectors.inbound.take import take_waiting
from leads.connectors.outgoing import sending

SENT_DAYS, CAME_DAYS = 30, 90  # how long the logs keep


@shared_task(name="leads.connectors.send", ignore_result=True)
def send():
    """Webhooks that are due."""
    sending.send_due(at=timezone.now())


@shared_task(name="leads.connectors.take", ignore_result=True)
def take():
    """What came in and was not taken in at once."""
    take_waiting(at=timezone.now())


@shared_task(name="leads.connectors.tidy", ignore_result=True)
def tidy():
    """The logs: what was sent a month ago, and what came in a quarter ago."""
    sending.forget_old(at=timezone.now(), days=SENT_DAYS)
    keep.forget_old(at=timezone.now(), days=CAME_DAYS)

"""What the worker does for the connections."""

from celery import shared_task
from django.utils import timezone

from leads.connectors.outgoing.sending import forget_old, send_due

LOG_DAYS = 30


@shared_task(name="leads.connectors.send", ignore_result=True)
def send():
    """Webhooks that are due."""
    send_due(at=timezone.now())


@shared_task(name="leads.connectors.tidy", ignore_result=True)
def tidy():
    """Logs older than a month."""
    forget_old(at=timezone.now(), days=LOG_DAYS)

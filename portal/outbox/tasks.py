"""What the worker does for the outbox; the beat asks every ten seconds."""

from celery import shared_task
from django.utils import timezone

from portal.outbox.deliver import deliver_due


@shared_task(name="portal.outbox.deliver_messages", ignore_result=True)
def deliver_messages():
    deliver_due(at=timezone.now())

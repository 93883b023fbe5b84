"""What the worker does for the agreement; nothing of it decides what is in force."""

from celery import shared_task
from django.utils import timezone

from sla.services.remind import remind_signatories


@shared_task(name="sla.remind_signatories", ignore_result=True)
def remind():
    remind_signatories(at=timezone.now())

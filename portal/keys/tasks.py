"""What the worker does for keys: forget answers that nobody may ask for any more."""

from celery import shared_task
from django.utils import timezone

from portal.keys.services import forget_answers


@shared_task(name="portal.keys.forget_answers", ignore_result=True)
def forget():
    forget_answers(at=timezone.now())

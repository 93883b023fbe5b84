"""What the worker does for leads: evaluate again what is due."""

from celery import shared_task
from django.utils import timezone

from leads.services.evaluate import evaluate_due


@shared_task(name="leads.evaluate", ignore_result=True)
def evaluate():
    """Leads in nurture whose recycle date came, or that did something new."""
    evaluate_due(at=timezone.now())

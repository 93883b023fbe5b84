"""What the worker does for leads: sweep the clocks, write digests, evaluate again what is due."""

from celery import shared_task
from django.utils import timezone

from leads.backtest.nurture import keep_places
from leads.services.digests import tell_digests
from leads.services.evaluate import evaluate_due
from leads.services.privacy.retention import erase_due
from leads.services.queue import remind_unclaimed
from leads.services.rollup import keep_rollup
from leads.services.sweep import sweep_clocks


@shared_task(name="leads.sweep", ignore_result=True)
def sweep():
    """Clocks that ran out or are about to."""
    sweep_clocks(at=timezone.now())


@shared_task(name="leads.digests", ignore_result=True)
def digests():
    """The morning's digests, and the review for the leaders when its week begins."""
    tell_digests(at=timezone.now())


@shared_task(name="leads.evaluate", ignore_result=True)
def evaluate():
    """Leads in nurture whose recycle date came, or that did something new."""
    evaluate_due(at=timezone.now())


@shared_task(name="leads.remind_unclaimed", ignore_result=True)
def unclaimed():
    """Leads that wait in the default queue for longer than the routing plan allows."""
    remind_unclaimed(at=timezone.now())


@shared_task(name="leads.rollup", ignore_result=True)
def roll_up():
    """What was written since the last time, folded into what the figures read."""
    keep_rollup(at=timezone.now(), zone=timezone.get_default_timezone())


@shared_task(name="leads.places", ignore_result=True)
def places():
    """Where the leads are: counts folded, and nurture evaluated anew under a new definition or on a new day."""
    keep_places(at=timezone.now())


@shared_task(name="leads.retention", ignore_result=True)
def retain():
    """Leads that came to nothing and were kept for as long as an admin chose; none while that is off."""
    erase_due(at=timezone.now())

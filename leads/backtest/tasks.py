"""What the worker does for the backtest: work a job off."""

from celery import shared_task
from django.utils import timezone

from leads.backtest import jobs


@shared_task(name="leads.backtest", bind=True, ignore_result=True)
def run_backtest(self, job_id):
    """Work a queued backtest off; a task that comes back after its worker was lost begins again."""
    jobs.run(job_id=job_id, at=timezone.now(), again=bool(self.request.delivery_info.get("redelivered")))


def send(job_id):
    """Leave a backtest for the worker; raises at once when the broker cannot be reached."""
    run_backtest.apply_async([job_id], retry=False)

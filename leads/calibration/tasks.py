"""What the worker does for calibration: work a job off."""

from celery import shared_task

from leads.calibration import jobs


@shared_task(name="leads.calibration", bind=True, ignore_result=True)
def run_calibration(self, job_id):
    """Work a queued calibration off; a task that comes back after its worker was lost begins again."""
    jobs.run(job_id=job_id, again=bool(self.request.delivery_info.get("redelivered")))


def send(job_id):
    """Leave a calibration for the worker; raises at once when the broker cannot be reached."""
    run_calibration.apply_async([job_id], retry=False)

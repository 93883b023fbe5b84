"""What the worker does for intake: run an import."""

from celery import shared_task
from django.utils import timezone

from leads.intake.imports import jobs


@shared_task(name="leads.import", bind=True, ignore_result=True)
def run_import(self, job_id):
    """Run a queued import; a task that comes back after its worker was lost runs it again, from the start."""
    jobs.run(job_id=job_id, at=timezone.now(), again=bool(self.request.delivery_info.get("redelivered")))


def send(job_id):
    """Leave an import for the worker; raises at once when the broker cannot be reached."""
    run_import.apply_async([job_id], retry=False)

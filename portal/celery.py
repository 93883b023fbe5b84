"""Celery's entrance: the worker, the beat, and every process that leaves them work import this."""

import os

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_ready
from django.conf import settings
from django.dispatch import receiver
from django_structlog.celery.signals import bind_extra_task_metadata
from django_structlog.celery.steps import DjangoStructLogInitStep

from portal import heartbeat, logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
app = Celery("handoff")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def configure_logs(**_):
    """The worker and the beat log as the web server does."""
    logs.configure(settings.LOGGING)


@receiver(bind_extra_task_metadata)
def name_the_task(task, **_):
    """Every line of a task says which task it is."""
    structlog.contextvars.bind_contextvars(task=task.name)


@worker_ready.connect
def worker_is_ready(**_):
    """The first sign of life; the beat's task gives the others."""
    heartbeat.note()


@app.task(name="portal.heartbeat", ignore_result=True)
def beat():
    """Say that the worker works: the beat asks for it every ten seconds, `/readyz` looks how long ago it was."""
    heartbeat.note()

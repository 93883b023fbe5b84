"""Is the portal alive, and can it work?"""

import structlog
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu import Connection

from portal import heartbeat
from portal.celery import app

logger = structlog.get_logger(__name__)
PATIENCE = 3  # seconds to wait for the broker


@require_safe
@never_cache
@login_not_required
def healthz(request):
    """200 as long as this process answers; asks nobody else, so that a database's trouble restarts no web server."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
@never_cache
@login_not_required
def readyz(request):
    """200 when everything the portal needs is there, else 503; which part is missing stands in the JSON.

    {"ready": bool, "database": "ok" | "failed", "migrations": "ok" | "missing" | "failed", "broker": "ok" | "failed",
    "worker": "ok" | "late" | "failed", "worker_age": seconds since the worker's last sign of life, or null}
    """
    parts = {name: _ask(name, question) for name, question in QUESTIONS.items()}
    worker, age = parts.pop("worker") if isinstance(parts["worker"], tuple) else (parts.pop("worker"), None)
    ready = all(answer == "ok" for answer in (*parts.values(), worker))
    return JsonResponse({"ready": ready, **parts, "worker": worker, "worker_age": age}, status=200 if ready else 503)


def _ask(name, question):
    """The answer, or "failed": what went wrong is for the log, not for everybody."""
    try:
        return question()
    except Exception as error:  # whatever it is, the part is not there
        logger.warning("not_ready", part=name, error=str(error))
        return "failed"


def _database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations():
    executor = MigrationExecutor(connection)
    return "missing" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"


def _broker():
    options = app.conf.broker_transport_options | {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE}
    with Connection(app.conf.broker_url, connect_timeout=PATIENCE, transport_options=options) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=PATIENCE)
        broker.default_channel  # noqa: B018  (Redis is only spoken to when a channel is opened)
    return "ok"


def _worker():
    age = heartbeat.age()
    return "ok" if age is not None and age < heartbeat.LATE else "late", None if age is None else round(age, 1)


QUESTIONS = {"database": _database, "migrations": _migrations, "broker": _broker, "worker": _worker}

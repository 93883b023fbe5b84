"""Is the portal alive, and can it work? Both are open to everybody, so that asking all the time costs nothing."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

import structlog
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu import Connection

from portal import heartbeat
from portal.celery import app

logger = structlog.get_logger(__name__)
PATIENCE = 2  # seconds that a request waits for the parts
KEPT = 1  # seconds for which an answer is given again


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
    answer = _readiness.now()
    return JsonResponse(answer, status=200 if answer["ready"] else 503)


class Readiness:
    """The answer of this process: asked for once in KEPT seconds, whoever wants it, of all parts at the same time.

    One request waits for it, at most PATIENCE; those that come meanwhile are told what the last one was. A part that
    hangs holds its own thread, is not asked a second time, and has failed.
    """

    def __init__(self):
        self.threads = ThreadPoolExecutor(len(QUESTIONS), "ready")
        self.asked, self.answer, self.until = {}, None, 0
        self.lock = threading.Lock()

    def now(self):
        """The answer, as `readyz` gives it."""
        if self.answer and time.monotonic() < self.until:
            return self.answer
        if self.lock.acquire(blocking=self.answer is None):
            try:
                self.answer = self._ask()
                self.until = time.monotonic() + KEPT
            finally:
                self.lock.release()
        return self.answer

    def _ask(self):
        for name in QUESTIONS:
            if name not in self.asked:
                self.asked[name] = self.threads.submit(_ask, name)
        done, _ = wait(self.asked.values(), PATIENCE)
        parts = {name: one.result() if one in done else _late(name) for name, one in self.asked.items()}
        self.asked = {name: one for name, one in self.asked.items() if one not in done}
        worker, age = parts.pop("worker") if isinstance(parts["worker"], tuple) else (parts.pop("worker"), None)
        ready = all(answer == "ok" for answer in (*parts.values(), worker))
        return {"ready": ready, **parts, "worker": worker, "worker_age": age}


def _ask(name):
    """The answer, or "failed": what went wrong is for the log, not for everybody."""
    try:
        return QUESTIONS[name]()
    except Exception as error:  # whatever it is, the part is not there
        logger.warning("not_ready", part=name, error=str(error))
        return "failed"
    finally:
        connection.close()


def _late(name):
    logger.warning("not_ready", part=name, error=f"no answer within {PATIENCE} s")
    return "failed"


def _database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations():
    return "ok" if _known_migrations() <= set(MigrationRecorder(connection).applied_migrations()) else "missing"


@cache
def _known_migrations():
    """Those of the code, which does not change while it runs."""
    return set(MigrationLoader(None).graph.nodes)


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
_readiness = Readiness()

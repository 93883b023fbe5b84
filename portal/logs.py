"""Structured logs: one line per event, each with the request's id, as JSON in production and as words while trying."""

import logging.config
import re
import sys
import uuid

import structlog
from django_structlog.middlewares import RequestMiddleware

from portal.shared import faults

DEBUG = logging.DEBUG
# What these say of a request or a task, its own line says already.
QUIET = {
    "django.request": "CRITICAL",
    "celery.app.trace": "CRITICAL",
    "celery.beat": "WARNING",
    "celery.worker.strategy": "WARNING",
}
ASKED_ALL_THE_TIME = {"/healthz", "/readyz"}
FINE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
SECRET_PATH = re.compile(r"^(/in/[^/]*/|/account/password/reset/key/).+")
SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def without_heartbeats(_logger, _method, event):
    """Drop the lines of the task that only says the worker lives."""
    if event.get("task") == "portal.heartbeat":
        raise structlog.DropEvent
    return event


def without_values(_logger, _method, event):
    """An exception as text that holds neither values of variables nor what somebody wrote."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    error = error or event.get("exception") or (sys.exc_info()[1] if given else None)
    if isinstance(error, BaseException):
        event["exception"] = faults.story(error)
        if "error" in event:
            event["error"] = faults.message(error)
    return event


def configure(options):
    """Django's LOGGING_CONFIG: {"json": whether lines are JSON, "level": the lowest level shown}."""
    as_json = [structlog.processors.JSONRenderer()]
    as_words = [structlog.dev.ConsoleRenderer(colors=False)]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            without_values,
            *(as_json if options["json"] else as_words),
        ],
        "foreign_pre_chain": [*SHARED, structlog.stdlib.ExtraAdder()],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {name: {"level": level} for name, level in QUIET.items()},
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            without_heartbeats,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


class RequestIdMiddleware:
    """Give each request an id, its caller's own where that is well formed, and hand it back as X-Request-ID."""

    def __init__(self, get_response):
        """Keep the next in line."""
        self.get_response = get_response

    def __call__(self, request):
        """Answer with the id that the logs of this request carry."""
        given = request.META.get("HTTP_X_REQUEST_ID", "")  # `headers` would keep what it read here
        request.META["HTTP_X_REQUEST_ID"] = request_id = given if FINE_ID.fullmatch(given) else str(uuid.uuid4())
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class RequestLogMiddleware(RequestMiddleware):
    """One line per request. The query stays out: people search for names and addresses. So do secrets of a path."""

    def __call__(self, request):
        """Answer; what asks for health every few seconds leaves no line."""
        if request.path in ASKED_ALL_THE_TIME:
            return self.get_response(request)
        return super().__call__(request)

    @staticmethod
    def format_request(request):
        """The method and the path."""
        path = SECRET_PATH.sub(r"\1…", request.path)
        return f"{request.method} {path}"

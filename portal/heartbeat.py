"""The worker's sign of life, kept in the cache that all processes share."""

import time
from datetime import timedelta

from django.core.cache import cache

KEY = "worker-heartbeat"
EVERY = 10  # seconds between two
LATE = 60  # seconds after which the worker or the beat counts as not running


def note():
    """The worker works, now."""
    cache.set(KEY, time.time(), timeout=24 * 3600)


def age():
    """Seconds since the worker last gave a sign of life; None when it has not within a day."""
    noted = cache.get(KEY)
    return None if noted is None else max(0.0, time.time() - noted)


def as_length(seconds):
    """Seconds as a timedelta, for people to read."""
    return timedelta(seconds=seconds)

"""How often a key or an address may ask: counted by the minute in the cache that all processes share."""

import math
from dataclasses import dataclass

import structlog
from django.core.cache import cache

from portal.keys.problem import TooManyRequests

log = structlog.get_logger(__name__)
WINDOW = 60  # seconds


@dataclass(frozen=True)
class Rate:
    """What is left of a minute's quota, and the seconds until it begins anew."""

    quota: int
    left: int
    seconds: int

    def headers(self):
        """RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers has them."""
        return {
            "RateLimit-Policy": f'"minute";q={self.quota};w={WINDOW}',
            "RateLimit": f'"minute";r={self.left};t={self.seconds}',
        }


def spend(name, *, quota, at, cost=1):
    """Take `cost` of the quota that `name` has in the minute of `at`. Returns the Rate; raises TooManyRequests.

    Where the cache cannot be reached everybody may pass: a lead that is lost costs more than one too many.
    """
    minute, passed = divmod(at.timestamp(), WINDOW)
    seconds = max(1, math.ceil(WINDOW - passed))
    try:
        spent = _counted(f"rate:{name}:{minute:.0f}", cost)
    except Exception as error:  # whatever the cache's client raises
        log.warning("rate_not_counted", error=str(error))
        return Rate(quota, quota, seconds)
    rate = Rate(quota, max(0, quota - spent), seconds)
    if spent > quota:
        refusal = TooManyRequests()
        refusal.headers = rate.headers() | {"Retry-After": str(seconds)}
        raise refusal
    return rate


def _counted(key, cost):
    try:
        return cache.incr(key, cost)
    except ValueError:  # the first of this minute
        cache.add(key, 0, WINDOW + 10)
        return cache.incr(key, cost)

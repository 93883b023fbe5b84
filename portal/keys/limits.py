"""How often a key or an address may ask: counted by the minute in the cache that all processes share."""

import ipaddress
import math
import threading
from dataclasses import dataclass

import structlog
from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import PermissionDenied

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


def address_of(request):
    """The client's network address as the sign-in counts it; of IPv6 the network of one house; "" if unknown."""
    try:
        address = ipaddress.ip_address(get_adapter(request).get_client_ip(request))
    except (PermissionDenied, ValueError):
        return ""
    if address.version == 6:
        return str(ipaddress.ip_network(f"{address}/64", strict=False).network_address)
    return str(address)


def spend(name, *, quota, at, cost=1):
    """Take `cost` of the quota that `name` has in the minute of `at`. Returns the Rate; raises TooManyRequests.

    A process takes a fiftieth of the quota from the shared count at a time, and what it has not used by the end of the
    minute is lost. Where the cache cannot be reached everybody may pass: a lead that is lost costs more than one too
    many.
    """
    minute, passed = divmod(at.timestamp(), WINDOW)
    seconds = max(1, math.ceil(WINDOW - passed))
    try:
        spent = _spent(name, int(minute), quota, cost)
    except Exception as error:  # whatever the cache's client raises
        log.warning("rate_not_counted", error=str(error))
        return Rate(quota, quota, seconds)
    rate = Rate(quota, max(0, quota - spent), seconds)
    if spent > quota:
        refusal = TooManyRequests()
        refusal.headers = rate.headers() | {"Retry-After": str(seconds)}
        raise refusal
    return rate


_taken = {}  # {name: (minute, spent by all when it was taken, what is left of it here)}
_lock = threading.Lock()
MOST_NAMES = 10_000


def _spent(name, minute, quota, cost):
    """What all have spent of the minute's quota with this; more than the quota where it is used up."""
    with _lock:
        of, spent, left = _taken.get(name, (None, 0, 0))
        if of == minute and left >= cost:
            _taken[name] = minute, spent, left - cost
            return spent - left + cost
    share = max(cost, quota // 50)
    spent = _counted(f"rate:{name}:{minute}", share)
    had = max(0, quota - (spent - share))  # of the quota before this share was taken
    if had < cost:
        return quota + 1
    if share > cost:
        with _lock:
            if len(_taken) >= MOST_NAMES:
                _taken.clear()
            _taken[name] = minute, min(spent, quota), min(share, had) - cost
    return min(spent, quota) - min(share, had) + cost


def _counted(key, cost):
    try:
        return cache.incr(key, cost)
    except ValueError:  # the first of this minute
        cache.add(key, 0, WINDOW + 10)
        return cache.incr(key, cost)

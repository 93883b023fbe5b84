"""How much one network address may send, and when a form is under load; counts in the cache fail open."""

import datetime as dt
import logging

from django.conf import settings
from django.core.cache import cache

from leads.intake.forms.models import Submission
from portal.keys.limits import address_of

log = logging.getLogger(__name__)
WINDOW = dt.timedelta(minutes=10)
BUSY_OVER = dt.timedelta(seconds=5)
REFUSED_FROM = 5  # times what a form allows an address: from there on nothing more is kept of it
MOST_PARTS = 2_000  # questions answered in WINDOW from one address: a whole office fills forms at once


def count(what, request, *, at):
    """How often `what` came from this address in this window, this time included; 0 where nobody can count."""
    address = address_of(request)
    if not address:
        return 0
    key = f"forms:{what}:{address}:{int(at.timestamp() // WINDOW.total_seconds())}"
    try:
        cache.add(key, 0, timeout=WINDOW.total_seconds())
        return cache.incr(key)
    except Exception:  # the cache is down: the form stays open, and the e-mail's limit still holds
        log.warning("forms_cannot_count", exc_info=True)
        return 0


def under_load(*, at):
    """Whether forms take in so much that evaluating is left to the worker: see FORMS_EVALUATE_A_SECOND."""
    lately = Submission.objects.filter(submitted_at__gt=at - BUSY_OVER)
    return lately.count() >= settings.FORMS_EVALUATE_A_SECOND * BUSY_OVER.total_seconds()

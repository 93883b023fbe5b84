"""Large bodies that are on their way: how many one person or key may send at once to one process."""

import threading
from collections import Counter
from contextlib import contextmanager

LARGE = 256 * 1024  # bytes from which on a body is large: as much as the web server awaits without a thread
AT_ONCE = 2  # half of the threads that read them, so that nobody stops everybody's

_sent = Counter()
_lock = threading.Lock()


class TooManyAtOnce(Exception):
    """They send as many as they may."""


def begin(who):
    """One more of theirs. Raises TooManyAtOnce."""
    with _lock:
        if _sent[who] >= AT_ONCE:
            raise TooManyAtOnce
        _sent[who] += 1


def end(who):
    with _lock:
        _sent[who] -= 1
        if not _sent[who]:
            del _sent[who]


@contextmanager
def receiving(who):
    """While one of their bodies is read. Raises TooManyAtOnce."""
    begin(who)
    try:
        yield
    finally:
        end(who)


def is_large(request):
    """Whether the request says that its body is large; the size was checked before."""
    sent = request.META.get("CONTENT_LENGTH") or "0"
    return sent.isdecimal() and int(sent) > LARGE

"""What every page shows of messages: the bell, and to admins that something does not work."""

from django.utils.functional import SimpleLazyObject

from portal import heartbeat
from portal.accounts import demo
from portal.accounts.permissions import May, may
from portal.shared.time import duration


def messages_of(request):
    """Template context `bell`, lazily: unread (of the user's own row), trouble (a sentence, for admins), demo."""
    return {"bell": SimpleLazyObject(lambda: _bell(getattr(request, "user", None)))}


def _bell(user):
    if not (user and user.is_authenticated):
        return {"unread": 0, "trouble": "", "demo": False}
    trouble = _trouble() if may(user, May.MANAGE_MESSAGES) else ""
    return {"unread": user.unread, "trouble": trouble, "demo": demo.is_on()}


def _trouble():
    """Why messages wait: asked of the worker's last sign of life, which broker, beat and worker all have a part in."""
    try:
        age = heartbeat.age()
    except Exception:  # noqa: BLE001, RUF100 (whatever the cache says: it is not there)
        return "The broker or the cache does not answer."
    if age is None:
        return "No worker has shown itself in the last day."
    if age < heartbeat.LATE:
        return ""
    return f"The worker has not shown itself for {duration(heartbeat.as_length(age))}."

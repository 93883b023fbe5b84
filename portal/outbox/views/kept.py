"""The demo's post: what would have been sent, in a page one can open. Outside the demo these pages do not exist."""

from pathlib import Path

from django.conf import settings
from django.http import Http404
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.accounts.demo import demo_only
from portal.outbox.kept import newest, one
from portal.shared.htmx import answer


@demo_only
@require_GET
def mails(request):
    letters = newest(_folder())
    return answer(request, "outbox/kept.html", {"letters": letters, "now": timezone.now()})


@demo_only
@require_GET
def mail(request, name):
    letter = one(_folder(), name)
    if letter is None:
        raise Http404
    return answer(request, "outbox/kept_mail.html", {"letter": letter, "portal": settings.PORTAL_URL})


def _folder():
    """Where the mail is kept; a demo that sends its mail has none to show."""
    options = settings.MAILERS["default"].get("OPTIONS", {})
    if "file_path" not in options:
        raise Http404
    return Path(options["file_path"])

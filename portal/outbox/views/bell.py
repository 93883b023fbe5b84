"""Doors of the bell: the number in the masthead, the list, opening a notice."""

from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from portal.outbox.models import Notice
from portal.outbox.services import read_all_notices, read_notice
from portal.shared.htmx import answer, nothing

PAGE = 50


@require_GET
def bell(request):
    """One's notices, the newest first; `before` (a notice's id) reads on."""
    notices = Notice.objects.filter(person=request.user).order_by("-id")
    before = request.GET.get("before", "")
    if before.isdecimal():
        notices = notices.filter(pk__lt=int(before[:18]))
    shown = list(notices[: PAGE + 1])
    older = shown[PAGE - 1].pk if len(shown) > PAGE else None
    context = {"notices": shown[:PAGE], "older": older, "now": timezone.now(), "zone": request.user.zone}
    return answer(request, "outbox/bell.html", context)


@require_GET
@never_cache
def count(request):
    """The bell itself, for its poll; 204 while its number is the one that is shown."""
    if request.GET.get("shown") == str(request.user.unread):
        return nothing(request)
    return answer(request, "shared/bell.html", {"rang": request.user.unread > _number(request.GET.get("shown"))})


@require_POST
def open_notice(request, pk):
    """Read it, and go where it leads."""
    try:
        notice = read_notice(notice_id=pk, by=request.user, at=timezone.now())
    except Notice.DoesNotExist:
        raise Http404 from None
    return redirect(notice.path)


@require_POST
def read_all(request):
    """Mark as read what the list showed, and nothing that came since."""
    read_all_notices(by=request.user, at=timezone.now(), up_to=_number(request.POST.get("up_to")))
    return redirect("bell")


def _number(text):
    return int(text[:18]) if text and text.isdecimal() else 0

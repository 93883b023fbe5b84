"""What the page's frame shows: navigation for the person's roles, theme and keys."""

from functools import cache

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.accounts import demo
from portal.accounts.permissions import May, may

# by what the pages are for: label, URL name, who; in the order people work
GROUPS = {
    "Work": (
        ("Home", "home", May.SEE_BOARD),
        ("Inbox", "inbox", May.WORK_INBOX),
        ("Queue", "queue", May.CLAIM_LEADS),
        ("Audit", "audit_latest", May.READ_AUDIT),
        ("Leads", "leads", May.READ_AUDIT),
        ("Nurture", "nurture", May.SEE_NURTURE),
        ("Deals", "deals", May.SEE_DEALS),
        ("Disputes", "disputes", May.READ_AUDIT),
    ),
    "Agreement": (
        ("Agreement", "agreement", May.READ_AGREEMENT),
        ("Definition", "definition", May.READ_AGREEMENT),
        ("Calibration", "calibrations", May.READ_CALIBRATION),
        ("Rounds", "rounds", May.ANNOTATE),
    ),
    "Data": (
        ("Forms", "form_list", May.SEE_FORMS),
        ("Import", "import_list", May.IMPORT_LEADS),
        ("API", "api_keys", May.MANAGE_KEYS),
        ("Connections", "connections", May.MANAGE_CONNECTIONS),
        ("Privacy", "privacy", May.FORGET_PEOPLE),
    ),
    "Settings": (
        ("People", "people", May.MANAGE_PEOPLE),
        ("Routing", "routing", May.CHANGE_ROUTING),
        ("Hours", "calendars", May.MANAGE_CALENDARS),
        ("Messages", "messages", May.MANAGE_MESSAGES),
    ),
}
IN_A_ROW = 8  # pages that stand side by side in the masthead; of more, all but the work folds into a menu a group
# beside the name of a page: its key here and a question (request) → number; an app adds its own when it is ready
COUNTS = {}


def shell(request):
    """Template context `shell`, lazily: nav groups, theme, keys_on, now; search is the inbox's, for those who work it.

    For somebody who is not signed in: demo, whether one click would do it.
    """
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def _shell(request):
    user = getattr(request, "user", None)
    if not (user and user.is_authenticated):
        return {"nav": [], "theme": "system", "keys_on": True, "now": timezone.now(), "demo": demo.is_on()}
    search = f"{reverse('inbox')}#search" if may(user, May.WORK_INBOX) else None
    nav, now = _groups(request, user), timezone.now()
    return {"nav": nav, "search": search, "theme": user.theme, "keys_on": user.keys_on, "now": now}


def _groups(request, user):
    """What the person may open: [{label, key, pages, folded, current}]; a group folds into a menu or not."""
    match = request.resolver_match
    here = match.route.split("/")[0] if match else ""
    found = {label: _pages(request, user, here, pages) for label, pages in GROUPS.items()}
    many = sum(map(len, found.values())) > IN_A_ROW
    return [
        {
            "label": label,
            "key": label.lower(),
            "pages": pages,
            "folded": many and label != "Work" and len(pages) > 1,
            "current": any(page["current"] for page in pages),
        }
        for label, pages in found.items()
        if pages
    ]


@cache
def _address(name):
    return reverse(name)


def _pages(request, user, here, pages):
    shown = []
    for label, name, what in pages:
        if may(user, what):
            url = _address(name)
            current = url.strip("/").split("/")[0] == here
            count = COUNTS[name](request) if name in COUNTS else None
            shown.append({"label": label, "url": url, "key": name, "current": current, "count": count})
    return shown

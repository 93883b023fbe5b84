"""What the page's frame shows: navigation for the person's roles, theme and keys."""

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.accounts import demo
from portal.accounts.permissions import May, may

# label, URL name, who: in the order people work
PAGES = (
    ("Home", "home", May.SEE_BOARD),
    ("Inbox", "inbox", May.WORK_INBOX),
    ("Queue", "queue", May.CLAIM_LEADS),
    ("Audit", "audit_latest", May.READ_AUDIT),
    ("Leads", "leads", May.READ_AUDIT),
    ("Nurture", "nurture", May.SEE_NURTURE),
    ("Deals", "deals", May.SEE_DEALS),
    ("Rounds", "rounds", May.ANNOTATE),
    ("Disputes", "disputes", May.READ_AUDIT),
    ("Agreement", "agreement", May.READ_AGREEMENT),
    ("Definition", "definition", May.READ_AGREEMENT),
    ("Calibration", "calibrations", May.READ_CALIBRATION),
    ("Forms", "form_list", May.SEE_FORMS),
    ("Routing", "routing", May.CHANGE_ROUTING),
    ("Import", "import_list", May.IMPORT_LEADS),
    ("People", "people", May.MANAGE_PEOPLE),
    ("Hours", "calendars", May.MANAGE_CALENDARS),
    ("Messages", "messages", May.MANAGE_MESSAGES),
    ("API", "api_keys", May.MANAGE_KEYS),
    ("Connections", "connections", May.MANAGE_CONNECTIONS),
    ("Privacy", "privacy", May.FORGET_PEOPLE),
)
# beside the name of a page: its key here and a question (request) → number; an app adds its own when it is ready
COUNTS = {}


def shell(request):
    """Template context `shell`, lazily: nav items, theme, keys_on, now; search is the inbox's, for those who work it.

    For somebody who is not signed in: demo, whether one click would do it.
    """
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def _shell(request):
    user = getattr(request, "user", None)
    if not (user and user.is_authenticated):
        return {"nav": [], "theme": "system", "keys_on": True, "now": timezone.now(), "demo": demo.is_on()}
    match = request.resolver_match
    here = match.route.split("/")[0] if match else ""
    nav = []
    for label, name, what in PAGES:
        if may(user, what):
            url = reverse(name)
            current = url.strip("/").split("/")[0] == here
            count = COUNTS[name](request) if name in COUNTS else None
            nav.append({"label": label, "url": url, "key": name, "current": current, "count": count})
    search = f"{reverse('inbox')}#search" if may(user, May.WORK_INBOX) else None
    return {"nav": nav, "search": search, "theme": user.theme, "keys_on": user.keys_on, "now": timezone.now()}

"""What keeps an open inbox true: every 30 seconds the countdowns, the counts, and who came or went; 204 if nothing.

Everything goes out of band, and rows keep their place until the person moves on: who came waits behind a button, who
left stays with a word on the chip. The page names the rows that it shows (`drawn`), so nothing has to be guessed.
"""

import hashlib

from django.utils import timezone
from django.views.decorators.http import require_GET

from leads.views import inbox_list as left
from leads.views.inbox import chrome
from leads.views.inbox_rows import OOB, chip, countdown, group_of
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, nothing, wants_part
from portal.shared.templatetags.handoff import icon

READ_AT_MOST = 4000  # rows that one poll reads for its counts
DRAWN_AT_MOST = 200


@require_GET
def clocks(request):
    """The poll. One query; a second one only where an inbox holds more than READ_AT_MOST leads or is filtered."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    asked = left.Filters.of(request.GET)
    rows = left.selected(request.user, asked, now)
    found = list(rows.by_deadline().values("id", *left.CLOCK)[:READ_AT_MOST])
    whole = len(found) < READ_AT_MOST
    drawn = _drawn(request)
    arrived = _arrived(request, _in_tab(found, asked.tab), drawn)
    chips = _chips(found, drawn, now, whole=whole)
    seen = _digest(chips, len(found), arrived)
    if seen == request.GET.get("seen") and wants_part(request):
        return nothing(request)
    numbers = tally(found, asked.tab, now) if whole else left.counts(request.user, asked, now)
    context = chrome(request, asked, numbers, now) | {
        "chips": chips,
        "arrived": len(arrived),
        "seen": seen,
        "more": request.GET.get("upto", ""),
        "said": _said(found, request.GET.get("since", ""), now),
    }
    return answer(request, "leads/inbox_poll.html", context)


def _drawn(request):
    """Ids of the rows that stand on the page."""
    given = request.GET.getlist("drawn")[:DRAWN_AT_MOST]
    return {int(pk) for pk in given if pk.isascii() and pk.isdigit() and len(pk) < 19}


def _arrived(request, found, drawn):
    """Ids that belong among the rows of this page and are not drawn: new leads, and those handed over meanwhile."""
    after, upto = (left.place_of(request.GET.get(name, "")) for name in ("after", "upto"))
    places = {row["id"]: (row["next_due_at"], row["id"]) for row in found if row["id"] not in drawn}
    return [pk for pk, at in places.items() if (after is None or at > after) and (upto is None or at <= upto)]


def _chips(found, drawn, now, *, whole):
    """The countdown of each row on the page, out of band; "gone" for what is in this inbox no more."""
    chips = [chip(row["id"], *countdown(row, now), OOB) for row in found if row["id"] in drawn]
    gone = drawn.difference(row["id"] for row in found) if whole else ()
    return chips + [chip(pk, "idle", icon("check"), "gone", OOB) for pk in sorted(gone)]


def _in_tab(found, tab):
    return [row for row in found if not tab or (row["first_touch_at"] is None) == (tab == "contact")]


def tally(found, tab, now):
    """The counts of `inbox_list.counts`, from rows that were read anyway."""
    numbers = {"n": len(found), "contact": sum(row["first_touch_at"] is None for row in found)}
    numbers["decide"] = numbers["n"] - numbers["contact"]
    groups = [group_of(row["next_due_at"], now) for row in _in_tab(found, tab)]
    return numbers | {key: groups.count(key) for key, _ in left.GROUPS}


def _digest(chips, total, arrived):
    text = f"{total}|{arrived}|{''.join(chips)}"
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def _said(found, since, now):
    """What happened since the last poll, in a sentence or two; empty when nothing did."""
    before = left.moment_of(since)
    if before is None:
        return ""
    out = sum(before < row["next_due_at"] <= now for row in found)
    new = sum(row["qualified_at"] > before for row in found)
    said = []
    if out:
        said.append(f"{out} clock{'' if out == 1 else 's'} ran out.")
    if new:
        said.append(f"{new} lead{'' if new == 1 else 's'} arrived.")
    return " ".join(said)

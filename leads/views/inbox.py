"""The inbox: open leads by their next deadline, the one being read, and what keeps the countdowns true."""

import hashlib

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from leads.models import Handoff
from leads.views import inbox_list as left
from leads.views import inbox_pane as right
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, nothing, wants_part

PAGE = "leads/inbox.html"
READ_AT_MOST = 4000  # rows that one poll reads for its counts


@require_GET
def inbox(request):
    """The list, and on a wide screen the most urgent lead beside it."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    context = listing(request, now)
    rows = context["rows"]
    if rows:
        context |= right.pane(right.with_pane(Handoff.objects).get(pk=rows[0]["id"]), now)
    return answer(request, PAGE, context, part="list" if request.GET.get("part") == "list" else None)


@require_GET
def lead(request, pk):
    """One lead opened by its address: the page, or the pane that htmx swaps."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    handoff = get_object_or_404(right.with_pane(Handoff.objects.workable_by(request.user)), pk=pk)
    return answer(request, PAGE, page(request, now, handoff), part="lead")


def page(request, now, handoff=None, /, **more):
    """Context of the page with `handoff` opened; for htmx only what the pane needs."""
    context = {"opened": True, "filters": left.Filters.of(request.GET)}
    if not wants_part(request):
        context |= listing(request, now)
    context["query"] = context["filters"].query()
    if handoff is not None:
        context |= right.pane(handoff, now)
    return context | more


def listing(request, now):
    """Context of the left pane: rows in groups, counts, filters and the keyset's next page."""
    filters = left.Filters.of(request.GET)
    rows = left.selected(request.user, filters, now)
    numbers = left.counts(rows, filters.tab, now)
    shown, more = left.page_of(left.tabbed(rows, filters.tab), request.GET.get("after", ""), now)
    return {
        "rows": shown,
        "groups": left.grouped(shown, numbers),
        "more": more,
        "is_first": not request.GET.get("after"),
        **chrome(request, filters, numbers, now),
    }


def chrome(request, filters, numbers, now):
    """What stands around the rows: the sentence, tabs and the filter's choices."""
    return {
        "filters": filters,
        "query": filters.query(),
        "numbers": numbers,
        "headline": left.headline(numbers),
        "tabs": [(key, label, numbers[name], filters.query(tab=key)) for key, label, name in left.TABS],
        "group_counts": [(key, numbers[key]) for key, _ in left.GROUPS],
        "clock_choices": left.CLOCKS,
        "is_manager": request.user.holds(Role.SALES_MANAGER),
        "after": request.GET.get("after", ""),
        "now": now,
        "polled_at": now.isoformat(),
    }


@require_GET
def filters(request):
    """The choices of the filter's popover, read when it is opened; without htmx a page of its own."""
    require(request.user, May.WORK_INBOX)
    rows = left.visible(request.user).order_by()
    context = (
        listing(request, timezone.now()) if not wants_part(request) else {"filters": left.Filters.of(request.GET)}
    )
    context |= {
        "choosing": True,
        "sources": list(rows.exclude(source="").values_list("source", flat=True).distinct().order_by("source")[:100]),
        "tiers": list(rows.values_list("tier__key", "tier__name").distinct().order_by("tier__name")),
        "owners": team_of(request.user) if request.user.holds(Role.SALES_MANAGER) else [],
        "clock_choices": left.CLOCKS,
        "is_manager": request.user.holds(Role.SALES_MANAGER),
    }
    return answer(request, PAGE, context, part="filter_fields")


def team_of(user):
    """Active people who can hold the leads this manager works."""
    people = User.objects.active().filter(roles__overlap=[Role.REP, Role.SALES_MANAGER])
    return list(people.filter(team=user.team_id) if user.team_id else people.filter(pk=user.pk))


@require_GET
def clocks(request):
    """The poll: countdowns, counts and what is worth saying aloud, out of band; 204 while nothing changed."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    asked = left.Filters.of(request.GET)
    rows = left.selected(request.user, asked, now)
    found = list(rows.by_deadline().values("id", "qualified_at", "next_due_at", "first_touch_at")[:READ_AT_MOST])
    chips = [left.chip(row, now) for row in on_the_page(request, left_in_tab(found, asked.tab))]
    seen = _digest(chips, len(found))
    if seen == request.GET.get("seen") and wants_part(request):
        return nothing(request)
    numbers = tally(found, asked.tab, now)
    context = {
        **chrome(request, asked, numbers, now),
        "chips": chips,
        "seen": seen,
        "listed": request.GET.get("listed", ""),
        "said": _said(found, request.GET.get("since", ""), now),
    }
    return answer(request, "leads/inbox_poll.html", context)


def on_the_page(request, found):
    """The rows that the list was drawn with: behind its keyset, older than the drawing, one page of them."""
    listed, after = _moment(request.GET.get("listed", "")), request.GET.get("after", "").rpartition("_")
    start = _moment(after[0])
    if start:
        found = [row for row in found if (row["next_due_at"], str(row["id"])) > (start, after[2])]
    if listed:
        found = [row for row in found if row["qualified_at"] <= listed]
    return found[: left.PAGE]


def left_in_tab(found, tab):
    return [row for row in found if not tab or (row["first_touch_at"] is None) == (tab == "contact")]


def tally(found, tab, now):
    """The counts of `inbox_list.counts`, from rows that were read anyway."""
    numbers = {"n": len(found), "contact": sum(row["first_touch_at"] is None for row in found)}
    numbers["decide"] = numbers["n"] - numbers["contact"]
    groups = [left.group_of(row["next_due_at"], now) for row in left_in_tab(found, tab)]
    return numbers | {key: groups.count(key) for key, _ in left.GROUPS}


def _digest(chips, total):
    text = f"{total}|" + "|".join(f"{c['id']}{c['state']}{c['words']}{c['contact']}" for c in chips)
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def _said(found, since, now):
    """What happened since the last poll, in a sentence or two; empty when nothing did."""
    before = _moment(since)
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


def _moment(words):
    """An aware datetime of an address's words, or None."""
    try:
        when = parse_datetime(words.replace(" ", "+"))
    except ValueError:
        return None
    return when if when and timezone.is_aware(when) else None


@require_GET
def lead_clocks(request, pk):
    """The two clocks of the lead being read, as they are now."""
    require(request.user, May.WORK_INBOX)
    handoff = get_object_or_404(right.with_pane(Handoff.objects.workable_by(request.user)), pk=pk)
    context = {"handoff": handoff, "clocks": right.two_clocks(handoff, timezone.now())}
    return answer(request, f"{PAGE}#clocks", context)

"""The inbox: open leads by their next deadline, and beside them the one being read."""

from functools import cache

from django.http import Http404
from django.utils import timezone
from django.views.decorators.http import require_GET

from leads.models import Handoff
from leads.views import inbox_list as left
from leads.views import inbox_pane as right
from leads.views.inbox_rows import grouped, headline, printed
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, wants_part
from portal.shared.prepared import A_THIRD_ID, AN_ID, ANOTHER_ID, Prepared

PAGE = "leads/inbox.html"


@require_GET
def inbox(request):
    """The list, and on a wide screen the most urgent lead beside it; for htmx the list alone, freshly read."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    if request.GET.get("part") == "list" and wants_part(request):
        return answer(request, PAGE, listing(request, now) | {"refreshed": True}, part="list")
    context = listing(request, now, open_first=True)
    if context["rows"]:
        context |= right.pane(_listed.one(context["rows"][0]["id"]), now)
    return answer(request, PAGE, context)


@Prepared.of(AN_ID)
def _listed(pk):
    return right.with_pane(Handoff.objects).filter(pk=pk)


@require_GET
def lead(request, pk):
    """One lead opened by its address: the page, or the pane that htmx swaps."""
    require(request.user, May.WORK_INBOX)
    now = timezone.now()
    return answer(request, PAGE, page(request, now, mine(request, pk)), part="lead")


def mine(request, pk):
    """The handoff with everything its pane shows; one that this person may not work does not exist."""
    user = request.user
    handoff = _mine(*left.shape_of(user)).one(user.pk, user.team_id, pk)
    if handoff is None:
        raise Http404
    return handoff


@cache
def _mine(roles, in_team):
    def rows(person, team, pk):
        return right.with_pane(Handoff.objects.workable_by(left.somebody(person, team, roles, in_team))).filter(pk=pk)

    return Prepared(rows, AN_ID, ANOTHER_ID, A_THIRD_ID)


def page(request, now, handoff=None, /, **more):
    """Context of the page with `handoff` opened; for htmx only what the pane needs."""
    context = {"opened": True, "filters": left.Filters.of(request.GET)}
    if not wants_part(request):
        context |= listing(request, now, current=handoff and handoff.pk)
    context["query"] = context["filters"].query()
    if handoff is not None:
        context |= right.pane(handoff, now)
    return context | more


def listing(request, now, *, current=None, open_first=False):
    """Context of the left pane: rows in groups, counts, filters and the keyset's next page."""
    asked = left.Filters.of(request.GET)
    numbers = left.counts(request.user, asked, now)
    found, more = left.page_of(request.user, asked, now, request.GET.get("after", ""))
    shown = printed(
        found, now, current=found[0]["id"] if open_first and found else current, query=asked.query(),
        ticked=request.GET.getlist("lead"), owners=request.user.holds(Role.SALES_MANAGER),
    )  # fmt: skip
    context = {"rows": shown, "groups": grouped(shown, numbers), "more": more, "clock_choices": left.CLOCKS}
    return chrome(request, asked, numbers, now) | context


def chrome(request, filters, numbers, now):
    """What stands around the rows: the sentence, the tabs, the counts, and what the poll has to know."""
    return {
        "filters": filters,
        "query": filters.query(),
        "numbers": numbers,
        "open_leads": left.open_leads(request, None if filters.any else numbers["n"]),
        "headline": headline(numbers),
        "tabs": [(key, label, numbers[name], filters.query(tab=key)) for key, label, name in left.TABS],
        "group_counts": [(key, numbers[key]) for key, _ in left.GROUPS],
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
def lead_clocks(request, pk):
    """The two clocks of the lead being read, as they are now."""
    require(request.user, May.WORK_INBOX)
    handoff = mine(request, pk)
    context = {"handoff": handoff, "clocks": right.two_clocks(handoff, timezone.now())}
    return answer(request, f"{PAGE}#clocks", context)

"""What the left pane of the inbox reads: filters, counts, and a page of rows by deadline (keyset, 50 a page)."""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from django.db.models import Q, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from leads import clocks
from leads.models import Handoff
from leads.views.inbox_pane import with_pane
from leads.views.named import named
from portal.accounts.models import User
from portal.shared.prepared import (
    A_FOURTH_MOMENT,
    A_MOMENT,
    A_THIRD_ID,
    A_THIRD_MOMENT,
    AN_ID,
    ANOTHER_ID,
    ANOTHER_MOMENT,
    Prepared,
)

PAGE = 50
TABS = (("", "All", "n"), ("contact", "To contact", "contact"), ("decide", "To decide", "decide"))
GROUPS = (
    ("overdue", "Overdue"), ("hour", "Within the hour"), ("today", "Later today"), ("later", "Tomorrow and after"),
)  # fmt: skip
# what a countdown needs of a row
CLOCK = (
    "qualified_at", "next_due_at", "first_touch_at", "contact_due_at", "contact_warn_at", "decision_warn_at",
    "calendar_id",
)  # fmt: skip
CLOCKS = (("late", "Run out"), ("hour", "Within the hour"), ("today", "Today"))
FIELDS = (
    "id", "lead_id", "lead__first_name", "lead__last_name", "lead__email", "lead__external_id", "lead__company",
    "lead__title", "tier_name", "tier_position", "total", "source", "exploration", "owner_name",
    *CLOCK,
)  # fmt: skip
# every number that stands around the rows, in one row
COUNTS = """json_build_object('n', count(*),
    'contact', count(*) FILTER (WHERE leads_handoff.first_touch_at IS NULL),
    'overdue', count(*) FILTER (WHERE {shown} AND leads_handoff.next_due_at < %s),
    'hour', count(*) FILTER (WHERE {shown} AND leads_handoff.next_due_at >= %s AND leads_handoff.next_due_at < %s),
    'today', count(*) FILTER (WHERE {shown} AND leads_handoff.next_due_at >= %s AND leads_handoff.next_due_at < %s),
    'later', count(*) FILTER (WHERE {shown} AND leads_handoff.next_due_at >= %s))"""
TOUCHED = "leads_handoff.first_touch_at IS NOT NULL"
SHOWN = {"": "true", "contact": f"NOT ({TOUCHED})", "decide": TOUCHED}


@dataclass(frozen=True)
class Filters:
    """What the person asked to see; every value is plain text from the address, "" asks nothing."""

    tab: str = ""
    q: str = ""
    tier: str = ""
    source: str = ""
    clock: str = ""
    owner: str = ""

    @classmethod
    def of(cls, values):
        asked = {name: values.get(name, "").strip()[:120] for name in cls.__dataclass_fields__}
        asked["tab"] = asked["tab"] if asked["tab"] in ("contact", "decide") else ""
        asked["owner"] = asked["owner"] if asked["owner"].isascii() and asked["owner"].isdigit() else ""
        asked["owner"] = asked["owner"][:18]
        return cls(**{name: value.replace("\0", "") for name, value in asked.items()})

    def query(self, **changes):
        """The address's query string, with its question mark, or nothing."""
        values = {**vars(self), **changes}
        kept = urlencode({name: value for name, value in values.items() if value})
        return f"?{kept}" if kept else ""

    @property
    def any(self):
        return any((self.q, self.tier, self.source, self.clock, self.owner))


def visible(user):
    """The open handoffs whose clocks this person may stop."""
    return Handoff.objects.in_inbox().workable_by(user)


def open_leads(request, known=None):
    """How many leads the person's whole inbox holds, asked once a request; `known` where a page counted them."""
    if known is not None:
        request.open_leads = known
    if not hasattr(request, "open_leads"):
        request.open_leads = visible(request.user).count()
    return request.open_leads


def selected(user, filters, now):
    """The visible inbox under the filters, without the tab."""
    rows = visible(user)
    if filters.q:
        rows = rows.annotate(person=Concat("lead__first_name", Value(" "), "lead__last_name")).filter(
            Q(person__icontains=filters.q)
            | Q(lead__company__icontains=filters.q)
            | Q(lead__email__icontains=filters.q)
        )
    if filters.tier:
        rows = rows.filter(tier__key=filters.tier)
    if filters.source:
        rows = rows.filter(source=filters.source)
    if filters.owner:
        rows = rows.filter(owner=filters.owner)
    if filters.clock == "late":
        rows = rows.filter(next_due_at__lt=now)
    elif filters.clock in ("hour", "today"):
        rows = rows.filter(next_due_at__lt=now + clocks.HOUR if filters.clock == "hour" else midnight(now))
    return rows


def tabbed(rows, tab):
    return rows if not tab else rows.filter(first_touch_at__isnull=(tab == "contact"))


def midnight(now):
    """The end of today in the organisation's zone, an aware datetime."""
    here = now.astimezone(timezone.get_default_timezone())
    return dt.datetime.combine(here.date() + dt.timedelta(days=1), dt.time(), tzinfo=here.tzinfo)


def counts(user, filters, now):
    """One query over the person's inbox under the filters: totals by tab, and by group for the tab shown."""
    if filters.any:
        return _with_rest(_counting(selected(user, filters, now), filters.tab, *_ends(now)).get())
    return _with_rest(_counts(*shape_of(user), filters.tab).one(user.pk, user.team_id, *_ends(now)))


def following(user, filters, now, place):
    """(the handoff that follows a place in the list, or else its first, with its pane; the counts): one query.

    place: (due, id). None instead of a handoff where the list is empty.
    """
    asked = (*_ends(now), *place)
    if filters.any:
        handoff = _following(selected(user, filters, now), filters.tab, *asked).first()
    else:
        handoff = _follows(*shape_of(user), filters.tab).one(user.pk, user.team_id, *asked)
    return handoff, _with_rest(handoff.numbers) if handoff else counts(user, filters, now)


def _ends(now):
    """Where the groups end: overdue, within the hour, later today."""
    soon = now + clocks.HOUR
    return now, soon, max(midnight(now), soon)


def _with_rest(numbers):
    return numbers | {"decide": numbers["n"] - numbers["contact"]}


def _counting(rows, tab, now, soon, end):
    asked = RawSQL(COUNTS.replace("{shown}", SHOWN[tab]), (now, now, soon, soon, end, end))  # noqa: S611 (no input in it)
    return rows.order_by().values_list(asked, flat=True)


def _following(rows, tab, now, soon, end, due, pk):
    numbers = RawSQL(*_counting(rows, tab, now, soon, end).query.sql_with_params())  # noqa: S611 (no input in it)
    shown = tabbed(rows, tab).by_deadline().values("pk")
    following = Coalesce(Subquery(behind(shown, due, pk)[:1]), Subquery(shown[:1]))
    return with_pane(Handoff.objects).annotate(numbers=numbers).filter(pk=following)


@cache
def _counts(roles, in_team, tab):
    def rows(person, team, *ends):
        return _counting(visible(somebody(person, team, roles, in_team)), tab, *ends)

    return Prepared(rows, AN_ID, ANOTHER_ID, A_MOMENT, ANOTHER_MOMENT, A_THIRD_MOMENT)


@cache
def _follows(roles, in_team, tab):
    def rows(person, team, *asked):
        return _following(visible(somebody(person, team, roles, in_team)), tab, *asked)

    return Prepared(rows, AN_ID, ANOTHER_ID, A_MOMENT, ANOTHER_MOMENT, A_THIRD_MOMENT, A_FOURTH_MOMENT, A_THIRD_ID)


def shape_of(user):
    """What of a person decides how their inbox is asked for, beside who they are: (roles, are they in a team)."""
    return tuple(user.roles), user.team_id is not None


def somebody(person, team, roles, in_team):
    """A person of that shape, to ask for their inbox."""
    return User(pk=person, team_id=team if in_team else None, roles=list(roles))


def page_of(user, filters, now, after=""):
    """(rows of one page of the person's inbox as dicts of FIELDS, the key of the next page or "")."""
    if filters.any or after:
        found = list(_rows(after_key(tabbed(selected(user, filters, now), filters.tab), after)))
    else:
        found = _first_rows(*shape_of(user), filters.tab)(user.pk, user.team_id)
    return found[:PAGE], key_of(found[PAGE - 1]) if len(found) > PAGE else ""


def _rows(rows):
    named_too = rows.by_deadline().annotate(**named("tier_name", "tier_position", "owner_name"))
    return named_too.values(*FIELDS)[: PAGE + 1]


@cache
def _first_rows(roles, in_team, tab):
    def rows(person, team):
        return _rows(tabbed(visible(somebody(person, team, roles, in_team)), tab))

    return Prepared(rows, AN_ID, ANOTHER_ID)


def after_key(rows, key):
    """Rows behind the keyset position `key`; one that is none starts at the top."""
    place = place_of(key)
    if place is None:
        return rows
    return behind(rows, *place)


def behind(rows, due, pk):
    """Those behind a place in the list."""
    return rows.filter(Q(next_due_at__gt=due) | Q(next_due_at=due, pk__gt=pk))


def key_of(row):
    """The row's place in the list, for an address."""
    return f"{row['next_due_at'].isoformat()}_{row['id']}"


def place_of(key):
    """(due, id) of a key, or None."""
    due, _, pk = key.rpartition("_")
    when = moment_of(due)
    return (when, int(pk)) if when and pk.isascii() and pk.isdigit() and len(pk) < 19 else None


def moment_of(words):
    """An aware datetime of an address's words, or None."""
    try:
        when = parse_datetime(words.replace(" ", "+"))
    except ValueError:
        return None
    return when if when and timezone.is_aware(when) else None

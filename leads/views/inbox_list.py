"""What the left pane of the inbox reads: filters, counts, and a page of rows by deadline (keyset, 50 a page)."""

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Q, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from leads import clocks
from leads.models import Handoff
from portal.shared import charts, text, time

PAGE = 50
TABS = (("", "All", "n"), ("contact", "To contact", "contact"), ("decide", "To decide", "decide"))
GROUPS = (
    ("overdue", "Overdue"), ("hour", "Within the hour"), ("today", "Later today"), ("later", "Tomorrow and after"),
)  # fmt: skip
CLOCKS = (("late", "Run out"), ("hour", "Within the hour"), ("today", "Today"))
FIELDS = (
    "id", "lead_id", "lead__first_name", "lead__last_name", "lead__email", "lead__external_id", "lead__company",
    "lead__title", "tier__name", "tier__position", "total", "source", "qualified_at", "contact_due_at",
    "decision_due_at", "first_touch_at", "next_due_at", "owner__name",
)  # fmt: skip


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


def counts(rows, tab, now):
    """One query: totals by tab, and by group for the tab shown."""
    end, shown = max(midnight(now), now + clocks.HOUR), _in_tab(tab)
    return rows.aggregate(
        n=Count("pk"),
        contact=Count("pk", filter=Q(first_touch_at=None)),
        decide=Count("pk", filter=Q(first_touch_at__isnull=False)),
        overdue=Count("pk", filter=shown & Q(next_due_at__lt=now)),
        hour=Count("pk", filter=shown & Q(next_due_at__gte=now, next_due_at__lt=now + clocks.HOUR)),
        today=Count("pk", filter=shown & Q(next_due_at__gte=now + clocks.HOUR, next_due_at__lt=end)),
        later=Count("pk", filter=shown & Q(next_due_at__gte=end)),
    )


def _in_tab(tab):
    return Q(first_touch_at__isnull=(tab == "contact")) if tab else Q(pk__isnull=False)


def page_of(rows, after, now):
    """(rows of one page as dicts for the template, the key of the next page or "")."""
    rows = after_key(rows.by_deadline(), after)
    found = list(rows.values(*FIELDS)[: PAGE + 1])
    more = found[PAGE - 1] if len(found) > PAGE else None
    return [shown(row, now) for row in found[:PAGE]], key_of(more) if more else ""


def after_key(rows, after):
    """Rows behind the keyset position "due time_id"; a position that is none starts at the top."""
    due, _, pk = after.rpartition("_")
    when = _moment(due)
    if when is None or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return rows
    return rows.filter(Q(next_due_at__gt=when) | Q(next_due_at=when, pk__gt=int(pk)))


def key_of(row):
    return f"{row['next_due_at'].isoformat()}_{row['id']}"


def _moment(words):
    try:
        when = parse_datetime(words.replace(" ", "+"))
    except ValueError:
        return None
    return when if when and timezone.is_aware(when) else None


def shown(row, now):
    """A row as the template prints it: every text is ready, so that 50 rows cost little."""
    zone = timezone.get_default_timezone()
    due = row["next_due_at"]
    contact = row["first_touch_at"] is None and row["contact_due_at"] is not None and due == row["contact_due_at"]
    name = f"{row['lead__first_name']} {row['lead__last_name']}".strip() or row["lead__email"] or row["lead__company"]
    return {
        "id": row["id"],
        "name": name or row["lead__external_id"] or f"Lead {row['lead_id']}",
        "what": ", ".join(part for part in (row["lead__title"], row["lead__company"]) if part),
        "tier": row["tier__name"] or "",
        "hot": row["tier__position"] == 1,
        "score": row["total"],
        "source": row["source"],
        "owner": row["owner__name"],
        "chip": chip(row, now),
        "due": due_words("contact" if contact else "decide", due, now, zone),
        "group": group_of(due, now),
    }


def chip(row, now):
    """(id, state, words, ring or None): the countdown of the clock that runs out first."""
    due = row["next_due_at"]
    contact = row["first_touch_at"] is None
    state = clocks.state(row["qualified_at"], due, now)
    words = time.due_chip(due, now, timezone.get_default_timezone())
    ring = "" if state == "late" else charts.ring(clocks.left_share(row["qualified_at"], due, now))
    return {"id": row["id"], "state": state, "words": words, "ring": ring, "contact": contact}


def due_words(verb, due, now, zone):
    """ "contact by 10:36" today, "decide by Sat 07:44" in the days before, else what the chip does not say."""
    days = (due.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days == 0:
        return f"{verb} by {time.clock_time(due, zone)}"
    if days > 0:
        return verb
    return f"{verb} by {time.weekday_time(due, zone) if days > -7 else time.day(due, now, zone)}"


def group_of(due, now):
    if due < now:
        return "overdue"
    if due < now + clocks.HOUR:
        return "hour"
    return "today" if due < midnight(now) else "later"


def grouped(rows, numbers):
    """The four groups with their rows; an empty one stays, unseen, so that later counts find their place."""
    return [
        {"key": key, "title": title, "n": numbers[key], "rows": [row for row in rows if row["group"] == key]}
        for key, title in GROUPS
    ]


def headline(numbers):
    """The finding in one sentence: what has run out and what will within the hour."""
    late, soon, n = numbers["overdue"], numbers["hour"], numbers["overdue"] + numbers["hour"]
    if not n:
        return "No clock has run out, and none runs out within the hour." if numbers["n"] else "No lead waits for you."
    many = "" if late == 1 else "s"
    if late and soon:
        first = f"{_words(late)} clock{many} {'has' if late == 1 else 'have'} run out"
        return f"{first}; {text.in_words(soon)} more {'runs' if soon == 1 else 'run'} out within the hour."
    if late:
        return f"{_words(late)} clock{many} {'has' if late == 1 else 'have'} run out; none more within the hour."
    return f"No clock has run out; {text.in_words(soon)} {'runs' if soon == 1 else 'run'} out within the hour."


def _words(number):
    return text.in_words(number).capitalize()

"""How a row of the inbox's list is printed: every text is made here once, so that the template only sets it down."""

from html import escape

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from leads import clocks
from leads.views.inbox_list import GROUPS, midnight
from portal.shared import charts, text, time
from sla.services.whose_hours import working_hours

TAG = '<span class="tag{}">{}</span>'
EXPLORATION = TAG.format("", "Exploration")
SCORE = '<span><span class="score">{}</span><span class="visually-hidden"> points</span></span>'
CHIP = '<span class="chip" id="chip-{}" data-state="{}"{}>{}{}</span>'
# fifty a page: a template takes as long for them as for all the rest
ROW = """<li class="lead-row" id="lead-row-{id}"><input type="hidden" name="drawn" value="{id}">
<label class="lead-check"><input type="checkbox" name="lead" value="{id}" aria-label="Select {name}"{ticked}></label>
<a class="lead-name" href="{href}"{current} hx-get="{href}" hx-target="#lead" hx-swap="outerHTML" hx-push-url="true">\
{name}</a>
{chip}
<p class="lead-what">{what}</p>
<p class="lead-meta">{meta}</p>
<p class="lead-due" id="due-{id}">{due}</p></li>"""
LATE = mark_safe('<svg class="icon" aria-hidden="true"><use href="#late-mark"/></svg>')  # drawn once on the page
OOB = mark_safe(' hx-swap-oob="true"')


def printed(rows, now, *, current=None, ticked=(), query="", owners=False):
    """The rows of `inbox_list.page_of` as the page shows them: dicts of id, group and html.

    current: id of the lead that is shown beside the list; ticked: ids as text; owners: whether to name them.
    """
    inbox, query = reverse("inbox"), escape(query)
    return [
        {
            "id": row["id"],
            "group": group_of(row["next_due_at"], now),
            "html": mark_safe(  # noqa: S308 (every text is escaped)
                ROW.format_map(
                    _texts(row, now, owners)
                    | {
                        "href": f"{inbox}{row['id']}/{query}",
                        "current": ' aria-current="true"' if row["id"] == current else "",
                        "ticked": " checked" if str(row["id"]) in ticked else "",
                    }
                )
            ),
        }
        for row in rows
    ]


def _texts(row, now, owners):
    """What stands in a row, escaped."""
    due = row["next_due_at"]
    contact = row["first_touch_at"] is None and row["contact_due_at"] is not None and due == row["contact_due_at"]
    name = f"{row['lead__first_name']} {row['lead__last_name']}".strip() or row["lead__email"] or row["lead__company"]
    return {
        "id": row["id"],
        "name": escape(name or row["lead__external_id"] or f"Lead {row['lead_id']}"),
        "what": escape(", ".join(part for part in (row["lead__title"], row["lead__company"]) if part)),
        "meta": _meta(row, owners),
        "chip": chip(row["id"], *countdown(row, now)),
        "due": due_words("contact" if contact else "decide", due, now, timezone.get_default_timezone()),
    }


def _meta(row, owners):
    """Tier, points and source, and whether it is an exploration lead; for a manager also who holds the lead."""
    tag = (
        TAG.format(" tag-hot" if row["tier_position"] == 1 else "", escape(row["tier_name"]))
        if row["tier_name"] and not row["exploration"]
        else ""
    )
    tag += EXPLORATION if row["exploration"] else ""
    score = SCORE.format(row["total"]) if row["total"] is not None else ""
    where = ", ".join(part for part in (row["source"], owners and row["owner_name"]) if part)
    return f"{tag}{score}<span>{escape(where)}</span>"


def countdown(row, now):
    """(state, ring or mark, words): the clock that runs out first."""
    start, due = row["qualified_at"], row["next_due_at"]
    hours = working_hours((row["calendar_id"],)).get(row["calendar_id"])
    contact = row["first_touch_at"] is None and due == row["contact_due_at"]
    state = clocks.state(start, due, now, warn_at=row["contact_warn_at" if contact else "decision_warn_at"])
    words = clocks.due_chip(due, now, timezone.get_default_timezone(), hours)
    if state == "late":
        return state, LATE, words
    return state, charts.ring(clocks.left_share(start, due, now, hours)), words


def chip(pk, state, mark, words, oob="") -> SafeString:
    """A countdown chip, whose mark is a drawing of ours; with OOB it replaces the one on the page."""
    return mark_safe(CHIP.format(pk, state, oob, mark, escape(words)))  # noqa: S308 (the words are escaped)


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

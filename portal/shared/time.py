"""How times and durations are written: pure functions; the moment "now" and the zone are always passed in."""

from datetime import timedelta
from math import ceil

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOURS_UNTIL_DAYS = 2 * DAY  # up to two days are told in hours: "26 h" says more than "1 day"


def duration(delta):
    """A length in words: "9 min", "2 h 23 min", "26 h", "4 days". Begun minutes count; the sign is dropped."""
    delta = abs(delta)
    minutes = ceil(delta / MINUTE)
    if minutes < 60:
        return f"{minutes} min"
    if delta >= HOURS_UNTIL_DAYS:
        return f"{delta // DAY} days"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and delta < DAY else f"{hours} h"


def left(due, now):
    """What is left until `due`: "9 min left", or how far it is over: "6 min over"; "due now" on the second."""
    if due == now:
        return "due now"
    return f"{duration(due - now)} {'left' if due > now else 'over'}"


def due_chip(due, now, zone):
    """A countdown chip's text: "6 min over", "9 min left", "2 h 23 min" today, then "Fri 09:15", then "14 Nov"."""
    if due - now <= HOUR:
        return left(due, now)
    if _days_apart(due, now, zone) == 0:
        return duration(due - now)
    return weekday_time(due, zone) if _days_apart(due, now, zone) <= 6 else day(due, now, zone)


def ago(when, now):
    """How long since: "just now", "9 min ago", "2 h ago", "4 days ago"; a moment to come: "in 9 min"."""
    if timedelta(0) <= now - when < MINUTE:
        return "just now"
    minutes = (abs(now - when) // MINUTE) or 1
    if minutes < 60:
        words = f"{minutes} min"
    elif minutes < 24 * 60:
        words = f"{minutes // 60} h"
    else:
        days = minutes // (24 * 60)
        words = "1 day" if days == 1 else f"{days} days"
    return f"{words} ago" if when <= now else f"in {words}"


def moment(when, now, zone):
    """Near times by their day: "Today 09:51", "Yesterday 17:02", "Fri 09:15" (six days ahead), else "5 Nov 11:24"."""
    names = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}
    apart = _days_apart(when, now, zone)
    if apart in names:
        return f"{names[apart]} {clock_time(when, zone)}"
    if 1 < apart <= 6:
        return weekday_time(when, zone)
    return f"{day(when, now, zone)} {clock_time(when, zone)}"


def clock_time(when, zone):
    """Hours and minutes: "09:51"."""
    return f"{when.astimezone(zone):%H:%M}"


def weekday_time(when, zone):
    """Weekday and time: "Fri 09:15"."""
    return f"{DAYS[when.astimezone(zone).weekday()][:3]} {clock_time(when, zone)}"


def day(when, now, zone):
    """Day and month, with the year unless it is this one: "5 Nov", "5 Nov 2024". Takes a datetime or a date."""
    date = _date(when, zone)
    words = f"{date.day} {MONTHS[date.month - 1][:3]}"
    return words if date.year == _date(now, zone).year else f"{words} {date.year}"


def full(when, zone):
    """The whole moment: "Thursday 6 November 2025, 10:42"; of a date without a time only the day."""
    date = _date(when, zone)
    words = f"{DAYS[date.weekday()]} {date.day} {MONTHS[date.month - 1]} {date.year}"
    return f"{words}, {clock_time(when, zone)}" if hasattr(when, "astimezone") else words


def month(first):
    """A month in words: "October 2025"."""
    return f"{MONTHS[first.month - 1]} {first.year}"


def _date(when, zone):
    return when.astimezone(zone).date() if hasattr(when, "astimezone") else when


def _days_apart(when, now, zone):
    return (_date(when, zone) - _date(now, zone)).days

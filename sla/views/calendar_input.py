"""The calendar form: what it shows of a calendar, and what a person typed as the document that the verbs take."""

from dataclasses import dataclass, field

from sla.hours import WEEKDAYS
from sla.words import DAYS

SPANS = 3  # a day's working hours in so many pieces at most; more are kept where a file brought them
FREE_LINES = 3


@dataclass
class CalendarInput:
    """The fields as texts: week by day as (from, to) pairs, special days as (date, name, hours) lines."""

    name: str = ""
    zone: str = ""
    week: dict = field(default_factory=dict)
    special: list = field(default_factory=list)

    @classmethod
    def of(cls, calendar):
        """From a stored calendar."""
        special = [
            (day, calendar.day_names.get(day, ""), written(spans))
            for day, spans in sorted(calendar.exceptions.items())
        ]
        return cls(calendar.name, calendar.zone, calendar.week, special)

    @classmethod
    def posted(cls, post):
        """From a submitted form."""
        week = {}
        for day in WEEKDAYS:
            pairs = zip(post.getlist(f"{day}_from"), post.getlist(f"{day}_to"), strict=False)
            if spans := [[_time(start), _time(end)] for start, end in pairs if start.strip() or end.strip()]:
                week[day] = spans
        lines = zip(post.getlist("date"), post.getlist("day_name"), post.getlist("hours"), strict=False)
        special = [tuple(cell.strip() for cell in line) for line in lines if line[0].strip()]
        return cls(post.get("name", ""), post.get("zone", ""), week, special)

    @property
    def document(self):
        """What `sla.hours.read_calendar` judges; unreadable texts stay as they are, so that it can name them."""
        exceptions = {day: [[*_pair(part)] for part in _parts(hours)] for day, _, hours in self.special}
        return {"zone": self.zone.strip(), "week": self.week, "exceptions": exceptions}

    @property
    def day_names(self):
        return {day: name[:80] for day, name, _ in self.special if name}

    @property
    def days(self):
        """For the grid: (key, name, pairs with free room for more)."""
        for day in WEEKDAYS:
            spans = [tuple(span) for span in self.week.get(day, ())]
            yield day, DAYS[day], spans + [("", "")] * max(SPANS - len(spans), 0)

    @property
    def lines(self):
        """For the list of special days, with empty lines at the end."""
        return [*self.special, *[("", "", "")] * FREE_LINES]


def written(spans):
    """One day's hours as a person writes them: "09:00–12:00, 13:00–15:00"; closed: nothing."""
    return ", ".join(f"{start}–{end}" for start, end in spans)


def _parts(hours):
    return [part.strip() for part in hours.split(",") if part.strip() and part.strip().lower() != "closed"]


def _pair(part):
    """The beginning and the end around the first dash of any length; without one the document names the fault."""
    for dash in ("–", "-", "—", " to "):
        if dash in part:
            return [_time(end) for end in part.split(dash, 1)]
    return [part]


def _time(text):
    """ "9", "9:30" and "0900" as HH:MM; anything else as it is."""
    text = text.strip().replace(".", ":")
    hour, _, minute = (
        text.partition(":") if ":" in text else (text[:-2], ":", text[-2:]) if len(text) > 2 else (text, "", "00")
    )
    if hour.isdecimal() and minute.isdecimal() and len(hour) <= 2 and len(minute) == 2:
        return f"{int(hour):02}:{minute}"
    return text

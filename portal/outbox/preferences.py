"""What a person wants to be told, by which ways and when: asked at delivery, chosen on one's own page."""

import datetime as dt
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction

from portal.accounts.models import User
from portal.outbox.mail import KINDS, WAYS, kinds_for
from portal.outbox.models import Preference, QuietHours
from portal.shared.refusal import Refusal


class KindUnknown(Refusal):
    code = "kind_unknown"
    sentence = "Choose ways for the kinds of messages on this page. Nothing was saved."
    field = "kind"


class ZoneUnknown(Refusal):
    code = "zone_unknown"
    sentence = "This is not a time zone; one is called Europe/Berlin, for instance. Nothing was saved."
    field = "zone"


class QuietHoursIncomplete(Refusal):
    code = "quiet_hours_incomplete"
    sentence = "Quiet hours need a beginning and another time as their end. Nothing was saved."
    field = "begins"


def ways_of(person, kind):
    """The ways by which the person wants this Kind: their choice, or the kind's own; all where there is no kind."""
    if kind is None:
        return frozenset(WAYS)
    chosen = Preference.objects.filter(person=person, kind=kind.key).values_list("ways", flat=True).first()
    return kind.ways if chosen is None else frozenset(chosen)


def all_ways(person):
    """[(Kind, ways)] for every kind that matters to the person's roles. One query."""
    chosen = dict(Preference.objects.filter(person=person).values_list("kind", "ways"))
    return [(kind, frozenset(chosen.get(kind.key, kind.ways))) for kind in kinds_for(person)]


def quiet_hours(person):
    """The person's QuietHours, or None."""
    return QuietHours.objects.filter(person=person).first()


def quiet_until(person, at):
    """When the quiet hours that `at` lies in are over (aware, UTC), or None where it lies in none."""
    hours = quiet_hours(person)
    return end_of_quiet(hours.begins, hours.ends, person.zone, at) if hours else None


def end_of_quiet(begins, ends, zone, at):
    """As `quiet_until`, of given hours on the clock of a zone: pure."""
    local = at.astimezone(zone)
    now = local.time()
    over_midnight = ends < begins
    inside = (now >= begins or now < ends) if over_midnight else begins <= now < ends
    if not inside:
        return None
    day = local.date() + dt.timedelta(days=1 if over_midnight and now >= begins else 0)
    # a time that a change of the clocks leaves out is read as the same distance past the gap
    until = dt.datetime.combine(day, ends, tzinfo=zone).astimezone(dt.UTC)
    return until if until > at else None


@transaction.atomic(durable=True)
def choose_ways(*, person, ways):
    """`ways`: {kind's key: ways}; an empty list turns the kind off. Refuses: KindUnknown."""
    known = {kind.key for kind in kinds_for(person)}
    if not set(ways) <= known or not all(set(chosen) <= set(WAYS) for chosen in ways.values()):
        raise KindUnknown
    Preference.objects.bulk_create(
        [Preference(person=person, kind=key, ways=sorted(set(chosen))) for key, chosen in ways.items()],
        update_conflicts=True, unique_fields=["person", "kind"], update_fields=["ways"],
    )  # fmt: skip


@transaction.atomic(durable=True)
def set_quiet_hours(*, person, zone, begins, ends):
    """`zone`: a name, or "" for the organisation's; `begins` and `ends`: times, or both None for no quiet hours.

    Refuses: ZoneUnknown, QuietHoursIncomplete.
    """
    if zone and zone not in available_timezones():
        raise ZoneUnknown
    if (begins is None) is not (ends is None) or (begins is not None and begins == ends):
        raise QuietHoursIncomplete
    User.objects.filter(pk=person.pk).update(time_zone=zone and ZoneInfo(zone).key)
    if begins is None:
        QuietHours.objects.filter(person=person).delete()
    else:
        QuietHours.objects.update_or_create(person=person, defaults={"begins": begins, "ends": ends})


def chat_kinds():
    """The kinds that a chat room may listen to."""
    return [kind for kind in KINDS.values() if kind.chat]

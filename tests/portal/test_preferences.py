"""What a person chose to be told: ways for each kind, and hours in which mail waits, on the person's own clock."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from leads.mail.kinds import NEW_LEAD
from portal.outbox.deliver import deliver_due
from portal.outbox.mail import BELL, MAIL
from portal.outbox.models import Message, Notice
from portal.outbox.preferences import (
    KindUnknown,
    QuietHoursIncomplete,
    ZoneUnknown,
    choose_ways,
    end_of_quiet,
    set_quiet_hours,
)

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
TEN, SEVEN = dt.time(22), dt.time(7)


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.fixture
def quiet(agreement):
    Message.objects.all().delete()


@pytest.mark.parametrize(
    ("ways", "mails", "rings"), [([MAIL], 1, 0), ([BELL], 0, 1), ([], 0, 0), ([MAIL, BELL], 1, 1)]
)
def test_a_message_comes_by_the_ways_one_chose_and_no_other(quiet, open_lead, people, now, ways, mails, rings):
    choose_ways(person=people.rep, ways={NEW_LEAD.key: ways})
    open_lead()
    deliver_due(at=now)
    assert (len(mail.outbox), Notice.objects.count()) == (mails, rings)
    assert not Message.objects.waiting().exists()


def test_mail_waits_until_the_quiet_hours_end_and_the_bell_counts_at_once(quiet, open_lead, people):
    set_quiet_hours(person=people.rep, zone="", begins=TEN, ends=SEVEN)
    night, morning = utc("2026-10-14T21:30"), utc("2026-10-15T05:00")  # 23:30 and 07:00 in Berlin
    open_lead(at=night)
    deliver_due(at=night)
    assert (len(mail.outbox), Notice.objects.count()) == (0, 1)
    assert Message.objects.get(recipient=people.rep).next_attempt_at == morning
    assert Message.objects.get(recipient=people.rep).attempts == 0
    deliver_due(at=morning)
    assert (len(mail.outbox), Notice.objects.count()) == (1, 1)


def test_quiet_hours_are_those_of_the_persons_own_clock(quiet, open_lead, people):
    set_quiet_hours(person=people.rep, zone="America/New_York", begins=TEN, ends=SEVEN)
    evening_there = utc("2026-10-15T01:30")  # 21:30 in New York, 03:30 in Berlin
    open_lead(at=evening_there)
    deliver_due(at=evening_there)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-10-15T19:59", None),
        ("2026-10-15T20:00", "2026-10-16T05:00"),
        ("2026-10-16T04:59", "2026-10-16T05:00"),
        ("2026-10-16T05:00", None),
        ("2026-10-24T21:00", "2026-10-25T06:00"),  # the clocks go back in that night
        ("2026-03-28T22:00", "2026-03-29T05:00"),  # and forward in this one
    ],
)
def test_quiet_from_ten_to_seven_in_berlin(at, until):
    assert end_of_quiet(TEN, SEVEN, BERLIN, utc(at)) == (until and utc(until))


@given(
    st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2028, 1, 1), timezones=st.just(dt.UTC)),
    st.times(), st.times(), st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)  # fmt: skip
def test_quiet_hours_always_end_after_they_are_asked_for_and_within_a_day(at, begins, ends, zone):
    until = end_of_quiet(begins, ends, ZoneInfo(zone), at)
    assert until is None or at < until <= at + dt.timedelta(hours=25)


def test_the_page_saves_what_was_chosen(client, people):
    client.force_login(people.rep)
    client.post(reverse("preferences"), {"ways-new_lead": ["bell"]})
    page = client.get(reverse("preferences"))
    chosen = {row["kind"].key: {way for way, _, on in row["ways"] if on} for row in page.context["kinds"]}
    assert chosen["new_lead"] == {"bell"}
    assert chosen["breach"] == set()


def test_the_page_saves_quiet_hours_and_says_what_is_missing(client, people):
    client.force_login(people.rep)
    wrong = client.post(reverse("preferences_quiet"), {"begins": "22:00", "ends": "", "zone": ""})
    assert wrong.status_code == 422
    assert "Quiet hours need a beginning" in wrong.content.decode()
    client.post(reverse("preferences_quiet"), {"begins": "22:00", "ends": "07:00", "zone": "Asia/Tokyo"})
    people.rep.refresh_from_db()
    assert (people.rep.zone, str(people.rep.quiet_hours)) == (ZoneInfo("Asia/Tokyo"), "22:00 to 07:00")
    client.post(reverse("preferences_quiet"), {"begins": "", "ends": "", "zone": ""})
    people.rep.refresh_from_db()
    assert (people.rep.zone, hasattr(people.rep, "quiet_hours")) == (BERLIN, False)


def test_what_nobody_offered_is_refused(people):
    with pytest.raises(KindUnknown):
        choose_ways(person=people.rep, ways={"gossip": [MAIL]})
    with pytest.raises(KindUnknown):
        choose_ways(person=people.rep, ways={NEW_LEAD.key: ["pigeon"]})
    with pytest.raises(ZoneUnknown):
        set_quiet_hours(person=people.rep, zone="../etc/passwd", begins=None, ends=None)
    with pytest.raises(QuietHoursIncomplete):
        set_quiet_hours(person=people.rep, zone="", begins=TEN, ends=TEN)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO outbox_preference (person_id, kind, ways) SELECT id, 'x', '{dove}' FROM accounts_user",
        "INSERT INTO outbox_quiethours (person_id, begins, ends) SELECT id, '22:00', '22:00' FROM accounts_user",
    ],
)
def test_the_database_refuses_ways_and_hours_that_make_no_sense(people, sql):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

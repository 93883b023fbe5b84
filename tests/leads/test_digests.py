"""Digests: each working morning what waits, and before a review its agenda; once a person and day."""

import datetime as dt

import pytest
from django.core import mail

from leads.services.decide import accept_handoff, reject_handoff
from leads.services.digests import review_of, tell_digests
from leads.services.sweep import sweep_clocks
from leads.tasks import digests
from portal.accounts.absences import add_absence
from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message
from portal.outbox.preferences import choose_ways, set_quiet_hours
from sla.models import SLAVersion
from tests import cast

HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR


@pytest.fixture
def quiet(agreement, people):
    Message.objects.all().delete()


def morning(day, hour=6):
    return dt.datetime(2026, 10, day, hour, tzinfo=dt.UTC)  # in Berlin two hours later


def letters(at):
    """{address: letter} of what is delivered at `at`, leads' own messages put aside."""
    Message.objects.exclude(topic__startswith="digest.").delete()
    mail.outbox.clear()
    deliver_due(at=at)
    return {letter.to[0]: letter for letter in mail.outbox}


def test_a_rep_learns_each_morning_what_waits_and_what_is_first(quiet, open_lead, people, now):
    open_lead(at=morning(15, 7))
    open_lead(at=morning(15, 9), first_name="Late", company="")
    tell_digests(at=morning(16))
    letter = letters(morning(16))[people.rep.email]
    assert letter.subject.startswith("Today: 2 overdue, 0 due, 2 open")
    assert "- Henrike Solvang, Corvane Foods: " in letter.body
    assert "- Late Solvang: " in letter.body


def test_a_manager_learns_how_the_team_is_loaded(quiet, open_lead, people):
    open_lead(at=morning(15, 7))
    open_lead(at=morning(15, 7), owner=people.other_rep)
    tell_digests(at=morning(16))
    body = letters(morning(16))[people.manager.email].body
    assert "- Otto Rep: 1 open, 1 overdue" in body
    assert "(with Rena Rep)" in body
    assert "In the default queue: 0." in body


def test_who_has_nothing_open_gets_no_digest(quiet, open_lead, people):
    open_lead()
    tell_digests(at=morning(16))
    assert people.south_rep.email not in letters(morning(16))


def test_a_digest_comes_once_a_day_however_often_the_beat_asks(quiet, open_lead, people):
    open_lead()
    for minutes in (0, 5, 10):
        tell_digests(at=morning(16) + dt.timedelta(minutes=minutes))
    assert Message.objects.filter(topic="digest.day", recipient=people.rep).count() == 1
    tell_digests(at=morning(19))
    assert Message.objects.filter(topic="digest.day", recipient=people.rep).count() == 2


@pytest.mark.parametrize(
    ("zone", "hour", "told"),
    [("", 4, 0), ("", 5, 1), ("", 10, 0), ("America/New_York", 5, 0), ("America/New_York", 12, 1)],
)
def test_it_is_the_morning_of_the_readers_own_clock(quiet, people, zone, hour, told):
    set_quiet_hours(person=people.rep, zone=zone, begins=None, ends=None)
    tell_digests(at=morning(16, hour))
    assert Message.objects.filter(topic="digest.day", recipient=people.rep).count() == told


def test_there_is_none_on_a_closed_day_nor_during_an_absence(quiet, people):
    tell_digests(at=morning(17))  # a Saturday
    assert not Message.objects.filter(topic__startswith="digest.").exists()
    day = morning(16).date()
    add_absence(person_id=people.rep.pk, first_day=day, last_day=day, by=people.rep, at=morning(15))
    tell_digests(at=morning(16))
    assert not Message.objects.filter(topic="digest.day", recipient=people.rep).exists()
    assert Message.objects.filter(topic="digest.day", recipient=people.other_rep).exists()


def test_a_digest_that_nobody_wants_is_not_sent(quiet, open_lead, people):
    open_lead()
    choose_ways(person=people.rep, ways={"digest": []})
    tell_digests(at=morning(16))
    assert people.rep.email not in letters(morning(16))


@pytest.fixture
def reviewed(people, now):
    """An agreement in force since Saturday 1 January 2022, reviewed as often as it says: reviewed("weekly")."""

    def under(cadence):
        version = cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC), review_cadence=cadence)
        Message.objects.all().delete()
        return version

    return under


def some_leads(people):
    handoffs = [cast.open_handoff(owner=people.rep, at=morning(15, 8)) for _ in range(4)]
    accept_handoff(handoff_id=handoffs[0].pk, by=people.rep, at=morning(15, 8) + HOUR / 4)
    reject_handoff(handoff_id=handoffs[1].pk, by=people.rep, at=morning(15, 8) + HOUR / 4, reason="11")
    sweep_clocks(at=morning(19, 5))
    return handoffs


def test_both_leaders_get_the_review_of_the_week_that_ended_with_its_agenda(reviewed, people):
    reviewed("weekly")
    some_leads(people)
    tell_digests(at=morning(19))
    tell_digests(at=morning(20))
    found = letters(morning(19))
    assert found.keys() >= {people.marketing_leader.email, people.sales_leader.email}
    letter = found[people.sales_leader.email]
    assert letter.subject == "Conversion review, 12 to 18 October: 1 accepted, 4 MQLs"
    for said in (
        "From 12 to 18 October sales accepted 1 lead against 4 MQLs: 25.0% (4.6–69.9); too few MQLs to lean on.",
        "Waits for somebody:\n- 2 open leads are past a clock; the longest is Henrike Solvang, Corvane Foods: 3 days",
        "Noise, so no need to explain it:\n- Marketing delivered 4 MQLs, against 0 in the 7 days before.",
        "- The decision clock ran out on 2 leads, against 0 in the 7 days before.",
        "Longest past their clock:\n- Henrike Solvang, Corvane Foods: 3 days over, in the default queue\n- Henrike",
        "/audit/review/?days=7&until=2026-10-18",
    ):
        assert said in letter.body
    assert Message.objects.filter(topic="digest.review", recipient=people.sales_leader).count() == 1


def test_a_fortnight_is_reviewed_every_other_week_counted_from_the_agreement(reviewed, people):
    version = SLAVersion.objects.in_force(at=reviewed("fortnightly").signatures.last().signed_at)
    days = [dt.date(2026, 10, 5) + n * dt.timedelta(days=7) for n in range(4)]
    spans = [review_of(version, day) for day in days]
    assert [span is None for span in spans] in ([True, False] * 2, [False, True] * 2)
    known = [span for span in spans if span]
    assert known[0].plus(1) == known[1]
    assert all(span.days == 14 and span.last.weekday() == 6 for span in known)
    assert all(review_of(version, span.last + n * dt.timedelta(days=1)) == span for span in known for n in (1, 5, 7))


def test_a_monthly_cadence_and_no_agreement_mail_no_review(reviewed, people):
    reviewed("monthly")
    some_leads(people)
    tell_digests(at=morning(19))
    assert not Message.objects.filter(topic="digest.review").exists()
    assert review_of(None, dt.date(2026, 10, 19)) is None


def test_who_turned_the_review_off_or_keeps_quiet_hours_is_left_alone(reviewed, people):
    reviewed("weekly")
    some_leads(people)
    choose_ways(person=people.sales_leader, ways={"review": []})
    set_quiet_hours(person=people.marketing_leader, zone="", begins=dt.time(5), ends=dt.time(9, 30))
    tell_digests(at=morning(19))
    assert not letters(morning(19)).keys() & {people.marketing_leader.email, people.sales_leader.email}
    assert letters(morning(19, 8)).keys() & {people.marketing_leader.email, people.sales_leader.email} == {
        people.marketing_leader.email
    }


def test_a_week_without_leads_is_not_reviewed(reviewed, people):
    reviewed("weekly")
    tell_digests(at=morning(19))
    assert Message.objects.filter(topic="digest.review").exists()
    assert people.sales_leader.email not in letters(morning(19))


def test_the_beat_asks_for_digests_every_five_minutes(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["digests"]
    assert (entry["task"], entry["schedule"]) == (digests.name, 300.0)

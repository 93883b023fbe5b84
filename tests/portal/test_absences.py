"""Absences: days on which a person gets no new leads, entered by themselves, their manager or an admin."""

import datetime as dt

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts.absences import add_absence, end_absence
from portal.accounts.models import Absence, User
from portal.accounts.refusals import AbsenceOver, AbsentAlready, DaysPast, DaysRequired
from portal.shared.refusal import NotPermitted

TODAY = dt.date(2026, 10, 15)
DAY = dt.timedelta(days=1)


def day(n):
    return TODAY + dt.timedelta(days=n)


@pytest.fixture
def away(people, now):
    """Makes an absence of Rena's: away(first, last) in days from today."""

    def make(first=0, last=4, person=people.rep, by=None, at=now):
        return add_absence(
            person_id=person.pk, first_day=day(first), last_day=day(last), by=by or person, at=at, note="Holiday"
        )

    return make


def absent(on):
    return list(User.objects.absent(on=on).values_list("name", flat=True))


def test_a_person_is_absent_from_the_first_day_to_the_last(away, people):
    away(1, 3)
    assert [absent(day(n)) for n in (0, 1, 3, 4)] == [[], ["Rena Rep"], ["Rena Rep"], []]
    assert people.rep in User.objects.reps().present(on=day(0))
    assert people.rep not in User.objects.reps().present(on=day(1))


def test_an_instant_means_its_day_in_the_organisation(away):
    away(1, 1)
    midnight = dt.datetime(2026, 10, 15, 22, 0, tzinfo=dt.UTC)  # in Berlin the 16th begins
    assert absent(midnight) == ["Rena Rep"]
    assert absent(midnight - dt.timedelta(microseconds=1)) == []


def test_who_cannot_sign_in_is_never_present(people):
    User.objects.filter(pk=people.rep.pk).update(is_active=False)
    assert people.rep not in User.objects.present(on=TODAY)


def test_who_is_back_early_is_present_from_that_day(away, people, now):
    absence = away(-2, 4, at=now - dt.timedelta(days=3))
    end_absence(absence_id=absence.pk, by=people.rep, at=now)
    assert [absent(day(n)) for n in (-1, 0)] == [["Rena Rep"], []]
    away(0, 4)  # and may be away again


def test_an_absence_to_come_is_called_off_whole(away, people, now):
    absence = end_absence(absence_id=away(3, 5).pk, by=people.manager, at=now)
    assert absent(day(4)) == []
    assert absence.ended_by == people.manager
    assert not Absence.objects.not_over(on=TODAY).exists()


def test_an_absence_ends_once(away, people, now):
    absence = away()
    end_absence(absence_id=absence.pk, by=people.rep, at=now)
    with pytest.raises(AbsenceOver):
        end_absence(absence_id=absence.pk, by=people.rep, at=now)


@pytest.mark.parametrize(("first", "last", "refusal"), [(3, 2, DaysRequired), (-3, -1, DaysPast)])
def test_days_that_make_no_absence_are_refused(away, first, last, refusal):
    with pytest.raises(refusal):
        away(first, last)
    assert not Absence.objects.exists()


def test_days_that_overlap_are_refused_by_the_verb(away):
    away(1, 3)
    with pytest.raises(AbsentAlready):
        away(3, 5)
    away(4, 5)


@pytest.mark.parametrize("by", ["rep", "manager", "admin"])
def test_oneself_the_manager_and_an_admin_enter_an_absence(away, people, by):
    assert away(by=getattr(people, by)).created_by == getattr(people, by)


@pytest.mark.parametrize("by", ["other_rep", "marketer", "sales_leader"])
def test_nobody_else_enters_or_ends_an_absence(away, people, now, by):
    with pytest.raises(NotPermitted):
        away(by=getattr(people, by))
    absence = away()
    with pytest.raises(NotPermitted):
        end_absence(absence_id=absence.pk, by=getattr(people, by), at=now)


def test_a_manager_plans_for_the_own_team_only(away, people):
    with pytest.raises(NotPermitted):
        away(person=people.south_rep, by=people.manager)


# --- past Python ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("INSERT INTO accounts_absence (person_id, first_day, last_day, note, created_at, created_by_id)"
         " SELECT person_id, last_day, last_day + 1, '', created_at, created_by_id FROM accounts_absence",
         "once_a_day"),
        ("UPDATE accounts_absence SET last_day = last_day + 1", "does not change"),
        ("UPDATE accounts_absence SET back_on = first_day - 1, ended_at = created_at, ended_by_id = person_id",
         "ended_early"),
        ("UPDATE accounts_absence SET back_on = first_day", "ended_early"),
        ("DELETE FROM accounts_absence", "never deleted"),
        ("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE accounts_absence", "never emptied"),
        ("INSERT INTO accounts_absence (person_id, first_day, last_day, note, created_at, created_by_id)"
         " SELECT person_id, last_day + 9, last_day + 8, '', created_at, created_by_id FROM accounts_absence",
         "ends_after_it_begins"),
    ],
)  # fmt: skip
def test_the_database_refuses(away, statement, said):
    away()
    with pytest.raises(IntegrityError, match=said), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# --- the page ---------------------------------------------------------------------------------------
def signed_in(person):
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def dates(first, last):
    today = timezone.localdate()
    return {"first_day": (today + first * DAY).isoformat(), "last_day": (today + last * DAY).isoformat()}


def test_a_rep_enters_an_own_absence_and_ends_it(people):
    client = signed_in(people.rep)
    answer = client.post(reverse("absence_add"), dates(0, 4) | {"note": "Holiday"}, follow=True)
    assert "You get no new leads on these days" in answer.text
    assert "One person is away today" in answer.text
    absence = Absence.objects.get()
    assert (absence.person, absence.created_by) == (people.rep, people.rep)
    answer = client.post(reverse("absence_end", args=[absence.pk]), follow=True)
    assert "The absence was ended" in answer.text
    assert not User.objects.absent(on=timezone.localdate()).exists()


def test_a_manager_enters_one_for_the_team_and_sees_only_the_team(people):
    signed_in(people.south_rep).post(reverse("absence_add"), dates(0, 1))
    client = signed_in(people.manager)
    answer = client.post(reverse("absence_add"), dates(0, 1) | {"person": people.other_rep.pk}, follow=True)
    assert "Otto Rep gets no new leads" in answer.text
    assert "Suna Rep" not in answer.text
    other = Absence.objects.get(person=people.south_rep)
    assert client.post(reverse("absence_end", args=[other.pk])).status_code == 404


def test_nobody_enters_an_absence_of_somebody_else(people):
    answer = signed_in(people.rep).post(reverse("absence_add"), dates(0, 1) | {"person": people.other_rep.pk})
    assert (answer.status_code, Absence.objects.count()) == (403, 0)


@pytest.mark.parametrize("given", [{}, {"first_day": "soon", "last_day": "later"}, dates(4, 2), dates(-4, -2)])
def test_days_that_cannot_be_are_refused_with_a_sentence(people, given):
    answer = signed_in(people.rep).post(reverse("absence_add"), given)
    assert (answer.status_code, Absence.objects.count()) == (422, 0)
    assert "Nothing was saved" in answer.text

"""A prepared question answers as its queryset does, whoever asks and with whatever values."""

import datetime as dt
import threading

import pytest
from django.core.exceptions import FieldFetchBlocked
from django.db import connection, models, transaction
from django.db.models import F

from leads.models import Handoff
from portal.accounts.models import User
from portal.shared.prepared import A_MOMENT, AN_ID, Prepared


def of_owner(owner, at):
    rows = Handoff.objects.select_related("lead").annotate(of=F("owner__name"))
    return rows.filter(owner=owner, qualified_at__lte=at).order_by("id").fetch_mode(models.FETCH_RAISE)


def test_it_yields_what_the_queryset_yields(open_lead, people, now, django_assert_num_queries):
    made = [open_lead(), open_lead(), open_lead(owner=people.other_rep)]
    asked = Prepared(of_owner, AN_ID, A_MOMENT)
    for owner in (people.rep, people.other_rep, people.south_rep):
        with django_assert_num_queries(1):
            found = [(row.pk, row.lead.email, row.of, row.breakdown) for row in asked(owner.pk, now)]
        assert found == [(row.pk, row.lead.email, row.of, row.breakdown) for row in of_owner(owner.pk, now)]
    assert [row.pk for row in asked(people.rep.pk, now)] == [made[0].pk, made[1].pk]
    assert asked(people.rep.pk, now - dt.timedelta(days=1)) == []
    assert asked.one(people.south_rep.pk, now) is None


def test_what_was_not_asked_for_raises_as_it_does_in_the_queryset(open_lead, people, now):
    open_lead()
    row = Prepared(of_owner, AN_ID, A_MOMENT).one(people.rep.pk, now)
    with pytest.raises(FieldFetchBlocked):
        _ = row.tier


@pytest.mark.parametrize(
    "shape", [lambda rows: rows.values("id", "name"), lambda rows: rows.values_list("id", "name")]
)
def test_dicts_and_tuples_come_as_they_do_from_the_queryset(people, shape):
    def build(pk):
        return shape(User.objects.filter(pk=pk))

    assert Prepared(build, AN_ID)(people.rep.pk) == list(build(people.rep.pk))


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_on_its_own_connection(people):
    asked, told = Prepared(lambda pk: User.objects.filter(pk=pk).values_list("name", flat=True), AN_ID), []

    def elsewhere():
        told.extend(asked(people.rep.pk))
        connection.close()

    with transaction.atomic():
        User.objects.filter(pk=people.rep.pk).update(name="Not yet committed")
        assert asked(people.rep.pk) == ["Not yet committed"]
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert told == ["Rena Rep"]

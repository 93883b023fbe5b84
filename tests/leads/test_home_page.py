"""Home: the manager's board, and the way to one's work for everybody else."""

import datetime as dt

import pytest
from django.urls import reverse

from leads.models import Handoff
from portal.accounts.absences import add_absence
from tests.routing import plan

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.fixture
def now():
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def board(client, people):
    """Opens the board as the manager of North. Returns the answer."""

    def show(user=None, **query):
        client.force_login(user or people.manager)
        return client.get(reverse("home"), query)

    return show


@pytest.mark.parametrize(("who", "page"), [
    ("rep", "inbox"), ("marketer", "audit_latest"), ("marketing_leader", "audit_latest"), ("admin", "audit_latest"),
])  # fmt: skip
def test_everybody_starts_where_their_work_is(agreement, client, people, who, page):
    client.force_login(getattr(people, who))
    assert client.get(reverse("home"))["Location"] == reverse(page)


def test_the_board_tells_what_ran_out_and_whose_it_is(open_lead, board, people, now):
    for n in range(3):
        open_lead(at=now - 2 * DAY, last_name=f"Late{n}")
    open_lead(owner=people.other_rep, at=now - 50 * MINUTE, source="Demo request")
    open_lead(owner=people.south_rep, at=now - 2 * DAY, last_name="Foreign")
    answer = board()
    context, page = answer.context, answer.content.decode()
    assert (context["numbers"]["open"], context["numbers"]["late"], context["numbers"]["late_contact"]) == (4, 3, 3)
    assert "Three clocks have run out" in page
    assert "Late2" in page
    assert "Foreign" not in page


def test_a_sales_leader_sees_all_teams_and_no_button_to_reassign(open_lead, board, people, now):
    open_lead(at=now - 2 * DAY)
    open_lead(owner=people.south_rep, at=now - 2 * DAY)
    answer = board(people.sales_leader)
    assert answer.context["numbers"]["late"] == 2
    assert "Reassign" not in answer.content.decode()


def test_the_load_of_each_rep_stands_beside_their_room_and_their_absence(open_lead, board, people, now):
    for _ in range(2):
        open_lead(at=now)
    plan(people, {"team_id": people.north.pk}, at=now - DAY, most_open=9, capacities={people.other_rep.pk: 4})
    day = now.date()
    add_absence(person_id=people.other_rep.pk, first_day=day, last_day=day + DAY, by=people.manager, at=now)
    answer = board()
    assert [(one.person.name, one.open, one.most_open, bool(one.away_until)) for one in answer.context["loads"]] == [
        ("Otto Rep", 0, 4, True), ("Rena Rep", 2, 9, False),
    ]  # fmt: skip
    assert "Otto Rep <span" in answer.content.decode()


def test_the_table_of_clocks_is_asked_for_alone(open_lead, client, people, now):
    handoff = open_lead(at=now - 2 * DAY)
    client.force_login(people.manager)
    answer = client.get(reverse("home_breaching"), headers={"HX-Request": "true"})
    assert (answer.status_code, "<html" in answer.content.decode()) == (200, False)
    assert reverse("handoff_reassign", args=[handoff.pk]) in answer.content.decode()


def test_a_row_is_reassigned_in_its_place_and_the_answer_is_the_table(open_lead, client, people, now):
    handoff = open_lead(at=now - 2 * DAY)
    client.force_login(people.manager)
    where, htmx = reverse("handoff_reassign", args=[handoff.pk]), {"HX-Request": "true"}
    cell = client.get(where, headers=htmx).content.decode()
    assert "Otto Rep" in cell
    assert 'id="board-poll" hx-swap-oob="true"' in cell
    answer = client.post(where, {"owner": people.other_rep.pk}, headers=htmx).content.decode()
    assert "is with Otto Rep now" in answer
    assert Handoff.objects.get(pk=handoff.pk).owner == people.other_rep


def test_the_board_costs_the_same_however_many_clocks_ran_out(open_lead, board, now, django_assert_max_num_queries):
    for _ in range(3):
        open_lead(at=now - 2 * DAY)
    board()
    with django_assert_max_num_queries(30):
        board()

"""The nurture page: who is near, what lifts them, and what marketing may do about it."""

import datetime as dt

import pytest
from django.urls import reverse

from leads.backtest.nurture import keep_places
from leads.models import Event, Handoff, Lead, Place, RecycleChange
from leads.services.capture import Happened, take_in_lead
from leads.services.decide import reject_handoff
from leads.services.evaluate import evaluate_due
from leads.services.nurture import NotInNurture, WrongDay, change_recycle_date, evaluate_lead, evaluate_reached
from leads.services.refusals import NoVersionInForce
from portal.shared.refusal import NotPermitted
from tests import cast

DAY = dt.timedelta(days=1)
QUIET = {**cast.FACTS, "source": "", "title": ""}


@pytest.fixture
def now():
    """The pages ask the real clock, so these leads are of today."""
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def quiet(agreement, people, now):
    """Makes leads in nurture that lack ten points: quiet(email=…, **facts)."""

    def make(email="n@quiet.example", events=(), **facts):
        return take_in_lead(facts={**QUIET, "email": email, **facts}, events=events, at=now).lead

    return make


def page(client, who, **query):
    client.force_login(who)
    return client.get(reverse("nurture"), query)


# --- the page ---------------------------------------------------------------------------------------
def test_it_says_who_is_near_what_is_missing_and_what_would_lift_them(client, quiet, people):
    quiet(last_name="Near")
    body = page(client, people.marketer).content.decode()
    assert "One lead lacks ten points or fewer" in body
    assert "to Standard, has 40" in body
    assert '<li class="is-enough"><b>+35</b> Demo requested' in body
    assert "job title" in body  # nobody knows it, and a rule reads it


def test_leads_stand_in_the_order_of_what_they_lack(client, quiet, people, now):
    far = quiet("far@quiet.example", industry="Retail", employees=3)
    near = quiet("near@quiet.example", events=[Happened("webinar_attended", now)])
    middle = quiet("mid@quiet.example")
    rows = page(client, people.marketer).context["rows"]
    assert [(row.lead, row.missing) for row in rows] == [(near, 2), (middle, 10), (far, 45)]
    within = page(client, people.marketer, within="10").context["rows"]
    assert [row.lead for row in within] == [near, middle]


def test_every_lead_is_in_one_tile_and_the_tiles_sum_to_all(client, quiet, people, open_lead, now):
    quiet()
    quiet("rival@quiet.example", domain="rival.example")
    open_lead()
    back = open_lead()
    reject_handoff(handoff_id=back.pk, by=people.rep, at=now, reason="13")
    marked = [Happened("page_viewed", now, suspected_by="honeypot")]
    quiet("bot@quiet.example", events=marked)
    answer = page(client, people.marketing_leader)
    tiles = {key: n for _, n, _, _, key in answer.context["tiles"]}
    asked = {"nurture": 1, "cooling": 1, "open": 1, "accepted": 0, "disqualified": 1, "suspected": 1, "erased": 0}
    assert tiles == asked
    assert "All 5 leads, each in one place" in answer.content.decode()
    for key, n in tiles.items():
        assert len(page(client, people.marketing_leader, show=key).context["rows"]) == n


def test_a_lead_that_cools_off_and_one_that_comes_back_are_listed_with_their_day(client, quiet, people, now):
    lead = quiet()
    change_recycle_date(lead_id=lead.pk, recycle_on=now.date() + 40 * DAY, by=people.marketer, at=now)
    (row,) = page(client, people.marketer, show="returns").context["rows"]
    assert (row.lead, row.missing) == (lead, 10)


def test_it_finds_a_lead_by_name_company_address_and_number(client, quiet, people):
    lead = quiet(last_name="Zeller", company="Quarter Foods")
    quiet("other@quiet.example")
    for q in ("zell", "Quarter", "n@quiet", str(lead.pk)):
        assert [row.lead for row in page(client, people.marketer, q=q).context["rows"]] == [lead], q
    assert page(client, people.marketer, q="nobody").context["rows"] == []
    quiet("fair@quiet.example", source="Trade fair")
    assert len(page(client, people.marketer, source="Trade fair").context["rows"]) == 1


def test_pages_go_on_where_the_last_one_ended_and_no_lead_stands_twice(client, quiet, people, monkeypatch):
    monkeypatch.setattr("leads.views.nurture_rows.SIZE", 2)
    made = {quiet(f"q{n}@quiet.example").pk for n in range(5)}
    for show in ("nurture", "returns"):
        Lead.objects.update(recycle_on=dt.date(2031, 1, 1))
        seen, url = [], f"{reverse('nurture')}?show={show}"
        client.force_login(people.marketer)
        while url:
            context = client.get(url).context
            seen += [row.lead.pk for row in context["rows"]]
            url = context["next_url"] and reverse("nurture") + context["next_url"]
        assert (len(seen), set(seen)) == (5, made)


@pytest.mark.parametrize("query", ["show=nowhere", "within=x", "after=x", "after=1_x", "show=open&after=1_1"])
def test_an_address_that_says_nothing_is_no_page(client, agreement, people, query):
    client.force_login(people.marketer)
    assert client.get(f"{reverse('nurture')}?{query}").status_code == 404


def test_a_page_of_fifty_costs_as_many_queries_as_a_page_of_one(
    client, quiet, people, now, django_assert_max_num_queries
):
    for n in range(12):
        quiet(f"q{n}@quiet.example", events=[Happened("webinar_attended", now)])
    client.force_login(people.marketer)
    client.get(reverse("nurture"))
    with django_assert_max_num_queries(14):
        client.get(reverse("nurture"))


def test_without_an_agreement_nobody_is_evaluated_and_the_page_says_so(client, people):
    assert "No agreement is in force" in page(client, people.marketer).content.decode()


def test_it_is_for_marketing_leaders_and_admins(client, quiet, people):
    lead = quiet()
    for name in ("rep", "manager", "marketer", "marketing_leader", "sales_leader", "admin"):
        who = getattr(people, name)
        reads, works = name not in ("rep", "manager"), name.startswith("market")
        assert page(client, who).status_code == (200 if reads else 403)
        assert client.get(reverse("nurture_lead", args=[lead.pk])).status_code == (200 if reads else 403)
        for door, done in (("nurture_recycle", 422), ("nurture_evaluate", 302)):
            assert client.post(reverse(door, args=[lead.pk])).status_code == (done if works else 403)
        assert client.post(reverse("nurture_evaluate_reached")).status_code == (302 if works else 403)


# --- one lead ---------------------------------------------------------------------------------------
def test_a_leads_page_says_every_rule_that_would_lift_it_and_where_it_was(client, quiet, people, now):
    lead = quiet(events=[Happened("page_viewed", now, suspected_by="scanner"), Happened("webinar_attended", now)])
    client.force_login(people.marketer)
    body = client.get(reverse("nurture_lead", args=[lead.pk])).content.decode()
    assert "2 points missing to Standard" in body
    assert "“ROI completed” happened in the last 30 days" in body
    assert "Page viewed (suspected: scanner)" in body


def test_the_day_to_come_back_is_moved_with_who_and_why(client, quiet, people, now):
    lead, client_day = quiet(), (now + 40 * DAY).date()
    client.force_login(people.marketer)
    where = reverse("nurture_recycle", args=[lead.pk])
    assert client.post(where, {"recycle_on": client_day.isoformat(), "why": "Budget round"}).status_code == 302
    lead.refresh_from_db()
    assert lead.recycle_on == client_day
    change = RecycleChange.objects.get()
    assert (change.was, change.recycle_on, change.changed_by, change.why) == (
        None, client_day, people.marketer, "Budget round",
    )  # fmt: skip
    body = client.get(reverse("nurture_lead", args=[lead.pk])).content.decode()
    assert "by Marta Marketer" in body
    client.post(where, {"clear": "1"})
    lead.refresh_from_db()
    assert (lead.recycle_on, RecycleChange.objects.count()) == (None, 2)
    refused = client.post(where, {"recycle_on": "soon"})
    assert (refused.status_code, refused.context["refusal"].code) == (422, "wrong_day")


def test_a_day_outside_the_agreement_or_of_a_lead_that_sales_holds_is_refused(quiet, people, open_lead, now):
    lead, held = quiet(), open_lead()
    given = {"by": people.marketer, "at": now}
    for day in (now.date(), now.date() - DAY, now.date() + 3000 * DAY):
        with pytest.raises(WrongDay):
            change_recycle_date(lead_id=lead.pk, recycle_on=day, **given)
    with pytest.raises(NotInNurture):
        change_recycle_date(lead_id=held.lead_id, recycle_on=now.date() + DAY, **given)
    reject_handoff(handoff_id=held.pk, by=people.rep, at=now, reason="33")
    with pytest.raises(NotInNurture):
        change_recycle_date(lead_id=held.lead_id, recycle_on=now.date() + DAY, **given)
    for who in (people.rep, people.sales_leader, people.admin):
        with pytest.raises(NotPermitted):
            change_recycle_date(lead_id=lead.pk, recycle_on=None, by=who, at=now)
    assert not RecycleChange.objects.exists()


def test_nothing_comes_back_without_an_agreement(people, db, now):
    lead = take_in_lead(facts={**QUIET, "email": "n@quiet.example"}, at=now).lead
    for act in (lambda **by: change_recycle_date(recycle_on=None, **by), evaluate_lead):
        with pytest.raises(NoVersionInForce):
            act(lead_id=lead.pk, by=people.marketer, at=now)


# --- a definition under which leads reach a tier -----------------------------------------------------
def test_whoever_reaches_a_tier_of_a_new_definition_is_shown_and_handed_over_by_marketing(client, quiet, people, now):
    """An import's facts reach it here, which no event told of."""
    first, second = quiet(), quiet("b@quiet.example")
    Lead.objects.update(source="Demo request")
    Place.objects.update(evaluated_at=now - DAY)
    keep_places(at=now)
    body = page(client, people.marketer).content.decode()
    assert "2 leads that sales never saw reach a tier" in body
    assert [row.lead for row in page(client, people.marketer, show="ready").context["rows"]] == [first, second]
    assert client.post(reverse("nurture_evaluate", args=[first.pk])).status_code == 302
    assert (first.handoffs.get().status, Handoff.objects.count()) == ("open", 1)
    assert evaluate_reached(by=people.marketer, at=now) == 1
    assert evaluate_due(at=now) == {"handed_over": 1}
    assert second.handoffs.get().assignments.get().assigned_by is None
    assert first.handoffs.get().assignments.get().assigned_by == people.marketer
    assert Event.objects.count() == 0

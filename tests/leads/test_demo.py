"""The invented company: believable, complete, the same every time, and never twice."""

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, Q

from leads import lifecycle
from leads.calibration.annotation import finished_at
from leads.calibration.models import Mark, Round
from leads.calibration.round_page import Page
from leads.demo.deals import fits_in_size, write_deals
from leads.demo.invent import CONTACT, DECISION, Invention, months
from leads.intake.forms.models import Form, Progress, Submission
from leads.management.commands.seed_demo import seed
from leads.models import Breach, Deal, Decision, Dispute, Event, Handoff, Lead, RoutingPlan, RoutingWeight, Touch
from portal.accounts.models import Absence, User
from portal.outbox.models import Message, Notice
from sla import scoring
from sla.models import CalendarAssignment, Signature, SLAVersion
from sla.starter import RULES, TIERS

NOW = dt.datetime(2026, 10, 15, 8, 0, tzinfo=dt.UTC)
SHARE = 0.1
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def company(django_db_setup, django_db_blocker):
    """A tenth of the company, seeded once for this module and rolled back after it."""
    from django.test import TestCase

    with django_db_blocker.unblock():
        case = type("Company", (TestCase,), {})
        case.setUpClass()
        try:
            line = seed(at=NOW, share=SHARE)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            yield line
        finally:
            case.tearDownClass()


def test_thirteen_months_of_leads_end_now(company):
    months = {(h.year, h.month) for h in Handoff.objects.values_list("qualified_at", flat=True)}
    assert len(months) >= 13
    assert Handoff.objects.order_by("-qualified_at").first().qualified_at < NOW
    assert 600 < Lead.objects.count() < 1000
    assert Lead.objects.filter(handoffs=None).count() > 30


def test_nothing_happens_after_now_or_before_its_cause(company):
    assert not Decision.objects.filter(decided_at__gt=NOW).exists()
    assert not Touch.objects.filter(occurred_at__gt=NOW).exists()
    assert not Event.objects.filter(occurred_at__gt=NOW).exists()
    for handoff in Handoff.objects.exclude(decided_at=None):
        assert handoff.qualified_at < handoff.decided_at
        assert handoff.first_touch_at is None or handoff.qualified_at <= handoff.first_touch_at <= handoff.decided_at


def test_every_score_is_what_the_definition_gives(company):
    """Each stored breakdown comes out again from the stored facts and events."""
    definitions = {
        v.definition_id: v.definition.as_definition() for v in SLAVersion.objects.select_related("definition")
    }
    rows = Handoff.objects.select_related("lead", "tier").prefetch_related("lead__events").order_by("?")[:60]
    for handoff in rows:
        events = [scoring.Event(e.kind, e.occurred_at, e.properties) for e in handoff.lead.events.all()]
        again = scoring.evaluate(
            definitions[handoff.definition_id], handoff.lead.facts(), events, handoff.qualified_at
        )
        assert (again.tier, again.total, again.fit) == (handoff.tier.key, handoff.total, handoff.fit)


def test_about_a_fifth_is_accepted_and_the_score_is_the_top_complaint_of_late(company):
    decided = Handoff.objects.exclude(decided_at=None)
    accepted = decided.filter(status=lifecycle.ACCEPTED).count() / decided.count()
    assert 0.15 < accepted < 0.28
    late = decided.filter(status=lifecycle.REJECTED, decided_at__gt=NOW - dt.timedelta(days=120))
    assert Counter(late.values_list("reason__category", flat=True)).most_common(1)[0][0] == "scoring"
    assert Counter(late.values_list("reason__code", flat=True)).most_common(1)[0][0] == "41"


def test_a_few_leads_of_each_past_month_were_never_decided_and_wait_in_no_inbox(company):
    months = Counter(h.qualified_at.astimezone(BERLIN).strftime("%Y-%m") for h in Handoff.objects.all())
    left = Handoff.objects.undecided().filter(qualified_at__lt=dt.datetime(2026, 10, 1, tzinfo=BERLIN))
    shares = Counter(h.qualified_at.astimezone(BERLIN).strftime("%Y-%m") for h in left)
    assert set(shares) == set(months) - {"2026-10"}
    assert all(0.02 <= count / months[month] <= 0.06 for month, count in shares.items())
    assert not set(left) & set(Handoff.objects.in_inbox())


def test_most_first_contacts_were_in_time_and_some_were_not(company):
    ended = Handoff.objects.filter(contact_due_at__isnull=False, is_historical=False).exclude(
        first_touch_at=None, contact_due_at__gt=NOW
    )
    kept = ended.filter(first_touch_at__lte=F("contact_due_at")).count() / ended.count()
    assert 0.78 <= kept <= 0.92


def test_the_agreements_were_signed_on_working_days_in_office_hours(company):
    for signature in Signature.objects.all():
        local = signature.signed_at.astimezone(BERLIN)
        assert local.weekday() < 5
        assert 9 <= local.hour < 17


def test_every_rep_has_an_inbox_with_clocks_at_every_stage(company):
    hour = NOW + dt.timedelta(hours=1)
    reps = User.objects.reps()
    assert len(reps) == 6
    assert len({rep.team_id for rep in reps}) == 2
    for rep in reps:
        mine = Handoff.objects.in_inbox().filter(owner=rep)
        assert 8 <= mine.count() <= 20
        assert 1 <= mine.overdue(at=NOW).count() <= 2
        assert mine.filter(next_due_at__gt=NOW, next_due_at__lte=hour).exists()
        assert mine.filter(next_due_at__gt=hour).exists()
        assert mine.filter(first_touch_at=None).exists()
        assert mine.exclude(first_touch_at=None).exists()


@pytest.mark.parametrize(
    "now",
    [
        dt.datetime(2026, 10, 18, 11, 0, tzinfo=dt.UTC),  # a Sunday
        dt.datetime(2026, 10, 14, 0, 30, tzinfo=dt.UTC),  # a night
        dt.datetime(2026, 10, 16, 21, 0, tzinfo=dt.UTC),  # a Friday evening
    ],
)
def test_inboxes_hold_clocks_at_every_stage_whatever_the_hour(now):
    """Counted in working time: some just ran out, some run out within the next working hour, most later."""
    invention = Invention(at=now, laws=_one_law(), zone=BERLIN, share=0).all()
    left = {owner: [] for owner in range(6)}
    for case in invention.cases:
        within = (DECISION if case.touches else CONTACT)[case.evaluation.tier]
        due = invention.office.add(case.qualified_at, within)
        left[case.owner].append(invention.office.between(now, due))
    hour = dt.timedelta(hours=1)
    for owned in left.values():
        assert any(-hour < one < dt.timedelta(0) for one in owned)
        assert any(dt.timedelta(0) < one <= hour for one in owned)
        assert sum(one > hour for one in owned) >= 8


def test_two_leads_wait_in_the_queue_and_nobody_claimed_the_first_in_time(company):
    first, second = Handoff.objects.in_queue().order_by("queued_at")
    assert first.queue_due_at < NOW < second.queue_due_at
    assert first.next_due_at > NOW


def test_the_routing_plan_has_territories_weights_capacities_and_a_named_account(company):
    plan = RoutingPlan.objects.in_force(at=NOW)
    assert [rule.method for rule in plan.rules.all()] == ["account", "round_robin", "least_loaded", "round_robin"]
    assert RoutingWeight.objects.filter(rule__plan=plan).exists()
    assert plan.capacities.exists()
    assert plan.accounts.exists()


def test_somebody_is_away_this_week_and_one_team_has_hours_and_holidays_of_its_own(company):
    assert Absence.objects.on(NOW).count() == 1
    given = CalendarAssignment.objects.on(NOW).get()
    assert given.team.name == "Benelux and Nordics"
    assert given.calendar.exceptions["2026-12-25"] == []


def test_the_next_agreement_waits_for_the_sales_leader_on_a_definition_of_its_own(company):
    waiting = SLAVersion.objects.waiting().get()
    assert (waiting.number, waiting.definition.number) == (3, 3)
    assert [signature.party for signature in waiting.signatures.all()] == ["marketing"]
    assert waiting.effective_from > NOW


def test_one_dispute_waits_for_the_manager_and_one_was_ruled_on(company):
    manager = User.objects.get(name="Tobias Renwick")
    assert Dispute.objects.rulable_by(manager).waiting().count() == 1
    assert Dispute.objects.exclude(ruling=None).count() == 1


def test_breaches_are_on_record_and_bells_tell_only_of_what_goes_on(company):
    overdue = Handoff.objects.overdue(at=NOW)
    assert set(overdue) <= {breach.handoff for breach in Breach.objects.select_related("handoff")}
    assert User.objects.filter(unread__gt=0).count() >= 8
    assert Notice.objects.filter(title__startswith="Agreement").get().title == "Agreement v3 waits for your signature"
    assert not Message.objects.due(at=NOW).exists()


def test_two_agreements_were_signed_by_both_sides_and_the_second_counts_guides_without_limit(company):
    first, second = SLAVersion.objects.signed().order_by("number")
    assert first.effective_from < second.effective_from < NOW
    caps = [version.definition.rules.get(key="guide").cap for version in (first, second)]
    assert caps == [20, None]
    assert SLAVersion.objects.in_force(at=NOW) == second


def test_each_handoff_was_made_under_the_agreement_of_its_day(company):
    wrong = [
        h.pk for h in Handoff.objects.select_related("sla_version") if h.qualified_at < h.sla_version.effective_from
    ]
    assert not wrong
    second = SLAVersion.objects.get(number=2)
    assert not Handoff.objects.filter(sla_version__number=1, qualified_at__gte=second.effective_from).exists()


def test_some_leads_came_back(company):
    assert Handoff.objects.exclude(previous=None).exists() or Lead.objects.exclude(recycle_on=None).exists()


def test_leads_are_to_come_back_in_the_days_ahead_and_none_waits_for_the_first_evaluation(company):
    assert Lead.objects.filter(recycle_on__gt=NOW.date()).exists()
    assert not Lead.objects.filter(Q(recycle_on__lte=NOW.date()) | Q(evaluate_from__lte=NOW)).exists()


def test_all_people_and_companies_are_invented(company):
    assert all(user.email.endswith("@tarnwick.example") for user in User.objects.all())
    assert not Lead.objects.exclude(email__endswith=".example").exists()


def test_a_portal_with_leads_is_left_alone(company, capsys):
    before = Handoff.objects.count()
    call_command("seed_demo")
    assert "already" in capsys.readouterr().out
    assert Handoff.objects.count() == before


def test_a_production_portal_is_left_alone(db, settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        call_command("seed_demo")
    assert not User.objects.exists()


def _one_law():
    """The starter's definition, in force since before the first month."""
    rules = tuple(
        scoring.Rule(key, label, axis, condition, points, **options)
        for key, label, axis, condition, points, options in RULES
    )
    tiers = tuple(
        scoring.Tier(key, name, n, total, fit, more) for n, (key, name, total, fit, more, *_) in enumerate(TIERS, 1)
    )
    return [(months(NOW, BERLIN)[0][0] - dt.timedelta(days=60), scoring.Definition(1, rules, tiers))]


def test_the_same_instant_gives_the_same_company():
    one, two = (Invention(at=NOW, laws=_one_law(), zone=BERLIN, share=0.05).all() for _ in range(2))
    assert [(c.person.facts, c.qualified_at, c.outcome, c.decided_at, c.touches) for c in one.cases] == [
        (c.person.facts, c.qualified_at, c.outcome, c.decided_at, c.touches) for c in two.cases
    ]


def test_two_forms_have_had_visitors_and_two_of_them_are_hot(company):
    assert sorted(Form.objects.live().values_list("slug", flat=True)) == ["demo-request", "roi-calculator"]
    outcomes = Counter(Submission.objects.values_list("outcome", flat=True))
    assert outcomes == {"nurture": 10, "handed_over": 2, "": 2}
    hot = Submission.objects.filter(handoff__isnull=False).select_related("handoff", "lead")
    assert {(each.handoff.status, each.tier) for each in hot} == {(lifecycle.OPEN, "hot")}
    assert Progress.objects.count() > 100


def test_what_was_accepted_was_won_lost_or_is_open_and_the_right_companies_win_more(company):
    deals = Deal.objects.standing().select_related("handoff")
    assert deals.count() > 90
    counts = Counter(deal.outcome for deal in deals)
    assert min(counts["won"], counts["lost"], counts["open"]) > 5
    assert not deals.exclude(handoff__status="accepted").exists()
    assert not deals.filter(recorded_at__gt=NOW).exists()
    ended = [deal for deal in deals if deal.outcome != "open"]
    won = {
        fits: [d.outcome == "won" for d in ended if fits_in_size(d.handoff.employees) is fits]
        for fits in (True, False)
    }
    assert sum(won[True]) / len(won[True]) > sum(won[False]) / len(won[False])


def test_one_round_of_deals_is_marked_by_both_and_one_is_begun(company):
    second, first = Round.objects.all()
    assert finished_at(first) < NOW
    assert finished_at(second) is None
    assert Mark.objects.filter(item__round=second).count() == min(9, second.size)
    assert Page(first, NOW).disagreements
    assert Notice.objects.filter(person__name="Yuki Farrant", title="Round 1 is marked").exists()
    assert Notice.objects.filter(person__name="Dmitri Abara", title__contains="deals to mark").exists()


def test_the_same_handoffs_give_the_same_deals(company):
    before = list(
        Deal.objects.order_by("handoff").values_list("handoff", "outcome", "amount", "closed_at", "loss_reason")
    )
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in ("calibration_mark", "calibration_rounditem", "leads_deal"):
                cursor.execute(f"DELETE FROM {table}")
            cursor.execute("SET LOCAL session_replication_role = origin")
        write_deals(at=NOW)
        again = Deal.objects.order_by("handoff").values_list(
            "handoff", "outcome", "amount", "closed_at", "loss_reason"
        )
        assert list(again) == before
        transaction.set_rollback(True)

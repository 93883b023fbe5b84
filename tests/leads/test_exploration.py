"""Exploration: a few leads just below the threshold go to sales, marked, and count in no figure and no promise."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from leads import figures, figures_disputes, figures_left_out, rollup
from leads.audit import scorecard
from leads.exploring import is_drawn, is_near
from leads.intake.imports.engine import import_leads
from leads.models import Breach, Handoff, Lead, Watch
from leads.services.capture import capture_lead, take_in_lead
from leads.services.decide import accept_handoff, reject_handoff
from leads.services.dispute import dispute_rejection
from leads.services.evaluate import evaluate_due
from leads.services.rollup import rebuild_rollup
from leads.services.sweep import sweep_clocks
from sla import comparison
from sla.fingerprint import canonical_json
from sla.models import SLAVersion
from sla.scoring import Evaluation
from sla.services.refusals import Incomplete
from sla.services.terms import change_draft, draft_from
from sla.verification import verify
from tests import cast

UTC, DAY = dt.UTC, dt.timedelta(days=1)
ZONE = ZoneInfo("Europe/Berlin")
# 40 points under the starter definition: 10 below Standard
NEAR = {"employees": 640, "industry": "Food", "country": "Germany", "title": "Analyst", "source": "Webinar"}
HOT = {**NEAR, "title": "Head of Operations", "source": "Demo request"}
FAR = {"employees": 640, "title": "Analyst", "source": "Webinar"}


@pytest.fixture
def exploring(people):
    """An agreement whose exploration takes one in five of the leads up to 10 points below."""
    return cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=UTC), exploration_share=200, exploration_reach=10)


def taken(n, at, **facts):
    return take_in_lead(facts={"email": f"e{n}@x.example", **facts}, at=at)


def explored(at, start=0):
    """The first exploration handoff among leads that lie near; as many leads as it takes."""
    for n in range(start, start + 60):
        if (found := taken(n, at, **NEAR)).handoff:
            return found.handoff
    raise AssertionError("none of sixty was drawn")


def test_a_share_of_the_leads_just_below_goes_to_sales_and_nobody_else_does(exploring, now):
    near = [taken(n, now, **NEAR) for n in range(150)]
    handed = [one for one in near if one.outcome == "handed_over"]
    assert {one.lead.pk for one in handed} == {one.lead.pk for one in near if is_drawn(1, one.lead.pk, 200)}
    assert 15 <= len(handed) <= 48
    assert all(one.handoff.exploration and one.handoff.tier.key == "standard" for one in handed)
    assert all(one.evaluation.tier is None for one in handed), "the score says what it says"
    far = [taken(n, now, **FAR) for n in range(200, 260)]
    assert {one.outcome for one in far} == {"nurture"}


def test_without_the_term_nobody_below_the_threshold_goes_to_sales(agreement, now):
    assert {taken(n, now, **NEAR).outcome for n in range(40)} == {"nurture"}


def test_the_draw_is_the_same_whoever_draws_and_its_share_is_kept():
    assert [lead for lead in range(60) if is_drawn(7, lead, 100)] == [
        lead for lead in range(60) if is_drawn(7, lead, 100)
    ]
    drawn = sum(is_drawn(3, lead, 20) for lead in range(50_000))
    assert abs(drawn - 1000) < 4 * (50_000 * 0.02 * 0.98) ** 0.5
    assert {lead for lead in range(999) if is_drawn(1, lead, 50)} <= {
        lead for lead in range(999) if is_drawn(1, lead, 90)
    }


def test_near_means_that_only_the_total_is_missing(agreement):
    definition = agreement.definition.as_definition()

    def judged(total, **more):
        said = {"definition": 1, "fit": total, "behaviour": 0, "total": total, "tier": None, "disqualified_by": None,
                "rules": (), "at": None, **more}  # fmt: skip
        return Evaluation(**said)

    assert [total for total in range(30, 60) if is_near(definition, judged(total), 10)] == list(range(40, 50))
    assert not is_near(definition, judged(45, disqualified_by="competitor"), 10)
    assert not is_near(definition, judged(45, tier="hot"), 10)


def test_a_lead_is_explored_once_a_version(exploring, people, now):
    handoff = explored(now)
    accept_handoff(handoff_id=handoff.pk, by=handoff.owner, at=now)
    later = now + 60 * DAY
    again = take_in_lead(facts={"email": handoff.lead.email, "city": "x"} | NEAR, at=later)
    assert again.outcome == "nurture"


def test_a_lead_that_comes_near_by_what_it_does_is_drawn_by_the_worker_too(exploring, now):
    for n in range(60):
        lead = capture_lead(facts={"email": f"w{n}@x.example", **NEAR}, at=now - DAY)
        lead.evaluate_from = now
        lead.save()
    assert evaluate_due(at=now)["handed_over"] == Handoff.objects.filter(exploration=True).count() > 0


def test_it_is_in_no_rate_no_roll_up_and_no_promise_and_has_its_own_count(exploring, people, now):
    month = figures.Month.of(now, ZONE)
    cast.open_handoff(owner=people.rep, at=now)
    for start in (0, 100, 200):
        handoff = explored(now, start)
        accept_handoff(handoff_id=handoff.pk, by=handoff.owner, at=now)
    explored_count = Handoff.objects.filter(exploration=True).count()
    rebuild_rollup(at=now, zone=ZONE)
    assert rollup.differences(zone=ZONE) == []
    later = now + dt.timedelta(hours=1)
    handoff = explored(later, 300)
    accept_handoff(handoff_id=handoff.pk, by=handoff.owner, at=later)
    assert rollup.differences(zone=ZONE) == [], "the triggers leave it out as well"
    for as_of in (later, later + DAY):
        counts = figures.series(month, 1, basis=figures.PERIOD, as_of=as_of, zone=ZONE)[0].counts
        assert (counts.mqls, counts.sqls) == (1, 0)
    card = scorecard.scorecard(month, as_of=later, zone=ZONE)
    assert (card.mqls, card.accepted) == (1, 0)
    left_out = figures_left_out.left_out(month, basis=figures.PERIOD, as_of=later, zone=ZONE)
    told = {one.kind: one.n for one in left_out}
    assert told["exploration"] == Handoff.objects.filter(exploration=True).count() > explored_count


def test_a_dispute_of_it_is_in_no_figure(exploring, people, now):
    rows = [explored(now), cast.open_handoff(owner=people.rep, at=now)]
    for row in rows:
        reject_handoff(handoff_id=row.pk, by=row.owner, at=now, reason="11", note="too small")
        dispute_rejection(handoff_id=row.pk, by=people.marketer, at=now, note="Look again.")
    month = figures.Month.of(now, ZONE)
    found = figures_disputes.disputes(month, basis=figures.PERIOD, as_of=now, zone=ZONE)
    assert (found.all.opened, found.open_now) == (1, 1)


def test_a_clock_that_runs_out_on_it_breaks_no_promise(exploring, people, now):
    handoff = explored(now)
    ordinary = cast.open_handoff(owner=people.rep, at=now)
    assert not Watch.objects.filter(handoff=handoff).exists()
    sweep_clocks(at=now + 30 * DAY)
    assert set(Breach.objects.values_list("handoff", flat=True)) == {ordinary.pk}
    assert handoff.decision_due_at is not None, "the rep knows by when all the same"


def test_the_rep_sees_that_it_is_an_exploration_lead(exploring, people, now):
    handoff = explored(now)
    client = Client()
    client.force_login(handoff.owner, backend=settings.AUTHENTICATION_BACKENDS[0])
    html = client.get(reverse("inbox")).content.decode()
    assert '<span class="tag">Exploration</span>' in html
    html = client.get(reverse("handoff", args=[handoff.pk])).content.decode()
    assert "below the threshold, drawn by chance" in html


def test_the_leads_list_shows_them_apart(exploring, people, now):
    handoff = explored(now)
    client = Client()
    client.force_login(people.marketer, backend=settings.AUTHENTICATION_BACKENDS[0])
    assert handoff.lead.email not in client.get(reverse("leads")).content.decode()
    html = client.get(reverse("leads"), {"exploration": "yes"}).content.decode()
    assert reverse("handoff", args=[handoff.pk]) in html


def test_what_a_handoff_was_made_as_does_not_change(exploring, now):
    handoff = explored(now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Handoff.objects.filter(pk=handoff.pk).update(exploration=False)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE leads_handoff SET is_historical = true, exploration = true WHERE id = %s", [handoff.pk])


# --- the term ---------------------------------------------------------------------------------------
def test_what_was_signed_without_the_term_stays_as_it_was(agreement, now):
    assert "exploration" not in agreement.content()
    assert canonical_json(agreement.content()).decode() in agreement.canonical
    assert verify(at=now).difference is None


def test_the_term_is_signed_compared_and_printed(exploring, now):
    content = json.loads(exploring.canonical)["content"]
    assert content["exploration"] == {"share": 200, "reach": 10}
    assert verify(at=now).difference is None
    before = {key: value for key, value in content.items() if key != "exploration"}
    changes = comparison.compare(before, content).changes
    assert [change.sentence for change in changes] == [
        "Exploration: new, 20% of the leads up to 10 points below the lowest tier"
    ]


def test_half_of_the_term_is_refused_and_the_database_refuses_too_much(agreement, people, now):
    draft = draft_from(version_id=agreement.pk, by=people.marketing_leader, at=now)
    with pytest.raises(Incomplete):
        change_draft(version_id=draft.pk, by=people.marketing_leader, at=now, terms={"exploration_share": 20})
    for wrong in ({"exploration_share": 20}, {"exploration_share": 201, "exploration_reach": 5},
                  {"exploration_share": 0, "exploration_reach": 5}):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            SLAVersion.objects.filter(pk=draft.pk).update(**wrong)
    change_draft(
        version_id=draft.pk, by=people.marketing_leader, at=now,
        terms={"exploration_share": 20, "exploration_reach": 5},
    )  # fmt: skip
    copy = draft_from(version_id=draft.pk, by=people.marketing_leader, at=now)
    assert (copy.exploration_share, copy.exploration_reach) == (20, 5), "it goes along into the next draft"


# --- by a file --------------------------------------------------------------------------------------
COLUMNS = {"email": "email", "employees": "size", "industry": "industry", "country": "country", "title": "title",
           "source": "source"}  # fmt: skip


@pytest.fixture
def bring(tmp_path):
    def bring(leads, at, **options):
        """Import [(address, facts)] as leads of now. Returns the Report."""
        names = ("employees", "industry", "country", "title", "source")
        rows = [",".join([email, *(str(facts.get(name, "")) for name in names)]) for email, facts in leads]
        path = tmp_path / "file.csv"
        path.write_text("\n".join(["email,size,industry,country,title,source", *rows]))
        return import_leads(
            path=path, document={"columns": COLUMNS, **options.pop("document", {})}, at=at,
            errors_path=tmp_path / "errors.csv", **{"historical": False, **options},
        )  # fmt: skip

    return bring


def marks():
    """{address: what stands of its handoff} of all leads, None where there is none."""
    rows = {row.lead_id: row for row in Handoff.objects.select_related("tier")}
    return {
        lead.email: (row := rows.get(lead.pk)) and (row.exploration, row.tier.key, row.fit, row.total, row.breakdown,
                                                    row.decision_due_at, row.is_historical)
        for lead in Lead.objects.all()
    }  # fmt: skip


def test_a_file_draws_the_very_leads_that_capture_draws(exploring, now, bring):
    facts = [(f"b{n}@x.example", (NEAR, NEAR, FAR, HOT)[n % 4]) for n in range(120)]
    begin = transaction.savepoint_create()
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value, is_called FROM leads_lead_id_seq")
        ids = cursor.fetchone()
    for email, told in facts:
        take_in_lead(facts={"email": email, **told}, at=now)
    captured = marks()
    transaction.savepoint_rollback(begin)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('leads_lead_id_seq', %s, %s)", ids)
    report = bring(facts, now)
    assert marks() == captured
    explored = [mark for mark in captured.values() if mark and mark[0]]
    assert 3 <= len(explored) <= 30
    assert report.notes == [f"Handed over: 30 Hot, {len(explored)} by exploration."]


def test_what_a_file_brings_by_exploration_is_in_no_rate_and_no_promise(exploring, now, bring):
    bring([(f"b{n}@x.example", NEAR) for n in range(60)], now)
    n = Handoff.objects.count()
    assert n == Handoff.objects.filter(exploration=True, total=40).count() > 0
    month = figures.Month.of(now, ZONE)
    assert figures.series(month, 1, basis=figures.PERIOD, as_of=now, zone=ZONE)[0].counts.mqls == 0
    assert rollup.differences(zone=ZONE) == []
    told = {one.kind: one.n for one in figures_left_out.left_out(month, basis=figures.PERIOD, as_of=now, zone=ZONE)}
    assert told["exploration"] == n
    assert not Watch.objects.exists()


def test_a_lead_that_a_file_brings_near_is_explored_once_a_version(exploring, now, bring):
    addresses = [f"b{n}@x.example" for n in range(60)]
    bring([(email, FAR) for email in addresses], now)
    assert not Handoff.objects.exists()
    bring([(email, NEAR) for email in addresses], now + DAY)
    handed = list(Handoff.objects.all())
    drawn = {lead.pk for lead in Lead.objects.all() if is_drawn(1, lead.pk, 200)}
    assert {row.lead_id for row in handed} == drawn != set()
    assert all(row.exploration and row.breakdown["tier"] is None for row in handed)
    for row in handed:
        accept_handoff(handoff_id=row.pk, by=row.owner, at=now + 2 * DAY)
    later = {**NEAR, "title": "Senior analyst"}
    bring([(email, later) for email in addresses], now + 90 * DAY)
    assert Handoff.objects.count() == len(handed)


def test_history_and_agreements_without_the_term_draw_nobody(exploring, now, bring, people):
    near = [(f"b{n}@x.example", NEAR) for n in range(40)]
    bring(near, now, historical=True, document={"defaults": {"qualified_at": "2024-05-06"}})
    assert Handoff.objects.filter(is_historical=True, exploration=False).count() == 40 == Handoff.objects.count()


def test_a_file_hands_nobody_over_whom_sales_never_wants_again(agreement, now, bring, people):
    handoff = cast.open_handoff(owner=people.rep, at=now)
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason="11", note="too small")
    bring([(handoff.lead.email, {**HOT, "country": "Austria"})], now + 400 * DAY)
    assert Lead.objects.get().country == "Austria"
    assert Handoff.objects.count() == 1

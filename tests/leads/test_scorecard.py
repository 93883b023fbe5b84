"""The scorecard: what each side promised, kept or breached, equals a count of the rows; each sees what is theirs."""

import datetime as dt
import html
import random
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import get_default_timezone

from leads.audit.scorecard import BREACHED, KEPT, UNCLEAR, Promise, by_person, scorecard
from leads.figures import Month
from leads.models import Handoff, Touch
from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff, reject_handoff
from leads.services.sweep import sweep_clocks
from leads.services.touch import log_touch
from leads.services.withdraw import withdraw_handoff
from portal.accounts.models import User
from sla.models import Party

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ZONE = get_default_timezone()
OCTOBER = Month.parse("2026-10")
START = dt.datetime(2026, 10, 5, 7, tzinfo=dt.UTC)


@pytest.fixture
def later(now):
    return START + 30 * DAY


@pytest.fixture
def month_of_work(open_lead, people):
    """Thirty leads of October: some contacted, some decided, in time and late."""
    chance = random.Random(4)
    for n in range(30):
        owner, at = (people.rep, people.south_rep)[n % 2], START + n * 7 * HOUR
        row = open_lead(owner=owner, at=at, country=chance.choice(("Netherlands", None)))
        moment = at + chance.choice((0.5, 3, 30)) * HOUR
        kind = chance.choice(("contact", "both", "decision", "none"))
        if kind in ("contact", "both"):
            log_touch(handoff_id=row.pk, by=owner, at=moment, kind=Touch.Kind.CALL, outcome=Touch.Outcome.REACHED)
        if kind in ("both", "decision"):
            said = {"handoff_id": row.pk, "by": owner, "at": moment + chance.choice((1, 200)) * HOUR}
            accept_handoff(**said) if chance.random() < 0.5 else reject_handoff(reason="11", **said)


def promised(card, kind, tier=None):
    return next(p for p in card.promises if p.kind == kind and (not tier or p.commitment.tier.key == tier))


def counted(rows, clock, at):
    """(kept, kept or breached), by the agreement's words, in plain Python."""
    kept = late = 0
    for row in rows:
        due = getattr(row, f"{clock}_due_at")
        stopped = row.first_touch_at if clock == "contact" else row.decided_at
        ended = stopped or row.decided_at or row.withdrawn_at or at
        if due is None:
            continue
        kept += stopped is not None and stopped <= due
        late += ended > due
    return kept, kept + late


def test_every_promise_equals_a_count_of_the_rows(month_of_work, later):
    card, rows = scorecard(OCTOBER, as_of=later, zone=ZONE), list(Handoff.objects.select_related("tier", "lead"))
    for kind, clock in (("first_contact", "contact"), ("decision", "decision")):
        for tier in ("hot", "standard"):
            one = promised(card, kind, tier)
            assert (one.k, one.n) == counted([r for r in rows if r.tier.key == tier], clock, later)
            assert one.target == 900
    both = [counted(rows, clock, later) for clock in ("contact", "decision")]
    share = promised(card, "share_kept")
    assert (share.k, share.n) == tuple(map(sum, zip(*both, strict=True)))
    assert 0 < share.k < share.n
    accepted = sum(row.status == "accepted" for row in rows)
    assert (promised(card, "acceptance").k, promised(card, "acceptance").n) == (accepted, 30)
    required = rows[0].definition.required_facts
    complete = sum(all(getattr(r.lead, name) for name in required) for r in rows)
    assert promised(card, "complete_facts").k == complete
    assert (promised(card, "mqls").n, promised(card, "mqls").verdict) == (30, BREACHED)


def test_each_number_of_a_person_opens_their_very_leads(month_of_work, people, client):
    sweep_clocks(at=START + 20 * DAY)
    client.force_login(people.sales_leader)
    part = client.get(reverse("audit_scorecard", args=[OCTOBER])).text
    links = re.findall(r'<a class="figure" href="([^"]+answered_by[^"]+)">([\d,]+)</a>', part)
    for words in ("contact_clock=kept", "contact_clock=late", "decision_clock=kept", "decision_clock=late"):
        assert any(words in address for address, _ in links), words
    for address, number in links:
        answer = client.get(html.unescape(address))
        assert answer.context["count"] == int(number), address
    found = by_person(OCTOBER, people=User.objects.all(), as_of=timezone.now(), zone=ZONE)
    wanted = [n for one in found for k, of, _ in (one.contact, one.decision) for n in (k, of - k) if n]
    assert sorted(int(number) for _, number in links) == sorted(wanted)


def test_attainment_is_the_lowest_of_the_three(month_of_work, later):
    card = scorecard(OCTOBER, as_of=later, zone=ZONE)
    found, accepted = card.attainment, Handoff.objects.filter(status="accepted").count()
    assert found.joint == pytest.approx(min(accepted / 30 / 0.25, accepted / 140, 1))
    assert found.marketing <= 30 / 550
    assert found.value == min(found.marketing, found.sales, found.joint)


def test_volume_alone_never_attains():
    volume = Promise(None, Party.MARKETING, "mqls", 700, 700, target=550, most=645)
    assert (volume.verdict, volume.attainment) == (BREACHED, 645 / 700)
    assert Promise(None, Party.MARKETING, "mqls", 600, 600, target=550, most=645).attainment == 1


@pytest.mark.parametrize(
    ("k", "n", "target", "verdict"),
    [(90, 100, 900, KEPT), (87, 100, 900, UNCLEAR), (70, 100, 900, BREACHED), (99, 100, 1000, BREACHED),
     (0, 0, 900, None)],
)  # fmt: skip
def test_a_share_is_kept_breached_or_unclear(k, n, target, verdict):
    assert Promise(None, Party.SALES, "share_kept", k, n, target=target).verdict == verdict


def test_a_contact_logged_late_but_made_in_time_is_no_breach(open_lead, people):
    row = open_lead(at=START)
    at = row.contact_due_at + HOUR / 60
    sweep_clocks(at=at)
    before = promised(scorecard(OCTOBER, as_of=at, zone=ZONE), "first_contact", row.tier.key)
    log_touch(handoff_id=row.pk, by=people.rep, at=at, occurred_at=START + HOUR / 2,
              kind=Touch.Kind.CALL, outcome=Touch.Outcome.REACHED)  # fmt: skip
    after = promised(scorecard(OCTOBER, as_of=at, zone=ZONE), "first_contact", row.tier.key)
    assert ((before.k, before.n), (after.k, after.n)) == ((0, 1), (1, 1))


def test_clocks_are_told_as_of_the_cut_whatever_came_later(open_lead, people):
    row = open_lead(at=START)
    before, after = row.contact_due_at - HOUR / 4, row.decision_due_at + DAY
    log_touch(handoff_id=row.pk, by=people.rep, at=row.contact_due_at + HOUR, kind=Touch.Kind.CALL,
              outcome=Touch.Outcome.REACHED)  # fmt: skip
    accept_handoff(handoff_id=row.pk, by=people.rep, at=row.decision_due_at - HOUR)

    def told(as_of):
        card = scorecard(OCTOBER, as_of=as_of, zone=ZONE)
        found = [(p.k, p.n) for p in (promised(card, kind, row.tier.key) for kind in ("first_contact", "decision"))]
        for one in by_person(OCTOBER, people=User.objects.all(), as_of=as_of, zone=ZONE):
            assert [one.contact[:2], one.decision[:2]] == found
        return found

    assert told(before) == [(0, 0), (0, 0)], "both clocks still ran"
    assert told(row.contact_due_at + HOUR / 2) == [(0, 1), (0, 0)], "the contact was over, the decision still ran"
    assert told(after) == [(0, 1), (1, 1)]


def test_a_withdrawal_after_the_cut_ends_no_clock(open_lead, people):
    row = open_lead(at=START)
    withdraw_handoff(handoff_id=row.pk, by=people.manager, at=row.decision_due_at + 2 * DAY, why="Merged")
    found = {}
    for name, at in (("runs", row.decision_due_at - HOUR), ("ran out", row.decision_due_at + HOUR)):
        one = promised(scorecard(OCTOBER, as_of=at, zone=ZONE), "decision", row.tier.key)
        found[name] = (one.k, one.n)
    assert found == {"runs": (0, 0), "ran out": (0, 1)}


def test_a_breach_is_of_whoever_held_the_lead_when_its_time_ran_out(open_lead, people):
    row = open_lead(at=START)
    sweep_clocks(at=START + 2 * DAY)
    reassign_handoff(handoff_id=row.pk, to=people.other_rep, by=people.manager, at=START + 2 * DAY, why="Holiday")
    found = by_person(OCTOBER, people=User.objects.all(), as_of=START + 2 * DAY, zone=ZONE)
    assert {one.person: one.contact for one in found if one.contact[1]} == {people.rep: (0, 1, 0)}


def test_the_people_add_up_to_the_promise(month_of_work, later):
    found = by_person(OCTOBER, people=User.objects.all(), as_of=later, zone=ZONE)
    share = promised(scorecard(OCTOBER, as_of=later, zone=ZONE), "share_kept")
    for place, total in enumerate((share.k, share.n)):
        assert sum(one.contact[place] + one.decision[place] for one in found) == total


@pytest.mark.parametrize(
    ("who", "sees", "not_these"),
    [
        ("rep", ["Rena Rep", "Your clocks"], ["Suna Rep", "Marketing promised"]),
        ("manager", ["Rena Rep", "Marketing promised"], ["Suna Rep"]),
        ("marketer", ["Rena Rep", "Suna Rep", "Sales promised", "Joint target attained"], []),
    ],
)
def test_reps_see_their_own_and_managers_their_team(client, month_of_work, people, who, sees, not_these):
    client.force_login(getattr(people, who))
    text = client.get(reverse("audit_scorecard", args=["2026-10"])).text
    assert [name for name in sees if name not in text] == []
    assert [name for name in not_these if name in text] == []


def test_a_month_without_mqls_has_no_promises(client, agreement, people):
    client.force_login(people.marketer)
    text = client.get(reverse("audit_scorecard", args=["2026-10"]), HTTP_HX_REQUEST="true").text
    assert "No MQLs in October" in text

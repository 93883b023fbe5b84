"""The top reason and its fix, recomputed from the raw rows in plain Python; one click makes it a draft."""

import datetime as dt
import html
import random
import re
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from leads import figures, figures_fix, remedy
from leads.figures import PERIOD, Month
from leads.models import Decision, Handoff
from leads.periods import Span
from portal.shared.intervals import log_ratio
from sla.models import MQLDefinition, ReasonCode, Tier
from tests import kept
from tests.history import scored, write

UTC, BERLIN = dt.UTC, ZoneInfo("Europe/Berlin")
LATER = dt.datetime(2026, 10, 15, 8, tzinfo=UTC)
MARCH = Month(dt.date(2026, 3, 1))
FIGURE = re.compile(r'<a class="figure" href="([^"]+)">([\d,]+)</a>')
ASKED = {"basis": PERIOD, "as_of": LATER, "zone": BERLIN}
AT = dt.datetime(2026, 3, 10, 9, tzinfo=UTC)  # when scored cases qualify


@pytest.fixture
def version(agreement):
    return agreement


def reason(version, code):
    return ReasonCode.objects.get(version=version, code=code)


def top():
    (month,) = figures.series(MARCH, 1, **ASKED)
    return figures.top_reasons(month)[0]


@pytest.fixture
def misled(version):
    return kept.once(lambda: carried(version), "misled", version.pk, empty="leads_lead")


def carried(version):
    """Rejections for content-only interest that one rule carried, and acceptances that it did not."""
    chance = random.Random(4)
    rule = version.definition.rules.filter(axis="behaviour", points__gt=0).order_by("-points").first().key
    cases = [scored(version, chance, rule, reason=reason(version, "41")) for _ in range(120)]
    cases += [scored(version, chance) for _ in range(90)]
    cases += [{"qualified_at": AT, "decided_at": AT, "reason": reason(version, "41")} for _ in range(3)]
    write(version, cases)
    return rule


def pivotal(handoff):
    """The keys of the rules without whose points the lead had been under its tier's thresholds."""
    tier, found = handoff.tier, set()
    for rule in (rule for rule in handoff.breakdown["rules"] if rule["points"] > 0):
        less = {"fit": handoff.fit, "behaviour": handoff.behaviour}
        less[rule["axis"]] -= rule["points"]
        under = sum(less.values()) < tier.total
        under |= any(getattr(tier, axis) is not None and less[axis] < getattr(tier, axis) for axis in less)
        if under:
            found.add(rule["key"])
    return found


def test_pivotal_rejections_and_acceptances_equal_a_recount_of_the_stored_breakdowns(misled):
    counts = Counter()
    for h in Handoff.objects.filter(breakdown__isnull=False).select_related("tier"):
        counts.update((key, h.status) for key in pivotal(h))
    found = figures_fix.signs(MARCH, top(), **ASKED)
    assert (found.rejected, found.accepted, found.left_out) == (120, 90, 3)
    expected = {
        key: (counts[key, "rejected"], counts[key, "accepted"]) for key, status in counts if status == "rejected"
    }
    assert {c.sign.key: (c.sign.rejected, c.sign.accepted) for c in found.found} == expected


def test_the_interval_of_many_rules_is_wider_than_of_one(misled):
    found = figures_fix.signs(MARCH, top(), **ASKED)
    each = next(c for c in found.found if c.lift)
    alone = log_ratio(each.sign.rejected, found.rejected, each.sign.accepted, found.accepted)
    assert found.tested > 1
    assert each.lift.low < alone.low <= alone.high < each.lift.high


def test_the_proposed_change_and_its_effect_equal_a_replay_of_the_stored_scores(misled, version):
    proposal = remedy.propose(MARCH, top(), **ASKED)
    (change,) = proposal.changes
    rule = version.definition.rules.get(key=change["rule"])
    tiers = list(Tier.objects.filter(definition=version.definition))
    mqls = sqls = back = back_sqls = 0
    for h in Handoff.objects.filter(breakdown__isnull=False):
        sums = {"fit": h.fit, "behaviour": h.behaviour}
        had = takes(tiers, sums)
        points = next(r["points"] for r in h.breakdown["rules"] if r["key"] == rule.key)
        sums[rule.axis] -= points - after(points, rule, change)
        gone = had and not takes(tiers, sums)
        mqls, sqls = mqls + 1, sqls + (h.status == "accepted")
        back, back_sqls = back + gone, back_sqls + (gone and h.status == "accepted")
    assert proposal.effect == remedy.Effect(mqls, sqls, back, back_sqls)


def takes(tiers, sums):
    return any(
        sum(sums.values()) >= t.total and all(getattr(t, a) is None or sums[a] >= getattr(t, a) for a in sums)
        for t in tiers
    )


def after(points, rule, change):
    if change.get("remove"):
        return 0
    if "points" in change["set"]:
        return points * change["set"]["points"] // rule.points
    return min(points, change["set"]["cap"])


def test_values_of_the_attribute_that_reps_named_are_compared(version):
    chance, code = random.Random(1), reason(version, "12")
    said = {"reason": code, "detail": {"attribute": "industry"}}
    cases = [scored(version, chance, lead={"industry": "Education"}, **said) for _ in range(40)]
    cases += [scored(version, chance, lead={"industry": "Food"}, **said) for _ in range(5)]
    cases += [scored(version, chance, lead={"industry": "Food"}) for _ in range(40)]
    cases += [scored(version, chance, lead={"industry": "Education"}) for _ in range(4)]
    write(version, cases)
    found = figures_fix.signs(MARCH, top(), **ASKED)
    signs = [(c.sign.of, c.sign.key, c.sign.rejected, c.sign.accepted, c.is_real) for c in found.found]
    assert signs == [("industry", "Education", 40, 4, True), ("industry", "Food", 5, 40, False)]
    proposal = remedy.propose(MARCH, top(), **ASKED)
    assert proposal.changes[0]["add_rule"]["condition"] == {"field": "industry", "op": "equals", "value": "Education"}
    kept_back = [h for h in Handoff.objects.select_related("lead") if h.lead.industry == "Education"]
    tiers = list(Tier.objects.filter(definition=version.definition))
    gone = [h for h in kept_back if takes(tiers, {"fit": h.fit, "behaviour": h.behaviour})]
    assert proposal.effect.kept_back == len(gone)
    assert proposal.effect.kept_back_sqls == sum(h.status == "accepted" for h in gone)


def test_employees_are_compared_by_size():
    assert [figures_fix.band(n) for n in ("1", "49", "50", "999", "1000", "70000", "", "many")] == [
        "1–49", "1–49", "50–199", "200–999", "1000 or more", "1000 or more", "", "",
    ]  # fmt: skip
    sign = figures_fix.Sign("50–199", "employees", "50–199", 1, 0)
    assert remedy.condition(sign) == {"field": "employees", "op": "between", "min": 50, "max": 199}


def test_bad_timing_tells_when_to_come_back_and_from_which_sources(version):
    chance, code = random.Random(2), reason(version, "21")
    days = (10, 30, 31, 90, 91, 180, 181, None)
    decided = (AT + dt.timedelta(days=2)).astimezone(BERLIN).date()
    cases = [
        scored(version, chance, reason=code, source="Trade fair",
               detail={"recycle_on": d and decided + dt.timedelta(days=d)}) for d in days * 5
    ]  # fmt: skip
    cases += [scored(version, chance, source="Demo request") for _ in range(40)]
    write(version, cases)
    returns = figures_fix.returns(MARCH, top(), **ASKED)
    assert returns == {"30": 10, "90": 10, "180": 10, "later": 5, "none": 5}
    (each,) = figures_fix.signs(MARCH, top(), **ASKED).found
    assert (each.sign.key, each.sign.rejected, each.sign.accepted, each.is_real) == ("Trade fair", 40, 0, True)
    proposal = remedy.propose(MARCH, top(), **ASKED)
    rule = proposal.changes[0]["add_rule"]
    assert (rule["condition"]["value"], rule["points"] < 0) == ("Trade fair", True)
    assert proposal.effect.kept_back_sqls == 0


def test_the_numbers_of_a_source_open_its_leads(version, sign_in):
    chance, code = random.Random(5), reason(version, "21")
    cases = [scored(version, chance, reason=code, source=("Trade fair", "Webinar")[i % 3 == 0]) for i in range(12)]
    write(version, [*cases, *(scored(version, chance, source="Webinar") for _ in range(7))])
    reader = sign_in("marketer")
    links = FIGURE.findall(reader.get("/audit/2026-03/fix/").content.decode())
    assert [number for _, number in links] == ["12", "8", "4", "7"]
    for address, number in links:
        assert reader.get(html.unescape(address)).context["count"] == int(number), address


def test_bad_data_tells_the_fields_at_fault_by_source_and_they_sum_to_the_rejections(version):
    chance, code = random.Random(3), reason(version, "31")
    write(
        version,
        [scored(version, chance, reason=code, source=chance.choice(("Webinar", "Trade fair")),
                detail={"field": chance.choice(("phone", "phone", "domain"))}) for _ in range(50)],
    )  # fmt: skip
    expected = Counter(
        (d.field, d.handoff.source, True) for d in Decision.objects.select_related("handoff")
    )  # fmt: skip
    found = figures_fix.faults(MARCH, top(), **ASKED)
    assert {(field, source, imported): n for field, source, imported, n in found} == expected
    assert sum(n for *_, n in found) == top().n == 50


@pytest.fixture
def sign_in(people):
    def signed_in(who):
        client = Client()
        client.force_login(getattr(people, who))
        return client

    return signed_in


def test_one_click_makes_the_proposed_change_a_draft_and_opens_it(misled, sign_in, version):
    client = sign_in("marketer")
    page = client.get("/audit/2026-03/fix/").content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(basis|reason|seen)" value="([^"]*)">', page))
    answer = client.post("/audit/2026-03/fix/draft/", {name: html.unescape(value) for name, value in fields.items()})
    draft = MQLDefinition.objects.drafts().latest("number")
    assert answer.headers["Location"] == f"/definition/{draft.number}/edit/"
    (change,) = remedy.propose(MARCH, top(), **ASKED).changes
    for name, value in change.get("set", {}).items():
        assert getattr(draft.rules.get(key=change["rule"]), name) == value
    assert draft.started_from == version.definition


def test_the_days_of_a_month_say_what_the_month_says(misled):
    days = Span(MARCH.first, 31)
    (month,), (of_days,) = (figures.series(period, 1, **ASKED) for period in (MARCH, days))
    assert figures.top_reasons(of_days) == figures.top_reasons(month)
    assert figures_fix.signs(days, top(), **ASKED) == figures_fix.signs(MARCH, top(), **ASKED)
    assert remedy.propose(days, top(), **ASKED) == remedy.propose(MARCH, top(), **ASKED)
    before = Span(MARCH.first, 9)
    assert figures_fix.signs(before, top(), **ASKED).rejected == 0, "decided on the twelfth"


def test_the_review_drafts_the_change_that_its_own_days_propose(misled, sign_in, version):
    client = sign_in("marketer")
    page = client.get("/audit/2026-03-09--2026-03-22/fix/").text
    fields = dict(re.findall(r'<input type="hidden" name="(basis|reason|seen)" value="([^"]*)">', page))
    fields = {name: html.unescape(value) for name, value in fields.items()}
    answer = client.post("/audit/2026-03-09--2026-03-22/fix/draft/", fields)
    draft = MQLDefinition.objects.drafts().latest("number")
    assert answer.headers["Location"] == f"/definition/{draft.number}/edit/"
    assert draft.summary == f"{fields['seen']} (review of 9 to 22 March 2026)"


def test_a_proposal_that_has_changed_meanwhile_is_not_drafted(misled, sign_in):
    answer = sign_in("marketer").post("/audit/2026-03/fix/draft/", {"reason": "41", "seen": "something else"})
    assert answer.status_code == 409
    assert not MQLDefinition.objects.drafts().exists()


def test_who_may_not_edit_the_definition_sees_the_proposal_and_drafts_nothing(misled, sign_in):
    client = sign_in("manager")
    page = client.get("/audit/2026-03/fix/").content.decode()
    assert "Proposed:" in page
    assert "Draft the definition" not in page
    assert client.post("/audit/2026-03/fix/draft/", {"reason": "41", "seen": "x"}).status_code == 403


def test_two_reasons_that_cannot_be_told_apart_are_two_candidates(version, sign_in):
    chance = random.Random(6)
    codes = [reason(version, code) for code in ("12", "41")]
    write(version, [scored(version, chance, reason=codes[i % 2]) for i in range(20)])
    page = sign_in("marketer").get("/audit/2026-03/fix/").content.decode()
    assert "Two candidates to fix" in page
    assert page.count('class="callout stack"') == 2


def test_the_audit_loads_the_section_as_a_part(misled, sign_in):
    client = sign_in("marketer")
    assert 'hx-get="/audit/2026-03/fix/?basis=period"' in client.get("/audit/2026-03/").content.decode()
    part = client.get("/audit/2026-03/fix/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<section class="section" id="fix"')

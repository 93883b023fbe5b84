"""Flags on the reasons: what they count, what they leave out, and that each number leads to its leads."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads.audit import quality
from leads.figures import Month
from leads.models import Handoff, Lead
from leads.periods import Span
from leads.services.assign import reassign_handoff
from leads.services.bulk import reject_many
from leads.services.decide import reject_handoff
from tests import cast
from tests.history import write

ZONE = get_default_timezone()
MARCH = Month.parse("2026-03")
AT = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)


def found(now, among=None):
    return quality.rejections(MARCH, as_of=now, zone=ZONE, among=Handoff.objects.all() if among is None else among)


def reject(handoff, people, at, reason="11"):
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=at, reason=reason)
    return handoff.pk


def past(agreement, people, **counts):
    """Rejections of March held by the rep: past(r11=18, r21=4)."""
    case = {"qualified_at": AT, "decided_at": AT + DAY, "owner": people.rep}
    codes = [name[1:] for name, n in counts.items() for _ in range(n)]
    cases = [case | {"reason": agreement.reasons.get(code=code)} for code in codes]
    return write(agreement, cases)


def test_under_20_seconds_after_the_lead_was_given_is_hurried_and_20_are_not(open_lead, people, now):
    quick = reject(open_lead(at=AT), people, AT + 19 * SECOND)
    reject(open_lead(at=AT), people, AT + 20 * SECOND)
    assert [row.pk for row in quality.hurried(found(now))] == [quick]


def test_the_time_counts_from_the_newest_assignment(open_lead, people, now):
    handoff = open_lead(owner=people.other_rep, at=AT)
    reassign_handoff(handoff_id=handoff.pk, to=people.rep, by=people.manager, at=AT + DAY, why="Away")
    quick = reject(handoff, people, AT + DAY + 5 * SECOND)
    assert [row.pk for row in quality.hurried(found(now))] == [quick]


def test_imported_decisions_are_never_hurried(agreement, people, now):
    reason = agreement.reasons.get(code="11")
    write(agreement, [{"qualified_at": AT, "decided_at": AT + SECOND, "owner": people.rep, "reason": reason}])
    assert (quality.hurried(found(now)).count(), quality.timed(found(now)).count(), found(now).count()) == (0, 0, 1)


def test_bulk_rejections_are_counted_apart(open_lead, people, now):
    handoffs = [open_lead(at=AT) for _ in range(2)]
    reject_many(handoff_ids=[row.pk for row in handoffs], by=people.rep, at=AT + DAY, reason="11")
    reject(open_lead(at=AT), people, AT + DAY)
    assert {row.pk for row in quality.in_bulk(found(now))} == {row.pk for row in handoffs}


@pytest.fixture
def asks_for_industry(agreement):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE sla_mqldefinition SET required_facts = '[\"industry\"]'")
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_bad_data_on_a_lead_with_every_required_fact_is_flagged(asks_for_industry, open_lead, people, now):
    complete = reject(open_lead(at=AT), people, AT + DAY, reason="31")
    reject(open_lead(at=AT, industry=""), people, AT + DAY, reason="31")
    reject(open_lead(at=AT), people, AT + DAY, reason="11")
    data = quality.bad_data(found(now))
    assert (data.complete, data.told, data.untold) == ((complete,), 2, 0)


def test_a_lead_changed_since_its_rejection_is_left_out(asks_for_industry, open_lead, people, now):
    handoff = open_lead(at=AT)
    reject(handoff, people, AT + DAY, reason="31")
    Lead.objects.filter(pk=handoff.lead_id).update(updated_at=AT + 2 * DAY)
    data = quality.bad_data(found(now))
    assert (data.complete, data.told, data.untold) == ((), 0, 1)


def test_a_definition_that_requires_no_facts_tells_nothing(open_lead, people, now):
    reject(open_lead(at=AT), people, AT + DAY, reason="31")
    data = quality.bad_data(found(now))
    assert (data.complete, data.told, data.untold) == ((), 0, 1)


def test_flags_of_days_count_the_rejections_decided_in_them(open_lead, people, now):
    for day in (0, 3, 9):
        reject(open_lead(at=AT + day * DAY), people, AT + day * DAY + 5 * SECOND)
    told = {}
    for days in (3, 7, 14):
        period = Span(dt.date(2026, 3, 10), days)
        rejected = quality.rejections(period, as_of=now, zone=ZONE, among=Handoff.objects.all())
        told[days] = quality.flags_of(rejected)[0]["hurried"]
    assert {days: (share.k, share.n) for days, share in told.items()} == {3: (1, 1), 7: (2, 2), 14: (3, 3)}


def test_one_reason_is_flagged_from_20_rejections_and_above_60_percent(agreement, people, now):
    past(agreement, people, r11=12, r21=8)
    assert quality.one_reason(found(now)) == []
    past(agreement, people, r11=1)
    (flag,) = quality.one_reason(found(now))
    assert (flag.name, flag.code, flag.share.k, flag.share.n) == ("Rena Rep", "11", 13, 21)


def test_nineteen_rejections_for_one_reason_are_too_few_to_flag(agreement, people, now):
    past(agreement, people, r11=19)
    assert quality.one_reason(found(now)) == []


def test_each_flag_on_the_page_leads_to_as_many_leads(client, agreement, open_lead, people):
    past(agreement, people, r11=19, r21=2)
    reject(open_lead(at=AT), people, AT + SECOND)
    client.force_login(people.marketer)
    text = client.get(reverse("audit_quality", args=["2026-03"])).text
    links = re.findall(r'<a class="figure" href="([^"]+)">([\d,]+)</a>', text)
    assert [n for _, n in links] == ["1", "20", "22"]
    for address, n in links:
        page = client.get(address.replace("&amp;", "&")).text
        assert page.count('<tr><th scope="row"><a href') == int(n)


def test_a_manager_sees_flags_of_the_team_alone(client, agreement, open_lead, people):
    past(agreement, people, r11=20)
    client.force_login(people.manager)
    address = reverse("audit_quality", args=["2026-03"])
    assert "Rena Rep" in client.get(address).text
    client.force_login(cast.user("Sol Manager", "sales_manager", team=people.south))
    assert "Rena Rep" not in client.get(address).text


def test_a_rep_opens_none_of_it(client, people, agreement):
    client.force_login(people.rep)
    for name in ("audit_quality", "audit_recode"):
        assert client.get(reverse(name, args=["2026-03"])).status_code == 403


def test_the_section_stands_on_the_audit_and_loads_by_itself(client, agreement, people):
    past(agreement, people, r11=1)
    client.force_login(people.marketer)
    address = reverse("audit_quality", args=["2026-03"])
    assert f'hx-get="{address}" hx-trigger="load"' in client.get(reverse("audit", args=["2026-03"])).text
    part = client.get(address, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<section class="section stack" id="quality"')

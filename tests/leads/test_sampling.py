"""Rejections drawn by chance and coded again, blind, by a second person."""

import datetime as dt
import hashlib

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads.audit import quality
from leads.audit.models import Coding, Sample, SampleItem
from leads.audit.sampling import code_item, draw_sample, waiting_for
from leads.figures import Month
from leads.models import Handoff
from leads.services.decide import reject_handoff
from portal.shared.refusal import Refusal
from tests import cast
from tests.history import write
from tests.leads.test_races import at_once, codes

UTC = dt.UTC
ZONE = get_default_timezone()
MARCH = Month.parse("2026-03")
AT = dt.datetime(2026, 3, 10, 9, tzinfo=UTC)
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def rejected(agreement, people):
    """Thirty rejections of March, of three reasons; and three leads that are none of them."""
    reasons = [agreement.reasons.get(code=code) for code in ("11", "21", "41")]
    case = {"qualified_at": AT, "decided_at": AT + dt.timedelta(days=1), "owner": people.rep}
    rows = write(agreement, [case | {"reason": reasons[n % 3]} for n in range(30)])
    april = {"decided_at": AT + dt.timedelta(days=30), "reason": reasons[0]}
    write(agreement, [case, case | april, {"qualified_at": AT}])
    return [row.pk for row in rows]


def draw(people, now, size=10, seed="a1"):
    return draw_sample(month=MARCH, seed=seed, size=size, by=people.marketer, at=now, zone=ZONE)


def drawn(sample):
    return list(sample.items.order_by("position").values_list("decision__handoff_id", flat=True))


def refused(with_code, verb, **arguments):
    with pytest.raises(Refusal) as refusal:
        verb(**arguments)
    assert refusal.value.code == with_code


def code_all(people, now, change=lambda n, code: code):
    for n, item in enumerate(SampleItem.objects.select_related("decision__reason").order_by("sample", "position")):
        code_item(item_id=item.pk, code=change(n, item.decision.reason.code), by=people.marketer, at=now)


def test_with_its_seed_anybody_draws_the_same_sample_again(rejected, people, now):
    sample = draw(people, now, seed="f00d")
    again = sorted(rejected, key=lambda pk: hashlib.sha256(f"f00d:{pk}".encode()).digest())
    assert drawn(sample) == again[:10]
    assert (sample.size, sample.population) == (10, 30)


def test_a_further_sample_is_drawn_from_the_rest_once_the_first_is_coded(rejected, people, now):
    first = draw(people, now)
    refused("sample_not_finished", draw, people=people, now=now)
    code_all(people, now)
    second = draw(people, now, size=50)
    assert (second.number, second.size, second.population) == (2, 20, 20)
    assert sorted(drawn(first) + drawn(second)) == sorted(rejected)
    for item in second.items.all():
        code_item(item_id=item.pk, code="11", by=people.marketer, at=now)
    refused("nothing_to_sample", draw, people=people, now=now)


def test_a_month_that_is_not_over_and_a_reader_who_may_not_draw_get_no_sample(rejected, people, now):
    said = {"seed": "a", "at": now, "zone": ZONE}
    refused("month_not_over", draw_sample, month=Month.of(now, ZONE), by=people.marketer, **said)
    refused("not_permitted", draw_sample, month=MARCH, by=people.manager, **said)


def test_a_lead_is_coded_once_and_never_by_whoever_rejected_it(open_lead, people, now):
    handoff = open_lead(at=AT)
    reject_handoff(handoff_id=handoff.pk, by=people.manager, at=AT + dt.timedelta(hours=1), reason="11")
    item = draw(people, now).items.get()
    refused("not_permitted", code_item, item_id=item.pk, code="11", by=people.manager, at=now)
    refused("not_permitted", code_item, item_id=item.pk, code="11", by=people.other_rep, at=now)
    refused("reason_unknown", code_item, item_id=item.pk, code="99", by=people.marketer, at=now)
    code_item(item_id=item.pk, code="21", by=people.marketer, at=now)
    refused("already_coded", code_item, item_id=item.pk, code="11", by=people.sales_leader, at=now)
    assert Coding.objects.get().reason.code == "21"


def test_a_manager_codes_only_leads_of_the_team(rejected, people, now):
    draw(people, now)
    south = cast.user("Sol Manager", "sales_manager", team=people.south)
    assert waiting_for(people.manager, MARCH).count() == 10
    assert waiting_for(south, MARCH).count() == 0
    item = SampleItem.objects.first()
    refused("not_permitted", code_item, item_id=item.pk, code="11", by=south, at=now)


def test_two_people_who_agree_on_everything_have_kappa_one(rejected, people, now):
    draw(people, now, size=30)
    code_all(people, now)
    found = quality.agreement(MARCH)
    assert (found.codes.value, found.categories.value, found.verdict) == (1.0, 1.0, "good")
    assert found.apart == []


def test_two_people_who_agree_by_chance_stop_the_ranking(rejected, people, now):
    draw(people, now, size=30)
    code_all(people, now, lambda n, code: ("11", "21", "41")[n % 3])
    found = quality.agreement(MARCH)
    assert found.verdict == "low"
    assert sum(n for *_, n in found.apart) == 30 - found.categories.agreed


def test_too_few_codings_say_nothing_and_one_reason_for_all_cannot_be_told(agreement, people, now, rejected):
    draw(people, now, size=19)
    code_all(people, now)
    assert quality.agreement(MARCH).verdict == "few"
    small = agreement.reasons.get(code="11")
    may = AT + dt.timedelta(days=61)
    write(agreement, [{"qualified_at": may, "decided_at": may, "owner": people.rep, "reason": small}] * 20)
    draw_sample(month=Month.parse("2026-05"), seed="b", by=people.marketer, at=now, zone=ZONE)
    for item in waiting_for(people.marketer, Month.parse("2026-05")):
        code_item(item_id=item.pk, code="11", by=people.marketer, at=now)
    assert quality.agreement(Month.parse("2026-05")).verdict == "undefined"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE audit_sample SET seed = 'b'", "append-only"),
        ("DELETE FROM audit_sampleitem", "append-only"),
        ("UPDATE audit_coding SET reason_id = reason_id", "append-only"),
        ("INSERT INTO audit_coding (item_id, reason_id, coded_at, coded_by_id)"
         " SELECT item_id, reason_id, now(), coded_by_id FROM audit_coding", "unique"),
        ("INSERT INTO audit_coding (item_id, reason_id, coded_at, coded_by_id)"
         " SELECT i.id, c.reason_id, now(), {rep} FROM audit_coding c, audit_sampleitem i"
         " WHERE i.id <> c.item_id LIMIT 1", "a second person"),
        ("INSERT INTO audit_sampleitem (sample_id, position, decision_id)"
         " SELECT s.id, 1, d.id FROM audit_sample s, leads_decision d WHERE d.outcome = 'accepted'",
         "as many rejections as it says"),
        ("INSERT INTO audit_sampleitem (sample_id, position, decision_id)"
         " SELECT s.id, 11, d.id FROM audit_sample s, leads_decision d WHERE d.outcome = 'rejected' LIMIT 1",
         "as many rejections as it says"),
        ("INSERT INTO audit_sample (month, number, seed, size, population, drawn_at, drawn_by_id)"
         " SELECT month, 2, 'c', 5, 4, now(), drawn_by_id FROM audit_sample", "of_something"),
    ],
)  # fmt: skip
def test_the_database_refuses_what_no_verb_does(rejected, people, now, sql, why):
    sample = draw(people, now)
    code_item(item_id=sample.items.first().pk, code="11", by=people.marketer, at=now)
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(rep=people.rep.pk))


def test_the_coder_sees_the_lead_and_neither_code_nor_note(client, open_lead, people, now):
    handoff = open_lead(at=AT, company="Corvane Foods")
    said = {"reason": "11", "note": "Twelve people at most"}
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=AT + dt.timedelta(hours=1), **said)
    draw(people, now)
    client.force_login(people.marketer)
    text = client.get(reverse("audit_recode", args=["2026-03"])).text
    assert "Corvane Foods" in text
    assert "Twelve people" not in text
    assert people.rep.name not in text
    assert 'name="reason" value="11" checked' not in text
    assert 'name="reason" value="11"' in text
    assert reverse("handoff", args=[handoff.pk]) not in text


def test_coding_goes_on_where_it_was_left_with_and_without_htmx(client, rejected, people, now):
    items = list(draw(people, now, size=3).items.order_by("position"))
    page = reverse("audit_recode", args=["2026-03"])
    client.force_login(people.marketer)
    answer = client.post(reverse("audit_code", args=["2026-03", items[0].pk]), {"reason": "11"})
    assert answer["Location"] == page
    assert "1 of 3 coded, 1 of them by you; 2 left for you" in client.get(page).text
    answer = client.post(reverse("audit_code", args=["2026-03", items[1].pk]), {"reason": "11"}, **HTMX)
    assert "2 of 3 coded" in answer.text
    assert "<html" not in answer.text
    answer = client.post(reverse("audit_code", args=["2026-03", items[2].pk]), {"reason": "11"}, **HTMX)
    assert "All 3 are coded" in answer.text


def test_a_code_that_comes_second_or_names_no_reason_is_told_so_with_the_next_lead(client, rejected, people, now):
    item = draw(people, now, size=3).items.first()
    client.force_login(people.marketer)
    address = reverse("audit_code", args=["2026-03", item.pk])
    answer = client.post(address, {}, **HTMX)
    assert (answer.status_code, "Choose one of the reasons" in answer.text) == (422, True)
    code_item(item_id=item.pk, code="11", by=people.sales_leader, at=now)
    answer = client.post(address, {"reason": "21"}, **HTMX)
    assert (answer.status_code, "Somebody coded this lead already" in answer.text) == (409, True)
    assert Coding.objects.get().coded_by == people.sales_leader


def test_a_marketer_draws_on_the_page_and_the_seed_is_shown(client, rejected, people):
    client.force_login(people.marketer)
    address = reverse("audit_quality", args=["2026-03"])
    assert "Draw a sample of 50" in client.get(address).text
    answer = client.post(reverse("audit_sample", args=["2026-03"]), **HTMX)
    sample = Sample.objects.get()
    assert f"seed <code>{sample.seed}</code>" in answer.text
    assert "Code 30 leads" in answer.text
    again = client.post(reverse("audit_sample", args=["2026-03"]), **HTMX)
    assert (again.status_code, Sample.objects.count()) == (409, 1)


def test_a_low_kappa_says_not_to_act_on_the_ranking_yet(client, rejected, people, now):
    draw(people, now, size=30)
    code_all(people, now, lambda n, code: ("11", "21", "41")[n % 3])
    client.force_login(people.sales_leader)
    assert "Do not act on this ranking yet" in client.get(reverse("audit_quality", args=["2026-03"])).text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_of_two_coders_at_once_one_codes_and_the_other_is_told(agreement, rejected, people, now, turn):
    item = draw(people, now, size=1).items.get()
    outcomes = at_once(
        lambda: code_item(item_id=item.pk, code="11", by=people.marketer, at=now),
        lambda: code_item(item_id=item.pk, code="21", by=people.sales_leader, at=now),
    )
    assert codes(outcomes) == ["already_coded", "done"]
    assert Coding.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_draws_at_once_one_sample_is_made(agreement, rejected, people, now):
    outcomes = at_once(lambda: draw(people, now, seed="a"), lambda: draw(people, now, seed="b"))
    assert codes(outcomes) == ["done", "sample_not_finished"]
    assert SampleItem.objects.count() == 10
    assert Handoff.objects.filter(standing_decision__sampled__isnull=False).count() == 10

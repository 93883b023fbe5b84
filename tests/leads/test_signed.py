"""A closed audit is drawn from its frozen record: the same whatever happens later; nothing of it can be changed."""

import datetime as dt
import html
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import get_default_timezone

from leads import figures, figures_pairs
from leads.audit import sampling
from leads.audit.actions import add_action, change_action, close_action
from leads.audit.asked import Asked
from leads.audit.closed import MonthClosed
from leads.audit.closing import ask_to_reopen, close_audit, read, sign_audit, since_closing, verify
from leads.audit.excuses import answer_excuses, propose_excuses
from leads.audit.models import Closing
from leads.audit.signed import Signed, answers
from leads.audit.tables import TABLES
from leads.figures import Month
from leads.intake.imports.engine import import_leads
from leads.models import Breach, Handoff, Lead
from leads.services.assign import reassign_handoff
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.dispute import dispute_rejection
from leads.services.sweep import sweep_clocks
from leads.services.touch import log_touch
from leads.services.withdraw import withdraw_handoff
from portal.accounts.models import User
from sla.chain import sha256, signed_text
from sla.models import Party
from tests import cast, kept
from tests.history import random_cases, write

UTC, DAY, HOUR = dt.UTC, dt.timedelta(days=1), dt.timedelta(hours=1)
ZONE, MARCH = get_default_timezone(), Month.parse("2026-03")
AT = dt.datetime(2026, 3, 10, 9, tzinfo=UTC)
CLOSED = dt.datetime(2026, 4, 6, 9, tzinfo=UTC)
LATER = dt.datetime(2026, 5, 4, 9, tzinfo=UTC)
HTMX = {"HTTP_HX_REQUEST": "true"}
PARTS = ("trend", "speed", "left_out", "fix", "disputes", "scorecard", "quality", "actions")


@pytest.fixture
def month(agreement, people):
    return kept.once(lambda: march(agreement, people), "signed month", agreement.pk, people.rep.pk, empty="leads_lead")


def march(agreement, people):
    """March 2026 with something of everything: history, live leads, a breach excused, a dispute, a sample, actions."""
    cases = random_cases(
        140, seed=9, version=agreement, owners=[people.rep, people.south_rep],
        start=dt.datetime(2025, 10, 1, tzinfo=UTC), end=dt.datetime(2026, 4, 3, tzinfo=UTC),
    )  # fmt: skip
    write(agreement, cases)
    rows = [
        cast.open_handoff(owner=owner, at=AT + n * HOUR / 60, employees=60 + n * 40)
        for n, owner in enumerate((people.rep, people.south_rep) * 4)
    ]
    for row in rows[:3]:
        log_touch(handoff_id=row.pk, by=row.owner, at=AT + HOUR / 2, kind="call", outcome="reached")
    sweep_clocks(at=rows[-1].contact_due_at + HOUR / 60)
    breaches = Breach.objects.values_list("pk", flat=True)[:2]
    said = {"party": Party.SALES, "why": "No line.", "by": people.sales_leader, "at": AT + DAY, "zone": ZONE}
    excuses = propose_excuses(breach_ids=list(breaches), **said)
    answer_excuses(excuse_ids=[e.pk for e in excuses], party=Party.MARKETING, agreed=True, at=AT + DAY, zone=ZONE,
                   by=people.marketing_leader)  # fmt: skip
    accept_handoff(handoff_id=rows[0].pk, by=people.rep, at=AT + 2 * HOUR)
    for row in rows[1:4]:
        reject_handoff(handoff_id=row.pk, by=row.owner, at=AT + 3 * HOUR, reason="41", note="Content only.")
    dispute_rejection(handoff_id=rows[2].pk, by=people.marketer, at=AT + 4 * HOUR, note="They asked for a demo.")
    sampling.draw_sample(month=MARCH, seed="abc", by=people.marketer, at=CLOSED - DAY, zone=ZONE, size=30)
    for text, month in (("Cap the guides", MARCH), ("Ask for the size", MARCH.plus(-1))):
        add_action(month=month, text=text, owner=people.marketer, due_on=dt.date(2026, 4, 20), measure="rate",
                   expected=2, by=people.sales_leader, at=CLOSED - DAY)  # fmt: skip
    return rows


@pytest.fixture
def closing(month, people):
    return kept.once(lambda: closed(people), "signed closing", month[0].pk, empty="audit_closing")


def closed(people):
    found = close_audit(month=MARCH, by=people.marketing_leader, at=CLOSED, zone=ZONE)
    for party, person in ((Party.MARKETING, people.marketing_leader), (Party.SALES, people.sales_leader)):
        sign_audit(closing_id=found.pk, party=party, fingerprint=found.fingerprint, by=person, at=CLOSED + HOUR)
    return found


def asked(person=None, *, basis="period", by="source", **pair):
    return answers(MARCH, basis=basis, by=by, as_of=LATER, zone=ZONE, person=person, **pair)


def known(basis="period", by="source", **pair):
    """The same as it was known when the month was closed, out of the rows."""
    return Asked(MARCH, basis, by, CLOSED, ZONE, None, **pair)


# --- what is drawn is what was known -------------------------------------------------------------------


@pytest.mark.parametrize("basis", figures.BASES)
def test_the_record_gives_every_answer_that_the_rows_gave_when_it_was_closed(closing, basis):
    signed, live = asked(basis=basis), known(basis)
    assert (type(signed), signed.as_of) == (Signed, CLOSED)
    for name in ("series", "contact", "left_out", "in_bulk", "flags", "one_reason", "agreement"):
        assert getattr(signed, name) == getattr(live, name), name
    for by in figures.DIMENSIONS:
        assert asked(basis=basis, by=by).cut.rows == known(basis, by).cut.rows
    assert signed.disputes == live.disputes
    assert signed.disputes.disputes.all.opened == 1
    assert signed.trend.chart == live.trend.chart
    assert signed.trend.title == live.trend.title
    assert (signed.speed.chart, signed.speed.curve) == (live.speed.chart, live.speed.curve)
    assert [wait[2:] for wait in signed.speed.waits] == [wait[2:] for wait in live.speed.waits]
    assert signed.page.headline == live.page.headline
    assert (signed.page.reasons_chart, signed.page.ruler) == (live.page.reasons_chart, live.page.ruler)


@pytest.mark.parametrize("basis", figures.BASES)
def test_every_pair_of_dimensions_is_in_the_record(closing, basis):
    for rows in figures_pairs.ROWS:
        for columns in figures_pairs.COLUMNS:
            pair = {"rows": rows, "columns": columns}
            signed, live = asked(basis=basis, **pair).heat, known(basis, **pair).heat
            assert (signed and signed.pair) == (live and live.pair), pair


def test_promises_people_and_actions_are_in_the_record(closing):
    signed, live = asked(), known()
    told = [[(p.party, p.kind, p.k, p.n, p.verdict, p.excused) for p in one.card.promises] for one in (signed, live)]
    assert told[0] == told[1]
    assert signed.card.has_excused
    assert (signed.card.attainment, signed.card.without_excused.attainment) == (
        live.card.attainment, live.card.without_excused.attainment,
    )  # fmt: skip
    told = [[(p.person.pk, p.team, p.contact, p.decision) for p in one.people] for one in (signed, live)]
    assert told[0] == told[1]
    decided, before = signed.actions.decided[0], signed.actions.before[0]
    assert (decided.revision.text, decided.revision.owner.name) == ("Cap the guides", "Marta Marketer")
    assert before.effect == live.actions.before[0].effect or before.effect.verdict == live.actions.before[0].verdict


def test_what_was_signed_tells_of_no_lead(closing):
    for lead in Lead.objects.all():
        for told in (lead.email, lead.company, lead.first_name if lead.first_name != "Past" else lead.email):
            assert told not in closing.canonical


def test_the_actions_are_under_the_fingerprint(closing):
    kept = read(closing)["record"]["actions"]["decided"]
    assert [one["text"] for one in kept] == ["Cap the guides"]
    assert sha256(closing.canonical) == closing.fingerprint
    assert sha256(closing.canonical.replace("Cap the guides", "Cap the prices")) != closing.fingerprint


# --- closed audits never change, whatever happens after -------------------------------------------------


def import_of_the_past(month, people, tmp_path):
    path = tmp_path / "history.csv"
    lines = "".join(f"{i},2026-03-0{i % 9 + 1},accepted,Webinar\n" for i in range(20))
    path.write_text(f"id,day,decision,source\n{lines}")
    columns = {"external_id": "id", "qualified_at": "day", "decision": "decision", "source": "source"}
    import_leads(path=path, document={"columns": columns}, historical=True, at=LATER, errors_path=tmp_path / "e.csv")
    assert Handoff.objects.filter(qualified_at__gte=MARCH.begins(ZONE), source="Webinar").count() >= 20


def decisions_and_withdrawals(month, people, tmp_path):
    reopen_handoff(handoff_id=month[0].pk, by=people.rep, at=AT + 2 * HOUR + HOUR / 30)
    accept_handoff(handoff_id=month[4].pk, by=people.rep, at=LATER)
    withdraw_handoff(handoff_id=month[5].pk, by=people.admin, at=LATER, why="Asked to be forgotten")
    log_touch(handoff_id=month[6].pk, by=people.rep, at=LATER, kind="call", outcome="reached", occurred_at=AT + HOUR)


def reassignment(month, people, tmp_path):
    for row in month[4:]:
        reassign_handoff(handoff_id=row.pk, to=people.other_rep, by=people.manager, at=LATER) if (
            row.owner_id == people.rep.pk
        ) else None


def erasure_of_persons(month, people, tmp_path):
    """Of everybody: the people who became leads, and those who worked them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE leads_lead SET email = NULL, external_id = 'erased-' || id, first_name = '', last_name = '',"
            " company = '', phone = '', title = '', industry = '', employees = NULL, source = '', attributes = '{}'"
        )
        cursor.execute("UPDATE accounts_user SET name = 'Erased ' || id, email = id || '@erased.example'")
    assert not Lead.objects.exclude(first_name="").exists()


def a_new_definition(month, people, tmp_path):
    cast.agreement(at=LATER, target_rate=900)


def actions_moved_on(month, people, tmp_path):
    from leads.audit.models import Action, ActionRevision

    action = Action.objects.get(month=MARCH.first)
    agreed = {"owner": people.sales_leader, "due_on": dt.date(2026, 6, 1), "measure": "rate", "expected": 9}
    change_action(action_id=action.pk, seen=1, text="Something else", by=people.sales_leader, at=LATER, **agreed)
    close_action(action_id=action.pk, seen=2, note="Done.", by=people.sales_leader, at=LATER)
    assert ActionRevision.objects.filter(action=action).count() == 3


HAPPENS = (
    import_of_the_past, decisions_and_withdrawals, reassignment, erasure_of_persons, a_new_definition,
    actions_moved_on,
)  # fmt: skip


def shown(client):
    """Everything that a closed month shows and gives away, but what stands beside it as “since closing”."""
    found = {}
    for query in ("", "?basis=cohort&by=owner&rows=segment&columns=owner", "?by=industry&rows=category&columns=tier"):
        text = client.get(f"/audit/2026-03/{query}").text
        text = text[text.index('id="result"') : text.index('id="signoff"')]
        found["page", query] = re.sub(r'<form class="month-picker".*?</form>', "", text, flags=re.S)
    for part in PARTS:
        found["part", part] = client.get(reverse(f"audit_{part}", args=["2026-03"]), **HTMX).text
    for name in TABLES:
        found["file", name] = client.get(reverse("audit_table", args=["2026-03", name, "csv"])).getvalue()
    found["json"] = client.get("/audit/2026-03.json?by=owner").content
    found["paper"] = client.get(reverse("audit_pdf", args=["2026-03"])).content
    return found


@pytest.mark.parametrize("happens", HAPPENS, ids=lambda each: each.__name__.replace("_", " "))
def test_a_closed_audit_never_changes(closing, month, people, client, tmp_path, happens):
    client.force_login(people.admin)
    before = shown(client)
    happens(month, people, tmp_path)
    client.force_login(User.objects.get(pk=people.admin.pk))
    after = shown(client)
    assert [name for name in before if before[name] != after[name]] == []
    assert Closing.objects.get(pk=closing.pk).canonical == closing.canonical
    assert verify() is None


def test_the_law_can_fail(month, people, client, tmp_path):
    """An open month does change with every one of these."""
    client.force_login(people.admin)
    before = shown(client)
    import_of_the_past(month, people, tmp_path)
    after = shown(client)
    assert len([name for name in before if before[name] != after[name]]) > 8


def test_what_came_later_stands_beside_it(closing, month, people, client, tmp_path):
    import_of_the_past(month, people, tmp_path)
    decisions_and_withdrawals(month, people, tmp_path)
    found = {(basis, what): (then, now) for basis, what, then, now in since_closing(closing, at=LATER, zone=ZONE)}
    then, now = found["period", "mqls"]
    assert now == then + 20
    assert any(basis == "promises" for basis, _ in found)
    client.force_login(people.marketing_leader)
    text = client.get(reverse("audit_closing", args=["2026-03"])).text
    assert "Promises" in text[text.index("Since closing") :]


# --- every control is gone ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["marketing_leader", "sales_leader", "marketer", "manager"])
def test_after_signing_no_control_is_left_that_would_change_it(closing, people, client, who):
    client.force_login(getattr(people, who))
    text = client.get("/audit/2026-03/").text
    assert 'method="post"' not in text[text.index('id="main"') : text.index("</main>")]
    for part in PARTS:
        found = client.get(reverse(f"audit_{part}", args=["2026-03"]), **HTMX).text
        assert 'method="post"' not in found, part
        assert "hx-post" not in found, part
        assert "audit_action_new" not in found


def test_the_verbs_refuse_too(closing, people):
    said = {"by": people.sales_leader, "at": LATER}
    agreed = {"owner": people.marketer, "due_on": dt.date(2026, 5, 1), "measure": "rate", "expected": 2}
    with pytest.raises(MonthClosed):
        add_action(month=MARCH, text="One more", **agreed, **said)
    with pytest.raises(MonthClosed):
        sampling.draw_sample(month=MARCH, seed="x", by=people.marketer, at=LATER, zone=ZONE)
    item = sampling.waiting_for(people.marketing_leader, MARCH).first()
    with pytest.raises(MonthClosed):
        sampling.code_item(item_id=item.pk, code="41", by=people.marketing_leader, at=LATER)


@pytest.mark.parametrize(("name", "more", "said"), [
    ("audit_action_new", [], {"text": "x", "due_on": "2026-05-01", "measure": "rate", "expected": "2"}),
    ("audit_sample", [], {}), ("audit_fix_draft", [], {}),
])  # fmt: skip
def test_a_form_left_open_is_told_so(closing, people, client, name, more, said):
    client.force_login(people.marketing_leader)
    reply = client.post(reverse(name, args=["2026-03", *more]), said | {"owner": people.marketer.pk}, **HTMX)
    assert reply.status_code == 409
    assert "The audit of this month is closed" in reply.text


def test_opened_again_by_both_it_is_live_and_its_controls_are_back(closing, people, client):
    for party, person in ((Party.MARKETING, people.marketing_leader), (Party.SALES, people.sales_leader)):
        ask_to_reopen(closing_id=closing.pk, party=party, why="A late import.", by=person, at=LATER)
    client.force_login(people.marketing_leader)
    assert type(asked()) is Asked
    assert "Add an action" in client.get(reverse("audit_actions", args=["2026-03"])).text


# --- the page -----------------------------------------------------------------------------------------


def test_the_page_says_that_it_is_closed_and_is_as_cheap_as_an_open_one(closing, people, client):
    client.force_login(people.marketing_leader)
    with CaptureQueriesContext(connection) as queries:
        text = client.get("/audit/2026-03/?rows=owner&columns=segment").text
    assert len(queries) <= 8
    assert "Closed on Monday 6 April 2026, 11:00 and signed by both sides" in text
    assert re.search(r'id="as-of">As of Monday 6 April 2026, 11:00', text)
    assert re.search(r'id="attained"><dt>Joint target attained</dt><dd class="stat-value">\d', text)
    assert 'data-more="signed=1"' in text


def test_it_says_that_the_record_names_no_leads_and_opens_those_of_today(closing, people, client):
    client.force_login(people.sales_leader)
    for part, key in (("disputes", "disputed"), ("scorecard", "answered_by")):
        said = client.get(reverse(f"audit_{part}", args=[MARCH]), **HTMX).text
        assert "The signed record names no leads: a number opens those of today." in said, part
        links = [html.unescape(each) for each in re.findall(r'class="figure" href="([^"]+)"', said) if key in each]
        assert links
        assert all(client.get(each).status_code == 200 for each in links)


def test_reps_and_managers_see_their_own_clocks_out_of_the_record_too(closing, people, client):
    for who, names in (("rep", {"Rena Rep"}), ("manager", {"Rena Rep"}), ("admin", {"Rena Rep", "Suna Rep"})):
        found = asked(getattr(people, who)).people
        assert {one.person.name for one in found} == names


def test_an_audit_closed_before_the_whole_record_was_kept_stays_valid(month, people, client):
    """Its text has figures and breakdowns alone: it verifies, is shown as signed, and the page says what it draws."""
    new = close_audit(month=MARCH.plus(-1), by=people.marketing_leader, at=CLOSED, zone=ZONE)
    content = {k: v for k, v in read(new).items() if k not in ("format", "record")} | {"month": "2026-03"}
    text = signed_text(content, new.fingerprint)
    old = Closing.objects.create(
        month=MARCH.first, number=1, closed_at=CLOSED, closed_by=people.marketing_leader, canonical=text,
        fingerprint=sha256(text), predecessor=new,
    )  # fmt: skip
    assert verify() is None
    assert type(asked()) is Asked
    assert asked().closing == old
    client.force_login(people.marketing_leader)
    page = client.get("/audit/2026-03/").text
    assert "This audit was closed when its figures and breakdowns alone were kept." in page
    assert "The signed figures" in client.get(reverse("audit_closing", args=["2026-03"])).text
    assert client.get(reverse("audit_pdf", args=["2026-03"])).status_code == 200
    assert all(basis != "promises" for basis, *_ in since_closing(old, at=LATER, zone=ZONE))


def test_the_record_has_one_shape(closing):
    """Whoever changes it raises record.FORMAT, and goes on reading what this one wrote."""
    content = json.loads(closing.canonical)["content"]
    assert content["format"] == 2
    record = content["record"]
    assert set(record) == {
        "bases", "contact", "began", "speed", "in_bulk", "card", "people", "flags", "one_reason", "agreement",
        "samples", "actions",
    }  # fmt: skip
    assert set(record["bases"]) == {"period", "cohort"}
    assert set(record["bases"]["period"]) == {"series", "cuts", "pairs", "disputes", "left_out", "candidates"}
    assert set(record["actions"]["decided"][0]) == {
        "action", "revision", "month", "text", "owner", "due_on", "measure", "expected", "measured_by", "definition",
        "closed", "note", "effect",
    }  # fmt: skip

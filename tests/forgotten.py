"""A person of whom every part of the house knows something, and what the database then holds."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from leads.audit.excuses import answer_excuses, propose_excuses
from leads.calibration.models import Annotator, Mark, Round, RoundItem
from leads.connectors.inbound import connections
from leads.connectors.models import Delivery, Item
from leads.connectors.outgoing import endpoints
from leads.connectors.outgoing.topics import TOPICS
from leads.intake.forms.services.build import create_form, publish_version
from leads.intake.forms.services.submit import Sent, submit_form
from leads.intake.imports import jobs
from leads.intake.models import ImportJob
from leads.models import Breach, RecycleChange
from leads.services.capture import Happened, capture_lead, take_in_lead
from leads.services.deal import record_deal
from leads.services.decide import reject_handoff
from leads.services.dispute import dispute_rejection, rule_on_dispute
from leads.services.touch import log_touch
from portal.keys.models import KeptAnswer
from portal.keys.scopes import SCOPES
from portal.keys.services import make_key
from portal.outbox.deliver import deliver_due
from portal.outbox.models import Message, Notice
from sla.models import Party
from tests import cast, form_cast
from tests.leads.test_inbound import Sender

MARK = "Zebrafisch"  # stands in everything that is personal; afterwards it stands nowhere
EMAIL = f"{MARK.lower()}@corvane.example"
BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
FACTS = cast.FACTS | {
    "email": EMAIL, "first_name": MARK, "last_name": f"{MARK}son", "phone": f"+49 {MARK}", "company": f"{MARK} Foods",
    "external_id": f"crm-{MARK}", "domain": f"{MARK.lower()}.example", "attributes": {"City": MARK},
}  # fmt: skip


def rows():
    """Every row of every table, as text by table: what a dump of the database would hold."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f"SELECT coalesce(json_agg(to_jsonb(t) ORDER BY to_jsonb(t)::text)::text, '[]') FROM \"{table}\" t"
            )
            found[table] = cursor.fetchone()[0]
    return found


def where(mark):
    """The tables in which a text stands, whatever its case."""
    return sorted(table for table, text in rows().items() if mark.lower() in text.lower())


def sql(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else None


def known_everywhere(people, now):
    """A lead of whom every part of the house knows something; its handoff was rejected, disputed and ruled on."""
    endpoints.add_endpoint(name="CRM", address="http://127.0.0.1:1/x", topics=TOPICS, by=people.admin, at=now)
    event = Happened("demo_requested", now - DAY, "web", f"id-{MARK}", {"page": f"/for/{MARK}"})
    lead = take_in_lead(facts=FACTS, events=[event], at=now - DAY).lead
    handoff = lead.handoffs.get()
    by = handoff.owner
    capture_lead(facts={"email": EMAIL, "title": f"Chief {MARK}"}, at=now - 23 * HOUR)
    log_touch(handoff_id=handoff.pk, kind="call", outcome="reached", by=by, at=now - 22 * HOUR, note=f"{MARK} says")
    reject_handoff(handoff_id=handoff.pk, by=by, at=now - 21 * HOUR, reason="11", note=f"{MARK} is too small")
    dispute = dispute_rejection(handoff_id=handoff.pk, by=people.marketer, at=now - 20 * HOUR, note=f"{MARK} has 640")
    leader = people.sales_leader
    rule_on_dispute(dispute_id=dispute.pk, outcome="upheld", by=leader, at=now - 19 * HOUR, note=f"{MARK}, no")
    RecycleChange.objects.create(
        lead=lead, recycle_on=now.date(), changed_at=now, changed_by=people.marketer, why=f"{MARK} asked"
    )
    record_deal(lead_id=lead.pk, handoff_id=handoff.pk, by=by, at=now, outcome="lost", note=f"{MARK} went")
    _is_talked_about(handoff, people, now)
    _sends_a_form(people, now)
    _is_in_a_file(people, now)
    _is_told_by_a_tool(people, now)
    _is_told_of(lead, handoff, people, now)
    deliver_due(at=now)
    return lead


def _is_talked_about(handoff, people, now):
    """A breach that was to be excused, and a mark in a round of old deals."""
    breach = Breach.objects.create(
        handoff=handoff, clock="contact", due_at=now - 2 * HOUR, sla_version=handoff.sla_version, recorded_at=now
    )
    party, other = Party.SALES, Party.MARKETING
    [asked] = propose_excuses(
        breach_ids=[breach.pk], party=party, why=f"{MARK} was away", by=people.manager, at=now, zone=BERLIN
    )
    leader = people.marketing_leader
    answer_excuses(
        excuse_ids=[asked.pk], party=other, agreed=False, note=f"{MARK} was not", by=leader, at=now, zone=BERLIN
    )
    drawn = Round.objects.create(
        number=1, seed="f00d", won=1, lost=1, population_won=1, population_lost=1, qualified_from="2026-01-01",
        qualified_to="2026-02-01", is_blind=True, shows_score=False, drawn_at=now, drawn_by=people.marketer,
        questions=[{"key": "ready", "label": "Ready?", "about": "readiness"}],
    )  # fmt: skip
    Annotator.objects.create(round=drawn, person=people.rep, place=1)
    item = RoundItem.objects.create(round=drawn, position=1, handoff=handoff, outcome="lost")
    Mark.objects.create(item=item, answers={"ready": "no"}, tags=[MARK], marked_at=now, marked_by=people.rep)


def _sends_a_form(people, now):
    form = create_form(name="ROI", by=people.marketer, at=now - DAY, document=form_cast.ROI)
    version = publish_version(form_id=form.pk, by=people.marketer, at=now - DAY)
    answers = {"email": EMAIL, "name": f"{MARK} {MARK}son", "more": f"Call {MARK}"}
    posted = {key: [value] for key, value in (form_cast.HOT | answers).items()}
    submit_form(version=version, sent=Sent(posted, "t1", started_at=now - HOUR), at=now)
    suspected = Sent(posted, "t2", started_at=now - HOUR, suspected_by="honeypot")
    submit_form(version=version, sent=suspected, at=now)


def _is_in_a_file(people, now):
    text = f"Record ID,Email,Company\n1,{EMAIL.upper()},{MARK} Foods\n2,nobody,{MARK}\n"
    done = jobs.upload(file=SimpleUploadedFile("fair.csv", text.encode()), by=people.marketer, at=now)
    ImportJob.objects.filter(pk=done.pk).update(
        status="done", finished_at=now, first_errors=[{"row": 2, "value": EMAIL, "what": MARK}]
    )
    jobs.upload(file=SimpleUploadedFile("later.csv", text.encode()), by=people.marketer, at=now)


def _is_told_by_a_tool(people, now):
    made, token, _ = connections.add_connection(
        name="Tool", kind="json", event_kind="webinar_attended", by=people.admin, at=now
    )
    reads = {"columns": {"email": "mail", "title": "role"}}
    connections.change_connection(
        connection_id=made.pk, name="Tool", mapping=reads, overwrites=[], ours=[], shares_ids=False, by=people.admin,
        paths={"person": "who", "id": "n"}, event_kind="webinar_attended",
    )  # fmt: skip
    tool = Sender(made, token, "", now)
    tool.json([{"n": "1", "who": "p1", "mail": EMAIL, "role": f"Boss {MARK}"}, {"n": "2", "mail": f"{EMAIL} x"}])
    assert set(Item.objects.values_list("outcome", flat=True)) == {"taken", "refused"}


def _is_told_of(lead, handoff, people, now):
    message = Message.objects.create(
        topic="digest.day", key="d", payload={"person": people.rep.pk}, created_at=now, next_attempt_at=now,
        delivered_at=now, recipient=people.rep,
    )  # fmt: skip
    text = f"First in line:\n- {MARK} {MARK}son"
    Notice.objects.create(person=people.rep, message=message, title="Today", text=text, path="/", created_at=now)
    Message.objects.create(
        topic="handoff.withdrawn", key="w", payload={"handoff": handoff.pk, "why": MARK}, created_at=now,
        next_attempt_at=now, delivered_at=now,
    )  # fmt: skip
    key, _ = make_key(name="K", person_id=people.admin.pk, scopes=[*SCOPES], days=90, by=people.admin, at=now)
    KeptAnswer.objects.create(
        key=key, name="n", request="a" * 64, status=200, body=json.dumps({"email": EMAIL}), kept_at=now
    )
    Delivery.objects.update(body=f'{{"external_id": "crm-{MARK}"}}')

"""Forgetting a person: nothing of them is left, nothing that was counted moves, and nothing comes back."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from leads import figures, places, rollup
from leads.audit.closing import close_audit
from leads.audit.closing import verify as verify_audits
from leads.audit.models import Closing
from leads.audit.report import audits
from leads.connectors.inbound import connections
from leads.connectors.models import Item
from leads.intake.forms.consents import consents_of
from leads.intake.imports import jobs
from leads.intake.models import ImportJob
from leads.models import Erasure, FactChange, Lead, Place
from leads.services.capture import Happened, capture_lead, record_event, take_in_events, take_in_events_of
from leads.services.decide import accept_handoff, reject_handoff, reopen_handoff
from leads.services.evaluate import evaluate_due
from leads.services.privacy.erase import ErasedAlready, NobodyKnown, NotTheAddress, erase_person
from leads.services.privacy.erase import known as known_person
from leads.services.privacy.export import export_person
from leads.services.privacy.spellings import holds_one
from leads.services.refusals import PersonForgotten
from leads.services.rollup import keep_rollup, rebuild_rollup
from leads.services.touch import log_touch
from portal.outbox.models import FORGOTTEN, Message, Notice
from portal.shared.refusal import NotPermitted
from sla.verification import verify as verify_agreement
from tests import form_cast
from tests.forgotten import BERLIN, DAY, EMAIL, FACTS, HOUR, MARK, MINUTE, known_everywhere, rows, sql, where
from tests.leads.test_inbound import Sender


@pytest.fixture
def uploads(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path / "uploads"


@pytest.fixture
def known(agreement, people, now, uploads, settings):
    """See tests.forgotten.known_everywhere."""
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    return known_everywhere(people, now)


# --- nothing is left ----------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_after_an_erasure_the_person_stands_in_no_table_and_no_file(known, people, now, uploads):
    everywhere = """
        leads_lead leads_event leads_handoff leads_decision leads_touch leads_factchange leads_dispute
        leads_ruling leads_recyclechange leads_deal forms_submission intake_importjob connectors_item
        connectors_conflict connectors_delivery outbox_notice outbox_message keys_keptanswer audit_excuse
        audit_excuseanswer calibration_mark
    """
    assert set(everywhere.split()) <= set(where(MARK))
    assert any(MARK.lower() in file.read_text().lower() for file in uploads.iterdir())
    erased = erase_person(lead_id=known.pk, typed=EMAIL.upper(), by=people.admin, at=now)
    assert where(MARK) == []
    assert not any(MARK.lower() in file.read_text().lower() for file in uploads.iterdir())
    assert {"Facts", "Events", "Handoffs", "Notes", "Forms", "Imports", "Messages", "Inbound connections"} <= set(
        erased.rows
    )
    lead = Lead.objects.get(pk=known.pk)
    assert (lead.erased_at, lead.name) == (now, f"Lead {lead.pk}")
    assert Erasure.objects.get().erased_by == people.admin


@pytest.mark.django_db(transaction=True)
def test_what_is_left_of_an_address_that_no_lead_has_goes_as_well(known, people, now):
    submitted = sql("SELECT count(*) FROM forms_submission WHERE lead_id IS NULL")
    Lead.objects.filter(pk=known.pk).update(email="other@corvane.example")
    erase_person(email=EMAIL, by=people.admin, at=now)
    assert sql("SELECT count(*) FROM forms_submission WHERE lead_id IS NULL AND answers = '{}'") == submitted
    assert Erasure.objects.get().lead is None
    assert Item.objects.get(outcome="refused").content is None


@pytest.mark.django_db(transaction=True)
def test_what_names_the_person_by_an_earlier_address_or_name_goes_as_well(known, people, now, uploads):
    Lead.objects.filter(pk=known.pk).update(email="married@elsewhere.example", first_name="Mary", last_name="Married")
    erase_person(lead_id=known.pk, by=people.admin, at=now)
    assert where(MARK) == []
    assert not any(MARK.lower() in file.read_text().lower() for file in uploads.iterdir())


SPELT = "rosa.lund@müller.example"
SAME = (
    "Rosa.Lund@MÜLLER.example", " rosa.lund@müller.example ", "rosa.lund+fair@müller.example",
    "rosa.lund@xn--mller-kva.example", "Rosa.Lund+a.b-c@XN--MLLER-KVA.EXAMPLE", "rosa.lund@mu\u0308ller.example",
    "<rosa.lund@müller.example>;", "Ask rosa.lund@müller.example.",
)  # fmt: skip
NOT_THE_SAME = (
    "x.rosa.lund@müller.example", "arosa.lund@müller.example", "rosalund@müller.example", "rosa.lund@muller.example",
    "rosa.lund@müller.example.org", "rosa.lund@müller.examples", "rosa.lund@müller-example",
    "rosa,lund@müller.example", "rosa.lund+a,x@müller.example",
)  # fmt: skip


def upload(text, people, now, **changed):
    data = text if isinstance(text, bytes) else f"Name,Email\nR,{text}\n".encode()
    job = jobs.upload(file=SimpleUploadedFile("fair.csv", data), by=people.marketer, at=now)
    ImportJob.objects.filter(pk=job.pk).update(**changed)
    return job


def test_files_that_name_the_person_in_another_spelling_go_and_those_of_others_stay(agreement, people, now, uploads):
    capture_lead(facts={"email": SPELT}, at=now)
    theirs = {upload(text, people, now).pk for text in SAME}
    encoded = f"Name,Email\nR,{SAME[0]}\n"
    theirs |= {upload(encoded.encode(code), people, now).pk for code in ("utf-8-sig", "utf-16")}
    others = {upload(text, people, now).pk for text in NOT_THE_SAME}
    assert erase_person(email="ROSA.LUND+x@xn--mller-kva.example", by=people.admin, at=now).rows["Imports"] == 10
    assert {*ImportJob.objects.values_list("pk", flat=True)} == others
    assert not theirs & others


def test_a_file_of_windows_and_a_large_one_are_read_to_the_end(agreement, people, now, uploads, monkeypatch):
    capture_lead(facts={"email": SPELT}, at=now)
    rows = "".join(f"{n},nobody{n}@quiet.example\n" for n in range(400))
    upload(f"Name,Email\n{rows}R,{SPELT}\n", people, now)
    windows = upload(f"Name,Email\n{rows}\n", people, now, mapping={"encoding": "cp1252"})
    windows.path.write_bytes(f"Name,Email\n{rows}R,{SPELT}\n".encode("cp1252"))
    monkeypatch.setattr("leads.intake.imports.privacy.CHUNK", 1000)
    assert erase_person(email=SPELT, by=people.admin, at=now).rows["Imports"] == 2


def test_what_an_error_of_a_file_quotes_is_the_person_s_in_every_spelling(agreement, people, now, uploads):
    capture_lead(facts={"email": SPELT}, at=now)
    done = {"status": "done", "finished_at": now}
    theirs = upload("nobody", people, now, first_errors=[{"row": 2, "value": SAME[4]}], **done)
    other = upload("nobody", people, now, first_errors=[{"row": 2, "value": NOT_THE_SAME[1]}], **done)
    erase_person(email=SPELT, by=people.admin, at=now)
    theirs.refresh_from_db()
    other.refresh_from_db()
    assert (theirs.first_errors, len(other.first_errors)) == ([], 1)


def test_the_database_reads_every_spelling_as_files_are_read(agreement, people, now):
    person = known_person(capture_lead(facts={"email": SPELT}, at=now))
    composed = [text for text in SAME if "\u0308" not in text]
    for n, text in enumerate((*composed, *NOT_THE_SAME)):
        capture_lead(facts={"external_id": f"{n}", "company": text}, at=now)
    named = Lead.objects.filter(holds_one("company", person)).order_by("pk").values_list("company", flat=True)
    assert [*named] == composed


def test_a_person_who_is_two_leads_by_the_spelling_of_the_domain_is_erased_twice(agreement, people, now):
    letters, ascii_form = SAME[1].strip(), SAME[3]
    leads = [capture_lead(facts={"email": email}, at=now).pk for email in (letters, ascii_form)]
    assert [erase_person(email=letters, by=people.admin, at=now).lead_id for _ in leads] == leads
    with pytest.raises(NobodyKnown):
        erase_person(email=letters, by=people.admin, at=now)


def test_an_earlier_address_that_is_somebody_else_s_now_is_not_searched_for(agreement, people, now):
    lead = capture_lead(facts={"email": EMAIL}, at=now)
    Lead.objects.filter(pk=lead.pk).update(email="new@corvane.example")
    capture_lead(facts={"email": EMAIL}, at=now)
    assert EMAIL not in known_person(Lead.objects.get(pk=lead.pk)).words


def test_nobody_is_erased_for_an_address_that_nobody_has(agreement, people, now):
    for asked in ({"email": "nobody@nowhere.example"}, {"email": "no address"}, {"lead_id": 999_999}):
        with pytest.raises(NobodyKnown):
            erase_person(by=people.admin, at=now, **asked)
    assert not Erasure.objects.exists()


# --- what was counted stays ---------------------------------------------------------------------------
def counted(now):
    """Every figure of the month: rates on both bases, every breakdown, the roll-up, handoffs, events."""
    keep_rollup(at=now, zone=BERLIN)
    month = figures.Month.of(now, BERLIN)
    said = [
        audits(month, month, basis=basis, by=by, as_of=now, zone=BERLIN)[0].as_json()
        for basis in figures.BASES
        for by in figures.DIMENSIONS
    ]
    kept = sql("SELECT * FROM leads_rollup ORDER BY dimension, first, decided, key, status, reason_id, n")
    cases = sql(
        "SELECT id, lead_id, total, fit, behaviour, tier_id, source, status, decided_at FROM leads_handoff ORDER BY id"
    )
    rules = sql(
        "SELECT h.id, r ->> 'key', r ->> 'points', r ->> 'fired' FROM leads_handoff h,"
        " jsonb_array_elements(h.breakdown -> 'rules') r ORDER BY 1, 2"
    )
    happened = sql("SELECT lead_id, kind, occurred_at FROM leads_event ORDER BY id")
    return json.dumps([said, kept, cases, rules, happened], default=str)


@pytest.mark.django_db(transaction=True)
def test_figures_roll_up_audits_and_agreement_are_the_same_before_and_after(known, people, now, open_lead):
    rebuild_rollup(at=now, zone=BERLIN)
    accept_handoff(handoff_id=open_lead().pk, by=people.rep, at=now)
    closed = close_audit(month=figures.Month.parse("2026-09"), by=people.sales_leader, at=now, zone=BERLIN)
    before, canonical = counted(now), Closing.objects.get().canonical
    erase_person(lead_id=known.pk, by=people.admin, at=now)
    assert counted(now) == before
    assert not rollup.differences(zone=BERLIN)
    assert Closing.objects.get(pk=closed.pk).canonical == canonical
    assert not verify_audits()
    assert verify_agreement(at=now).difference is None
    assert not places.differences()


@pytest.mark.django_db(transaction=True)
def test_consents_keep_their_words_when_the_answers_go(known, people, now):
    given = sql("SELECT submission_id, key, text_id FROM forms_consent ORDER BY 1, 2")
    erase_person(lead_id=known.pk, by=people.admin, at=now)
    assert given
    assert sql("SELECT submission_id, key, text_id FROM forms_consent ORDER BY 1, 2") == given
    assert [one.stands for one in consents_of(known)] == [True]


def test_an_open_handoff_is_withdrawn_and_counted_apart(open_lead, people, now):
    handoff = open_lead(email=EMAIL)
    erased = erase_person(lead_id=handoff.lead_id, by=people.admin, at=now + HOUR)
    handoff.refresh_from_db()
    assert erased.withdrawn == handoff.pk
    assert (handoff.status, handoff.withdrawn_why, handoff.withdrawn_by) == (
        "withdrawn", "Asked to be forgotten", people.admin,
    )  # fmt: skip
    month = figures.Month.of(now, BERLIN)
    counts = figures.series(month, 1, basis=figures.PERIOD, as_of=now + HOUR, zone=BERLIN)[0].counts
    assert counts.withdrawn == 1
    assert Message.objects.filter(topic="lead.erased").count() == 1
    assert Place.objects.get(lead=handoff.lead_id).place == "erased"
    assert places.counts(at=now, cool_off=DAY)["erased"] == 1


def test_a_dry_run_writes_nothing(known, people, now, uploads):
    before, files = rows(), sorted(uploads.iterdir())
    erased = erase_person(lead_id=known.pk, by=people.admin, at=now, dry_run=True)
    assert erased.total > 20
    assert rows() == before
    assert sorted(uploads.iterdir()) == files


# --- and stays away -----------------------------------------------------------------------------------
@pytest.fixture
def forgotten(open_lead, people, now):
    """A lead that was rejected and then forgotten."""
    handoff = open_lead(email=EMAIL, external_id="A1")
    reject_handoff(handoff_id=handoff.pk, by=people.rep, at=now, reason="11")
    erase_person(lead_id=handoff.lead_id, by=people.admin, at=now + MINUTE)
    return handoff


def test_the_same_person_who_comes_back_is_a_new_lead(forgotten, now):
    lead = capture_lead(facts=FACTS | {"external_id": "A1"}, at=now + HOUR)
    assert lead.pk != forgotten.lead_id


def test_nothing_more_is_recorded_of_somebody_who_was_forgotten(forgotten, people, now):
    event = Happened("demo_requested", now, "web", "1")
    for verb, arguments in (
        (take_in_events, {"lead_id": forgotten.lead_id, "events": [event]}),
        (record_event, {"lead_id": forgotten.lead_id, "kind": "x", "occurred_at": now}),
        (log_touch, {"handoff_id": forgotten.pk, "kind": "call", "outcome": "sent", "by": people.rep,
                     "occurred_at": now - MINUTE}),
        (reopen_handoff, {"handoff_id": forgotten.pk, "by": people.rep}),
    ):  # fmt: skip
        with pytest.raises(PersonForgotten):
            verb(at=now + 2 * MINUTE, **arguments)


def test_in_a_batch_the_event_of_somebody_forgotten_is_refused_and_the_others_are_taken(forgotten, now):
    lead = capture_lead(facts={"email": "other@corvane.example"}, at=now)
    told = [(pk, Happened("demo_requested", now, "web", str(pk))) for pk in (forgotten.lead_id, lead.pk)]
    first, second = take_in_events_of(told=told, at=now + HOUR)
    assert isinstance(first, PersonForgotten)
    assert (second.lead, second.new_events) == (lead, 1)


def test_a_person_is_forgotten_once(forgotten, people, now):
    with pytest.raises(ErasedAlready):
        erase_person(lead_id=forgotten.lead_id, by=people.admin, at=now)


def test_what_a_crm_goes_on_telling_of_a_forgotten_person_is_dropped(agreement, people, now, settings):
    made, token, _ = connections.add_connection(
        name="SF", kind="salesforce", organisation="00Dxx0000000001AAA", by=people.admin, at=now
    )
    force = Sender(made, token, "", now)
    told = {"Id": "00Q1", "Email": EMAIL, "LastName": MARK}
    force.salesforce(("1", "Lead", told))
    erase_person(email=EMAIL, by=people.admin, at=now)
    force.salesforce(("1", "Lead", told))
    force.salesforce(("2", "Lead", told))
    assert where(MARK) == []
    assert Lead.objects.count() == 1
    assert Item.objects.latest("id").outcome == "ignored"


def test_the_worker_never_looks_at_a_forgotten_lead_again(forgotten, now):
    assert not sum(evaluate_due(at=now + 900 * DAY).values())
    assert not Lead.objects.get(pk=forgotten.lead_id).recycle_on


def test_only_an_admin_forgets_and_exports(forgotten, people, now):
    lead = capture_lead(facts=FACTS, at=now)
    for person in (people.marketer, people.sales_leader, people.manager, people.rep):
        with pytest.raises(NotPermitted):
            erase_person(lead_id=lead.pk, by=person, at=now)
        with pytest.raises(NotPermitted):
            export_person(lead_id=lead.pk, by=person, at=now)


@pytest.mark.parametrize("typed", ["", "other@corvane.example", MARK, "%", "@"])
def test_another_address_than_the_persons_does_not_confirm(agreement, people, now, typed):
    lead = capture_lead(facts=FACTS, at=now)
    with pytest.raises(NotTheAddress):
        erase_person(lead_id=lead.pk, typed=typed, by=people.admin, at=now)
    assert Lead.objects.get().email == EMAIL


# --- giving out ---------------------------------------------------------------------------------------
def test_an_export_holds_what_is_known_part_by_part_and_names_no_colleague(known, people, now):
    said = json.loads(export_person(email=EMAIL.upper(), by=people.admin, at=now))
    assert said["Facts"]["email"] == EMAIL
    assert said["Facts"]["attributes"]["City"] == MARK
    assert said["Handoffs"][0]["decisions"][0]["note"] == f"{MARK} is too small"
    assert said["Forms"][0]["answers"]["more"] == f"Call {MARK}"
    assert said["Forms"][0]["consents"][0]["text"] == form_cast.CONSENT
    assert said["Consents"][0]["stands"]
    assert [one["file"] for one in said["Imports"]] == ["fair.csv", "later.csv"]
    assert {"Events", "Earlier facts", "Deals", "Inbound connections", "Webhooks", "Messages"} <= set(said)
    assert "Rena Rep" not in json.dumps(said)


def test_an_export_of_nobody_is_refused(agreement, people, now):
    with pytest.raises(NobodyKnown):
        export_person(email="nobody@nowhere.example", by=people.admin, at=now)


# --- commands -----------------------------------------------------------------------------------------
def test_the_commands_say_what_goes_and_do_it(known, capsys):
    call_command("erase_person", EMAIL, "--dry-run")
    assert "would be erased" in capsys.readouterr().out
    call_command("export_person", "--lead", str(known.pk))
    assert json.loads(capsys.readouterr().out)["Facts"]["email"] == EMAIL
    call_command("erase_person", "--lead", str(known.pk))
    assert f"Lead {known.pk} was erased." in capsys.readouterr().out
    with pytest.raises(CommandError, match="forgotten already"):
        call_command("erase_person", "--lead", str(known.pk))
    with pytest.raises(CommandError, match="Nobody is known"):
        call_command("export_person", "nobody@nowhere.example")
    call_command("retention", "--dry-run")
    assert "0 leads are due." in capsys.readouterr().out


def test_a_notice_that_was_blanked_stays_readable(known, people, now):
    erase_person(lead_id=known.pk, by=people.admin, at=now)
    assert Notice.objects.filter(title=FORGOTTEN, text="").exists()
    assert not FactChange.objects.filter(was__isnull=False).exists()

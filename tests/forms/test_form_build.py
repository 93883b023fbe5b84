"""Building a form: drafts, versions, publishing, settings; and what the database refuses, whatever writes."""

import datetime as dt
import json

import pytest
from django.db import DatabaseError, connection, transaction

from leads.intake.forms.content import FILLS
from leads.intake.forms.models import ConsentText, Form, FormVersion, Submission
from leads.intake.forms.services.build import (
    FormSettings,
    change_settings,
    create_form,
    discard_draft,
    may_send_to,
    publish_version,
    reopen_form,
    retire_form,
    save_draft,
    start_draft,
)
from leads.intake.forms.services.free import erase_answers, free_submission
from leads.intake.forms.services.refusals import (
    ContentWrong,
    DraftMoved,
    FormRetired,
    HasFaults,
    NoDraftOfForm,
    NothingNew,
    SettingsWrong,
)
from leads.models.lead import FACTS, Lead
from portal.shared.refusal import NotPermitted
from tests import form_cast

LATER = dt.timedelta(hours=1)


@pytest.fixture
def form(people, now):
    return create_form(name="ROI check", by=people.marketer, at=now)


def test_a_new_form_has_a_draft_that_can_be_published(form, people, now):
    assert (form.slug, list(Form.objects.live())) == ("roi-check", [])
    version = publish_version(form_id=form.pk, by=people.marketer, at=now)
    assert (version.number, version.published_by, list(Form.objects.live())) == (1, people.marketer, [form])


def test_two_forms_of_one_name_have_two_addresses(form, people, now):
    assert create_form(name="ROI check", by=people.admin, at=now).slug == "roi-check-2"
    assert create_form(name="✨", by=people.admin, at=now).slug == "form"


def test_the_next_version_starts_as_a_copy_and_leaves_the_published_one_alone(form, people, now):
    first = publish_version(form_id=form.pk, by=people.marketer, at=now)
    draft = start_draft(form_id=form.pk, by=people.marketer, at=now)
    assert (draft.number, draft.content, draft.pk) == (2, first.content, start_draft(
        form_id=form.pk, by=people.admin, at=now).pk)  # fmt: skip
    with pytest.raises(NothingNew):
        publish_version(form_id=form.pk, by=people.marketer, at=now)
    save_draft(form_id=form.pk, document=form_cast.ROI, by=people.marketer, at=now)
    publish_version(form_id=form.pk, by=people.marketer, at=now + LATER)
    assert form.versions.current().number == 2
    first.refresh_from_db()
    assert len(first.as_content().questions) == 3


def test_a_draft_that_someone_changed_meanwhile_is_not_overwritten(form, people, now):
    shown = form.versions.draft().fingerprint
    save_draft(form_id=form.pk, document=form_cast.ROI, by=people.marketer, at=now, expects=shown)
    with pytest.raises(DraftMoved):
        save_draft(form_id=form.pk, document=form_cast.ROI, by=people.admin, at=now, expects=shown)
    with pytest.raises(DraftMoved):
        publish_version(form_id=form.pk, by=people.admin, at=now, expects=shown)


def test_a_draft_may_have_faults_and_is_not_published_with_them(form, people, now):
    document = form_cast.ROI | {"thanks": []}
    save_draft(form_id=form.pk, document=document, by=people.marketer, at=now)
    with pytest.raises(HasFaults) as refusal:
        publish_version(form_id=form.pk, by=people.marketer, at=now)
    assert [fault.code for fault in refusal.value.faults] == ["thanks"]


def test_what_cannot_be_read_is_not_saved(form, people, now):
    with pytest.raises(ContentWrong) as refusal:
        save_draft(form_id=form.pk, document={"title": "x", "pages": []}, by=people.marketer, at=now)
    assert refusal.value.field == "pages"


def test_thanks_name_tiers_of_the_definition_and_hosts_of_the_list(agreement, form, people, now):
    thanks = [{"tiers": ["scorching"], "title": "x"}, {"redirect": "https://tarnwick.example/thanks"}]
    save_draft(form_id=form.pk, document=form_cast.ROI | {"thanks": thanks}, by=people.marketer, at=now)
    with pytest.raises(HasFaults) as refusal:
        publish_version(form_id=form.pk, by=people.marketer, at=now)
    assert [fault.code for fault in refusal.value.faults] == ["tier", "address"]
    settings = FormSettings("ROI check", redirect_hosts=("tarnwick.example",))
    change_settings(form_id=form.pk, settings=settings, by=people.marketer, at=now)
    thanks[0]["tiers"] = ["hot"]
    save_draft(form_id=form.pk, document=form_cast.ROI | {"thanks": thanks}, by=people.marketer, at=now)
    assert publish_version(form_id=form.pk, by=people.marketer, at=now).is_published


@pytest.mark.parametrize("address", [
    "https://evil.example/", "http://tarnwick.example/", "https://tarnwick.example.evil.example/", "//tarnwick.de",
    "https://tarnwick.example@evil.example/", "https://user@tarnwick.example/", "javascript:alert(1)",
    "https://tarnwick.example:8443/", "https://[::1", "",
])  # fmt: skip
def test_nobody_is_sent_to_an_address_off_the_list(form, address):
    form.redirect_hosts = ["tarnwick.example"]
    assert not may_send_to(form, address)
    assert may_send_to(form, "https://tarnwick.example/thanks?x=1")


def test_the_draft_of_a_published_form_is_thrown_away(form, people, now):
    with pytest.raises(NoDraftOfForm):
        discard_draft(form_id=form.pk, by=people.marketer)
    publish_version(form_id=form.pk, by=people.marketer, at=now)
    start_draft(form_id=form.pk, by=people.marketer, at=now)
    discard_draft(form_id=form.pk, by=people.marketer)
    assert FormVersion.objects.count() == 1


def test_a_closed_form_is_changed_by_nobody_until_it_is_opened_again(form, people, now):
    retire_form(form_id=form.pk, by=people.marketer, at=now)
    with pytest.raises(FormRetired):
        publish_version(form_id=form.pk, by=people.marketer, at=now)
    reopen_form(form_id=form.pk, by=people.admin)
    assert publish_version(form_id=form.pk, by=people.marketer, at=now)


@pytest.mark.parametrize("wrong", [
    {"embed_hosts": ("https://x.example",)}, {"embed_hosts": ("'self'; script-src *",)}, {"embed_hosts": ("*",)},
    {"redirect_hosts": ("*.tarnwick.example",)}, {"minimum_seconds": 3600}, {"most_per_address": 0}, {"name": " "},
])  # fmt: skip
def test_settings_that_make_no_sense_are_refused(form, people, now, wrong):
    with pytest.raises(SettingsWrong) as refusal:
        change_settings(form_id=form.pk, settings=FormSettings(**{"name": "x"} | wrong), by=people.admin, at=now)
    assert refusal.value.field == next(iter(wrong))


def test_only_marketing_and_admins_build(form, people, now):
    for person in (people.rep, people.manager, people.sales_leader):
        for verb in (
            lambda by: create_form(name="x", by=by, at=now),
            lambda by: save_draft(form_id=form.pk, document=form_cast.ROI, by=by, at=now),
            lambda by: publish_version(form_id=form.pk, by=by, at=now),
            lambda by: retire_form(form_id=form.pk, by=by, at=now),
        ):
            with pytest.raises(NotPermitted):
                verb(person)


def test_the_same_words_of_consent_keep_their_number(people, publish):
    publish()
    publish(form_cast.ROI | {"title": "Another"})
    other = json.loads(json.dumps(form_cast.ROI).replace(form_cast.CONSENT, "Other words."))
    publish(other | {"title": "A third"})
    assert list(ConsentText.objects.values_list("number", "text")) == [(1, form_cast.CONSENT), (2, "Other words.")]


def test_a_form_fills_what_a_lead_has_room_for():
    columns = [name for name in FACTS if name not in ("external_id", "employees")]
    assert {name: Lead._meta.get_field(name).max_length for name in columns} == FILLS


# --- the database refuses, whatever writes -----------------------------------------------------------
def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the fixtures did is settled
        cursor.execute(sql, params)


REFUSED = {
    "a published version's content": ("UPDATE forms_formversion SET content = '{}'", "published"),
    "a published version's number": ("UPDATE forms_formversion SET number = 7", "published"),
    "unpublishing": ("UPDATE forms_formversion SET published_at = NULL, published_by_id = NULL", "published"),
    "deleting a published version": ("DELETE FROM forms_formversion", "published"),
    "emptying the versions": ("TRUNCATE forms_formversion CASCADE", "never emptied"),
    "another address": ("UPDATE forms_form SET slug = 'other'", "address of a form"),
    "deleting a form": ("DELETE FROM forms_form", "never deleted"),
    "an answer changed": ('UPDATE forms_submission SET answers = \'{"size": "large"}\'', "kept, or erased whole"),
    "a mailbox changed": ("UPDATE forms_submission SET mailbox = 'x@y.z'", "kept, or erased whole"),
    "answers emptied without saying so": ("UPDATE forms_submission SET answers = '{}'", "kept, or erased whole"),
    "another time": ("UPDATE forms_submission SET submitted_at = now()", "keep what was sent"),
    "another rule": ("UPDATE forms_submission SET suspected_by = 'honeypot', lead_id = NULL", "keep what was sent"),
    "another outcome": ("UPDATE forms_submission SET outcome = 'nurture'", "written once"),
    "another lead": ("UPDATE forms_submission SET lead_id = NULL, outcome = ''", "written once"),
    "deleting a submission": ("DELETE FROM forms_submission", "never deleted"),
    "freed without a rule": (
        "UPDATE forms_submission SET freed_at = now(), freed_by_id = created_by_id FROM forms_form",
        "forms_submission_lead_unless_suspected",
    ),
    "a consent withdrawn by hand": ("DELETE FROM forms_consent", "append-only"),
    "other words of consent": ("UPDATE forms_consenttext SET text = 'anything goes'", "append-only"),
}


@pytest.mark.parametrize(("statement", "why"), REFUSED.values(), ids=REFUSED)
def test_the_database_refuses(agreement, publish, send, statement, why):
    send(publish())
    with pytest.raises(DatabaseError, match=why):
        run(statement)


def test_a_form_has_one_draft_at_a_time(form):
    with pytest.raises(DatabaseError, match="forms_version_one_draft"):
        run(
            "INSERT INTO forms_formversion (form_id, number, content, fingerprint, created_at, saved_at) "
            "SELECT form_id, 2, content, '', now(), now() FROM forms_formversion"
        )


def test_a_token_makes_one_submission(agreement, publish, send):
    send(publish(), suspected_by="honeypot")
    with pytest.raises(DatabaseError, match="token"):
        run(
            "INSERT INTO forms_submission (version_id, token, via, answers, mailbox, known, suspected_by, outcome, "
            "tier, submitted_at) SELECT version_id, token, via, answers, mailbox, known, suspected_by, outcome, tier, "
            "submitted_at FROM forms_submission"
        )


def test_a_submission_that_nobody_suspects_has_a_lead(agreement, publish):
    version = publish()
    with pytest.raises(DatabaseError, match="lead_unless_suspected"):
        run(
            "INSERT INTO forms_submission (version_id, token, via, answers, mailbox, known, suspected_by, outcome, "
            "tier, submitted_at) VALUES (%s, 'x', 'hosted', '{}', '', false, '', '', '', now())",
            version.pk,
        )


def test_a_freed_submission_is_freed_once_and_an_erased_one_stays_so(agreement, publish, send, people, now):
    submission = send(publish(), suspected_by="honeypot")
    freed = free_submission(submission_id=submission.pk, by=people.marketer, at=now)
    for statement in ("freed_at = now()", "freed_at = NULL, freed_by_id = NULL, lead_id = NULL, outcome = ''"):
        with pytest.raises(DatabaseError):
            run(f"UPDATE forms_submission SET {statement}")
    erase_answers(lead=Lead.objects.get(pk=freed.lead_id), mailboxes=[], at=now)
    with pytest.raises(DatabaseError, match="kept, or erased whole"):
        run('UPDATE forms_submission SET answers = \'{"a": "b"}\', erased_at = NULL')
    assert Submission.objects.get().answers == {}

"""A submission: kept under its version, taken in as a lead, handed over in the same transaction; once."""

import datetime as dt
import threading

import pytest
from django.db import connection

from leads.intake.forms.models import Consent, Submission
from leads.intake.forms.services.free import erase_answers, free_submission
from leads.intake.forms.services.refusals import AnswersIncomplete, Erased, FormRetired, NotSuspected
from leads.intake.forms.services.thanks import thanks_of
from leads.models import Event, Handoff, Lead
from leads.services.capture import capture_lead, mailbox
from leads.services.evaluate import evaluate_due
from portal.shared.refusal import NotPermitted
from tests import form_cast
from tests.form_cast import COLD, HOT

SECOND = dt.timedelta(seconds=1)


def test_a_hot_submission_is_a_routed_handoff_with_running_clocks(agreement, publish, send, now):
    submission = send(publish())
    handoff, lead = submission.handoff, submission.lead
    assert (submission.outcome, submission.tier, handoff.status) == ("handed_over", "hot", "open")
    assert (handoff.qualified_at, handoff.clocks_run, handoff.owner is not None) == (now, True, True)
    assert (lead.email, lead.first_name, lead.last_name, lead.company, lead.employees, lead.title) == (
        "r.quintero@aldermoss.example", "Rosa", "Quintero Lund", "Aldermoss", 640, "Head of Maintenance")  # fmt: skip
    assert (lead.attributes, lead.source) == ({"system": "paper"}, "Demo request")


def test_a_cold_one_is_in_nurture(agreement, publish, send):
    submission = send(publish(), COLD)
    assert (submission.outcome, submission.handoff, Handoff.objects.count()) == ("nurture", None, 0)
    assert submission.lead.evaluate_from is None


def test_the_event_carries_what_scoring_reads_and_no_personal_text(agreement, publish, send, now):
    version = publish()
    send(version)
    event = Event.objects.get()
    assert (event.kind, event.occurred_at, event.origin, event.origin_id) == ("form_submitted", now, "form", "t1")
    assert event.properties == {
        "form": version.form.slug, "version": 1, "answers.size": "middle", "answers.industry": "Food",
        "answers.how": "paper", "answers.stops": 12, "answers.consent": "yes",
    }  # fmt: skip


def test_the_thanks_follow_the_outcome(agreement, publish, send):
    version = publish()
    hot, cold = send(version), send(version, COLD, token="t2")
    assert [thanks_of(each).title for each in (hot, cold)] == ["Book a call", "Thank you"]


def test_a_consent_is_kept_with_the_words_it_was_given_to(agreement, publish, send):
    send(publish())
    consent = Consent.objects.get()
    assert (consent.key, consent.text.number, consent.text.text) == ("consent", 1, form_cast.CONSENT)


def test_incomplete_answers_are_refused_and_nothing_is_kept(agreement, publish, send):
    with pytest.raises(AnswersIncomplete) as refusal:
        send(publish(), HOT | {"how": "other"})
    assert set(refusal.value.walk.errors) == {"contract_end"}
    assert (Submission.objects.count(), Lead.objects.count()) == (0, 0)


def test_a_closed_form_takes_nothing(agreement, publish, send, people, now):
    version = publish()
    version.form.retired_at = now
    with pytest.raises(FormRetired):
        send(version)


def test_under_load_the_worker_evaluates_within_seconds(agreement, publish, send, now):
    submission = send(publish(), evaluate=False)
    assert (submission.outcome, submission.handoff, Handoff.objects.count()) == ("later", None, 0)
    evaluate_due(at=now + 5 * SECOND)
    assert Handoff.objects.get().lead == submission.lead
    assert [each.is_mql for each in Submission.objects.with_mql()] == [True]


# --- duplicates --------------------------------------------------------------------------------------
def test_the_same_page_sent_twice_makes_one(agreement, publish, send, now):
    version = publish()
    first, second = send(version), send(version, at=now + SECOND)
    assert (first.pk, Submission.objects.count(), Event.objects.count()) == (second.pk, 1, 1)


@pytest.mark.parametrize("again", ["R.QUINTERO@aldermoss.example", "r.quintero+roi@aldermoss.example"])
def test_another_spelling_attaches_to_the_open_handoff_and_keeps_its_clock(agreement, publish, send, now, again):
    version = publish()
    first = send(version)
    second = send(version, HOT | {"email": again}, token="t2", at=now + SECOND)
    assert (second.lead, second.outcome, second.tier, second.handoff) == (first.lead, "open", "hot", None)
    handoff = Handoff.objects.get()
    assert (handoff.qualified_at, handoff.contact_due_at) == (now, first.handoff.contact_due_at)
    assert sum(each.is_mql for each in Submission.objects.with_mql()) == 1


def test_two_forms_in_a_second_are_one_mql(agreement, publish, send, now):
    one, other = publish(), publish(form_cast.ROI | {"title": "Another form"})
    assert one.form.slug != other.form.slug
    send(one), send(other, token="t2", at=now + SECOND)
    assert (Lead.objects.count(), Handoff.objects.count(), Event.objects.count()) == (1, 1, 2)


@pytest.mark.django_db(transaction=True)
def test_a_double_submit_at_the_same_instant_makes_one(agreement, publish, send):
    version, made = publish(), []

    def submit():
        try:
            made.append(send(version).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(set(made))) == (5, 1)
    assert (Submission.objects.count(), Event.objects.count(), Handoff.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_forms_at_the_same_instant_are_one_lead_and_one_mql(agreement, publish, send):
    versions, outcomes = [publish(), publish(form_cast.ROI | {"title": "Another form"})], []

    def submit(n):
        try:
            outcomes.append(
                send(versions[n % 2], HOT | {"email": f"Rosa+{n}@aldermoss.example"}, token=f"t{n}").outcome
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=submit, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["handed_over", "open", "open", "open"]
    assert (Lead.objects.count(), Handoff.objects.count(), Event.objects.count()) == (1, 1, 4)


# --- suspected, and freed ----------------------------------------------------------------------------
def test_who_is_faster_than_anybody_reads_is_suspected(agreement, publish, send, now):
    submission = send(publish(), started_at=now - SECOND)
    assert (submission.suspected_by, submission.lead, submission.outcome) == ("too_fast", None, "")
    assert (Lead.objects.count(), Event.objects.count()) == (0, 0)
    assert submission.answers["company"] == "Aldermoss"
    assert thanks_of(submission).title == "Thank you"


def test_too_many_for_one_mailbox_are_suspected(agreement, publish, send, now):
    version = publish(most_per_mailbox=2)
    rules = [send(version, HOT | {"email": f"r+{n}@aldermoss.example"}, token=f"t{n}").suspected_by for n in range(3)]
    assert rules == ["", "", "rate_mailbox"]
    later = send(version, HOT | {"email": "r@aldermoss.example"}, token="t9", at=now + dt.timedelta(hours=2))
    assert later.suspected_by == ""


def test_what_was_suspected_wrongly_is_freed_with_its_own_time(agreement, publish, send, people, now):
    submission = send(publish(), suspected_by="honeypot")
    later = now + dt.timedelta(hours=3)
    freed = free_submission(submission_id=submission.pk, by=people.marketer, at=later)
    assert (freed.outcome, freed.tier, freed.freed_by) == ("handed_over", "hot", people.marketer)
    event = Event.objects.get()
    assert (event.occurred_at, event.recorded_at, event.suspected_by) == (now, later, "")
    assert (Handoff.objects.get().qualified_at, Submission.objects.suspected().count()) == (later, 0)
    with pytest.raises(NotSuspected):
        free_submission(submission_id=submission.pk, by=people.marketer, at=later)


def test_only_marketing_frees(agreement, publish, send, people, now):
    submission = send(publish(), suspected_by="honeypot")
    for person in (people.rep, people.sales_leader, people.admin):
        with pytest.raises(NotPermitted):
            free_submission(submission_id=submission.pk, by=person, at=now)


# --- known leads, and erased ones --------------------------------------------------------------------
def test_a_known_lead_is_not_asked_what_is_known(agreement, publish, send, now):
    known = {"email": HOT["email"], "first_name": "Rosa", "last_name": "Quintero", "company": "Aldermoss",
             "employees": 640, "industry": "Mining"}  # fmt: skip
    lead = capture_lead(facts=known, at=now)
    answers = {key: HOT[key] for key in ("title", "industry", "how", "consent", "source")}
    stranger = answers | {"email": "other@rival.example", "company": "Rival"}
    submission = send(publish(), stranger, lead=lead)
    lead.refresh_from_db()
    assert (submission.lead, submission.known, lead.company, lead.email) == (lead, True, "Aldermoss", HOT["email"])
    assert (lead.industry, submission.answers["size"]) == ("Food", "middle")


def test_erasing_a_person_empties_the_answers_and_keeps_what_is_counted(agreement, publish, send, now):
    version = publish()
    mine, other = send(version), send(version, COLD, token="t2")
    suspected = send(version, token="t3", suspected_by="honeypot")
    lead = Lead.objects.get(pk=mine.lead_id)
    assert erase_answers(lead=lead, mailboxes=[mailbox(lead.email)], at=now) == 2
    for each in (mine, other, suspected):
        each.refresh_from_db()
    assert [each.answers for each in (mine, suspected)] == [{}, {}]
    assert (mine.mailbox, mine.outcome, mine.tier, other.answers["company"]) == ("", "handed_over", "hot", "Aldermoss")
    assert "aldermoss" not in str([event.properties for event in Event.objects.all()]).lower()


def test_nothing_is_left_to_free_of_an_erased_person(agreement, publish, send, people, now):
    version = publish()
    suspected = send(version, suspected_by="honeypot")
    lead = send(version, token="t2").lead
    erase_answers(lead=lead, mailboxes=[mailbox(lead.email)], at=now)
    with pytest.raises((Erased, NotSuspected)):
        free_submission(submission_id=suspected.pk, by=people.marketer, at=now)

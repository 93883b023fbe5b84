"""The pages of calibration: ask the past, watch, read what came out, and make a draft of it."""

import datetime as dt
import re

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from leads.backtest.tally import at_threshold
from leads.calibration import jobs, proposals, tasks
from leads.calibration.charts import calibration_curve
from leads.calibration.models import Calibration, Proposal
from leads.calibration.validation import Group
from leads.models import Deal, Handoff
from sla.models import MQLDefinition, Party, SLAVersion
from sla.services.terms import change_draft, draft_from
from sla.services.version import propose_version, sign_version
from tests import kept
from tests.leads.test_calibration import BEGINS, ENDS, candidate, history  # noqa: F401 (fixtures)

HOUR = dt.timedelta(hours=1)
HTMX = {"HX-Request": "true"}


def client_of(person):
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.fixture
def marketer(people):
    return client_of(people.marketer)


@pytest.fixture
def worker(monkeypatch):
    """A worker that is there at once: it works off what it is sent."""
    monkeypatch.setattr(tasks, "send", lambda pk: jobs.run(job_id=pk, step=900))


@pytest.fixture
def done(candidate, history, people):  # noqa: F811
    """A calibration that found three rules, with two deals won."""

    def make():
        history(1200)
        for row in Handoff.objects.filter(status="accepted").order_by("pk")[:2]:
            won = {"outcome": "won", "via": "page", "recorded_at": ENDS, "closed_at": ENDS}
            Deal.objects.create(lead=row.lead, handoff=row, **won)
        job = jobs.start(question="accepted", since=BEGINS, until=ENDS, definition=candidate, by=people.marketer,
                         at=ENDS, signs={"fair": 0}, send=lambda pk: None)  # fmt: skip
        jobs.run(job_id=job.pk)
        return Calibration.objects.get(pk=job.pk)

    return kept.once(make, "calibration", candidate.pk, people.marketer.pk, empty="leads_lead")


def asked(client, number, **changes):
    page = client.get(reverse("calibration_new"), {"definition": number})
    form = page.context["form"]
    data = {name: "" if value is None else value for name, value in form.initial.items()}
    data |= {name: field.initial for name, field in form.fields.items() if name.startswith("sign-")}
    data = {name: value for name, value in (data | {"definition": number} | changes).items() if value is not False}
    return client.post(reverse("calibration_new"), data)


def test_the_form_shows_what_there_is_to_learn_from_and_what_it_could_tell(marketer, candidate, history):  # noqa: F811
    history(300)
    html = marketer.get(reverse("calibration_new"), {"definition": candidate.number}).content.decode()
    assert re.search(r"Accepted or rejected leads:</b> \d+ accepted, \d+ rejected", html)
    assert re.search(r"With \d+ (accepted|rejected), a rule that half of the leads meet can be told from noise", html)
    assert re.search(r"multiplies the odds by \d\.\d or more", html)
    assert "Too few to tell any effect from noise" in html, "no deal was won"
    assert "+20 when industry is Food" in html


def test_a_calibration_is_started_watched_and_read(marketer, candidate, history, worker):  # noqa: F811
    history(1200)
    answered = asked(marketer, candidate.number, question="accepted", until="2026-06-30", **{"sign-2": "0"})
    job = Calibration.objects.get()
    assert answered["Location"] == reverse("calibration", args=[job.pk])
    assert (job.since.date(), job.number, job.question) == (
        dt.date(2025, 12, 31),
        2,
        "accepted",
    ) or job.since <= BEGINS
    html = marketer.get(answered["Location"]).content.decode()
    assert re.search(r"<h1>Three of five rules tell accepted from rejected</h1>", html)
    assert "On leads held out the fitted points do better than v1" in html
    part = marketer.get(reverse("calibration_progress", args=[job.pk]), headers=HTMX)
    assert part.status_code == 286, "the last answer ends the asking"


def test_progress_is_told_while_it_runs_and_it_can_be_cancelled(marketer, candidate, people):  # noqa: F811
    job = jobs.start(question="won", since=BEGINS, until=ENDS, definition=candidate, by=people.marketer,
                     at=timezone.now(), send=lambda pk: None)  # fmt: skip
    Calibration.objects.filter(pk=job.pk).update(status="running", stage="Reading the handoffs", total=10, done=4)
    where = reverse("calibration_progress", args=[job.pk])
    part = marketer.get(where, headers=HTMX).content.decode()
    assert '<progress value="4" max="10"' in part
    assert marketer.get(where).status_code == 302, "without htmx the page itself says it"
    marketer.post(reverse("calibration_cancel", args=[job.pk]))
    assert "Stopping." in marketer.get(reverse("calibration", args=[job.pk])).content.decode()


def test_the_page_tells_moves_hours_and_what_would_have_been_missed(marketer, done):
    where = reverse("calibration", args=[done.pk])
    html = marketer.get(where, {"hours": "2"}).content.decode()
    assert 'id="move-kept"' in html
    assert re.search(r"at 2(\.0+)? hours a lead, which is your assumption", html)
    assert "won deal" in html
    assert "It is not among the rules that were weighed." in html, "why a rule in force goes"
    assert re.search(r"no effect shown</span><span class=\"sub\">\d\.\d× would show", html), "the useless rule"
    assert "Reads “" not in html, "nothing had to be refused"


def test_a_proposal_is_a_draft_with_its_evidence_and_opens_the_editor(marketer, done):
    answered = marketer.post(reverse("calibration_propose", args=[done.pk]), {"thresholds": "as_many", "hours": "1.5"})
    draft = MQLDefinition.objects.latest("number")
    assert answered["Location"] == reverse("definition_edit", args=[draft.number])
    assert (draft.proposed_at, draft.started_from.number, draft.summary[:16]) == (None, 1, "From calibration")
    assert [rule.key for rule in draft.rules.all()] == ["food", "germany", "fair"]
    assert SLAVersion.objects.in_force(at=timezone.now()).definition.number == 1, (
        "nothing is in force before both sign"
    )
    proposal = Proposal.objects.get(definition=draft)
    assert (float(proposal.hours_per_lead), proposal.promise["n"] > 0) == (1.5, True)
    assert f"v{draft.number}" in marketer.get(reverse("calibration", args=[done.pk])).content.decode()
    assert f"v{draft.number}" in marketer.get(reverse("calibrations")).content.decode()


def test_the_lowest_tier_can_begin_where_the_joint_target_is_reached(marketer, done, agreement):
    html = marketer.get(reverse("calibration", args=[done.pk])).content.decode()
    assert "Where each tier reaches the joint target of 25.0%" in html
    told, wanted = done.result["at_target"], proposals.with_target(done.result, 0.25)
    assert (told["target"], told["entry"]) == (0.25, min(tier.total for tier in wanted.tiers))
    assert f"From {told['entry']} points on, where the joint target is reached" in html
    marketer.post(reverse("calibration_propose", args=[done.pk]), {"thresholds": "target", "hours": "1"})
    lowest = MQLDefinition.objects.latest("number").tiers.order_by("total").first()
    curve = {int(at): row for at, row in done.result["sweeps"]["standard"].items()}
    reached = {at: at_threshold(curve, at)[1] / at_threshold(curve, at)[2] >= 0.25 for at in curve}
    assert lowest.total == min(at for at in curve if reached[at] and at_threshold(curve, at)[2] >= 40)


def agree_on(target_rate, version, people):
    """A further agreement, in force now, with this joint target (per mille) and the same definition."""
    at = timezone.now() - HOUR
    draft = draft_from(version_id=version.pk, by=people.marketing_leader, at=at)
    change_draft(version_id=draft.pk, by=people.marketing_leader, at=at, terms={"target_rate": target_rate})
    propose_version(version_id=draft.pk, effective_from=at, by=people.marketing_leader, at=at)
    for party, person in ((Party.MARKETING, people.marketing_leader), (Party.SALES, people.sales_leader)):
        sign_version(version_id=draft.pk, party=party, role=person.roles[0], by=person, at=at)


def test_what_a_higher_target_costs_is_told_by_name_before_it_is_chosen(
    marketer,
    done,
    agreement,
    people,
    candidate,  # noqa: F811
):
    """The target is where only leads with all that was won by are left: others that were accepted are named."""
    curve = {int(at): row for at, row in done.result["sweeps"]["standard"].items()}
    best = max(curve)
    _, accepted, decided, _ = at_threshold(curve, best)
    agree_on(int(1000 * accepted / decided), agreement, people)
    job = jobs.start(question="accepted", since=BEGINS, until=ENDS, definition=candidate, by=people.marketer,
                     at=timezone.now(), signs={"fair": 0}, send=lambda pk: None)  # fmt: skip
    jobs.run(job_id=job.pk)
    job.refresh_from_db()
    told = job.result["at_target"]
    lost = Handoff.objects.filter(pk__in=[row[0] for row in told["lost"]]).select_related("lead")
    assert told["entry"] > min(tier["total"] for tier in job.result["definition"]["tiers"])
    assert {row.status for row in lost} == {"accepted"}
    assert len(told["lost"]) == min(200, told["moves"]["dropped accepted"])
    assert all(after < told["entry"] for _, _, after in told["lost"])
    html = marketer.get(reverse("calibration", args=[job.pk]), {"hours": "2"}).content.decode()
    part = html[html.index('id="at-target"') : html.index('id="below"')]
    assert lost[0].lead.name in part
    assert "of sales a month saved" in part
    assert "won deal" in part


def test_a_rule_that_seems_to_say_the_opposite_comes_with_its_caveat(marketer, candidate, history, people):  # noqa: F811
    history(600)
    job = jobs.start(question="accepted", since=BEGINS, until=ENDS, definition=candidate, by=people.marketer,
                     at=ENDS, send=lambda pk: None)  # fmt: skip
    jobs.run(job_id=job.pk)
    html = marketer.get(reverse("calibration", args=[job.pk])).content.decode()
    assert "the opposite of what you said</span>" in html
    assert "among them it looks worse than it is (Berkson)" in html


def test_a_target_out_of_reach_is_refused_in_a_sentence(done):
    for row in done.result["sweeps"]["standard"].values():
        row[1] = 0
    with pytest.raises(proposals.OutOfReach):
        proposals.with_target(done.result, 0.25)


def test_a_proposal_of_nothing_is_refused(marketer, candidate, people):  # noqa: F811
    job = jobs.start(question="won", since=BEGINS, until=ENDS, definition=candidate, by=people.marketer,
                     at=timezone.now(), send=lambda pk: None)  # fmt: skip
    jobs.run(job_id=job.pk)
    refused = marketer.post(reverse("calibration_propose", args=[job.pk]), {"thresholds": "as_many", "hours": "1"})
    assert refused.status_code == 422
    html = marketer.get(reverse("calibration", args=[job.pk])).content.decode()
    assert "The data show no rule that matters" in html
    assert "Make a draft of it" not in html


def test_admins_read_and_ask_nothing(people, done):
    admin = client_of(people.admin)
    html = admin.get(reverse("calibration", args=[done.pk])).content.decode()
    assert "Only marketing and the two leaders make a draft of it." in html
    for name in ("calibration_propose", "calibration_cancel"):
        assert admin.post(reverse(name, args=[done.pk])).status_code == 403
    assert client_of(people.rep).get(reverse("calibration", args=[done.pk])).status_code == 403


def test_what_a_proposal_promised_is_never_written_anew(marketer, done):
    marketer.post(reverse("calibration_propose", args=[done.pk]), {"thresholds": "as_many", "hours": "1"})
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.update(promise={})


def test_the_curve_ends_where_what_was_promised_and_what_came_end():
    low = [Group(50, 0.05, 0.04, 0.01, 0.12), Group(50, 0.15, 0.1, 0.05, 0.19)]
    assert "20%</text>" in str(calibration_curve(low, [], label="x"))
    assert "40%</text>" not in str(calibration_curve(low, [], label="x"))
    high = [*low, Group(50, 0.6, 0.5, 0.4, 0.7)]
    assert "100%</text>" in str(calibration_curve(high, low, label="x"))

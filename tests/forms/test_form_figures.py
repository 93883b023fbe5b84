"""Figures of forms: who begins, who finishes, where the others leave, who becomes an MQL; the submissions behind."""

import datetime as dt

import pytest
from django.urls import reverse

from leads.intake.forms import figures
from leads.intake.forms.figures import Figures
from leads.intake.forms.models import Progress, Submission
from leads.intake.forms.services.build import publish_version, save_draft, start_draft
from leads.intake.forms.services.free import erase_answers
from tests import form_cast
from tests.form_cast import COLD, HOT

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def now():
    """The pages ask the real clock."""
    return dt.datetime.now(dt.UTC) - 2 * HOUR


@pytest.fixture
def version(publish, agreement):
    return publish()


@pytest.fixture
def visits(version, now):
    """Notes visits that stand before a question: visits("how", 3) → tokens."""

    def make(question, count, *, of=version, at=now):
        order = [each.key for each in of.as_content().questions]
        place = order.index(question) if question else len(order)
        tokens = [f"{of.number}-{question}-{n}" for n in range(count)]
        Progress.objects.bulk_create(
            Progress(
                version=of, visit=token, page="you", question=question, position=place, started_at=at, updated_at=at
            )
            for token in tokens
        )
        return tokens

    return make


def told(version, at):
    return figures.by_version(at=at).get((version.form_id, version.number), Figures())


def test_completion_counts_who_began_and_the_rate_of_mqls_who_was_taken_in(version, send, visits, now):
    send(version, HOT, token="hot")
    send(version, COLD, token="cold")
    visits("how", 2)
    found = told(version, now + HOUR)
    assert found == Figures(finished=2, left=2, sent=2, mqls=1)
    assert (found.begun, found.completion.value, found.mql.value) == (4, 0.5, 0.5)
    assert found.mql.few


def test_a_visit_that_finished_is_not_one_that_left_and_one_under_way_is_neither(version, send, visits, now):
    (token,) = visits("company", 1)
    send(version, HOT, token=token)
    visits("email", 1, at=now + HOUR - MINUTE)
    assert told(version, now + HOUR) == Figures(finished=1, sent=1, mqls=1)
    assert told(version, now + 2 * HOUR) == Figures(finished=1, left=1, sent=1, mqls=1)


def test_what_is_suspected_counts_nowhere_until_it_is_freed(version, send, visits, now, people):
    from leads.intake.forms.services.free import free_submission

    (token,) = visits("company", 1)
    held = send(version, HOT, token=token, suspected_by="honeypot")
    assert told(version, now + HOUR) == Figures(suspected=1)
    free_submission(submission_id=held.pk, by=people.marketer, at=now + MINUTE)
    assert told(version, now + HOUR) == Figures(finished=1, sent=1, mqls=1)


def test_a_plain_form_elsewhere_counts_as_sent_and_tells_nothing_of_those_who_leave(version, send, now):
    send(version, HOT, via=Submission.Via.SNIPPET, started_at=None)
    assert told(version, now + HOUR) == Figures(sent=1, mqls=1)


def test_a_lead_that_the_worker_handed_over_is_an_mql_of_its_submission(version, send, now):
    from leads.services.evaluate import evaluate_due

    send(version, HOT, evaluate=False)
    assert told(version, now + HOUR).mqls == 0
    evaluate_due(at=now + MINUTE)
    assert told(version, now + HOUR).mqls == 1


def test_the_drop_off_goes_question_by_question_and_adds_up(version, send, visits, now):
    for n in range(4):
        send(version, HOT | {"email": f"a{n}@corvane.example"}, token=f"t{n}")
    visits("name", 1)
    visits("how", 3)
    visits("", 1)
    found = figures.drop_off(version, at=now + HOUR)
    stops = {stop.key: (stop.left.k, stop.left.n) for stop in found.stops}
    assert (stops["email"], stops["name"], stops["company"]) == ((0, 9), (1, 9), (0, 8))
    assert (stops["how"], stops["consent"], stops[""]) == ((3, 8), (0, 5), (1, 5))
    assert "source" not in stops  # nobody sees it
    assert sum(k for k, _ in stops.values()) == found.figures.left == 5


def test_the_question_where_most_leave_is_named_only_where_it_is_certain(version, visits, now):
    visits("name", 3)
    visits("how", 4)
    assert figures.drop_off(version, at=now + HOUR).most is None
    visits("stops", 30)
    assert figures.drop_off(version, at=now + HOUR).most.key == "stops"


def test_versions_are_counted_apart_and_old_ones_stay_to_read(client, version, send, visits, people, now):
    send(version, HOT, token="one")
    form = version.form
    start_draft(form_id=form.pk, by=people.marketer, at=now)
    save_draft(form_id=form.pk, document=form_cast.ROI | {"title": "Other"}, by=people.marketer, at=now)
    second = publish_version(form_id=form.pk, by=people.marketer, at=now)
    send(second, COLD, token="two")
    visits("how", 2, of=second)
    found = figures.by_version(at=now + HOUR)
    assert found[form.pk, 1] == Figures(finished=1, sent=1, mqls=1)
    assert found[form.pk, 2] == Figures(finished=1, left=2, sent=1)
    client.force_login(people.sales_leader)
    page = client.get(reverse("form", args=[form.slug]))
    assert (page.context["shown"].number, page.context["total"].begun) == (2, 4)
    first = client.get(reverse("form", args=[form.slug]), {"version": "1"})
    assert first.context["shown"].number == 1
    assert client.get(reverse("form", args=[form.slug]), {"version": "9"}).status_code == 404


def test_the_builder_says_how_many_left_at_the_open_question(client, version, visits, people, now):
    visits("how", 31)
    visits("name", 1)
    start_draft(form_id=version.form_id, by=people.marketer, at=now)
    client.force_login(people.marketer)
    body = client.get(reverse("form_edit_part", args=[version.form.slug, "question", 7])).content.decode()
    assert "Of 32 people who began v1, 0 finished. 31 left here, more than at any other." in body


# --- the submissions behind -------------------------------------------------------------------------
def listed(client, of, **query):
    return client.get(reverse("form_submissions", args=[of.form.slug]), query)


@pytest.fixture
def sent(version, send, now):
    """A hot, a cold and a suspected submission."""
    return [
        send(version, HOT, token="hot", at=now),
        send(version, COLD, token="cold", at=now + MINUTE),
        send(version, HOT | {"email": "bot@b.example"}, token="bot", at=now + 2 * MINUTE, suspected_by="honeypot"),
    ]


def test_every_number_opens_the_very_submissions(client, version, sent, people):
    hot, cold, bot = sent
    client.force_login(people.marketer)
    lists = {"": [cold, hot], "finished": [cold, hot], "mql": [hot], "other": [cold], "suspected": [bot], "freed": []}
    for which, expected in lists.items():
        assert listed(client, version, which=which).context["rows"] == expected
    assert listed(client, version, version="1", days="90").context["rows"] == [cold, hot]
    for wrong in ({"which": "x"}, {"version": "x"}, {"after": "x"}):
        assert listed(client, version, **wrong).status_code == 404


def test_pages_of_submissions_go_on_where_the_last_one_ended(client, version, send, people, now, monkeypatch):
    monkeypatch.setattr("leads.intake.forms.results.views.PAGE", 2)
    made = {send(version, HOT | {"email": f"a{n}@c.example"}, token=f"t{n}", at=now).pk for n in range(5)}
    client.force_login(people.marketer)
    url, seen = "?which=", []
    while url:
        context = client.get(reverse("form_submissions", args=[version.form.slug]) + url).context
        seen += [row.pk for row in context["rows"]]
        url = context["next_url"]
    assert (len(seen), set(seen)) == (5, made)


def test_a_submission_is_read_as_its_version_asked_it_with_its_consent_word_for_word(client, version, sent, people):
    client.force_login(people.sales_leader)
    body = client.get(reverse("form_submission", args=[version.form.slug, sent[0].pk])).content.decode()
    for words in ("How do you plan maintenance today?", "Excel or a whiteboard", "200–5,000", form_cast.CONSENT):
        assert words in body
    assert reverse("handoff", args=[sent[0].handoff_id]) in body
    other = client.get(reverse("form_submission", args=["other", sent[0].pk]))
    assert other.status_code == 404


def test_a_suspected_submission_says_its_rule_and_marketing_frees_it(client, version, sent, people):
    bot, where = sent[2], reverse("form_submission", args=[version.form.slug, sent[2].pk])
    client.force_login(people.sales_leader)
    assert "Free it" not in client.get(where).content.decode()
    free = reverse("form_submission_free", args=[version.form.slug, bot.pk])
    assert client.post(free).status_code == 403
    client.force_login(people.marketer)
    body = client.get(where).content.decode()
    assert "Filled a field that people do not see" in body
    assert "Free it" in body
    assert client.post(free)["Location"] == where
    bot.refresh_from_db()
    assert (bot.freed_by, bot.handoff.status) == (people.marketer, "open")
    assert "Freed by Marta Marketer" in client.get(where).content.decode()
    again = client.post(free)
    assert (again.status_code, again.context["refusal"].code) == (422, "not_suspected")


def test_what_was_erased_is_counted_and_no_longer_read(client, version, sent, people, now):
    hot = sent[0]
    erase_answers(lead=hot.lead, mailboxes=[], at=now)
    client.force_login(people.marketer)
    body = client.get(reverse("form_submission", args=[version.form.slug, hot.pk])).content.decode()
    assert "The answers were erased" in body
    assert "Excel" not in body
    assert told(version, now + HOUR).sent == 2


def test_who_reads_submissions(client, version, sent, people):
    for name in ("rep", "manager", "marketer", "marketing_leader", "sales_leader", "admin"):
        client.force_login(getattr(people, name))
        reads = name not in ("rep", "manager")
        assert listed(client, version).status_code == (200 if reads else 403)
        where = reverse("form_submission", args=[version.form.slug, sent[0].pk])
        assert client.get(where).status_code == (200 if reads else 403)


def test_a_list_of_many_costs_as_many_queries_as_a_list_of_one(
    client, version, send, people, django_assert_max_num_queries
):
    for n in range(12):
        send(version, HOT | {"email": f"a{n}@c.example"}, token=f"t{n}")
    client.force_login(people.marketer)
    listed(client, version)
    with django_assert_max_num_queries(9):
        listed(client, version)
    with django_assert_max_num_queries(14):
        client.get(reverse("form_list"))

"""The builder: a marketer writes a form piece by piece, with and without JavaScript, and publishes it."""

import pytest
from django.urls import reverse

from leads.intake.forms.builder import edit, said
from leads.intake.forms.models import Form, Progress, Submission
from leads.intake.forms.services.build import create_form, save_draft
from tests import form_cast
from tests.form_cast import eq

HTMX = {"HX-Request": "true"}


@pytest.fixture
def form(agreement, people, now):
    """A form with its first draft, as the starter has it."""
    return create_form(name="ROI calculator", by=people.marketer, at=now)


@pytest.fixture
def marta(client, people):
    client.force_login(people.marketer)
    return client


def draft(form):
    return form.versions.draft()


def document(form):
    return draft(form).content


def at(form, part, key):
    return reverse("form_edit_part", args=[form.slug, part, key])


def say(client, form, part, key, *, htmx=True, **fields):
    """Post a panel's form as it stands on the page."""
    fields = {"expects": draft(form).fingerprint} | fields
    return client.post(at(form, part, key), fields, headers=HTMX if htmx else {})


def act(client, form, what, **fields):
    fields = {"expects": draft(form).fingerprint, "act": what} | fields
    return client.post(reverse("form_edit_act", args=[form.slug]), fields, headers=HTMX)


def send_out(client, form):
    return client.post(reverse("form_publish", args=[form.slug]), {"expects": draft(form).fingerprint})


# --- beginning --------------------------------------------------------------------------------------
def test_a_marketer_begins_a_form_and_its_builder_opens(marta, agreement):
    answer = marta.post(reverse("form_new"), {"name": "ROI calculator"})
    assert answer["Location"] == reverse("form_edit", args=["roi-calculator"])
    body = marta.get(answer["Location"]).content.decode()
    assert "Work e-mail" in body
    assert "Nothing stands in the way of publishing" in body
    assert marta.post(reverse("form_new"), {"name": " "})["Location"] == reverse("form_list")


def test_others_read_forms_and_do_not_build_them(client, form, people):
    for name in ("rep", "manager", "sales_leader", "marketing_leader", "marketer", "admin"):
        client.force_login(getattr(people, name))
        builds, reads = name in ("marketing_leader", "marketer", "admin"), name != "rep"
        assert client.get(reverse("form_list")).status_code == (200 if reads else 403)
        assert client.get(reverse("form", args=[form.slug])).status_code == (200 if reads else 403)
        assert client.get(reverse("form_preview_frame", args=[form.slug, 1])).status_code == (200 if reads else 403)
        assert client.get(reverse("form_edit", args=[form.slug])).status_code == (200 if builds else 403)
        for door in ("form_publish", "form_discard", "form_retire", "form_draft", "form_edit_act"):
            refused = client.post(reverse(door, args=[form.slug])).status_code == 403
            assert refused is not builds, (name, door)
            Form.objects.update(retired_at=None, retired_by=None)


# --- questions --------------------------------------------------------------------------------------
def test_a_change_is_saved_at_once_and_answers_with_what_follows_from_it(marta, form):
    answer = say(marta, form, "question", 2, label="Your name", type="text", fills="name", required="on")
    body = answer.content.decode()
    assert (answer.status_code, "<html" in body) == (200, False)
    assert all(f'id="{part}"' in body for part in ("saved", "outline", "faults", "preview"))
    assert 'id="panel"' not in body  # what is being typed stays as it is
    question = edit.questions_of(document(form))[1]
    assert (question["label"], question["required"]) == ("Your name", True)
    assert draft(form).fingerprint in body


def test_without_javascript_a_change_leads_back_to_its_panel(marta, form):
    answer = say(marta, form, "question", 2, htmx=False, label="Your name", type="text", fills="name")
    assert answer["Location"] == at(form, "question", 2)
    assert "required" not in edit.questions_of(document(form))[1]


def test_another_type_draws_the_panel_again_with_what_it_takes(marta, form):
    answer = say(marta, form, "question", 3, label="Company", type="choice", fills="company")
    assert answer["HX-Retarget"] == "#panel"
    assert "Answers to choose from" in answer.content.decode()
    assert edit.questions_of(document(form))[2]["choices"] == [{"value": "Yes"}, {"value": "No"}]


def choices(*labels, **more):
    return {
        "label": "Industry", "type": "choice", "fills": "industry", "choice_label": labels,
        "choice_place": [str(n) if n < 2 else "" for n in range(len(labels))], "choice_fact": [""] * len(labels),
    } | more  # fmt: skip


def test_choices_are_said_moved_added_and_removed_and_show_their_points(marta, form):
    act(marta, form, "add", type="choice", after="company")
    say(marta, form, "question", 4, **choices("Food", "Retail"))
    say(marta, form, "question", 4, **choices("Food", "Retail", act="choice_add"))
    say(marta, form, "question", 4, **choices("Food", "Retail", "Packaging", act="choice_up:2"))
    question = edit.questions_of(document(form))[3]
    assert question["key"] == "industry"
    assert [choice["value"] for choice in question["choices"]] == ["Food", "Packaging", "Retail"]
    body = marta.get(at(form, "question", 4)).content.decode()
    assert body.count("<b>+15</b>") == 2  # food and packaging, under the definition in force
    assert "up to 15 points" in body
    say(marta, form, "question", 4, **choices("Food", "Packaging", act="choice_remove:0"))
    assert [c["value"] for c in edit.questions_of(document(form))[3]["choices"]] == ["Packaging"]


def test_a_follow_up_is_asked_only_after_its_answer(marta, form):
    act(marta, form, "add", type="choice", after="company")
    say(marta, form, "question", 4, **choices("Food", "Retail", act="follow:1"))
    follow = edit.questions_of(document(form))[4]
    assert follow["show"] == eq("industry", "Retail")
    assert "only when “Industry” is Retail" in marta.get(reverse("form_edit", args=[form.slug])).content.decode()


def test_questions_are_added_moved_copied_and_deleted_by_buttons(marta, form):
    answer = act(marta, form, "add", type="number", after="email")
    assert 'id="builder"' in answer.content.decode()
    assert answer["HX-Push-Url"] == at(form, "question", 2)
    act(marta, form, "down", of="2")
    act(marta, form, "copy", of="3")
    assert [q["label"] for q in edit.questions_of(document(form))] == [
        "Work e-mail", "Name", "New number", "New number", "Company",
    ]  # fmt: skip
    act(marta, form, "delete", of="4")
    act(marta, form, "up", of="3")
    assert [q["label"] for q in edit.questions_of(document(form))][1] == "New number"


def test_what_cannot_be_kept_is_said_and_nothing_is_saved(marta, form):
    before = draft(form).fingerprint
    answer = say(marta, form, "question", 2, label=" ", type="text")
    assert (answer.status_code, draft(form).fingerprint) == (422, before)
    assert "This cannot be empty. Nothing was saved." in answer.content.decode()


def test_who_comes_second_sees_the_draft_as_it_is_and_changes_nothing(marta, form, people, now):
    seen = draft(form).fingerprint
    save_draft(form_id=form.pk, document=document(form) | {"title": "Other"}, by=people.marketing_leader, at=now)
    for where in (at(form, "question", 2), reverse("form_edit_act", args=[form.slug])):
        answer = marta.post(where, {"expects": seen, "label": "x", "act": "add"}, headers=HTMX)
        assert (answer.status_code, answer["HX-Retarget"]) == (409, "#builder")
        assert 'data-code="draft_moved"' in answer.content.decode()
    assert document(form)["title"] == "Other"


def test_facts_are_offered_first_that_the_definition_reads(marta, form):
    fills = marta.get(at(form, "question", 3)).context["panel"]["fills"]
    assert fills[0][0] == "Read by definition v1"
    assert ("title", "job title") in fills[0][1]
    say(marta, form, "question", 3, label="When?", type="text", fills="other", fills_other="timeline")
    assert edit.questions_of(document(form))[2]["fills"] == "attributes.timeline"


# --- conditions -------------------------------------------------------------------------------------
def test_a_condition_is_begun_with_the_question_before_and_combined_by_and_and_or(marta, form):
    act(marta, form, "add", type="choice", after="company")
    say(marta, form, "question", 4, **choices("Food", "Retail"))
    act(marta, form, "add", type="text", after="industry")
    answer = say(marta, form, "show", 5, act="add:c")
    assert answer["HX-Retarget"] == "#panel"
    show = lambda: edit.questions_of(document(form))[4]["show"]  # noqa: E731
    assert show() == eq("industry", "Food")
    leaf = {"node": ["c:leaf"], "c.field": "industry", "c.op": "in", "c.value": "Food"}
    say(marta, form, "show", 5, **leaf)
    assert show() == {"field": "industry", "op": "in", "values": ["Food"]}
    leaf["c.values"] = ["Food", "Retail"]
    say(marta, form, "show", 5, **leaf)
    say(marta, form, "show", 5, **leaf, act="or:c")
    assert show()["any"] == [{"field": "industry", "op": "in", "values": ["Food", "Retail"]}, eq("industry", "Food")]
    assert "only when “Industry” is Food or Retail, or “Industry” is Food" in (
        marta.get(reverse("form_edit", args=[form.slug])).content.decode()
    )
    answer = say(marta, form, "show", 5, act="clear")
    assert "show" not in edit.questions_of(document(form))[4]
    assert answer["HX-Push-Url"] == at(form, "question", 5)


def test_a_comparison_that_lacks_its_other_side_is_drawn_and_not_saved(marta, form):
    before = draft(form).fingerprint
    leaf = {"node": "c:leaf", "c.field": "company", "c.op": "contains", "c.value": " "}
    act(marta, form, "add", type="text", after="company")
    before = draft(form).fingerprint
    answer = say(marta, form, "require", 4, **leaf)
    assert "Say what the answer is compared with" in answer.content.decode()
    assert draft(form).fingerprint == before
    say(marta, form, "require", 4, **leaf | {"c.value": "GmbH"})
    assert edit.questions_of(document(form))[3]["require"] == {"field": "company", "op": "contains", "value": "GmbH"}


def test_only_questions_before_are_offered_and_others_are_not_taken(marta, form):
    names = [key for key, _ in marta.get(at(form, "show", 3)).context["panel"]["questions"]]
    assert names == ["email", "name"]
    say(marta, form, "show", 3, node="c:leaf", **{"c.field": "company", "c.op": "equals", "c.value": "x"})
    assert "show" not in edit.questions_of(document(form))[2]
    assert marta.get(at(form, "show", 1)).context["panel"]["questions"] == []
    assert say(marta, form, "show", 1, act="add:c").status_code == 404


def test_rings_forward_references_and_dead_questions_are_said_while_building(marta, form, people, now):
    wrong = edit.set_condition(form_cast.ROI, "how", "show", eq("contract_end", "2026-10"))
    save_draft(form_id=form.pk, document=wrong, by=people.marketer, at=now)
    body = marta.get(reverse("form_edit", args=[form.slug])).content.decode()
    assert "stand in the way of publishing" in body
    assert 'data-fault="forward"' in body
    assert 'data-fault="ring"' in body
    dead = edit.set_condition(form_cast.ROI, "contract_end", "show", {"all": [eq("how", "erp"), eq("how", "paper")]})
    save_draft(form_id=form.pk, document=dead, by=people.marketer, at=now)
    body = marta.get(reverse("form_edit", args=[form.slug])).content.decode()
    assert "“When does that contract end?” is never asked: its conditions cannot hold." in body
    refused = send_out(marta, form)
    assert (refused.status_code, refused.context["refusal"].code) == (422, "form_has_faults")


# --- pages, skips, thank-yous -----------------------------------------------------------------------
def test_pages_are_broken_named_and_skipped(marta, form):
    act(marta, form, "page", after="email")
    say(marta, form, "page", 2, title="About you")
    act(marta, form, "page", after="name")
    say(marta, form, "skip", "1-1", act="add:c")
    pages = document(form)["pages"]
    assert [page.get("title", "") for page in pages] == ["", "About you", ""]
    assert pages[0]["skips"] == [{"to": pages[2]["key"], "when": {"field": "email", "op": "present"}}]
    leaf = {"node": "c:leaf", "c.field": "email", "c.op": "contains", "c.value": "@school"}
    say(marta, form, "skip", "1-1", to=pages[2]["key"], **leaf)
    body = marta.get(at(form, "page", 1)).content.decode()
    assert "when “Work e-mail” contains @school" in body
    say(marta, form, "skip", "1-1", act="clear")
    act(marta, form, "page_delete", of="2")
    assert len(document(form)["pages"]) == 2


def test_a_thank_you_for_hot_leads_books_a_call_and_an_address_must_be_on_the_list(marta, form, people):
    say(marta, form, "thanks", "all", act="add")
    hot = {
        "n": "1",
        "title": "Book a call",
        "tiers": ["hot"],
        "link_label": "Choose",
        "link_address": "https://t.example/c",
    }
    say(marta, form, "thanks", "all", **hot)
    assert document(form)["thanks"][0] == {
        "title": "Book a call", "tiers": ["hot"], "link": {"label": "Choose", "address": "https://t.example/c"},
    }  # fmt: skip
    say(marta, form, "thanks", "all", n="2", redirect="https://www.tarnwick.example/guide")
    assert "is not among the form’s hosts" in marta.get(reverse("form_edit", args=[form.slug])).content.decode()
    settings = {"name": "ROI", "redirect_hosts": "www.tarnwick.example", "embed_hosts": "www.tarnwick.example\n",
                "minimum_seconds": "3", "most_per_address": "20", "most_per_mailbox": "5"}  # fmt: skip
    assert marta.post(reverse("form_settings", args=[form.slug]), settings).status_code == 302
    body = marta.get(reverse("form_edit", args=[form.slug])).content.decode()
    assert "Nothing stands in the way of publishing" in body
    wrong = marta.post(reverse("form_settings", args=[form.slug]), settings | {"redirect_hosts": "https://x"})
    assert (wrong.status_code, wrong.context["refusal"].field) == (422, "redirect_hosts")


# --- life -------------------------------------------------------------------------------------------
def test_a_form_is_published_changed_compared_closed_and_opened_again(marta, form):
    where = reverse("form", args=[form.slug])
    assert send_out(marta, form)["Location"] == where
    assert marta.get(reverse("form_edit", args=[form.slug]))["Location"] == where  # no draft is open
    marta.post(reverse("form_draft", args=[form.slug]))
    refused = send_out(marta, form)
    assert refused.context["refusal"].code == "nothing_new"
    say(marta, form, "text", "form", title="Other", submit="Go")
    body = marta.get(reverse("form_compare", args=[form.slug, 1, 2])).content.decode()
    assert "Title was “ROI calculator”, now “Other”." in body
    send_out(marta, form)
    marta.post(reverse("form_draft", args=[form.slug]), {"number": "1"})
    assert document(form)["title"] == "ROI calculator"
    marta.post(reverse("form_discard", args=[form.slug]))
    assert draft(form) is None
    marta.post(reverse("form_retire", args=[form.slug]))
    assert "closed" in marta.get(reverse("form_list")).content.decode()
    marta.post(reverse("form_reopen", args=[form.slug]))
    assert Form.objects.get().retired_at is None


def test_a_published_version_follows_no_label(marta, form):
    send_out(marta, form)
    marta.post(reverse("form_draft", args=[form.slug]))
    say(marta, form, "question", 3, label="Firm", type="text", fills="company")
    assert edit.questions_of(document(form))[2]["key"] == "company"


def test_the_snippets_hold_the_frame_and_a_plain_form(marta, publish):
    version = publish(embed_hosts=["www.tarnwick.com"])
    snippets = marta.get(reverse("form", args=[version.form.slug])).context["snippets"]
    assert f"/f/{version.form.slug}/embed/" in snippets["frame"]
    assert 'name="_token"' in snippets["plain"]
    assert "contract_end" not in snippets["plain"]  # not asked of everybody


def test_the_list_says_what_the_definition_reads_and_no_form_asks(marta, publish, agreement):
    assert "company size, industry, job title, country, source" in marta.get(reverse("form_list")).content.decode()
    publish()
    assert "reads what no live form asks: country, e-mail domain" in marta.get(reverse("form_list")).content.decode()


@pytest.mark.parametrize(
    "where", ["question/0", "question/99", "question/x", "nowhere/1", "skip/1-9", "page/9", "show/99"]
)
def test_a_part_that_is_not_there_is_no_page(marta, form, where):
    part, key = where.split("/")
    assert marta.get(at(form, part, key)).status_code == 404
    assert say(marta, form, part, key, label="x").status_code == 404


# --- preview ----------------------------------------------------------------------------------------
def fill(client, version, answers, page):
    where = reverse("form_preview_frame", args=[version.form.slug, version.number])
    shown = [f"{key}!" for key in answers]
    return client.post(where, {**answers, "_page": page, "_shown": shown, "_go": "next"})


def test_a_preview_goes_page_by_page_and_says_at_the_end_what_the_answers_are_worth(marta, publish, agreement):
    version = publish()
    assert "Your plant" in fill(marta, version, form_cast.HOT, "you").content.decode()
    body = fill(marta, version, form_cast.HOT, "plant").content.decode()
    assert "Book a call" in body
    assert "85 points: Hot, handed over at once" in body
    cold = fill(marta, version, form_cast.COLD, "plant").content.decode()
    assert "Here is our guide" in cold
    assert "short of Standard" in cold
    assert (Submission.objects.count(), Progress.objects.count()) == (0, 0)


def test_a_preview_says_what_is_wrong_as_the_form_does(marta, publish, agreement):
    version = publish()
    wrong = fill(marta, version, form_cast.HOT | {"email": "nobody"}, "you")
    assert (wrong.status_code, "name@company.com" in wrong.content.decode()) == (422, True)
    part = reverse("form_preview_part", args=[version.form.slug, version.number])
    opened = marta.post(f"{part}?at=how", {"_page": "plant", "how": "other", "_shown": "how!"}, headers=HTMX)
    assert "When does that contract end?" in opened.content.decode()


def test_a_preview_may_be_framed_by_us_alone_and_the_builder_may_frame_it(marta, form):
    frame = marta.get(reverse("form_preview_frame", args=[form.slug, 1]))
    assert "frame-ancestors 'self'" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    builder = marta.get(reverse("form_edit", args=[form.slug]))
    assert "frame-src 'self'" in builder["Content-Security-Policy"]
    assert builder["X-Frame-Options"] == "DENY"


def test_without_an_agreement_a_preview_scores_nothing(client, people, now):
    form = create_form(name="ROI", by=people.marketer, at=now)
    client.force_login(people.marketer)
    answers = {"email": "a@corvane.example", "name": "A", "company": "C"}
    body = fill(client, form.versions.draft(), answers, "about_you").content.decode()
    assert "No agreement is in force" in body
    assert client.get(reverse("form_edit", args=[form.slug])).status_code == 200


def test_a_hidden_field_says_where_its_value_comes_from():
    hidden = {"key": "source", "type": "hidden", "fills": "source"}
    assert said.short(hidden | {"parameter": "utm_source", "default": "Website"}) == "hidden, from utm_source"
    assert said.short(hidden | {"default": "Website"}) == "hidden, always “Website”"
    assert said.short(hidden) == "hidden, empty"

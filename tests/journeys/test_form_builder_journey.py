"""A marketer builds a form with two conditions by mouse and keyboard, tries it, publishes it, and reads what came."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.intake.forms.builder import edit
from leads.intake.forms.models import Form, Submission
from leads.intake.forms.services.build import create_form, publish_version
from tests import cast, form_cast
from tests.form_cast import eq

pytestmark = pytest.mark.journey


@pytest.fixture
def marketer(sign_in, page):
    """Marta, signed in, with an agreement in force."""
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    return page, sign_in(page, cast.people().marketer)


def draft():
    return Form.objects.get().versions.draft().content


def settled(page):
    """Everything that was typed is answered for."""
    expect(page.locator(".htmx-request")).to_have_count(0)
    expect(page.locator("#saved")).to_contain_text("Saved")


def add(page, kind, label):
    """Add a question behind the open one by keyboard, and name it."""
    page.get_by_label("Add", exact=True).select_option(kind)
    page.locator("#add-question").focus()
    page.keyboard.press("Enter")
    name = page.locator("#q-label")
    expect(name).to_be_focused()
    name.fill(label)
    page.keyboard.press("Tab")
    expect(page.locator("#outline")).to_contain_text(label)


def answers(page, *labels):
    """Say the first answers of a list."""
    for n, label in enumerate(labels):
        page.locator(f"#choice-{n}").fill(label)
        page.keyboard.press("Tab")
        settled(page)


def test_a_marketer_builds_a_form_with_two_conditions_and_publishes_it(marketer, complaints, shown):
    page, url = marketer
    page.goto(f"{url}/forms/")
    page.get_by_label("New form").fill("ROI calculator")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("ROI calculator")
    page.get_by_role("link", name="Company").click()
    expect(page.get_by_role("heading", name="Question 3")).to_be_visible()

    add(page, "choice", "How do you plan today?")
    answers(page, "In a sheet", "In a system")
    add(page, "text", "Which system?")
    page.get_by_role("link", name="Asked: set a condition").click()
    page.get_by_role("button", name="Begin a condition").click()
    page.get_by_label("Compared with").select_option(label="In a system")
    expect(page.locator("#outline")).to_contain_text("only when “How do you plan today?” is In a system")

    add(page, "number", "Stops in a month")
    page.get_by_role("link", name="Required: set a condition").click()
    page.get_by_role("button", name="Begin a condition").click()
    page.get_by_label("Answer to").select_option("how_do_you_plan_today")
    settled(page)
    page.get_by_label("Comparison").select_option("equals")
    page.get_by_label("Compared with").select_option(label="In a sheet")
    settled(page)
    page.locator("#c-or").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Answer to")).to_have_count(2)
    page.get_by_label("Comparison").nth(1).select_option("present")
    settled(page)
    assert [q.get("show") or q.get("require") for q in edit.questions_of(draft())][4:] == [
        eq("how_do_you_plan_today", "In a system"),
        {"any": [eq("how_do_you_plan_today", "In a sheet"), {"field": "which_system", "op": "present"}]},
    ]
    shown(page, "form-builder-condition")
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="Question 6")).to_be_visible()
    expect(page.locator("#faults")).to_contain_text("Nothing stands in the way")

    preview = page.frame_locator("#preview iframe")
    preview.get_by_label("In a system").check()
    expect(preview.get_by_label("Which system?")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 1 is published")).to_be_visible()
    assert Form.objects.get().versions.current().number == 1
    assert not complaints


def test_what_is_wrong_is_said_while_building_and_mended_by_its_link(marketer, complaints, shown):
    page, url = marketer
    form = create_form(name="ROI", by=None, at=timezone.now(), document=form_cast.ROI)
    page.goto(f"{url}/forms/{form.slug}/edit/question/8/")
    page.get_by_role("button", name="Move question 8 up").click()
    expect(page.locator("#faults")).to_contain_text("asked later")
    expect(page.get_by_role("button", name="Move question 7 up")).to_be_focused()
    shown(page, "form-builder-faults", looks=(("light", 1440), ("dark", 390)))
    page.get_by_role("button", name="Move question 7 down").click()
    expect(page.locator("#faults")).to_contain_text("Nothing stands in the way")
    page.locator("#line-7").click()
    page.locator("#choice-2").fill("A CMMS")
    page.keyboard.press("Tab")
    expect(page.locator("#outline")).to_contain_text("is A CMMS")
    page.get_by_role("button", name="Remove answer 3").click()
    expect(page.locator("#faults")).to_contain_text("is never asked")
    assert not complaints


def test_a_draft_is_written_without_javascript(sign_in, browser):
    cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    form = create_form(name="ROI", by=None, at=timezone.now(), document=form_cast.ROI)
    context = browser.new_context(java_script_enabled=False)
    url = sign_in(context, cast.people().marketer)
    page = context.new_page()
    page.goto(f"{url}/forms/{form.slug}/edit/question/7/")
    page.get_by_label("Question", exact=True).fill("How do you plan?")
    page.locator("#panel-form").get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator("#outline")).to_contain_text("How do you plan?")
    page.get_by_role("button", name="Move question 7 up").click()
    expect(page.get_by_role("heading", name="Question 6")).to_be_visible()
    assert [q["key"] for q in edit.questions_of(draft())][5:7] == ["how_do_you_plan", "industry"]
    context.close()


def test_a_preview_scores_and_keeps_nothing_and_the_pages_of_a_form_hold_up(marketer, complaints, shown, browser):
    page, url = marketer
    form = create_form(name="ROI", by=cast.people().marketer, at=timezone.now(), document=form_cast.ROI)
    publish_version(form_id=form.pk, by=cast.people().marketer, at=timezone.now())
    page.goto(f"{url}/forms/{form.slug}/versions/1/preview/")
    phone = page.frame_locator("iframe.is-phone")
    for key in ("email", "name", "company", "title"):
        phone.locator(f"#q-{key}").fill(form_cast.HOT[key])
    phone.locator("#q-size").select_option("middle")
    phone.get_by_role("button", name="Go on").click()
    phone.get_by_label("Food").check()
    phone.get_by_label("Excel or a whiteboard").check()
    phone.locator("#q-consent").check()
    phone.get_by_role("button", name="Send my answers").click()
    expect(phone.get_by_text("85 points: Hot, handed over at once")).to_be_visible()
    assert not Submission.objects.exists()
    for name, where in (("form-list", "forms/"), ("form", f"forms/{form.slug}/"),
                        ("form-settings", f"forms/{form.slug}/settings/"),
                        ("form-submissions", f"forms/{form.slug}/submissions/"),
                        ("form-preview", f"forms/{form.slug}/versions/1/preview/")):  # fmt: skip
        page.goto(f"{url}/{where}")
        shown(page, name)
    assert not complaints

"""The editor of a draft: what is saved, what stands at its field, who was faster, and all of it without JavaScript."""

import datetime as dt

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import Role
from sla.forms.version import SECTIONS
from sla.models import Calendar, Commitment, ReasonCode, SLAVersion
from sla.services.definition import draft_definition
from sla.services.refusals import ChangedMeanwhile
from sla.services.terms import change_draft, choose_definition, draft_from
from sla.services.version import propose_version
from tests import cast

HTMX = {"headers": {"hx-request": "true"}}


def client_of(user):
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.fixture
def author(people):
    return client_of(people.marketer)


@pytest.fixture
def draft(agreement, people, now):
    return draft_from(version_id=agreement.pk, by=people.marketer, at=now)


def filled(draft, section, **changes):
    """What the section's form sends, with `changes`; None takes a field out."""
    form = SECTIONS[section](version=draft)
    values = {}
    for field in form:
        shown = field.value()
        values[field.name] = "" if shown is None else shown
    values |= changes
    return {name: value for name, value in values.items() if value is not None}


def save(client, draft, section, htmx=True, **changes):
    where = reverse("agreement_section", args=[draft.number, section])
    return client.post(where, filled(draft, section, **changes), **(HTMX if htmx else {}))


def test_every_section_can_be_saved_as_it_stands_and_nothing_changes(author, draft):
    before = draft.content()
    for section in SECTIONS:
        answer = save(author, draft, section)
        assert answer.status_code in (200, 302) or answer.headers.get("HX-Redirect"), section
    assert SLAVersion.objects.get(pk=draft.pk).content() == before


def test_a_saved_section_says_what_stands_in_the_contract_now(author, draft):
    answer = save(author, draft, "sales", contact_hot="15 min", attempts_before_unreachable="6")
    html = answer.content.decode()
    assert "15 minutes" in html
    assert "Saved" in html
    assert "<h1>" not in html
    row = draft.commitments.get(kind=Commitment.Kind.FIRST_CONTACT, tier__key="hot")
    assert row.within == dt.timedelta(minutes=15)
    draft.refresh_from_db()
    assert draft.attempts_before_unreachable == 6


def test_all_terms_of_the_other_sections_reach_the_draft(author, draft, people):
    night = Calendar.objects.create(
        name="Nights", zone="Europe/Berlin", week={"mon": [["20:00", "24:00"]]}, created_at=timezone.now()
    )
    save(author, draft, "marketing", mqls_from="600", mqls_to="", acceptance="30.5", sources="Web\n\nFair\nWeb")
    save(author, draft, "target", target_rate="27.5", target_accepted="")
    save(author, draft, "clocks", clock_basis="owner", calendar=night.pk, touch_kinds=["call:reached"])
    save(author, draft, "escalation", contact_warn_1="50", contact_warn_2="90", contact_tell_manager="2 h",
         contact_to_queue="")  # fmt: skip
    save(author, draft, "windows", undo_within="10 minutes", dispute_within="1 week", bulk_limit="20")
    save(author, draft, "review", review_cadence="weekly", sales_signatory=people.sales_leader.pk,
         benchmarks="low 0%\nhigh 33.3%", benchmark_source="Our own year")  # fmt: skip
    draft = SLAVersion.objects.get(pk=draft.pk)
    said = draft.content()
    shares = {row["kind"]: (row["at_least"], row["at_most"]) for row in said["commitments"] if row["tier"] is None}
    assert (shares["mqls"], shares["acceptance"]) == ((600, None), (305, None))
    assert said["covers"]["sources"] == ["Web", "Fair"]
    assert said["target"] == {"rate": 275, "accepted": None}
    assert (said["clock_basis"], draft.calendar, said["touches"]) == ("owner", night, ["call:reached"])
    steps = [(s["kind"], s["share"], s["after_seconds"]) for s in said["escalation_steps"] if s["clock"] == "contact"]
    assert steps == [("warn_owner", 50, None), ("warn_owner", 90, None), ("tell_manager", None, 7200)]
    assert (said["undo_within_seconds"], said["dispute_within_seconds"], said["bulk_limit"]) == (600, 604800, 20)
    assert (said["review_cadence"], said["signatories"]["sales"]) == ("weekly", people.sales_leader.pk)
    assert said["benchmarks"]["bands"][1] == {"name": "high", "from_per_mille": 333}


@pytest.mark.parametrize(
    ("section", "changes", "field", "sentence"),
    [
        ("sales", {"contact_hot": "soon"}, "contact_hot", "Write a time like"),
        ("sales", {"contact_hot": "2 days"}, "decision_hot", "A decision does not come before the first contact."),
        ("marketing", {"mqls_to": "10"}, "mqls_to", "The upper end lies above the lower one."),
        ("marketing", {"acceptance": "101"}, "acceptance", "less than or equal to 100"),
        ("clocks", {"touch_kinds": None}, "touch_kinds", "At least one thing counts as a contact."),
        ("escalation", {"contact_to_queue": "later"}, "contact_to_queue", "“at once” or a time"),
        ("windows", {"bulk_limit": "0"}, "bulk_limit", "greater than or equal to 1"),
        ("review", {"benchmarks": "good"}, "benchmarks", "is no band"),
        ("review", {"benchmarks": "good 25%\nbad 0%"}, "benchmarks", "Bands stand in order"),
        ("review", {"benchmark_source": ""}, "benchmark_source", "Name where these benchmarks come from."),
        ("basics", {"effective_from": "2020-01-01T00:00"}, "effective_from", "This moment has passed."),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field_and_nothing_is_saved(
    author, draft, section, changes, field, sentence
):
    before = draft.content()
    answer = save(author, draft, section, **changes)
    html = answer.content.decode()
    assert answer.status_code == 422
    slot = html.split(f'id="{section}-{field}_error"')[1].split("</div>")[0]
    assert sentence in slot
    assert SLAVersion.objects.get(pk=draft.pk).content() == before


def test_without_javascript_the_whole_page_comes_back_with_what_was_typed(author, draft):
    answer = save(author, draft, "sales", htmx=False, contact_hot="soon")
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="soon"' in html
    assert 'aria-invalid="true"' in html
    assert "<h1>Draft of agreement v2</h1>" in html
    assert save(author, draft, "sales", htmx=False, contact_hot="1 h").status_code == 302


def test_who_did_not_see_the_last_change_overwrites_nothing(author, draft, people):
    page = author.get(reverse("agreement_edit", args=[draft.number])).content.decode()
    seen = page.split('id="seen-windows" value="')[1].split('"')[0]
    save(client_of(people.sales_leader), draft, "windows", bulk_limit="10")
    answer = save(author, draft, "windows", seen=seen, bulk_limit="90")
    assert answer.status_code == 409
    assert "Sara Leader changed this section meanwhile" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.bulk_limit == 10
    fresh = answer.content.decode().split('id="seen-windows" value="')[1].split('"')[0]
    assert save(author, draft, "windows", seen=fresh, bulk_limit="90").status_code == 200


def test_two_saves_at_the_same_moment_are_one_save_and_one_second_look(draft, people, now):
    """The second one read the draft before the first one saved it, and comes to the lock after it."""
    read = draft.changed_at
    change_draft(version_id=draft.pk, by=people.sales_leader, at=now, terms={"bulk_limit": 10}, since=read)
    with pytest.raises(ChangedMeanwhile):
        change_draft(version_id=draft.pk, by=people.marketer, at=now, terms={"bulk_limit": 90}, since=read)
    with pytest.raises(ChangedMeanwhile):
        choose_definition(
            version_id=draft.pk, definition_id=draft.definition_id, by=people.marketer, at=now, since=read
        )
    draft.refresh_from_db()
    assert draft.bulk_limit == 10


def test_a_draft_that_was_proposed_meanwhile_takes_no_change(author, draft, people, now):
    propose_version(version_id=draft.pk, effective_from=now, by=people.marketer, at=now)
    answer = save(author, draft, "windows", bulk_limit="9")
    assert answer["HX-Redirect"] == reverse("agreement_version", args=[draft.number])
    assert author.get(reverse("agreement_edit", args=[draft.number])).status_code == 302
    draft.refresh_from_db()
    assert draft.bulk_limit == 50


def test_another_definition_takes_the_times_of_its_tiers_along(author, draft, people, now):
    other = draft_definition(start_from=draft.definition, by=people.marketer, at=now, summary="Stricter")
    answer = save(author, draft, "definition", definition=other.pk)
    assert answer["HX-Redirect"].endswith("#definition")
    draft.refresh_from_db()
    assert draft.definition == other
    hot = draft.commitments.get(kind=Commitment.Kind.FIRST_CONTACT, tier__key="hot")
    assert (hot.tier.definition, hot.within) == (other, dt.timedelta(hours=1))
    propose_version(version_id=draft.pk, effective_from=now, by=people.marketer, at=now)
    other.refresh_from_db()
    assert other.proposed_at == now


# --- reasons ------------------------------------------------------------------------------------------
REASON = {"label": "Supplier", "meaning": "Sells to the same plants.", "next_step": "disqualify"}


def act(client, draft, code, act, **fields):
    return client.post(reverse("agreement_reason", args=[draft.number, code]), {"act": act, **fields}, **HTMX)


def test_a_new_reason_takes_the_next_code_of_its_category(author, draft):
    where = reverse("agreement_reason_add", args=[draft.number])
    answer = author.post(where, REASON | {"category": "fit"}, **HTMX)
    assert answer.status_code == 200
    assert draft.reasons.get(label="Supplier").code == "15"


def test_a_code_that_another_version_proposed_is_not_given_again(author, agreement, draft, people, now):
    other = draft_from(version_id=agreement.pk, by=people.marketer, at=now)
    other.reasons.create(code="15", category="fit", label="Old", meaning="Something else.")
    propose_version(version_id=other.pk, effective_from=now, by=people.marketer, at=now)
    author.post(reverse("agreement_reason_add", args=[draft.number]), REASON | {"category": "fit"}, **HTMX)
    assert draft.reasons.get(label="Supplier").code == "16"


def test_a_reason_is_reworded_retired_merged_and_offered_again(author, draft):
    assert act(author, draft, "14", "save", **REASON).status_code == 200
    assert draft.reasons.get(code="14").label == "Supplier"
    assert act(author, draft, "14", "retire", merged_into="11").status_code == 200
    assert draft.reasons.get(code="14").merged_into == "11"
    act(author, draft, "14", "restore")
    assert (draft.reasons.get(code="14").retired, draft.reasons.get(code="14").merged_into) == (False, None)


def test_codes_merged_into_a_code_follow_it_when_it_is_merged_itself(author, draft):
    act(author, draft, "14", "retire", merged_into="11")
    act(author, draft, "11", "retire", merged_into="12")
    assert {draft.reasons.get(code=code).merged_into for code in ("11", "14")} == {"12"}


@pytest.mark.parametrize(
    ("verb", "fields", "sentence"),
    [
        ("remove", {}, "Retire it: past rejections are told in it."),
        ("retire", {"merged_into": "14"}, "merged into another one that is still offered"),
        ("retire", {"merged_into": "99"}, "merged into another one that is still offered"),
        ("save", {"label": ""}, "This field is required."),
        ("save", REASON | {"detail_required": "on"}, "Say what is asked"),
    ],
)
def test_a_change_of_the_catalogue_without_sense_is_refused(author, draft, verb, fields, sentence):
    answer = act(author, draft, "14", verb, **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not draft.reasons.get(code="14").retired


def test_the_last_reason_is_not_retired(author, draft):
    ReasonCode.objects.filter(version=draft).exclude(code="11").delete()
    assert "at least one reason" in act(author, draft, "11", "retire").content.decode()


# --- who and how much ---------------------------------------------------------------------------------
@pytest.mark.parametrize("role", sorted(set(Role.values) - {"marketer", "marketing_leader", "sales_leader"}))
def test_others_may_not_touch_a_draft(draft, role):
    client = client_of(cast.user(f"Somebody {role}", role))
    acts = {
        "agreement_section": [2, "sales"],
        "agreement_reason": [2, "11"],
        "agreement_reason_add": [2],
        "agreement_propose": [2],
        "agreement_discard": [2],
    }
    for name, args in acts.items():
        assert client.post(reverse(name, args=args)).status_code == 403
    assert client.get(reverse("agreement_edit", args=[2])).status_code == 403


def test_a_section_that_does_not_exist_is_not_found(author, draft):
    assert author.post(reverse("agreement_section", args=[2, "other"])).status_code == 404


def test_the_editor_costs_the_same_however_many_reasons(author, draft, django_assert_max_num_queries):
    with django_assert_max_num_queries(45):
        author.get(reverse("agreement_edit", args=[draft.number]))

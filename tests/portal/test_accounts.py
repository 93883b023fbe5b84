"""Who gets in, and how people and teams are looked after."""

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from leads.models import Assignment, Handoff
from leads.services.leave import deactivate_person
from leads.services.refusals import HoldsOpenHandoffs
from portal.accounts.checks import demo_is_never_production
from portal.accounts.models import Role, Team, User
from portal.accounts.refusals import (
    CannotSignIn,
    EmailInvalid,
    EmailTaken,
    NameRequired,
    OwnAccount,
    OwnAdminRole,
    RoleUnknown,
    TeamNameTaken,
)
from portal.accounts.services import add_person, add_team, change_person, reactivate_person, rename_team
from portal.shared.refusal import NotPermitted
from sla.models import SLAVersion

SIGN_IN = "account_login"


def signed_in(person):
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.fixture
def admin_client(people):
    return signed_in(people.admin)


# --- signing in -------------------------------------------------------------------------------------
def test_a_person_signs_in_by_e_mail_in_any_spelling(client, people):
    answer = client.post(reverse(SIGN_IN), {"login": people.rep.email.upper(), "password": "correct horse battery"})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(people.rep.pk)


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, people):
    answers = [
        client.post(reverse(SIGN_IN), {"login": login, "password": "wrong horse"})
        for login in (people.rep.email, "nobody@tarnwick.example")
    ]
    said = [
        answer.context["form"].non_field_errors() + answer.context["form"].errors.get("password", [])
        for answer in answers
    ]
    assert said[0] == said[1]
    assert "_auth_user_id" not in client.session


def test_sign_in_is_refused_after_too_many_wrong_passwords_even_with_the_right_one(client, people):
    wrong = {"login": people.rep.email, "password": "wrong horse"}
    for _ in range(12):
        client.post(reverse(SIGN_IN), wrong)
    client.post(reverse(SIGN_IN), wrong | {"password": "correct horse battery"})
    assert "_auth_user_id" not in client.session


def test_a_deactivated_person_does_not_get_in(client, people):
    deactivate_person(person_id=people.rep.pk, by=people.admin, at=None)
    client.post(reverse(SIGN_IN), {"login": people.rep.email, "password": "correct horse battery"})
    assert "_auth_user_id" not in client.session


def test_a_running_session_ends_with_the_account(people):
    client = signed_in(people.marketer)
    assert client.get(reverse("me")).status_code == 200
    deactivate_person(person_id=people.marketer.pk, by=people.admin, at=None)
    assert client.get(reverse("me")).status_code == 302


def test_nobody_gives_themselves_another_address(people):
    client, mine = signed_in(people.rep), people.rep.email
    for act in ("action_add", "action_primary"):
        assert client.post("/account/email/", {"email": "boss@elsewhere.example", act: ""}).status_code == 404
    assert User.objects.get(pk=people.rep.pk).email == mine


def test_nobody_signs_up(client, db):
    client.post(reverse("account_signup"), {"email": "new@tarnwick.example", "password1": "correct horse battery"})
    assert not User.objects.filter(email="new@tarnwick.example").exists()


# --- the demo ---------------------------------------------------------------------------------------
@pytest.fixture
def demo(settings):
    settings.DEMO = True
    return settings


def test_the_demo_signs_in_as_each_role_with_one_click(client, people, demo):
    page = client.get(reverse("demo")).content.decode()
    for role in Role:
        where = reverse("demo_sign_in", args=[role.value])
        assert f'action="{where}"' in page
        client.post(where)
        answer = client.get(reverse("me"))
        assert answer.status_code == 200
        assert answer.context["user"].holds(role)
        client.logout()


def test_a_link_does_not_sign_in(client, people, demo):
    assert client.get(reverse("demo_sign_in", args=["rep"])).status_code == 405


def test_the_demo_signs_in_as_invented_people_only(client, db, demo):
    User.objects.create_user("real@company.example", name="Real Person", roles=[Role.ADMIN])
    assert client.post(reverse("demo_sign_in", args=["admin"])).status_code == 404


@pytest.mark.parametrize(("on", "production"), [(False, False), (True, True), (False, True)])
def test_outside_the_demo_its_doors_do_not_exist(client, people, settings, on, production):
    settings.DEMO, settings.PRODUCTION = on, production
    assert client.get(reverse("demo")).status_code == 404
    assert client.post(reverse("demo_sign_in", args=["admin"])).status_code == 404
    assert "_auth_user_id" not in client.session


def test_the_check_refuses_a_demo_in_production(settings):
    settings.DEMO, settings.PRODUCTION = True, True
    assert [error.id for error in demo_is_never_production()] == ["handoff.E001"]
    settings.PRODUCTION = False
    assert demo_is_never_production() == []


# --- the navigation ---------------------------------------------------------------------------------
def navigation(person):
    """The groups of pages in the masthead of the person's own account."""
    return signed_in(person).get(reverse("me")).context["shell"]["nav"]


def test_few_pages_stand_in_a_row_and_many_fold_into_a_menu_a_group(people):
    assert not any(group["folded"] for group in navigation(people.rep))
    groups = navigation(people.admin)
    assert [group["label"] for group in groups] == ["Work", "Agreement", "Data", "Settings"]
    assert [group["label"] for group in groups if group["folded"]] == ["Agreement", "Data", "Settings"]
    for group in groups[1:]:
        assert len(group["pages"]) > 1


def test_the_menu_of_the_page_one_is_on_says_so(people):
    page = signed_in(people.admin).get(reverse("people"))
    assert [group["label"] for group in page.context["shell"]["nav"] if group["current"]] == ["Settings"]
    assert 'popovertarget="nav-settings" aria-current="true"' in page.content.decode()


def test_a_page_that_is_not_there_sends_to_the_inbox_only_those_who_have_one(people):
    assert "Go to your inbox" in signed_in(people.rep).get("/nowhere/").content.decode()
    assert "Go to your inbox" not in signed_in(people.marketer).get("/nowhere/").content.decode()


# --- people -----------------------------------------------------------------------------------------
def test_an_added_person_gets_a_link_and_signs_in_with_the_password_of_their_choice(admin_client, people, client):
    new = {"name": "Nele Newcomer", "email": "Nele@Tarnwick.example", "roles": ["rep"], "team": people.north.pk}
    assert admin_client.post(reverse("person_add"), new).status_code == 302
    person = User.objects.get(email="nele@tarnwick.example")
    assert (person.name, person.roles, person.team) == ("Nele Newcomer", ["rep"], people.north)
    (letter,) = mail.outbox
    link = next(word for word in letter.body.split() if "/password/reset/key/" in word)
    answer = client.get(link, follow=True)
    client.post(
        answer.redirect_chain[-1][0], {"password1": "blue kettle on the moor", "password2": "blue kettle on the moor"}
    )
    client.logout()
    client.post(reverse(SIGN_IN), {"login": person.email, "password": "blue kettle on the moor"})
    assert client.session["_auth_user_id"] == str(person.pk)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"name": " "}, NameRequired),
        ({"email": "not an address"}, EmailInvalid),
        ({"email": "RENA.REP@tarnwick.example"}, EmailTaken),
        ({"roles": []}, RoleUnknown),
        ({"roles": ["emperor"]}, RoleUnknown),
    ],
)
def test_an_incomplete_person_is_refused_and_not_saved(people, change, refusal):
    before = User.objects.count()
    with pytest.raises(refusal):
        add_person(**{"name": "Nele", "email": "nele@tarnwick.example", "roles": ["rep"]} | change, by=people.admin)
    assert User.objects.count() == before


def test_the_page_says_what_was_wrong_and_keeps_what_was_typed(admin_client, people):
    answer = admin_client.post(reverse("person_add"), {"name": "Nele", "email": people.rep.email, "roles": ["rep"]})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert EmailTaken.sentence in page
    assert 'value="Nele"' in page
    assert not mail.outbox


def test_an_admin_changes_name_roles_and_team(admin_client, people):
    where = reverse("person", args=[people.rep.pk])
    admin_client.post(where, {"name": "Rena Renamed", "roles": ["rep", "marketer"], "team": people.south.pk})
    people.rep.refresh_from_db()
    assert (people.rep.name, people.rep.roles, people.rep.team) == ("Rena Renamed", ["marketer", "rep"], people.south)


def test_an_admin_cannot_take_the_admin_role_from_themselves(people):
    with pytest.raises(OwnAdminRole):
        change_person(person_id=people.admin.pk, name="Ada", roles=["rep"], by=people.admin)
    people.admin.refresh_from_db()
    assert people.admin.roles == ["admin"]


def test_an_admin_cannot_deactivate_themselves(people):
    with pytest.raises(OwnAccount):
        deactivate_person(person_id=people.admin.pk, by=people.admin, at=None)


@pytest.mark.parametrize("role", ["rep", "manager", "marketer", "marketing_leader", "sales_leader"])
def test_only_an_admin_manages_people(people, role):
    person = getattr(people, role)
    for act in (
        lambda: add_person(name="N", email="n@tarnwick.example", roles=["admin"], by=person),
        lambda: change_person(person_id=person.pk, name="N", roles=["admin"], by=person),
        lambda: deactivate_person(person_id=people.rep.pk, by=person, at=None),
        lambda: reactivate_person(person_id=people.rep.pk, by=person),
        lambda: add_team(name="West", by=person),
        lambda: rename_team(team_id=people.north.pk, name="West", by=person),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_someone_with_open_leads_is_not_deactivated_and_the_sentence_says_how_many(open_lead, people, now):
    open_lead()
    open_lead()
    with pytest.raises(HoldsOpenHandoffs, match="Rena Rep holds 2 open leads"):
        deactivate_person(person_id=people.rep.pk, by=people.admin, at=now)
    people.rep.refresh_from_db()
    assert people.rep.is_active


def test_open_leads_go_to_the_least_busy_of_the_team_and_the_clocks_go_on(open_lead, people, now, admin_client):
    for _ in range(3):
        open_lead()
    due = set(Handoff.objects.values_list("decision_due_at", flat=True))
    answer = admin_client.post(reverse("person_deactivate", args=[people.rep.pk]), {"hand_over": "1"})
    assert answer.status_code == 302
    people.rep.refresh_from_db()
    assert not people.rep.is_active
    assert {handoff.owner for handoff in Handoff.objects.all()} == {people.other_rep}
    assert set(Handoff.objects.values_list("decision_due_at", flat=True)) == due
    assert Assignment.objects.filter(owner=people.other_rep, assigned_by=people.admin).count() == 3


def test_with_no_rep_left_to_take_the_leads_they_wait_in_the_default_queue_of_a_manager(open_lead, people, now):
    handoff = open_lead()
    for rep in (people.other_rep, people.south_rep):
        deactivate_person(person_id=rep.pk, by=people.admin, at=now)
    deactivate_person(person_id=people.rep.pk, by=people.admin, at=now, hand_over=True)
    handoff.refresh_from_db()
    assert (handoff.owner, handoff.waits_in_queue) == (people.manager, True)
    assert "default queue" in Assignment.objects.filter(handoff=handoff).last().why


def test_a_person_is_let_in_again(people, now):
    deactivate_person(person_id=people.rep.pk, by=people.admin, at=now)
    assert reactivate_person(person_id=people.rep.pk, by=people.admin).is_active


def test_an_owner_learnt_from_an_import_needs_an_address_first(people):
    learnt = User.objects.create(name="Old Owner", email=None, is_active=False, password="!")
    with pytest.raises(CannotSignIn):
        reactivate_person(person_id=learnt.pk, by=people.admin)
    change_person(person_id=learnt.pk, name="Old Owner", roles=["rep"], email="old@tarnwick.example", by=people.admin)
    assert reactivate_person(person_id=learnt.pk, by=people.admin).email == "old@tarnwick.example"


def test_teams_are_added_and_renamed_and_two_never_share_a_name(people):
    west = add_team(name=" West ", by=people.admin)
    assert rename_team(team_id=west.pk, name="Far West", by=people.admin).name == "Far West"
    for taken in ("north", "NORTH "):
        with pytest.raises(TeamNameTaken):
            rename_team(team_id=west.pk, name=taken, by=people.admin)
    assert Team.objects.get(pk=west.pk).name == "Far West"


# --- one's own account --------------------------------------------------------------------------------
def test_theme_and_keys_are_switched_without_javascript(people):
    client = signed_in(people.rep)
    assert client.post(reverse("theme"), {"theme": "dark"}).status_code == 302
    assert client.post(reverse("keys"), {}).status_code == 302
    people.rep.refresh_from_db()
    assert (people.rep.theme, people.rep.keys_on) == ("dark", False)
    assert 'data-theme="dark"' in client.get(reverse("me")).content.decode()


def test_a_theme_that_does_not_exist_is_refused(people):
    assert signed_in(people.rep).post(reverse("theme"), {"theme": "plaid"}).status_code == 422


def test_the_way_back_never_leads_to_another_site(people):
    answer = signed_in(people.rep).post(
        reverse("theme"), {"theme": "dark"}, headers={"referer": "https://evil.example/"}
    )
    assert answer["Location"] == reverse("me")


# --- a new company ------------------------------------------------------------------------------------
def test_a_new_company_starts_from_the_command_line(db, monkeypatch, capsys):
    monkeypatch.setenv("ADMIN_PASSWORD", "blue kettle on the moor")
    call_command("create_admin", "Ada@Company.example", name="Ada")
    ada = User.objects.get(email="ada@company.example")
    assert ada.roles == ["admin"]
    assert ada.check_password("blue kettle on the moor")
    for name, role in (("m", Role.MARKETING_LEADER), ("s", Role.SALES_LEADER)):
        add_person(name=name, email=f"{name}@company.example", roles=[role], by=ada)
    call_command("start_agreement")
    assert "waits for: Marketing, Sales" in capsys.readouterr().out
    call_command("start_agreement", signed_by_marketing="m@company.example", signed_by_sales="s@company.example")
    assert "in force" in capsys.readouterr().out
    assert SLAVersion.objects.signed().get().number == 1
    with pytest.raises(CommandError, match="already"):
        call_command("start_agreement")


def test_a_weak_password_makes_no_admin(db, monkeypatch):
    monkeypatch.setenv("ADMIN_PASSWORD", "password")
    with pytest.raises(CommandError, match="Nothing was saved"):
        call_command("create_admin", "ada@company.example")
    assert not User.objects.exists()


def test_one_person_does_not_start_an_agreement_for_both_sides(people):
    people.marketing_leader.roles = sorted([Role.MARKETING_LEADER, Role.SALES_LEADER])
    people.marketing_leader.save()
    both = people.marketing_leader.email
    with pytest.raises(CommandError, match="both sides"):
        call_command("start_agreement", signed_by_marketing=both, signed_by_sales=both)
    assert not SLAVersion.objects.exists()

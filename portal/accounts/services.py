"""Verbs on people and teams. Deactivating needs to know the open leads, so it lives in leads.services.leave."""

import structlog
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from portal.accounts.models import Role, Team, User
from portal.accounts.permissions import May, require
from portal.accounts.refusals import (
    CannotSignIn,
    EmailInvalid,
    EmailTaken,
    NameRequired,
    NameTooLong,
    OwnAdminRole,
    RoleUnknown,
    TeamNameTaken,
)

log = structlog.get_logger(__name__)


@transaction.atomic(durable=True)
def add_person(*, name, email, roles, by, team=None):
    """A new active person without a password; the caller sends the link to set one. Returns the User.

    Refuses: NotPermitted, NameRequired, NameTooLong, EmailInvalid, EmailTaken, RoleUnknown.
    """
    require(by, May.MANAGE_PEOPLE)
    person = User.objects.create_user(_free_email(email), name=_name(name), roles=_roles(roles), team=team)
    log.info("person_added", person=person.pk, roles=person.roles, by=by.pk)
    return person


@transaction.atomic(durable=True)
def change_person(*, person_id, name, roles, by, team=None, email=None):
    """Change name, roles and team; `email` only where the person has none yet. Returns the User.

    Refuses: NotPermitted, NameRequired, NameTooLong, RoleUnknown, OwnAdminRole, EmailInvalid, EmailTaken.
    """
    require(by, May.MANAGE_PEOPLE)
    person = User.objects.select_for_update().get(pk=person_id)
    person.name, person.roles, person.team = _name(name), _roles(roles), team
    if person.pk == by.pk and Role.ADMIN not in person.roles:
        raise OwnAdminRole
    if email and not person.email:
        person.email = _free_email(email)
    person.save(update_fields=["name", "roles", "team", "email"])
    log.info("person_changed", person=person.pk, roles=person.roles, team=person.team_id, by=by.pk)
    return person


@transaction.atomic(durable=True)
def reactivate_person(*, person_id, by):
    """Let a person work here again. Returns the User. Refuses: NotPermitted, CannotSignIn."""
    require(by, May.MANAGE_PEOPLE)
    person = User.objects.select_for_update().get(pk=person_id)
    if not person.email:
        raise CannotSignIn
    person.is_active = True
    person.save(update_fields=["is_active"])
    log.info("person_reactivated", person=person.pk, by=by.pk)
    return person


@transaction.atomic(durable=True)
def add_team(*, name, by):
    """Returns the Team. Refuses: NotPermitted, NameRequired, NameTooLong, TeamNameTaken."""
    require(by, May.MANAGE_PEOPLE)
    team = Team.objects.create(name=_free_team_name(name))
    log.info("team_added", team=team.pk, by=by.pk)
    return team


@transaction.atomic(durable=True)
def rename_team(*, team_id, name, by):
    """Returns the Team. Refuses: NotPermitted, NameRequired, NameTooLong, TeamNameTaken."""
    require(by, May.MANAGE_PEOPLE)
    team = Team.objects.select_for_update().get(pk=team_id)
    team.name = _free_team_name(name, besides=team.pk)
    team.save(update_fields=["name"])
    log.info("team_renamed", team=team.pk, by=by.pk)
    return team


@transaction.atomic(durable=True)
def choose_theme(*, person, theme):
    """What the person's own pages look like: a value of Theme."""
    User.objects.filter(pk=person.pk).update(theme=theme)


@transaction.atomic(durable=True)
def switch_keys(*, person, on):
    """Whether single keys act on the person's own pages."""
    User.objects.filter(pk=person.pk).update(keys_on=on)


def _name(name, of=User):
    if not name.strip():
        raise NameRequired
    if len(name.strip()) > of._meta.get_field("name").max_length:
        raise NameTooLong
    return name.strip()


def _free_email(email):
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise EmailInvalid from None
    if len(email) > User._meta.get_field("email").max_length:
        raise EmailInvalid
    if User.objects.filter(email__iexact=email).exists():
        raise EmailTaken
    return email


def _roles(roles):
    if not roles or not set(roles) <= set(Role.values):
        raise RoleUnknown
    return sorted(set(roles))


def _free_team_name(name, besides=None):
    name = _name(name, of=Team)
    if Team.objects.filter(name__iexact=name).exclude(pk=besides).exists():
        raise TeamNameTaken
    return name

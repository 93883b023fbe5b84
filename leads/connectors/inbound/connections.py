"""Verbs on inbound connections: make one, say how its items are read, renew its address, disable and retire it."""

import datetime as dt
import secrets

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

from leads.connectors.inbound import facts as reading
from leads.connectors.inbound import generic, senders
from leads.connectors.models import Connection
from leads.connectors.outgoing.signing import new_secret
from portal.accounts.permissions import May, require
from portal.keys.secrets import digest
from portal.shared.refusal import Refusal
from portal.shared.sealed import seal

log = structlog.get_logger(__name__)
Kind = Connection.Kind
OVERLAP = dt.timedelta(hours=24)  # both addresses work for that long
CRM_EVENT = "crm_updated"
LONGEST_NAME, LONGEST_KIND, LONGEST_PATH, LONGEST_SECRET = 80, 60, 200, 200
MOST_PROPERTIES = 30


class ConnectionIncomplete(Refusal):
    code = "connection_incomplete"
    sentence = "Give the connection a name of at most 80 characters and say what it connects. Nothing was saved."
    field = "name"


class ConnectionNameTaken(Refusal):
    code = "connection_name_taken"
    sentence = "A connection with this name exists already. Nothing was saved."
    field = "name"


class SecretMissing(Refusal):
    code = "secret_missing"
    sentence = "HubSpot signs with the client secret of your app: copy it here. Nothing was saved."
    field = "secret"


class OrganisationMissing(Refusal):
    code = "organisation_missing"
    sentence = "Salesforce’s id of an organisation is 00D… with 15 or 18 letters and digits. Nothing was saved."
    field = "organisation"


class EventKindMissing(Refusal):
    code = "event_kind_missing"
    sentence = "Say in small letters and underscores what each item tells: webinar_attended. Nothing was saved."
    field = "event_kind"


class PropertiesWrong(Refusal):
    code = "properties_wrong"
    sentence = "Properties of the event are lines “name = path”, at most 30 of them. Nothing was saved."
    field = "properties"


def connection_at(*, kind, token, at):
    """The Connection whose secret address it is, or None; the address before the present one works until its time."""
    mark = digest(token[:200])
    live = Connection.objects.kept().filter(disabled_at=None, kind=kind)
    return live.filter(Q(address_digest=mark) | Q(previous_digest=mark, previous_until__gt=at)).first()


@transaction.atomic(durable=True)
def add_connection(*, name, kind, by, at, secret="", organisation="", event_kind="", signed=False):
    """A system that may tell us of leads. Returns (Connection, the secret part of its address, its signing secret).

    The signing secret is "" but for JSON with `signed`. Neither is shown again.
    Refuses: NotPermitted, ConnectionIncomplete, ConnectionNameTaken, SecretMissing, OrganisationMissing,
    EventKindMissing.
    """
    require(by, May.MANAGE_CONNECTIONS)
    if kind not in Kind.values:
        raise ConnectionIncomplete
    shown = new_secret() if kind == Kind.JSON and signed else ""
    token, made = secrets.token_urlsafe(32), Connection(name=_name(name), kind=kind, created_at=at, created_by=by)
    made.address_digest, made.address_end = digest(token), token[-4:]
    made.secret = seal(_hubspot_secret(secret)) if kind == Kind.HUBSPOT else shown and seal(shown)
    made.organisation = _organisation(organisation) if kind == Kind.SALESFORCE else ""
    made.event_kind = CRM_EVENT if made.is_crm else _event_kind(event_kind)
    made.mapping, made.shares_ids = {"columns": dict(senders.USUAL[kind])}, made.is_crm
    made.overwrites = list(senders.USUAL[kind]) if made.is_crm else []
    _save(made)
    log.info("connection_added", connection=made.pk, kind=kind, by=by.pk)
    return made, token, shown


@transaction.atomic(durable=True)
def change_connection(
    *, connection_id, name, mapping, overwrites, ours, shares_ids, by, paths=None, event_kind="", properties=None
):
    """How its items are read, which facts it is the source of, and who there writes what we told. Returns it.

    mapping: the importer's document. paths, event_kind and properties {property of the event: path} are for JSON.
    Refuses: NotPermitted, ConnectionIncomplete, ConnectionNameTaken, EventKindMissing, PropertiesWrong,
    MappingRefused.
    """
    changed = _lock(connection_id, by)
    fills = reading.checked(mapping).fields
    changed.name, changed.mapping = _name(name), mapping
    changed.overwrites = [fact for fact in dict.fromkeys(overwrites) if fact in fills]
    changed.ours = [who[:120] for who in dict.fromkeys(filter(None, map(str.strip, ours)))][:50]
    changed.shares_ids = shares_ids
    if changed.kind == Kind.JSON:
        changed.event_kind = _event_kind(event_kind)
        given = {name: (paths or {}).get(name, "").strip()[:LONGEST_PATH] for name in generic.PATHS}
        changed.paths = {name: path for name, path in given.items() if path}
        changed.properties = _properties(properties or {})
    _save(changed)
    log.info("connection_changed", connection=changed.pk, by=by.pk)
    return changed


@transaction.atomic(durable=True)
def renew_address(*, connection_id, by, at):
    """A new secret address; the one before it works for another day. Returns (Connection, the secret part).

    Refuses: NotPermitted.
    """
    changed, token = _lock(connection_id, by), secrets.token_urlsafe(32)
    changed.previous_digest, changed.previous_until = changed.address_digest, at + OVERLAP
    changed.address_digest, changed.address_end = digest(token), token[-4:]
    changed.save()
    log.info("connection_address_renewed", connection=changed.pk, by=by.pk)
    return changed, token


@transaction.atomic(durable=True)
def change_secret(*, connection_id, secret, by):
    """HubSpot's client secret, after it was renewed there. Returns it. Refuses: NotPermitted, SecretMissing."""
    changed = _lock(connection_id, by)
    if changed.kind == Kind.HUBSPOT:
        changed.secret = seal(_hubspot_secret(secret))
        changed.save(update_fields=["secret"])
        log.info("connection_secret_changed", connection=changed.pk, by=by.pk)
    return changed


@transaction.atomic(durable=True)
def set_disabled(*, connection_id, disabled, by, at):
    """Disabled, its address leads nowhere. Returns it. Refuses: NotPermitted."""
    changed = _lock(connection_id, by)
    if disabled is not bool(changed.disabled_at):
        changed.disabled_at, changed.disabled_by = (at, by) if disabled else (None, None)
        changed.save(update_fields=["disabled_at", "disabled_by"])
        log.info("connection_disabled" if disabled else "connection_enabled", connection=changed.pk, by=by.pk)
    return changed


@transaction.atomic(durable=True)
def retire_connection(*, connection_id, by, at):
    """Its address leads nowhere for ever; secrets are forgotten, the log stays. Returns it. Refuses: NotPermitted."""
    changed = _lock(connection_id, by)
    changed.retired_at, changed.retired_by = at, by
    changed.secret = changed.previous_digest = ""
    changed.previous_until = None
    changed.save()
    log.info("connection_retired", connection=changed.pk, by=by.pk)
    return changed


def _lock(connection_id, by):
    require(by, May.MANAGE_CONNECTIONS)
    return Connection.objects.kept().select_for_update().get(pk=connection_id)


def _name(name):
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise ConnectionIncomplete
    return name


def _hubspot_secret(secret):
    if not secret.strip() or len(secret) > LONGEST_SECRET:
        raise SecretMissing
    return secret.strip()


def _organisation(text):
    text = text.strip()
    if len(text) not in (15, 18) or not (text.isascii() and text.isalnum() and text.startswith("00D")):
        raise OrganisationMissing
    return text


def _event_kind(text):
    text = text.strip()
    if not text or len(text) > LONGEST_KIND or not text.replace("_", "").isalnum() or text != text.lower():
        raise EventKindMissing
    return text


def _properties(given):
    wrong = any(
        not name or not path or len(name) > LONGEST_KIND or len(path) > LONGEST_PATH for name, path in given.items()
    )
    if wrong or len(given) > MOST_PROPERTIES:
        raise PropertiesWrong
    return given


def _save(made):
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        raise ConnectionNameTaken from None

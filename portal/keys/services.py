"""Verbs on keys: make one, revoke it; the same for websites; forget answers that nobody may ask for any more."""

import datetime as dt
from urllib.parse import urlsplit

import structlog
from django.db import transaction

from portal.accounts.models import User
from portal.accounts.permissions import May, require
from portal.keys import secrets
from portal.keys.models import ApiKey, KeptAnswer, KeyAct, Website
from portal.keys.scopes import SCOPES
from portal.shared.refusal import Refusal

log = structlog.get_logger(__name__)
KEPT_FOR = dt.timedelta(hours=24)
LIFETIMES = (30, 90, 180, 365)  # days
LONGEST_NAME, LONGEST_ORIGIN, MOST_ORIGINS = 80, 200, 20


class KeyNameRequired(Refusal):
    code = "key_name_required"
    sentence = "Say what the key is for, in at most 80 characters. Nothing was saved."
    field = "name"


class ScopesRequired(Refusal):
    code = "scopes_required"
    sentence = "Tick at least one thing that the key may do. Nothing was saved."
    field = "scopes"


class PersonRequired(Refusal):
    code = "person_required"
    sentence = "Choose an active person whom the key acts as. Nothing was saved."
    field = "person"


class LifetimeUnknown(Refusal):
    code = "lifetime_unknown"
    sentence = "Choose for how long the key is good. Nothing was saved."
    field = "days"


class OriginInvalid(Refusal):
    code = "origin_invalid"
    sentence = "An origin is https:// and a name, such as https://www.tarnwick.example, one a line. Nothing was saved."
    field = "origins"


class KeyGone(Refusal):
    code = "key_gone"
    sentence = "This key was revoked already."


@transaction.atomic(durable=True)
def make_key(*, name, person_id, scopes, days, by, at):
    """A key with which a program acts as that person for `days` days. Returns (the ApiKey, its token, shown once).

    Refuses: NotPermitted, KeyNameRequired, PersonRequired, ScopesRequired, LifetimeUnknown.
    """
    require(by, May.MANAGE_KEYS)
    name = _name(name)
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ScopesRequired
    if days not in LIFETIMES:
        raise LifetimeUnknown
    person = User.objects.active().filter(pk=person_id).first()
    if person is None:
        raise PersonRequired
    prefix, token = secrets.new_token()
    key = ApiKey.objects.create(
        name=name, prefix=prefix, digest=secrets.digest(secrets.taken_apart(token)[1]), person=person,
        scopes=[scope for scope in SCOPES if scope in scopes], created_at=at, created_by=by,
        expires_at=at + dt.timedelta(days=days),
    )  # fmt: skip
    _note(KeyAct.Act.MADE, by=by, at=at, key=key)
    return key, token


@transaction.atomic(durable=True)
def revoke_key(*, key_id, by, at):
    """The key opens nothing any more, from the next request on. Returns it. Refuses: NotPermitted, KeyGone."""
    require(by, May.MANAGE_KEYS)
    key = ApiKey.objects.select_for_update().get(pk=key_id)
    return _revoke(key, by=by, at=at, key=key)


@transaction.atomic(durable=True)
def add_website(*, name, origins, by, at):
    """A website whose pages on these origins (text, one a line) may tell of visits. Returns the Website.

    Refuses: NotPermitted, KeyNameRequired, OriginInvalid.
    """
    require(by, May.MANAGE_KEYS)
    site = Website.objects.create(
        name=_name(name), key=secrets.new_site_key(), origins=_origins(origins), created_at=at, created_by=by
    )
    _note(KeyAct.Act.MADE, by=by, at=at, website=site)
    return site


@transaction.atomic(durable=True)
def revoke_website(*, website_id, by, at):
    """Nothing that the website sends is taken any more. Returns it. Refuses: NotPermitted, KeyGone."""
    require(by, May.MANAGE_KEYS)
    site = Website.objects.select_for_update().get(pk=website_id)
    return _revoke(site, by=by, at=at, website=site)


@transaction.atomic(durable=True)
def note_use(*, key_id, at):
    """That the key was used at `at`; asked for at most once a minute, by the door."""
    ApiKey.objects.filter(pk=key_id).update(last_used_at=at)


@transaction.atomic(durable=True)
def forget_answers(*, at):
    """Delete answers kept for longer than a day. Returns how many."""
    return KeptAnswer.objects.filter(kept_at__lte=at - KEPT_FOR).delete()[0]


def _revoke(row, *, by, at, **which):
    if row.revoked_at:
        raise KeyGone
    row.revoked_at, row.revoked_by = at, by
    row.save(update_fields=["revoked_at", "revoked_by"])
    _note(KeyAct.Act.REVOKED, by=by, at=at, **which)
    return row


def _note(act, *, by, at, **which):
    KeyAct.objects.create(act=act, acted_at=at, acted_by=by, **which)
    log.info(f"key_{act}", by=by.pk, **{name: row.pk for name, row in which.items()})


def _name(name):
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise KeyNameRequired
    return name.strip()


def _origins(text):
    """The origins of the lines, as browsers write them; a path, a user or a wildcard is none."""
    found = []
    for line in text.split():
        try:
            parts = urlsplit(line.rstrip("/"))
            host, port = parts.hostname, parts.port
        except ValueError:
            raise OriginInvalid from None
        named = host and parts.scheme in ("https", "http") and host.isascii() and "*" not in host
        if not named or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
            raise OriginInvalid
        usual = {"https": 443, "http": 80}[parts.scheme] == port
        found.append(f"{parts.scheme}://{parts.netloc.lower()}".removesuffix(f":{port}" if usual else ""))
    if not 0 < len(found) <= MOST_ORIGINS or any(len(one) > LONGEST_ORIGIN for one in found):
        raise OriginInvalid
    return list(dict.fromkeys(found))

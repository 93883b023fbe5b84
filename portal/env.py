"""Reads the environment: each setting is parsed here, and a bad one is refused in one line that says what to set."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured


def text(name, default=None):
    """The variable's text, or `default` when it is unset or empty; with no default it is required."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. Set it in the environment.")
    return default


def flag(name, default=False):
    """True for 1, true, yes, on; False for 0, false, no, off; anything else is refused."""
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is not a yes or no. Set {name}=1 or {name}=0.")


def whole(name, default):
    """A whole number from 1 on."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdecimal() and int(value[:10]) > 0):
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number. Set {name}={default}, for example.")
    return int(value)


def names(name, default=""):
    """A comma-separated list, blanks dropped."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def zone(name, default):
    """A time zone's name that the tz database knows."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name}={value!r} is not a time zone. Set {name} to a name such as Europe/Berlin."
        ) from None
    return value


def database(name, url):
    """Django's DATABASES entry for postgres://user:password@host:port/name?host=/socket/folder&option=value."""
    parts = _url(name, url, {"postgres", "postgresql"}, "postgres://user:password@host:5432/handoff")
    options = dict(parse_qsl(parts.query))
    if not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} names no database. Set {name}=postgres://user:password@host:5432/handoff")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def broker(name, url):
    """A Celery broker address: redis://, rediss:// (Valkey too), amqp:// or amqps://."""
    example = "redis://host:6379/0 or amqp://user:password@host:5672//"
    parts = _url(name, url, {"redis", "rediss", "amqp", "amqps", "redis+socket"}, example)
    if parts.scheme in {"redis", "rediss"} and not (parts.path.strip("/") or "0").isdigit():
        raise ImproperlyConfigured(f"{name}={url!r} does not end in a number. Set {name}=redis://host:6379/0")
    return url


def cache(name, broker_url):
    """Django's CACHES entry: CACHE_URL, else the broker's server when it is Redis or Valkey, else a table.

    The broker's neighbour database is taken, never its own: clearing a cache must not clear a queue.
    """
    url = text(name, "")
    if url:
        _url(name, url, {"redis", "rediss", "unix"}, "redis://host:6379/1")
    elif broker_url.startswith("redis+socket:"):
        parts = urlsplit(broker_url)
        url = f"unix://{parts.path}?db={int(dict(parse_qsl(parts.query)).get('virtual_host', 0)) + 1}"
    elif broker_url.startswith(("redis:", "rediss:")):
        parts = urlsplit(broker_url)
        url = parts._replace(path=f"/{int(parts.path.strip('/') or 0) + 1}").geturl()
    if not url:
        return {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "handoff",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},  # a page does not wait for a cache that is gone
    }


def refuse(problems):
    """Raise on the first {sentence: whether it is so} that is so: production has no defaults to fall back on."""
    for sentence, so in problems.items():
        if so:
            raise ImproperlyConfigured(f"PRODUCTION=1, but {sentence}")


def email(name, url):
    """Django's MAILERS entry for smtp://, smtps://, file:///folder or console://."""
    parts = _url(name, url, {"smtp", "smtps", "file", "console", "dummy"}, "smtp://user:password@host:587?tls=1")
    backends = "django.core.mail.backends."
    if parts.scheme == "console":
        return {"BACKEND": backends + "console.EmailBackend"}
    if parts.scheme == "dummy":
        return {"BACKEND": backends + "dummy.EmailBackend"}
    if parts.scheme == "file":
        return {"BACKEND": "portal.outbox.kept.KeptMail", "OPTIONS": {"file_path": unquote(parts.path)}}
    query = dict(parse_qsl(parts.query))
    secure = parts.scheme == "smtps"
    return {
        "BACKEND": backends + "smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname or "localhost",
            "port": parts.port or (465 if secure else 587),
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_ssl": secure,
            "use_tls": query.get("tls") == "1" and not secure,
            "timeout": 20,
        },
    }


def _url(name, url, schemes, example):
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in schemes:
        raise ImproperlyConfigured(f"{name}={url!r} is not an address this portal understands. Set {name}={example}")
    return parts

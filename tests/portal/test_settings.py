"""What a person sees who sets the environment wrong: one line that says what to set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import env

CLONE = Path(__file__).resolve().parents[2]
FIT_FOR_PRODUCTION = {
    "PRODUCTION": "1",
    "DATABASE_URL": "postgres://portal:secret@db.example/portal",
    "BROKER_URL": "amqp://portal:secret@broker.example//",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ALLOWED_HOSTS": "handoff.example",
    "EMAIL_URL": "smtp://portal:secret@mail.example:587?tls=1",
}
TRYING_KEY = "only-for-trying-never-for-production-0123456789-abcdefghij"


def loaded(**settings):
    """Read the settings in a fresh process, with only these variables of ours."""
    ours = {*FIT_FOR_PRODUCTION, "DEMO", "DEBUG", "TESTING", "CACHE_URL", "DJANGO_SETTINGS_MODULE"}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "manage.py", "stop"], cwd=CLONE, env=inherited | settings, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"DATABASE_URL": "mysql://db/handoff"}, "Set DATABASE_URL=postgres://"),
        ({"BROKER_URL": "nonsense"}, "Set BROKER_URL=redis://"),
        ({"ORGANISATION_TIME_ZONE": "Mars/Olympus"}, "Set ORGANISATION_TIME_ZONE to a name such as Europe/Berlin"),
    ],
)
def test_a_malformed_setting_costs_one_line_that_says_what_to_set(tmp_path, settings, says):
    done = loaded(**{"HANDOFF_DATA_DIR": str(tmp_path), **settings})
    assert done.returncode == 1
    assert done.stdout == ""
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def values(monkeypatch, **changes):
    """The settings' namespace under production's environment with `changes` (None takes a variable away)."""
    for name in {*FIT_FOR_PRODUCTION, *changes, "DEMO", "DEBUG", "TESTING", "CACHE_URL"}:
        monkeypatch.delenv(name, raising=False)
    for name, value in (FIT_FOR_PRODUCTION | changes).items():
        if value is not None:
            monkeypatch.setenv(name, value)
    namespace = {"__file__": str(CLONE / "portal" / "settings.py"), "__name__": "portal.settings"}
    exec(compile((CLONE / "portal" / "settings.py").read_text(), "settings.py", "exec"), namespace)
    return namespace


def test_production_starts_when_everything_is_set(monkeypatch):
    settings = values(monkeypatch)
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SESSION_COOKIE_SECURE"]
    assert not settings["DEBUG"]
    assert not settings["DEMO"]


@pytest.mark.parametrize("name", ["DATABASE_URL", "BROKER_URL", "SECRET_KEY", "ALLOWED_HOSTS", "EMAIL_URL"])
def test_production_refuses_to_start_without(monkeypatch, name):
    with pytest.raises(ImproperlyConfigured, match=f"{name} is not set"):
        values(monkeypatch, **{name: None})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEMO", "1"),
        ("DEBUG", "yes"),
        ("TESTING", "1"),
        ("SECRET_KEY", TRYING_KEY),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("ALLOWED_HOSTS", "*"),
        ("EMAIL_URL", "file:///tmp/mail"),
        ("EMAIL_URL", "console://"),
    ],
)
def test_production_refuses_what_is_meant_for_trying(monkeypatch, name, value):
    with pytest.raises(ImproperlyConfigured, match=f"PRODUCTION=1, but {name}"):
        values(monkeypatch, **{name: value})


def test_the_cache_never_shares_a_database_with_the_queue(monkeypatch):
    monkeypatch.delenv("CACHE_URL", raising=False)
    assert env.cache("CACHE_URL", "redis://host:6379/3")["LOCATION"] == "redis://host:6379/4"
    assert env.cache("CACHE_URL", "redis+socket:///run/valkey")["LOCATION"] == "unix:///run/valkey?db=1"


def test_beside_rabbitmq_the_cache_is_a_table_that_all_processes_share(monkeypatch):
    monkeypatch.delenv("CACHE_URL", raising=False)
    assert env.cache("CACHE_URL", "amqp://host//")["BACKEND"].endswith("db.DatabaseCache")


def test_a_database_address_keeps_its_parts():
    entry = env.database("DATABASE_URL", "postgres://me:p%40ss@db:5433/portal?sslmode=require")
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"]) == ("me", "p@ss", "db", "5433")
    assert entry["NAME"] == "portal"
    assert entry["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize("url", ["postgres://db:port/x", "postgres://db", "http://db/x", ""])
def test_a_database_address_that_says_too_little_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="Set DATABASE_URL=postgres://"):
        env.database("DATABASE_URL", url)


def test_a_broker_database_that_is_no_number_is_refused():
    with pytest.raises(ImproperlyConfigured, match="Set BROKER_URL=redis://host:6379/0"):
        env.broker("BROKER_URL", "redis://host:6379/jobs")


def test_yes_and_no_are_understood_and_anything_else_is_refused(monkeypatch):
    monkeypatch.setenv("DEMO", "On")
    assert env.flag("DEMO")
    monkeypatch.setenv("DEMO", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="Set DEMO=1 or DEMO=0"):
        env.flag("DEMO")


def test_behind_a_proxy_tries_are_counted_for_its_clients_and_not_for_the_proxy(monkeypatch):
    """Else one person's wrong passwords would keep everybody out, and every signature would note one address."""
    assert values(monkeypatch, BEHIND_PROXY="1")["ALLAUTH_TRUSTED_PROXY_COUNT"] == 1
    assert values(monkeypatch, BEHIND_PROXY=None)["ALLAUTH_TRUSTED_PROXY_COUNT"] == 0

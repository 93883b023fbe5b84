"""PostgreSQL and Valkey from their wheels, for trying and for testing: started when no addresses are configured."""

import os
import sys
from pathlib import Path

from portal import env
from portal.embedded import folder, postgres, valkey
from portal.embedded.process import CannotStart, locked

__all__ = [
    "CannotStart",
    "broker_url",
    "data_dir",
    "database_owner_url",
    "database_url",
    "in_use",
    "provide",
    "start",
    "stop",
]

CLONE = Path(__file__).resolve().parent.parent.parent


def data_dir():
    """The folder that holds everything this installation writes: HANDOFF_DATA_DIR, or `.data` in the clone."""
    return Path(env.text("HANDOFF_DATA_DIR", str(CLONE / ".data"))).expanduser().resolve()


def database_url(data, role=postgres.PORTAL):
    """The embedded database's address (a socket's folder) for a role, whether or not it runs at the moment."""
    return postgres.url(folder.of(data), role)


def database_owner_url(data):
    """The same as the owner of the tables, who migrates."""
    return database_url(data, postgres.OWNER)


def broker_url(data):
    """The embedded broker's address (a socket), whether or not it runs at the moment."""
    return valkey.url(folder.of(data))


def in_use(environ=os.environ):
    """The names of the addresses that nobody configured, and that the embedded services therefore stand in for."""
    return [name for name in ("DATABASE_URL", "BROKER_URL") if not environ.get(name, "").strip()]


def provide(environ=os.environ):
    """Start what `environ` does not name an address for, unless it runs already. Quick when it does.

    Production gets nothing: its settings say which address is missing.
    """
    missing = [] if env.flag("PRODUCTION") else in_use(environ)
    if missing:
        start(data_dir(), database="DATABASE_URL" in missing, broker="BROKER_URL" in missing)


def start(data, *, database=True, broker=True, throw_away=False):
    """Bring the services under `data` up and wait for them. Raises CannotStart with one line that says why not.

    `throw_away` trades safety for speed: nothing is forced to the disk, for instances that end with a test run.
    """
    home = folder.of(data)
    if _answering(home, database, broker):
        return
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    with locked(data / "services.lock"):
        home = folder.prepare(data, say=_say)
        if database:
            postgres.start(home, throw_away=throw_away)
        if broker:
            valkey.start(home, throw_away=throw_away)


def stop(data):
    """Stop both services cleanly; True when anything ran."""
    if not data.is_dir():
        return False
    with locked(data / "services.lock"):
        home = folder.of(data)
        return any([valkey.stop(home), postgres.stop(home)])


def _answering(home, database, broker):
    return (not database or postgres.answers(home)) and (not broker or valkey.answers(home))


def _say(line):
    print(line, file=sys.stderr)

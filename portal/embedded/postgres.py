"""The embedded PostgreSQL: made once, started on demand, reached by a socket that only its user can enter."""

import shlex
import shutil
from urllib.parse import quote

import psycopg

from portal.embedded.folder import POSTGRES
from portal.embedded.process import CannotStart, is_ours, pid_in, wait_until

DATABASE = "handoff"
SUPERUSER, OWNER, PORTAL = "postgres", "handoff_owner", "handoff"
NO_SUCH_PROCESS = 2**31 - 1
SETTINGS = {
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",  # rows and statements hold what people wrote
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
}
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def url(home, role=PORTAL):
    """The database's address for DATABASE_URL (as PORTAL) or DATABASE_OWNER_URL (as OWNER)."""
    return f"postgres://{role}@/{DATABASE}?host={quote(str(home.sockets), safe='')}"


def answers(home):
    """True when the server takes connections and the database is there."""
    if not (home.sockets / ".s.PGSQL.5432").exists():
        return False
    try:
        _connect(home, DATABASE).close()
    except psycopg.OperationalError:
        return False
    return True


def start(home, *, throw_away=False):
    """Start the server unless it answers, make what is missing, wait until it is ready. Hold the folder's lock."""
    if answers(home):
        return
    _make_cluster(home, throw_away)
    if not wait_until(lambda: _start_server(home, throw_away), 30):
        log = (home.path / "postgres.log").read_text(errors="replace").strip().splitlines()
        raise CannotStart(f"PostgreSQL does not start: {log[-1] if log else 'no log'} (see {home.path}/postgres.log)")
    _make_database(home)


def stop(home):
    """Stop the server as PostgreSQL likes it best; True when it ran."""
    if not is_ours(pid_in(_pid_file(home)), str(_cluster(home))):
        return False
    home.run(_program(home, "pg_ctl"), "-D", _cluster(home), "-m", "fast", "-w", "-t", "60", "stop")
    return True


def _cluster(home):
    return home.path / "postgres"


def _pid_file(home):
    return _cluster(home) / "postmaster.pid"


def _program(home, name):
    return home.binary(POSTGRES, "pginstall", "bin", name)


def _connect(home, database):
    return psycopg.connect(
        host=str(home.sockets), port=5432, user=SUPERUSER, dbname=database, connect_timeout=10, autocommit=True
    )


def _make_cluster(home, throw_away):
    """Make the data directory under another name first: a half-made one is never taken for a whole one."""
    cluster = _cluster(home)
    if cluster.exists():
        _refuse_other_version(home)
        return
    half = home.path / "postgres.half"
    shutil.rmtree(half, ignore_errors=True)
    options = "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C --encoding=UTF8 --username=postgres"
    access = ["--auth-local=trust", "--auth-host=reject", "--no-instructions"]  # the folder's mode is the lock
    home.run(_program(home, "initdb"), "-D", half, *options.split(), *access, *(["--no-sync"] if throw_away else []))
    half.rename(cluster)


def _refuse_other_version(home):
    ours = home.run(_program(home, "postgres"), "--version").stdout.split()[-1].split(".")[0]
    theirs = (_cluster(home) / "PG_VERSION").read_text().strip()
    if ours != theirs:
        raise CannotStart(
            f"{_cluster(home)} was made by PostgreSQL {theirs}, this is {ours}. Move it away, or set DATABASE_URL."
        )


def _start_server(home, throw_away):
    """One attempt; False while the remains of a killed server still hold its memory."""
    _mend_pid_file(home)
    settings = SETTINGS | (UNSAFE_BUT_FAST if throw_away else {})
    options = ["-k", str(home.sockets)] + [
        part for key, value in settings.items() for part in ("-c", f"{key}={value}")
    ]
    started = home.run(
        *(_program(home, "pg_ctl"), "-D", _cluster(home), "-l", home.path / "postgres.log", "-w", "-t", "120"),
        *("-o", shlex.join(options), "start"),
        check=False,
    )
    return started.returncode == 0


def _mend_pid_file(home):
    """Make a stale pid file harmless when its number meanwhile belongs to some other process.

    PostgreSQL trusts the number if any such process lives. The other lines stay: they let it find orphans of the
    killed server, which still write.
    """
    path = _pid_file(home)
    pid = pid_in(path)
    if not pid or is_ours(pid, str(_cluster(home))):
        return
    _, _, rest = path.read_text().partition("\n")
    path.write_text(f"{NO_SUCH_PROCESS}\n{rest}")


def _make_database(home):
    """Make the two roles and the portal's database where they are missing (a start may have died in between)."""
    with _connect(home, "postgres") as connection:
        for role in (OWNER, PORTAL):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(f"CREATE ROLE {role} LOGIN")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")

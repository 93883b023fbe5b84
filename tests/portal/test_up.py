"""`manage.py up` for real: the whole portal comes up, outlives the killing of each part, and ends cleanly."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from portal import embedded
from portal.embedded import folder
from portal.embedded.children import Child, end_orphans, noted
from portal.embedded.process import CannotStart, pid_in, wait_until
from portal.embedded.running import only_run, stop_run, take_port

CLONE = Path(__file__).resolve().parents[2]


def environment(data):
    ours = {"DATABASE_URL", "BROKER_URL", "TESTING", "PORT"}
    return {name: value for name, value in os.environ.items() if name not in ours} | {
        "HANDOFF_DATA_DIR": str(data),
        "DEMO": "0",
    }


@pytest.fixture
def data():
    path = Path(tempfile.mkdtemp(prefix="handoff-up-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    embedded.stop(path)
    folder.discard(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def made(data):
    """What a first command on new data said: it starts the services, and makes the tables."""
    asked = "from django.db import connection as c; u = c.cursor(); u.execute('SHOW fsync'); print(u.fetchone()[0])"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", asked]
    return subprocess.run(command, cwd=CLONE, env=environment(data), capture_output=True, text=True)


@pytest.fixture
def portal(data, made):
    """A portal that runs in another process, and what it wrote."""
    with (data / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=CLONE, env=environment(data), stdout=output, stderr=output
        )
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(60)


def note(data):
    try:
        return json.loads((data / "up.json").read_text() or "{}")
    except (FileNotFoundError, ValueError):
        return {}


def children(data):
    return {pid for pid, _ in note(data).get("children", {}).values()}


def ready(data):
    try:
        with urllib.request.urlopen(note(data)["address"] + "readyz", timeout=5) as answer:
            return answer.status == 200
    except (KeyError, urllib.error.URLError, OSError):
        return False


def lives(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


MADE_OF = (
    "SELECT pg_get_constraintdef(oid), conname, conrelid::regclass::text FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'",
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
    " WHERE table_schema = 'public'",
)


def made_of(connection):
    """All that migrations made, for comparing two databases."""
    with connection.cursor() as cursor:
        return [_answer(cursor, each) for each in MADE_OF]


def _answer(cursor, question):
    cursor.execute(question)
    return sorted(map(repr, cursor.fetchall()))


@pytest.mark.django_db
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc")
def test_the_portal_outlives_the_killing_of_every_part_and_ends_cleanly(data, made, portal):
    assert made.stdout == "on\n", made.stderr
    assert wait_until(lambda: ready(data), 120), (data / "output").read_text()
    with psycopg.connect(embedded.database_url(data)) as portals, pytest.raises(psycopg.errors.InsufficientPrivilege):
        portals.execute("UPDATE leads_decision SET outcome = 'accepted'")
    with psycopg.connect(embedded.database_owner_url(data)) as owners:
        if owners.info.server_version // 10_000 == connection.pg_version // 10_000:  # others word the same differently
            assert made_of(owners) == made_of(connection), "tests/migrated.py makes what `manage.py migrate` makes"
    home = folder.of(data)
    before = children(data)
    services = [pid_in(home.path / "postgres" / "postmaster.pid"), pid_in(home.path / "valkey.pid")]
    for pid in [*before, *services]:
        os.kill(pid, signal.SIGKILL)

    def all_new():
        return len(children(data)) == 3 and not before & children(data) and ready(data)

    assert wait_until(all_new, 90), (data / "output").read_text()
    after = [*children(data), pid_in(home.path / "postgres" / "postmaster.pid")]
    done = subprocess.run([sys.executable, "manage.py", "stop"], cwd=CLONE, env=environment(data), capture_output=True)
    assert done.stdout == b"Stopped.\n", done.stderr
    assert portal.wait(10) == 0
    assert not [pid for pid in after if lives(pid)]


def test_a_second_run_on_the_same_data_names_the_address_of_the_first(tmp_path):
    with only_run(tmp_path) as running:
        running.write(address="http://localhost:8042/")
        with pytest.raises(CannotStart, match="already runs: http://localhost:8042/"), only_run(tmp_path):
            pass


def test_stopping_without_a_run_is_no_error(tmp_path):
    assert not stop_run(tmp_path)
    with only_run(tmp_path):
        pass
    assert not stop_run(tmp_path)


def test_two_runs_never_share_a_port():
    first, held = take_port(0)
    with held:
        second, other = take_port(0)
        other.close()
        assert first != second
        with pytest.raises(CannotStart, match=f"Port {first} is taken. Set PORT"):
            take_port(first)


def test_a_taken_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotStart, match="Set PORT to a free one"):
            take_port(taken.getsockname()[1])


def test_a_child_that_keeps_dying_is_started_again_ever_more_slowly():
    child = Child("broken", [sys.executable, "-c", "raise SystemExit(1)"], {})
    for wait in (0, 1, 2):
        child.start()
        child.process.wait()
        before = time.monotonic()
        assert child.died()
        assert before + wait <= child.due <= time.monotonic() + wait


def test_stopping_a_child_ends_its_own_children_too(tmp_path):
    begun = tmp_path / "begun"
    code = f"import subprocess, time; subprocess.Popen(['sleep', '60']); open({str(begun)!r}, 'w'); time.sleep(60)"
    child = Child("parent", [sys.executable, "-c", code], {})
    child.start()
    group = child.process.pid
    assert wait_until(begun.exists, 60)
    child.stop()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_what_a_killed_run_left_behind_is_ended_and_nothing_else():
    child = Child("worker", [sys.executable, "-c", "import time; time.sleep(60)"], {})
    child.start()
    written = noted([child])
    other = {"worker": [os.getpid(), "a command line that this process does not have"]}
    assert wait_until(lambda: end_orphans(written), 10)
    assert not lives(child.process.pid)
    assert not end_orphans(other)
    child.stop()

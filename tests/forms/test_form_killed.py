"""One form under load while web server, worker, broker and database are killed: what was thanked for is there."""

import datetime as dt
import http.client
import itertools
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from portal import embedded
from portal.embedded import folder
from portal.embedded.process import wait_until
from tests.portal.test_killed import CLONE, PATIENCE, House, end

VISITORS, SECONDS_BETWEEN = 6, float(os.environ.get("FORM_LOAD_SECONDS", 3))
FILL = """
import datetime as dt
from django.utils import timezone
from leads.intake.forms.models import Form
from leads.intake.forms.services.build import create_form, publish_version
from tests import cast, form_cast
at = timezone.now() - dt.timedelta(days=1)
cast.agreement(at=at)
people = cast.people()
pages = [{"key": "all", "questions": [each for page in form_cast.ROI["pages"] for each in page["questions"]]}]
form = create_form(name="Load", slug="load", by=people.marketer, at=at, document=form_cast.ROI | {"pages": pages})
Form.objects.update(minimum_seconds=0, most_per_address=30000)
publish_version(form_id=form.pk, by=people.marketer, at=at)
"""
SAID = {
    "name": "Rosa Lund", "company": "Aldermoss", "title": "Head of Maintenance", "size": "middle",
    "industry": "Food", "how": "paper", "consent": "yes", "_page": "all",
}  # fmt: skip
TOKEN = re.compile(r'name="_token" value="([^"]+)"')


def said_of(answer):
    """What a page says that is no thank-you."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.read().decode()).split())[:600]


class FromManyPlaces(urllib.request.HTTPHandler):
    """Each request comes from another address of this machine: one address alone may send no more than an office."""

    numbers = itertools.count()

    def http_open(self, request):
        source = (f"127.0.0.{2 + next(self.numbers) % 250}", 0)
        return self.do_open(partial(http.client.HTTPConnection, source_address=source), request)


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Visitors:
    """People who fill the form one after the other, and send a page again until they are thanked."""

    def __init__(self, address):
        self.address, self.opener = address, urllib.request.build_opener(StayHere, FromManyPlaces)
        self.thanked, self.odd, self.stopped, self.numbers = set(), [], False, itertools.count()

    def come(self):
        while not self.stopped:
            email = f"visitor{next(self.numbers)}@aldermoss.example"
            token = self._until(lambda: TOKEN.search(self._ask()).group(1))
            if token and self._until(lambda email=email, token=token: self._send(email, token)):
                self.thanked.add(email)

    def _until(self, act):
        """What the act gives, tried again while nobody answers; None when the visitors are sent home meanwhile."""
        while not self.stopped:
            try:
                if answer := act():
                    return answer
            except (OSError, AttributeError, ValueError, urllib.error.URLError):
                pass
            time.sleep(0.05)
        return None

    def _ask(self):
        with self.opener.open(self.address, timeout=10) as answer:
            return answer.read().decode()

    def _send(self, email, token):
        said = SAID | {"email": email, "_token": token}
        body = urllib.parse.urlencode([*said.items(), *(("_shown", key) for key in (*said, "stops", "more"))])
        try:
            with self.opener.open(self.address, body.encode(), timeout=10) as answer:
                self.odd.append((answer.status, said_of(answer)))
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 302:
                self.odd.append((error.code, said_of(error)))
            return error.code == 302
        return False


@contextmanager
def house():
    data = Path(tempfile.mkdtemp(prefix="handoff-load-", dir="/tmp")).resolve()
    data.chmod(0o755)
    try:
        embedded.start(data)
        made = House(data)
        made.env |= {"DATABASE_POOL": "1"}
        made.run("-m", "tests.migrated")
        made.script(FILL)
        yield made
    finally:
        embedded.stop(data)
        folder.discard(data)
        shutil.rmtree(data, ignore_errors=True)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def begin(house, *command):
    """A process whose words go to a file: a pipe that nobody reads would stop it."""
    with (house.data / "said.log").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, *command], cwd=CLONE, env=house.env, stdout=said, stderr=said, start_new_session=True
        )


def web(house, port):
    return begin(
        house, "-m", "granian", "--interface", "rsgi", "--workers", "2", "--no-ws",
        "--respawn-failed-workers", "--log-level", "error", "--port", str(port), "portal.rsgi:application",
    )  # fmt: skip


def worker(house):
    return begin(
        house, "-m", "celery", "--quiet", "--app", "portal.celery", "worker", "--beat", "--pool", "threads",
        "--schedule", str(house.data / "beat"), "--concurrency", "2", "--loglevel", "CRITICAL",
    )  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc")
def test_every_submission_that_was_thanked_for_is_there_exactly_once_whatever_is_killed():
    with house() as here:
        port = free_port()
        running = {"web": web(here, port), "worker": worker(here)}
        visitors = Visitors(f"http://127.0.0.1:{port}/f/load/")
        threads = [threading.Thread(target=visitors.come) for _ in range(VISITORS)]
        try:
            for thread in threads:
                thread.start()
            assert wait_until(lambda: len(visitors.thanked) > 5, PATIENCE), visitors.odd
            here.kill("postgres/postmaster.pid")
            embedded.start(here.data)
            _more(visitors)
            end(running["web"])
            running["web"] = web(here, port)
            _more(visitors)
            end(running["worker"])
            here.kill("valkey.pid")
            _more(visitors)
            embedded.start(here.data)
            running["worker"] = worker(here)
            _more(visitors)
            visitors.stopped = True
            for thread in threads:
                thread.join(PATIENCE)
            assert wait_until(lambda: here.ask(LEFT) == 0, PATIENCE)
        finally:
            visitors.stopped = True
            for process in running.values():
                end(process)
        assert visitors.odd == []
        rows = set(here.ask("SELECT array_agg(mailbox) FROM forms_submission"))
        assert visitors.thanked <= rows
        for table, what in (("forms_submission", "mailbox"), ("leads_event", "lead_id"), ("leads_handoff", "lead_id")):
            twice = f"SELECT count(*) - count(DISTINCT {what}) FROM {table}"
            assert here.ask(twice) == 0, table
        assert here.ask("SELECT count(*) FROM forms_submission") == here.ask("SELECT count(*) FROM leads_lead")
        assert here.ask("SELECT count(*) FROM forms_submission") == here.ask("SELECT count(*) FROM leads_handoff")


# leads that the worker is still to evaluate
LEFT = "SELECT count(*) FROM leads_lead WHERE evaluate_from IS NOT NULL"


def _more(visitors):
    """The form goes on being filled, for a while and until more were thanked."""
    before, began = len(visitors.thanked), dt.datetime.now(dt.UTC)
    assert wait_until(lambda: len(visitors.thanked) > before + 3, PATIENCE), visitors.odd
    left = dt.timedelta(seconds=SECONDS_BETWEEN) - (dt.datetime.now(dt.UTC) - began)
    time.sleep(max(0, left.total_seconds()))

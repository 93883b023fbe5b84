"""Decisions of sixteen reps at once through the web server, beside the bare transaction; and what figures cost."""

import http.client
import itertools
import logging
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue

import psycopg
from django.conf import settings
from django.db import connection
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from benchmarks import pages_bench
from leads.models import Handoff
from leads.services.decide import accept_handoff
from portal.accounts.models import User
from portal.embedded.management.commands.up import WEB
from portal.embedded.process import wait_until

AT_ONCE = 16
EACH = 50  # decisions of each rep; pages_bench gives every rep 60 open leads
TURNS = 6  # of ten decisions each, with the figures and without

BARE = (
    "CREATE TABLE bench_handoff AS SELECT id, 'open' AS status, owner_id, standing_decision_id, decided_at"
    " FROM leads_handoff",
    "ALTER TABLE bench_handoff ADD PRIMARY KEY (id)",
    "CREATE TABLE bench_decision (id bigserial PRIMARY KEY, handoff_id bigint, outcome text, by_id bigint,"
    " decided_at timestamptz)",
    "CREATE TABLE bench_outbox (id bigserial PRIMARY KEY, topic text, payload jsonb, created_at timestamptz)",
)


def run(rows):
    """[(what, product, floor, ratio, target)] with `rows` handoffs in the database."""
    pages_bench.fill(rows)
    logging.disable(logging.INFO)
    try:
        reps = [*User.objects.filter(name__startswith="Page rep").order_by("pk")[: AT_ONCE + 1]]
        return [at_once(reps[:AT_ONCE], rows), with_figures(reps[AT_ONCE])]
    finally:
        logging.disable(logging.NOTSET)
        pages_bench.empty()


def at_once(reps, rows):
    """The bare transaction runs before and after, each rep on a connection of its own, as the portal's reps are."""
    held = {
        rep: [*Handoff.objects.in_inbox().filter(owner=rep).by_deadline().values_list("pk", flat=True)] for rep in reps
    }
    floors = [bare(held)]
    with web() as port, ThreadPoolExecutor(AT_ONCE) as people:
        browsers = [Browser(rep, port) for rep in reps]
        for browser, rep in zip(browsers, reps, strict=True):
            browser.accept(held[rep].pop())
        began = time.perf_counter()
        work = [people.submit(browser.accept, *held[rep][:EACH]) for browser, rep in zip(browsers, reps, strict=True)]
        done = sum(one.result() for one in work)
        product = done / (time.perf_counter() - began)
    floors.append(bare(held))
    floor = statistics.mean(floors)
    what = f"decision: POST/s of {AT_ONCE} reps at once, {rows:,} handoffs, beside the bare transaction"
    return what, f"{product:,.0f} /s", f"{floor:,.0f} /s", f"{product / floor:.3f}", "≥ 0.10"


class Browser:
    """A rep who is signed in, on one connection that stays open."""

    def __init__(self, rep, port):
        client = Client()
        client.force_login(rep)
        request = RequestFactory().get("/")
        token = get_token(request)
        cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
                   settings.CSRF_COOKIE_NAME: request.META["CSRF_COOKIE"]}  # fmt: skip
        self.headers = {
            "Host": "localhost", "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": token, "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        self.web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def accept(self, *handoffs):
        for pk in handoffs:
            self.web.request("POST", reverse("inbox_accept", args=[pk]), b"", self.headers)
            answer = self.web.getresponse()
            assert answer.status == 200, (answer.status, answer.read()[:500])
            answer.read()
        return len(handoffs)


def bare(held):
    """Transactions a second: lock, check, insert the decision, update the handoff, tell the outbox; no trigger."""
    where = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name not in ("cursor_factory", "context")
    }
    with connection.cursor() as cursor:
        for statement in BARE:
            cursor.execute(statement)
    lines = SimpleQueue()
    for _ in range(AT_ONCE):
        lines.put(psycopg.connect(**where))
    try:
        with ThreadPoolExecutor(AT_ONCE) as people:
            began = time.perf_counter()
            done = sum(people.map(lambda given: decide(lines.get(), *given), held.items()))
            return done / (time.perf_counter() - began)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_handoff, bench_decision, bench_outbox")


def decide(line, rep, handoffs):
    with line:
        for pk in handoffs[:EACH]:
            with line.transaction(), line.cursor() as cursor:
                cursor.execute("SELECT status, owner_id FROM bench_handoff WHERE id = %s FOR UPDATE", (pk,))
                assert cursor.fetchone() == ("open", rep.pk)
                cursor.execute(
                    "INSERT INTO bench_decision (handoff_id, outcome, by_id, decided_at) VALUES (%s, 'accepted', %s,"
                    " now()) RETURNING id", (pk, rep.pk)
                )  # fmt: skip
                cursor.execute(
                    "UPDATE bench_handoff SET status = 'accepted', standing_decision_id = %s, decided_at = now()"
                    " WHERE id = %s", (cursor.fetchone()[0], pk)
                )  # fmt: skip
                cursor.execute(
                    "INSERT INTO bench_outbox (topic, payload, created_at) VALUES ('handoff.accepted',"
                    " jsonb_build_object('handoff', %s::bigint), now())", (pk,)
                )  # fmt: skip
    return len(handoffs[:EACH])


@contextmanager
def web():
    """The web server as `make run` starts it, on this run's database; its port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "granian", *WEB, "--port", str(port), "portal.rsgi:application"]
    env, quiet = os.environ | {"LOG_LEVEL": "INFO"}, subprocess.DEVNULL  # it writes its lines, but not into the table
    server = subprocess.Popen(command, start_new_session=True, env=env, stdout=quiet, stderr=quiet)  # noqa: S603
    try:
        assert wait_until(lambda: answers(port), 60), "the web server does not answer"
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def answers(port):
    try:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        asked.request("GET", "/healthz", headers={"Host": "localhost"})
        return asked.getresponse().status == 200
    except OSError:
        return False


def with_figures(rep):
    """Decisions a second by the verb, with the trigger that keeps the figures and without it, in turns."""
    waiting = iter(Handoff.objects.in_inbox().filter(owner=rep).values_list("pk", flat=True))
    took = {True: [], False: []}
    for kept in itertools.islice(itertools.cycle((True, False)), TURNS):
        if not kept:
            keep_figures(False)
        began = time.perf_counter()
        for pk in itertools.islice(waiting, 60 // TURNS):
            accept_handoff(handoff_id=pk, by=rep, at=timezone.now())
        took[kept].append(time.perf_counter() - began)
        keep_figures(True)
    kept, not_kept = (60 // TURNS / statistics.median(took[each]) for each in (True, False))
    what = "decision: by the verb, figures kept, beside without"
    return what, f"{kept:,.0f} /s", f"{not_kept:,.0f} /s", f"{kept / not_kept:.2f}", "≥ 0.85"


def keep_figures(on):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_moves_figures%'")
        [(name,)] = cursor.fetchall()
        cursor.execute(f"ALTER TABLE leads_handoff {'ENABLE' if on else 'DISABLE'} TRIGGER {name}")

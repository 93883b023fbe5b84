"""`manage.py up`: the whole portal in one terminal, for trying it out; production has its own means."""

import os
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from portal import embedded
from portal.embedded import valkey
from portal.embedded.children import Child, end_orphans, noted
from portal.embedded.running import only_run, take_port
from portal.embedded.static import collect_when_changed

PROGRAMS = Path(sys.executable).parent
READY_WITHIN = 90  # seconds
WEB = (
    "--interface", "rsgi", "--workers", "2", "--no-ws", "--respawn-failed-workers", "--log-level", "warning",
)  # fmt: skip


class Command(BaseCommand):
    """Prepare the database, start web server, worker and beat, keep them and the embedded services alive."""

    help = "Run the portal with its worker, its beat and its services until Ctrl-C."
    requires_system_checks = []

    def handle(self, *args, **options):
        """Run until SIGINT or SIGTERM, then end the processes, then the embedded services."""
        self.ended, self.watching = False, False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        try:
            with only_run(settings.DATA_DIR) as running:
                try:
                    self._run(running)
                except KeyboardInterrupt:
                    self.stdout.write("Stopped before it was up.")
                finally:
                    self._stop_services()
        except embedded.CannotStart as problem:
            raise CommandError(str(problem)) from None

    def _run(self, running):
        end_orphans(running.before.get("children", {}))
        port, holder = take_port(_wanted_port())
        address, children = f"http://localhost:{port}/", _children(port)
        running.write(address=address)
        self._prepare()
        try:
            with holder:
                self._keep(running, children, address)
        finally:
            self.stdout.write("Stopping.")
            for child in reversed(children):
                child.stop()

    def _prepare(self):
        """Bring database, static files and, when it is empty and a demo is wanted, the invented company up to date."""
        call_command("migrate", interactive=False, verbosity=0)
        collect_when_changed(settings)
        if settings.DEMO and not get_user_model().objects.exists() and "seed_demo" in get_commands():
            self.stdout.write("Inventing a company (once, about half a minute) ...")
            call_command("seed_demo")
        connections.close_all()

    def _keep(self, running, children, address):
        """Watch over everything until the end; say once where to go."""
        self.watching, told = True, False
        give_up = time.monotonic() + READY_WITHIN
        while not self.ended:
            embedded.provide()
            if self._revive(children):
                running.write(address=address, children=noted(children))
            if not told and (_ready(address) or time.monotonic() > give_up):
                told = True
                self._tell(address)
            time.sleep(0.3)

    def _revive(self, children):
        """Start every child that is due; True when any was started."""
        started = False
        for child in children:
            if child.died() and not self.ended:
                self.stderr.write(f"{child.name} ended; starting it again.")
            if child.process is None and child.due <= time.monotonic() and not self.ended:
                if child.name == "worker" and "BROKER_URL" in embedded.in_use():
                    valkey.hand_back_tasks(settings.CELERY_BROKER_URL)
                child.start()
                started = True
        return started

    def _tell(self, address):
        self.stdout.write(f"\nHandoff is at {address}")
        if settings.DEMO:
            self.stdout.write(f"Sign in as rep, manager, marketer, leader or admin with one click: {address}demo/")
        self.stdout.write(f"Data: {settings.DATA_DIR}    Stop: Ctrl-C, or `make stop`\n")
        self.stdout.flush()

    def _stop_services(self):
        if embedded.in_use():
            embedded.stop(settings.DATA_DIR)

    def _end(self, *_):
        if not (self.ended or self.watching):
            self.ended = True
            raise KeyboardInterrupt
        self.ended = True


def _wanted_port():
    """PORT from the environment; 0 when any will do."""
    text = os.environ.get("PORT", "").strip() or "0"
    if not text.isdigit() or int(text) > 65535:
        raise embedded.CannotStart(f"PORT={text!r} is not a port. Set PORT to a number such as 8000.")
    return int(text)


def _children(port):
    run = settings.DATA_DIR / "celerybeat-schedule"
    quiet = "ignore::UserWarning:celery.platforms,ignore::PendingDeprecationWarning"
    common = {"DATABASE_POOL": "1", "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": quiet}
    common["PORTAL_URL"] = os.environ.get("PORTAL_URL") or f"http://localhost:{port}"
    worker = "worker --pool threads --concurrency 4 --without-gossip --without-mingle --loglevel WARNING"
    celery = [str(PROGRAMS / "celery"), "--quiet", "--app", "portal.celery"]
    return [
        Child("web", [str(PROGRAMS / "granian"), *WEB, "--port", str(port), "portal.rsgi:application"], common),
        Child("worker", [*celery, *worker.split(), "--hostname", f"worker-{port}@%h"], common),
        Child("beat", [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(run)], common),
    ]


def _ready(address):
    try:
        with urllib.request.urlopen(f"{address}readyz", timeout=5) as answer:  # noqa: S310  (our own address)
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False

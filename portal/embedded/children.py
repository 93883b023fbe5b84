"""The portal's own processes while trying it out: started, watched, restarted when they die, ended in order."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field

from portal.embedded.process import end, is_ours, wait_until

PATIENCE = 20.0  # seconds a process gets to finish what it is at
WAITS = (0, 1, 2, 5, 10, 30)  # seconds before the next restart, by the number of quick deaths in a row
LASTING = 30.0  # seconds after which a life no longer counts as a quick death


@dataclass
class Child:
    """One process in a session of its own, so that the terminal's Ctrl-C reaches only its parent."""

    name: str
    command: list
    environment: dict
    process: subprocess.Popen | None = field(default=None, init=False)
    quick_deaths: int = field(default=0, init=False)
    started: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)

    def start(self):
        """Start it."""
        self.process = subprocess.Popen(  # noqa: S603  (our own programs only)
            self.command, env=os.environ | self.environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.started = time.monotonic()

    def died(self):
        """True once per death: what is left of its group is ended, and the time of its restart set."""
        if self.process is None or self.process.poll() is None:
            return False
        _kill_group(self.process.pid)
        lasted = time.monotonic() - self.started > LASTING
        self.quick_deaths = 1 if lasted else self.quick_deaths + 1
        self.due = time.monotonic() + WAITS[min(self.quick_deaths - 1, len(WAITS) - 1)]
        self.process = None
        return True

    def stop(self):
        """Ask it to end, insist when it does not."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        _kill_group(self.process.pid)
        self.process.wait()
        self.process = None


def noted(children):
    """What a run writes down about its children: {name: [pid, command line]}."""
    return {child.name: [child.process.pid, " ".join(child.command)] for child in children if child.process}


def end_orphans(children):
    """End what a killed run left behind, as it wrote it down; True when anything lived."""
    orphans = [(pid, command) for pid, command in children.values() if is_ours(pid, command)]
    for pid, command in orphans:
        end(pid, command, patience=PATIENCE)
        _kill_group(pid)
    return bool(orphans)


def _kill_group(pid):
    """Kill what is left of a process group; its number cannot have been given away while a member lives."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
        wait_until(lambda: not _group_lives(pid), 2)


def _group_lives(pid):
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True

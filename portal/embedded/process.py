"""Processes and locks: who runs, who may start, and how something is ended for certain."""

import fcntl
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path


class CannotStart(Exception):
    """A service cannot be started; the message is one line that says why and what to do."""


@contextmanager
def locked(path):
    """Hold the lock file `path` alone; the system lets go of it even when this process is killed."""
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def pid_in(path):
    """The process id on the first line of `path`; 0 when there is none."""
    try:
        return abs(int(path.read_text().split("\n", 1)[0]))
    except (OSError, ValueError):
        return 0


def is_ours(pid, mark):
    """True when process `pid` lives and has `mark` in its command line: an id alone may meanwhile be another's."""
    return pid > 0 and mark in _command_line(pid)


def end(pid, mark, *, patience=30.0):
    """Ask process `pid` to end, insist after `patience` seconds; returns once it is gone."""
    for sign, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 10.0)):
        if not is_ours(pid, mark):
            return
        os.kill(pid, sign)
        wait_until(lambda: not is_ours(pid, mark), seconds)


def wait_until(true, seconds):
    """Poll `true()` for at most `seconds`; its last answer."""
    end_at = time.monotonic() + seconds
    while not (answer := true()) and time.monotonic() < end_at:
        time.sleep(0.05)
    return answer


def _command_line(pid):
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    words = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(words, capture_output=True, text=True).stdout  # noqa: S603

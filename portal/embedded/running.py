"""Which `manage.py up` runs on a data folder: one at a time, known to those who come later."""

import fcntl
import json
import os
import signal
import socket
from contextlib import contextmanager

from portal.embedded.process import CannotStart, wait_until

FIRST_PORT, LAST_PORT = 8000, 8099


class Running:
    """The note that a run keeps about itself in the data folder, under a lock that ends with the process."""

    def __init__(self, handle):
        """Take over the open, locked note; `before` is what the last run wrote, killed or not."""
        self._handle = handle
        self.before = _parse(handle)

    def write(self, **facts):
        """Replace the note: {"pid", "address", "children": {name: [pid, command line]}}."""
        self._handle.seek(0)
        self._handle.truncate()
        json.dump({"pid": os.getpid(), **facts}, self._handle)
        self._handle.flush()


@contextmanager
def only_run(data):
    """Be the only run on this data folder. Raises CannotStart that names the other one's address."""
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    with (data / "up.json").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            where = _parse(handle).get("address", "its address comes in a moment")
            raise CannotStart(f"The portal already runs: {where} (`make stop` ends it).") from None
        running = Running(handle)
        yield running
        running.write()


def stop_run(data, *, patience=60.0):
    """Ask the run on this data folder to end and wait for it; True when there was one."""
    try:
        handle = (data / "up.json").open("r+")
    except FileNotFoundError:
        return False
    with handle:
        if _free(handle):
            return False
        if pid := _parse(handle).get("pid"):
            os.kill(pid, signal.SIGTERM)
        if not wait_until(lambda: _free(handle), patience):
            raise CannotStart(f"The portal (process {pid}) does not end.")
    return True


def take_port(wanted):
    """(port, socket): `wanted`, or else the first free port from 8000. Keep the socket: it keeps other clones off.

    The socket only holds the number. It shares it with our web server, which asks to share, and with nobody else.
    """
    for port in [wanted] if wanted else range(FIRST_PORT, LAST_PORT + 1):
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return port, holder
    tried = f"Port {wanted} is" if wanted else f"The ports {FIRST_PORT} to {LAST_PORT} are"
    raise CannotStart(f"{tried} taken. Set PORT to a free one.")


def _parse(handle):
    handle.seek(0)
    try:
        return json.loads(handle.read() or "{}")
    except ValueError:
        return {}


def _free(handle):
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(handle, fcntl.LOCK_UN)
    return True
